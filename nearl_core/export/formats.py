"""The formats by name."""

from collections.abc import Mapping
from typing import Final

from nearl_core.errors import UsageError
from nearl_core.export import coco, csv, huggingface, imagefolder, jsonl, monai, parquet
from nearl_core.export.content import Format, by_split

FORMATS: Final[Mapping[str, Format]] = {
    "csv": Format(csv.write, csv.read, by_split, each=True, with_pictures=False),
    "jsonl": Format(jsonl.write, jsonl.read, by_split, each=True, with_pictures=False),
    "imagefolder": Format(
        imagefolder.write,
        imagefolder.read,
        imagefolder.Places,
        only_labelled=True,
        multi_label=False,
    ),
    "huggingface": Format(huggingface.write, huggingface.read, huggingface.place, stored=False),
    "parquet": Format(parquet.write, parquet.read, by_split, stored=False, files=parquet.files),
    "monai": Format(monai.write, monai.read, by_split, only_labelled=True),
    "coco": Format(coco.write, coco.read, by_split, stored=False),
}


def format_of(name: str) -> Format:
    """The format of a name.

    Raises:
        UsageError: If there is none.
    """
    if name not in FORMATS:
        raise UsageError(f"There is no format {name!r}.", f"There are {', '.join(FORMATS)}.")
    return FORMATS[name]
