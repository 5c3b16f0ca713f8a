"""The formats by name."""

from collections.abc import Mapping
from typing import Any, Final

from nearl_core.errors import UsageError
from nearl_core.export import (
    coco,
    croissant,
    csv,
    dicom_sr,
    huggingface,
    imagefolder,
    jsonl,
    monai,
    parquet,
)
from nearl_core.export.content import Format, Pictures, by_split

_TABLE: Final[Any] = {
    "each": True,
    "pictures": Pictures.NONE,
    "others": (Pictures.SHOWN, Pictures.STORED),
}
_STORED: Final = (Pictures.STORED,)

FORMATS: Final[Mapping[str, Format]] = {
    "csv": Format(csv.write, csv.read, by_split, **_TABLE),
    "jsonl": Format(jsonl.write, jsonl.read, by_split, **_TABLE),
    "imagefolder": Format(
        imagefolder.write,
        imagefolder.read,
        imagefolder.Places,
        only_labelled=True,
        multi_label=False,
        others=_STORED,
    ),
    "huggingface": Format(huggingface.write, huggingface.read, huggingface.place),
    "parquet": Format(parquet.write, parquet.read, by_split, files=parquet.files),
    "monai": Format(
        monai.write, monai.read, by_split, only_labelled=True, zeros=True, others=_STORED
    ),
    "coco": Format(coco.write, coco.read, by_split, only_assessed=True),
    "croissant": Format(croissant.write, croissant.read, by_split),
    "dicom": Format(csv.write, csv.read, by_split, each=True, pictures=Pictures.COPY),
    "dicom-sr": Format(dicom_sr.write, dicom_sr.read, by_split, each=True, pictures=Pictures.COPY),
}


def format_of(name: str) -> Format:
    """The format of a name.

    Raises:
        UsageError: If there is none.
    """
    if name not in FORMATS:
        raise UsageError(f"There is no format {name!r}.", f"There are {', '.join(FORMATS)}.")
    return FORMATS[name]
