"""Workbooks of Excel (.xlsx) as tables of labels: the first sheet, whose first row names columns.

Read by openpyxl, which refuses XML that defines entities where defusedxml is there (ADR 22). Values
count as they were last shown; a formula is never worked out.
"""

import zipfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final
from xml.etree.ElementTree import ParseError

from nearl_core.importing.statements import ImportLabelsError

BEGIN: Final = b"PK\3\4"
"""How such a file begins: it is a ZIP archive."""
_LARGEST: Final = 512 << 20
"""Bytes when unpacked, by its own word, which Python's unpacking holds it to."""
_BROKEN: Final = (zipfile.BadZipFile, ParseError, KeyError, ValueError, TypeError, IndexError)


def rows_of(path: Path) -> Iterator[tuple[int, Mapping[str, object]]]:
    """The number of each row below the first, and its cells by column; empty rows are left out.

    Args:
        path: A file that begins with BEGIN.

    Raises:
        ImportLabelsError: If it is no workbook, is damaged or grows too large.
        OSError: If it can't be read.
    """
    try:
        yield from _rows(path)
    except _BROKEN as error:
        raise ImportLabelsError(
            f"{path.name} is no workbook that can be read.",
            "Save it as an Excel workbook (.xlsx), or its sheet as CSV in UTF-8.",
        ) from error


def _rows(path: Path) -> Iterator[tuple[int, Mapping[str, object]]]:
    from openpyxl import load_workbook  # a tenth of a second, for whoever has a workbook

    with path.open("rb") as file:
        with zipfile.ZipFile(file) as archive:
            size = sum(part.file_size for part in archive.infolist())
        if size > _LARGEST:
            raise ImportLabelsError(
                f"{path.name} grows past 512 MB when it is unpacked.",
                "Save the sheet with the labels alone, as CSV in UTF-8.",
            )
        book = load_workbook(file, read_only=True, data_only=True, keep_links=False)
        sheet = book.worksheets[0]
        sheet.reset_dimensions()  # what it says of its size may be anything
        header = list[str]()
        for number, row in enumerate(sheet.iter_rows(values_only=True), start=1):
            cells = [_plain(cell) for cell in row]
            if not any(cells):
                continue
            if header:
                named = zip(header, [*cells, *[""] * len(header)], strict=False)
                yield number, dict(named)
            else:
                header = cells


def _plain(cell: object) -> str:
    """As it would stand in CSV: whole numbers without a point."""
    if isinstance(cell, float) and cell.is_integer():
        cell = int(cell)
    return "" if cell is None else str(cell).strip()
