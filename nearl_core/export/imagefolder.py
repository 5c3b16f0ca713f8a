"""Pictures in SPLIT/LABEL/ folders, as torchvision and most training scripts read them."""

import json
from pathlib import Path

from nearl_core.export.content import Content, Record
from nearl_core.export.names import folder_names
from nearl_core.export.rows import Row
from nearl_core.types import LabelSet


class Places:
    """Where a row's picture goes."""

    def __init__(self, label_set: LabelSet) -> None:
        self.folders = folder_names((label.id, label.name) for label in label_set.labels)

    def __call__(self, row: Row) -> str:
        """The folder, relative to the export."""
        return f"{row.split}/{self.folders[row.label_ids[0]]}"


def write(content: Content) -> None:
    """Give each split a folder for each label of the data set, if an empty one.

    Training code counts labels by their folders: where one is missing, all later ones get other
    numbers in that split than in the others, and nothing tells.
    """
    folders = {row.image.split("/")[1] for row in content.rows}
    for split in content.by_split():
        for name in folders:
            (content.folder / split / name).mkdir(exist_ok=True)


def read(folder: Path) -> list[Record]:
    """What the manifest says of each picture, for verification."""
    manifest = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
    return [one for one in manifest["images"] if (folder / one["image"]).is_file()]
