"""The table of decisions as JSON lines (UTF-8)."""

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any, Final

from nearl_core.export.columns import COLUMNS
from nearl_core.export.rows import Row

FILE: Final = "decisions.jsonl"


def write(folder: Path, rows: Iterable[Row]) -> None:
    """Write the table, one object a line."""
    with (folder / FILE).open("w", encoding="utf-8", newline="\n") as file:
        for row in rows:
            record = {column.name: column.value(row) for column in COLUMNS}
            file.write(json.dumps(record, ensure_ascii=False) + "\n")


def read(folder: Path) -> list[dict[str, Any]]:
    """The table's rows, for verification."""
    with (folder / FILE).open(encoding="utf-8") as file:
        return [json.loads(line) for line in file]
