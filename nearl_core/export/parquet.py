"""Parquet with the pictures inside, one file a split, as the Hugging Face Hub keeps data sets.

The picture is a struct of `bytes` and `path`; what each column is stands in the schema's metadata
under "huggingface", so that `datasets.load_dataset("parquet", ...)` gives pictures,
texts and lists.
"""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from nearl_core.export.content import ONE_WORD, Content, Record, by_word

if TYPE_CHECKING:
    import pyarrow

_FOLDER: Final = "data"
_BATCH: Final = 64
"""Rows in memory at a time, which are a row group too: a reader takes no more than that either."""

_KINDS: Final = {
    "patient_known": "bool",
    "source": "bool",
    "flagged": "bool",
    "frames": "int32",
    "frame": "int32",
    "suggestion_probability": "float64",
}
_LISTS: Final = ("label", "label_id", "code", "implied", "not_asked")


def write(content: Content) -> None:
    """Write data/SPLIT-00000-of-00001.parquet and take the pictures in; their files go."""
    import pyarrow.parquet

    schema = _schema(content)
    folder = content.folder / _FOLDER
    folder.mkdir()
    for split, rows in content.by_split().items():
        target = folder / f"{split}-00000-of-00001.parquet"
        with pyarrow.parquet.ParquetWriter(target, schema, compression="zstd") as writer:
            for start in range(0, len(rows), _BATCH):
                some = content.records(rows[start : start + _BATCH])
                records: list[dict[str, Any]] = [by_word(one, content.label_set) for one in some]
                for record in records:
                    name = record["image"]
                    picture = (content.folder / name).read_bytes()
                    record["image"] = {"bytes": picture, "path": name}
                writer.write_table(pyarrow.Table.from_pylist(records, schema=schema))
    _remove_pictures(content)


def _remove_pictures(content: Content) -> None:
    for name in {row.image for row in content.rows}:
        (content.folder / name).unlink()
    for folder in sorted((content.folder / "images").glob("**"), reverse=True):
        folder.rmdir()


def kinds(content: Content) -> dict[str, "pyarrow.DataType"]:
    """What each column holds, whatever stands in it; the picture as bytes and path."""
    import pyarrow

    found: dict[str, Any] = {}
    for column in content.columns:
        name = column.name
        if name == "image":
            found[name] = pyarrow.struct({"bytes": pyarrow.binary(), "path": pyarrow.string()})
        elif name in _LISTS and (name not in ONE_WORD or content.label_set.multi_label):
            found[name] = pyarrow.list_(pyarrow.string())
        else:
            found[name] = pyarrow.type_for_alias(_KINDS.get(name, "string"))
    return found


def _schema(content: Content) -> "pyarrow.Schema":
    import pyarrow

    columns = kinds(content)
    features: dict[str, Any] = {}
    for name, kind in columns.items():
        if name == "image":
            features[name] = {"_type": "Image"}
        elif pyarrow.types.is_list(kind):
            features[name] = {"feature": {"dtype": "string", "_type": "Value"}, "_type": "List"}
        else:
            features[name] = {"dtype": _KINDS.get(name, "string"), "_type": "Value"}
    about = json.dumps({"info": {"features": features}})
    return pyarrow.schema(columns, metadata={"huggingface": about})


def read(folder: Path) -> list[Record]:
    """The rows without pictures, for verification."""
    import pyarrow.parquet

    found: list[Record] = []
    for path in sorted((folder / _FOLDER).glob("*.parquet")):
        found += pyarrow.parquet.read_table(path, columns=["scan", "patient", "split"]).to_pylist()
    return found


def files(folder: Path) -> Iterator[tuple[str, bytes]]:
    """The pictures in it."""
    import pyarrow.parquet

    for path in sorted((folder / _FOLDER).glob("*.parquet")):
        with pyarrow.parquet.ParquetFile(path) as table:
            for batch in table.iter_batches(_BATCH, columns=["image"]):
                for entry in batch.column("image").to_pylist():
                    yield entry["path"], entry["bytes"]
