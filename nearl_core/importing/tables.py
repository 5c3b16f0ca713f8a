"""Labels in tables: CSV with a header, workbooks, and JSON lines."""

import csv
import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Final

from nearl_core.delimited import delimiter_of, opened_table
from nearl_core.importing import workbook
from nearl_core.importing.columns import IsLabel, LabelColumns
from nearl_core.importing.naming import Naming, header
from nearl_core.importing.statements import (
    Columns,
    ColumnsError,
    ImportLabelsError,
    Statement,
)

LABELS: Final = (
    *("label", "labels", "class", "class_name", "category", "finding", "finding_labels"),
    *("diagnosis", "diagnostic", "dx", "pathology", "target"),
)
"""Columns that may name the label, as data sets call them; the first one that is there counts.

Findings in the plural are a report's free text.
"""
STATE: Final = "state"
_REMEDY: Final = (
    "Say which columns name the file and its label, or call them so, such as path and label."
)
_BETWEEN: Final = re.compile("[;|]")
"""Between several labels; the bar is that of the NIH's chest radiographs."""
_OLD_WORKBOOK: Final = b"\xd0\xcf\x11\xe0"
"""How Excel's files began before 2007, and begin where they are locked by a password."""
_NAMED: Final = 8
_LONGEST_NAME: Final = 40
_LONGEST: Final = 1 << 20
_Row = tuple[int, Mapping[str, object]]
"""The number of its line, and its cells by column."""
Table = tuple[tuple[Statement, ...], tuple[str, ...]]
"""What a table says, and the names of its columns."""


def read_table(path: Path, is_label: IsLabel, columns: Columns) -> Table:
    """The rows of a CSV file, or of a workbook's first sheet, whose first line names the columns.

    Args:
        path: The file.
        is_label: Whether the name of a column means a label of the project, or a state.
        columns: Those to read.

    Raises:
        ColumnsError: If it is not clear what its columns mean.
        ImportLabelsError: If it can't be read.
    """
    try:
        begin = _begin(path)
        if begin == workbook.BEGIN:
            return _table(workbook.rows_of(path), path, is_label, columns)
        if begin == _OLD_WORKBOOK:
            raise ImportLabelsError(
                f"{path.name} is a workbook of an old kind, or locked by a password.",
                "Save it as an Excel workbook (.xlsx) without one, or its sheet as CSV in UTF-8.",
            )
        with opened_table(path) as file:
            rows = csv.DictReader(
                file, delimiter=delimiter_of(file), strict=True, restkey="", restval=""
            )
            return _table(((rows.line_num, row) for row in rows), path, is_label, columns)
    except OSError as error:
        raise _unreadable(path, error) from error
    except csv.Error as error:
        raise ImportLabelsError(
            f"{path.name} is not a CSV file.", "Save it as CSV with commas, in UTF-8."
        ) from error


def _begin(path: Path) -> bytes:
    """The first bytes of a table, by which a workbook is known.

    Raises:
        ImportLabelsError: If it holds nothing at all.
        OSError: If it can't be read.
    """
    with path.open("rb") as file:
        begin = file.read(len(workbook.BEGIN))
    if not begin:
        raise ImportLabelsError(f"{path.name} is empty.", "Choose another file.")
    return begin


def read_jsonl(path: Path, is_label: IsLabel, columns: Columns) -> Table:
    """The lines of a file with one JSON object each, likewise.

    Raises:
        ColumnsError: If it is not clear what the objects' keys mean.
        ImportLabelsError: If it can't be read, or a line is not an object.
    """
    try:
        with path.open(encoding="utf-8-sig") as file:
            return _table(_records(file, path), path, is_label, columns)
    except OSError as error:
        raise _unreadable(path, error) from error
    except UnicodeDecodeError as error:
        raise ImportLabelsError(
            f"{path.name} is not text in UTF-8.", "Save it as UTF-8."
        ) from error


def _records(lines: Iterable[str], path: Path) -> Iterator[_Row]:
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        try:
            record = json.loads(line) if len(line) < _LONGEST else None
        except (ValueError, RecursionError):
            record = None
        if not isinstance(record, dict):
            raise ImportLabelsError(
                f"Line {number} of {path.name} is not a JSON object.",
                'Write one object a line, such as {"file": "a.png", "label": "Mass"}.',
            )
        yield number, record


def _table(rows: Iterable[_Row], path: Path, is_label: IsLabel, columns: Columns) -> Table:
    found, label_columns = list[Statement](), LabelColumns(path.name, is_label)
    naming = Naming(columns)
    labels = (header(columns.label),) if columns.label else LABELS
    there = dict[str, None]()  # of all rows: lines of JSON may each have others
    for line, row in rows:
        cells = {header(name): cell for name, cell in row.items()}
        there |= dict.fromkeys(row)
        named = naming.named(
            {name: _text(cell) for name, cell in cells.items() if name in naming.headers}
        )
        if named is None:
            raise _unclear(path, there)
        file, sha256, keys = named
        if not (file or sha256 or keys):
            continue
        label_column = next((name for name in labels if name in cells), STATE)
        if columns.label or label_column in cells:
            values = _values(cells.get(label_column)) or _values(cells.get(STATE))
            if values:
                found.append(Statement(file, values, sha256, line=line, keys=keys))
        else:
            others = (
                (name, _text(row[name])) for name in row if header(name) not in naming.headers
            )
            said = label_columns.statement(file, sha256, others, line)
            found.append(replace(said, keys=keys))
    headers = set(map(header, there))
    for name in (columns.file, columns.label):
        if name and headers and header(name) not in headers:
            raise _unclear(path, there, name)
    if not label_columns.names and any(one.absent is not None for one in found):
        raise _unclear(path, there)
    return label_columns.settled(found), _names(there)


def _names(columns: Iterable[str]) -> tuple[str, ...]:
    return tuple(name.strip() for name in columns if name.strip())


def _unclear(path: Path, columns: Iterable[str], missing: str = "") -> ColumnsError:
    names = _names(columns)
    there = ", ".join(name[:_LONGEST_NAME] for name in names[:_NAMED])
    more = ", …" if len(names) > _NAMED else ""
    wrong = (
        f"has no column {missing[:_LONGEST_NAME]}"
        if missing
        else "does not say which file has which label"
    )
    return ColumnsError(f"{path.name} {wrong}; its columns are {there}{more}.", _REMEDY, names)


def _split(text: str) -> tuple[str, ...]:
    return tuple(filter(None, (part.strip() for part in _BETWEEN.split(text))))


def _values(label: object) -> tuple[str, ...]:
    if isinstance(label, list):
        return tuple(filter(None, map(_text, label)))
    return _split(_text(label))


def _text(value: object) -> str:
    return "" if value is None or isinstance(value, (dict, list)) else str(value).strip()


def _unreadable(path: Path, error: OSError) -> ImportLabelsError:
    return ImportLabelsError(f"{path.name} can't be read ({error.strerror}).", "Check the path.")
