"""A Hugging Face "imagefolder": SPLIT/ with pictures and a metadata.jsonl beside them.

Source: huggingface.co/docs/datasets, "Create an image dataset", section ImageFolder.
"""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Final

from nearl_core.export.content import Content, Record, by_word
from nearl_core.export.rows import Row
from nearl_core.types import LabelSet

FILE: Final = "metadata.jsonl"


def place(label_set: LabelSet) -> Callable[[Row], str]:
    """Pictures of each split in the folder that names it."""
    del label_set
    return lambda row: row.split


def write(content: Content) -> None:
    """Write each split's table; `file_name` leads to the picture beside it."""
    for split, rows in content.by_split().items():
        path = content.folder / split / FILE
        with path.open("w", encoding="utf-8", newline="\n") as file:
            for row, record in zip(rows, content.records(rows), strict=True):
                del record["image"]
                said = by_word(record, content.label_set)
                line = {"file_name": row.image.removeprefix(f"{split}/"), **said}
                file.write(json.dumps(line, ensure_ascii=False) + "\n")


def read(folder: Path) -> list[Record]:
    """The rows of all splits, for verification."""
    found: list[Record] = []
    for path in sorted(folder.glob(f"*/{FILE}")):
        with path.open(encoding="utf-8") as file:
            for line in file:
                record = json.loads(line)
                if (path.parent / record["file_name"]).is_file():
                    found.append({**record, "split": path.parent.name})
    return found
