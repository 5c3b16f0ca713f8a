"""manifest.json: everything that is in an export, with hashes, and how it was made."""

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from nearl_core.export.content import Content
from nearl_core.export.copies import copies
from nearl_core.export.images import LeftOut
from nearl_core.export.names import scan_name
from nearl_core.export.rows import Row
from nearl_core.store.hashes import file_sha256

FILE: Final = "manifest.json"
FORMAT_VERSION: Final = 2


def counts(rows: Sequence[Row]) -> dict[str, Any]:
    """Rows, scans, patients and readers, in all and by split, and each label by split."""
    by_split: dict[str, Any] = {}
    for split in dict.fromkeys(row.split for row in rows):
        here = [row for row in rows if row.split == split]
        by_split[split] = {**_sizes(here), "labels": dict(_labels(here))}
    return {
        **_sizes(rows),
        "readers": len({row.reader for row in rows if not row.source}),
        "splits": by_split,
    }


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
    content: Content, *, left_out: Sequence[LeftOut], folders: Mapping[str, str], pictures: str
) -> None:
    """Write the manifest, which must be the last file of an export.

    Args:
        content: What was written.
        left_out: Scans that are not in it, or have no picture.
        folders: The folder of each label, where labels have folders.
        pictures: How the pictures were made, in a sentence; "" where there are none.
    """
    label_set = content.label_set
    body = {
        "format_version": FORMAT_VERSION,
        "made_with": "NEARL Desk",
        "made": datetime.now(UTC).isoformat(timespec="seconds"),
        "not_a_medical_device": True,
        **asdict(content.recipe),
        "render_recipe": pictures,
        "label_set": {
            "revision": label_set.revision,
            "multi_label": label_set.multi_label,
            "labels": [
                {**asdict(label), "folder": folders.get(label.id, "")} for label in label_set.labels
            ],
        },
        "counts": counts(content.rows),
        "columns": {column.name: column.meaning for column in content.columns},
        "images": _images(content),
        "left_out": [
            {"scan": scan_name(entry.scan_id), "reason": entry.reason} for entry in left_out
        ],
        "files": _files(content.folder),
    }
    with (content.folder / FILE).open("w", encoding="utf-8", newline="\n") as file:
        json.dump(body, file, ensure_ascii=False, indent=1)  # by and by: it can be long
        file.write("\n")


def _images(content: Content) -> list[dict[str, Any]]:
    images = {
        image: {
            "image": image,
            "scan": row.scan,
            "patient": row.patient,
            "split": row.split,
        }
        for row in content.rows
        if row.image
        for image in copies(content.folder, row)
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
