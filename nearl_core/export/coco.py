"""COCO files, one a split. COCO knows objects only: that a whole picture has a label is convention.

Each label is an annotation whose box is the whole picture (cocodataset.org, "Data format").
"""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from nearl_core.export.content import Content, Record
from nearl_core.export.rows import Row

_CONVENTION: Final = (
    "Classification by convention: each annotation says that the whole picture has the label, and "
    "its box is the whole picture. Nothing here was located."
)


def write(content: Content) -> None:
    """Write annotations/SPLIT.json."""
    folder = content.folder / "annotations"
    folder.mkdir()
    numbers = {label_id: place for place, label_id in enumerate(content.label_set.ids, start=1)}
    names = {label.id: label.name for label in content.label_set.labels}
    numbers_of = {names[label_id]: number for label_id, number in numbers.items()}
    categories = [
        {
            "id": numbers[label.id],
            "name": label.name,
            "supercategory": names.get(label.parent, ""),
            "code": label.code,
        }
        for label in content.label_set.labels
    ]
    for split, rows in content.by_split().items():
        body = {
            "info": {"description": _CONVENTION, "version": "1.0", "contributor": "NEARL Desk"},
            "licenses": [],
            "images": [_image(row, numbers_of) for row in rows],
            "annotations": _annotations(rows, numbers),
            "categories": categories,
        }
        text = json.dumps(body, ensure_ascii=False)
        (folder / f"{split}.json").write_text(text + "\n", encoding="utf-8", newline="\n")


def _image(row: Row, numbers: Mapping[str, int]) -> dict[str, Any]:
    return {
        "id": row.scan_id,
        "file_name": row.image,
        "width": row.width,
        "height": row.height,
        "scan": row.scan,
        "patient": row.patient,
        "state": row.state,
        "not_asked": [numbers[name] for name in row.not_asked],
    }


def _annotations(rows: Sequence[Row], numbers: dict[str, int]) -> list[dict[str, Any]]:
    pairs = [(row, label_id) for row in rows for label_id in row.label_ids]
    return [
        {
            "id": number,
            "image_id": row.scan_id,
            "category_id": numbers[label_id],
            "bbox": [0, 0, row.width, row.height],
            "area": row.width * row.height,
            "iscrowd": 0,
            "whole_image": True,
            "confidence": row.confidence,
            "reader": row.reader,
        }
        for number, (row, label_id) in enumerate(pairs, start=1)
    ]


def read(folder: Path) -> list[Record]:
    """Its images, for verification."""
    found: list[Record] = []
    for path in sorted((folder / "annotations").glob("*.json")):
        body = json.loads(path.read_text(encoding="utf-8"))
        found += [
            {**image, "split": path.stem}
            for image in body["images"]
            if (folder / image["file_name"]).is_file()
        ]
    return found
