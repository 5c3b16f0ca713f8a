"""The table of decisions as CSV (RFC 4180, UTF-8)."""

import csv
from collections.abc import Iterable
from pathlib import Path
from typing import Final

from nearl_core.export.columns import COLUMNS, Cell
from nearl_core.export.rows import Row

FILE: Final = "decisions.csv"
_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r")


def write(folder: Path, rows: Iterable[Row]) -> None:
    """Write the table."""
    with (folder / FILE).open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow([column.name for column in COLUMNS])
        for row in rows:
            writer.writerow([cell(column.value(row)) for column in COLUMNS])


def cell(value: Cell) -> str:
    """What stands in a cell; what a spreadsheet would run as a formula is escaped.

    See OWASP, "CSV Injection".
    """
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (int, float)):
        return str(value)
    text = ";".join(value) if isinstance(value, list) else value
    text = text.replace("\0", "")
    return "'" + text if text.startswith(_FORMULA) else text


def read(folder: Path) -> list[dict[str, str]]:
    """The table's rows by column, for verification."""
    with (folder / FILE).open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file, strict=True))
