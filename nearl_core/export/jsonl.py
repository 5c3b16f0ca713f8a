"""The table of decisions as JSON lines (UTF-8)."""

import json
from pathlib import Path
from typing import Final

from nearl_core.export.content import Content, Record

FILE: Final = "decisions.jsonl"


def write(content: Content) -> None:
    """Write the table, one object a line."""
    with (content.folder / FILE).open("w", encoding="utf-8", newline="\n") as file:
        for record in content.records(content.rows):
            file.write(json.dumps(record, ensure_ascii=False) + "\n")


def read(folder: Path) -> list[Record]:
    """The table's rows, for verification."""
    with (folder / FILE).open(encoding="utf-8") as file:
        return [json.loads(line) for line in file]
