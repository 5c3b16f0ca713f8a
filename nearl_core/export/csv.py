"""The table of decisions as CSV (RFC 4180, UTF-8)."""

import csv
from pathlib import Path
from typing import Final

from nearl_core.delimited import escaped
from nearl_core.export.columns import Cell
from nearl_core.export.content import Content, Record

FILE: Final = "decisions.csv"


def write(content: Content) -> None:
    """Write the table."""
    with (content.folder / FILE).open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow([column.name for column in content.columns])
        for record in content.records(content.rows):
            writer.writerow([cell(value) for value in record.values()])


def cell(value: Cell) -> str:
    """What stands in a cell; what a spreadsheet would run as a formula is escaped."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (int, float)):
        return str(value)
    text = ";".join(value) if isinstance(value, list) else value
    return escaped(text.replace("\0", ""))


def read(folder: Path) -> list[Record]:
    """The table's rows by column, for verification."""
    with (folder / FILE).open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file, strict=True))
