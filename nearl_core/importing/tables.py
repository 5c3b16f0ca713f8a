"""Labels in tables: CSV with a header, and JSON lines."""

import csv
import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final

from nearl_core.delimited import delimiter_of
from nearl_core.importing.statements import ImportLabelsError, Statement

FILES: Final = (
    *("path", "file", "file_name", "filename", "file_path", "filepath"),
    *("image", "image_path", "image_name", "image_file", "image_file_path", "image_id"),
    *("image_index", "isic_id", "img_id", "id_code"),
)
"""Columns that may name the file, as data sets call them; the first one that is there counts.

Blanks and hyphens in a header stand for _, capitals count as small letters.
"""
LABELS: Final = (
    *("label", "labels", "class", "class_name", "category", "finding", "finding_labels"),
    *("diagnosis", "diagnostic", "dx", "pathology", "target"),
)
"""Columns that may name the label, likewise. Findings in the plural are a report's free text."""
STATE: Final = "state"
HASH: Final = "sha256"
_COLUMNS: Final = (
    "a file (path, file, image, or sha256) and a label (label, class, finding, diagnosis, dx)"
)
_BETWEEN: Final = re.compile("[;|]")
"""Between several labels; the bar is that of the NIH's chest radiographs."""
_LONGEST: Final = 1 << 20


def read_csv(path: Path) -> tuple[Statement, ...]:
    """The rows of a CSV file whose first line names the columns.

    Raises:
        ImportLabelsError: If it can't be read, or lacks a column that is needed.
    """
    try:
        with path.open(encoding="utf-8-sig", errors="surrogateescape", newline="") as file:
            rows = csv.DictReader(
                file, delimiter=delimiter_of(file), strict=True, restkey="", restval=""
            )
            names = {_header(name or ""): name for name in rows.fieldnames or ()}
            file_column, label_column = _columns(names, path)
            return tuple(
                found
                for row in rows
                if (found := _from_row(row, names, file_column, label_column)) is not None
            )
    except OSError as error:
        raise _unreadable(path, error) from error
    except csv.Error as error:
        raise ImportLabelsError(
            f"{path.name} is not a CSV file.", "Save it as CSV with commas, in UTF-8."
        ) from error


def _from_row(
    row: Mapping[str, str], names: Mapping[str, str], file_column: str, label_column: str
) -> Statement | None:
    def cell(column: str) -> str:
        return str(row.get(names.get(column, ""), "") or "").strip() if column in names else ""

    return _statement(cell(file_column), _split(cell(label_column)), cell(STATE), cell(HASH))


def read_jsonl(path: Path) -> tuple[Statement, ...]:
    """The lines of a file with one JSON object each.

    Raises:
        ImportLabelsError: If it can't be read, or a line is not an object.
    """
    try:
        with path.open(encoding="utf-8-sig") as file:
            return tuple(_from_lines(file, path))
    except OSError as error:
        raise _unreadable(path, error) from error
    except UnicodeDecodeError as error:
        raise ImportLabelsError(
            f"{path.name} is not text in UTF-8.", "Save it as UTF-8."
        ) from error


def _from_lines(lines: Iterator[str], path: Path) -> Iterator[Statement]:
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
        names = {_header(str(name)): name for name in record}
        file_column, label_column = _columns(names, path)
        label = record.get(names.get(label_column, ""))
        found = _statement(
            _text(record.get(names.get(file_column, ""))),
            _values(label),
            _text(record.get(names.get(STATE, ""))),
            _text(record.get(names.get(HASH, ""))),
        )
        if found is not None:
            yield found


def _header(name: str) -> str:
    return re.sub(r"[\s-]+", "_", name.strip().lower())


def _columns(names: Mapping[str, object], path: Path) -> tuple[str, str]:
    """The columns of the file and of the label; "" where another one tells it."""
    file_column = next((name for name in FILES if name in names), "")
    label_column = next((name for name in LABELS if name in names), "")
    if not (file_column or HASH in names) or not (label_column or STATE in names):
        raise ImportLabelsError(
            f"{path.name} does not say which file has which label.",
            f"It must name {_COLUMNS}.",
        )
    return file_column, label_column


def _statement(file: str, values: tuple[str, ...], state: str, sha256: str) -> Statement | None:
    if not values and state:
        values = (state,)
    if not values or not (file or sha256):
        return None
    return Statement(file, values, sha256.lower())


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
