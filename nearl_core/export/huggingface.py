"""A Hugging Face "imagefolder": SPLIT/ with pictures and a metadata.parquet beside them.

Parquet, since its columns have kinds: of JSON lines `datasets` guesses them from the values, and
refuses the whole where a column has none in one split (no frame named, no parent, no suggestion).

Source: huggingface.co/docs/datasets, "Create an image dataset", section ImageFolder.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Final

from nearl_core.export import parquet
from nearl_core.export.content import Content, Record, by_word
from nearl_core.export.rows import Row
from nearl_core.types import LabelSet

FILE: Final = "metadata.parquet"


def place(label_set: LabelSet) -> Callable[[Row], str]:
    """Pictures of each split in the folder that names it."""
    del label_set
    return lambda row: row.split


def write(content: Content) -> None:
    """Write each split's table; `file_name` leads to the picture beside it."""
    import pyarrow.parquet

    kinds = parquet.kinds(content)
    schema = pyarrow.schema(
        {"file_name": pyarrow.string()} | {name: kinds[name] for name in kinds if name != "image"}
    )
    for split, rows in content.by_split().items():
        records = [by_word(one, content.label_set) for one in content.records(rows)]
        for record in records:
            record["file_name"] = str(record.pop("image")).removeprefix(f"{split}/")
        table = pyarrow.Table.from_pylist(records, schema=schema)
        pyarrow.parquet.write_table(table, content.folder / split / FILE)


def read(folder: Path) -> list[Record]:
    """The rows of all splits, for verification."""
    import pyarrow.parquet

    found: list[Record] = []
    for path in sorted(folder.glob(f"*/{FILE}")):
        columns = ["file_name", "scan", "patient"]
        for record in pyarrow.parquet.read_table(path, columns=columns).to_pylist():
            if (path.parent / record["file_name"]).is_file():
                found.append({**record, "split": path.parent.name})
    return found
