"""A MONAI datalist, read by `monai.data.load_decathlon_datalist(..., is_segmentation=False)`.

The layout is that of the Medical Segmentation Decathlon's dataset.json; a label is the number of
its class, or one number a class (0 or 1) where a scan can have several. Of a class in `not_asked`
the 0 says nothing: the label was added after the decision.
"""

import json
from pathlib import Path
from typing import Any, Final

from nearl_core.export.content import Content, Record
from nearl_core.export.rows import Row

FILE: Final = "datalist.json"
_KEYS: Final = {"train": "training", "validation": "validation", "test": "test"}


def write(content: Content) -> None:
    """Write the datalist."""
    splits = content.by_split()
    # MONAI's loader fails on an empty list, and says so in words where the key is not there.
    listed = {
        _KEYS[split]: [_entry(content, row) for row in rows] for split, rows in splits.items()
    }
    names = content.label_set.names
    body: dict[str, Any] = {
        "name": "Labelled data set",
        "description": "Exported by NEARL Desk; README.md tells what is in it.",
        "licence": "",
        "release": "1.0",
        "tensorImageSize": "2D",
        "modality": {"0": "image"},
        "labels": {str(number): name for number, name in enumerate(names)},
        "multi_label": content.label_set.multi_label,
        **{f"num{key.capitalize()}": len(entries) for key, entries in listed.items()},
        **listed,
    }
    text = json.dumps(body, ensure_ascii=False, indent=1)
    (content.folder / FILE).write_text(text + "\n", encoding="utf-8", newline="\n")


def _entry(content: Content, row: Row) -> dict[str, Any]:
    ids = content.label_set.ids
    if content.label_set.multi_label:
        meant = content.label_set.meant(row.label_ids)
        label: int | list[int] = [int(label_id in meant) for label_id in ids]
    else:
        label = ids.index(row.label_ids[0])
    return {
        "image": row.image,
        "label": label,
        "scan": row.scan,
        "patient": row.patient,
        "reader": row.reader,
        "confidence": row.confidence,
        "not_asked": [content.label_set.names.index(name) for name in row.not_asked],
    }


def read(folder: Path) -> list[Record]:
    """Its entries, for verification."""
    body = json.loads((folder / FILE).read_text(encoding="utf-8"))
    return [
        {**entry, "split": split}
        for split, key in _KEYS.items()
        for entry in body.get(key, ())
        if (folder / entry["image"]).is_file()
    ]
