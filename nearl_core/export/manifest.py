"""manifest.json: everything that is in an export, with hashes, and how it was made."""

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from nearl_core.export.columns import COLUMNS
from nearl_core.export.images import RECIPE, LeftOut
from nearl_core.export.names import scan_name
from nearl_core.export.rows import Row
from nearl_core.store.hashes import file_sha256
from nearl_core.types import LabelSet

FILE: Final = "manifest.json"
FORMAT_VERSION: Final = 1


@dataclass(frozen=True)
class Recipe:
    """How an export is made.

    Attributes:
        format: Such as "csv".
        fractions: Share of each split.
        seed: Of the split.
        images: Whether it holds pictures.
        project: The project's random name.
        backbone: Its name.
    """

    format: str
    fractions: tuple[float, ...]
    seed: int
    images: bool
    project: str
    backbone: str


def counts(rows: Sequence[Row]) -> dict[str, Any]:
    """Rows, scans, patients and readers, in all and by split, and each label by split."""
    by_split: dict[str, Any] = {}
    for split in dict.fromkeys(row.split for row in rows):
        here = [row for row in rows if row.split == split]
        by_split[split] = {**_sizes(here), "labels": dict(_labels(here))}
    return {**_sizes(rows), "readers": len({row.reader for row in rows}), "splits": by_split}


def _sizes(rows: Sequence[Row]) -> dict[str, int]:
    return {
        "rows": len(rows),
        "scans": len({row.scan_id for row in rows}),
        "patients": len({row.patient for row in rows}),
    }


def _labels(rows: Sequence[Row]) -> Counter[str]:
    """How often each label, or state without one, was decided."""
    counted: Counter[str] = Counter()
    for row in rows:
        counted.update(row.labels or (f"({row.state})",))
    return counted


def write(
    folder: Path,
    rows: Sequence[Row],
    *,
    recipe: Recipe,
    label_set: LabelSet,
    left_out: Sequence[LeftOut],
    folders: Mapping[str, str],
) -> None:
    """Write the manifest, which must be the last file of an export."""
    content = {
        "format_version": FORMAT_VERSION,
        "made_with": "NEARL Desk",
        "made": datetime.now(UTC).isoformat(timespec="seconds"),
        "not_a_medical_device": True,
        **asdict(recipe),
        "render_recipe": RECIPE if recipe.images else "",
        "label_set": {
            "revision": label_set.revision,
            "multi_label": label_set.multi_label,
            "labels": [
                {**asdict(label), "folder": folders.get(label.id, "")} for label in label_set.labels
            ],
        },
        "counts": counts(rows),
        "columns": {column.name: column.meaning for column in COLUMNS},
        "images": _images(rows),
        "left_out": [
            {"scan": scan_name(entry.scan_id), "reason": entry.reason} for entry in left_out
        ],
        "files": _files(folder),
    }
    text = json.dumps(content, ensure_ascii=False, indent=1)
    (folder / FILE).write_text(text + "\n", encoding="utf-8", newline="\n")


def _images(rows: Sequence[Row]) -> list[dict[str, Any]]:
    images = {
        row.image: {
            "image": row.image,
            "scan": row.scan,
            "patient": row.patient,
            "split": row.split,
        }
        for row in rows
        if row.image
    }
    return list(images.values())


def _files(folder: Path) -> list[dict[str, Any]]:
    return [
        {
            "path": file.relative_to(folder).as_posix(),
            "bytes": file.stat().st_size,
            "sha256": file_sha256(file),
        }
        for file in sorted(folder.rglob("*"))
        if file.is_file() and file != folder / FILE
    ]
