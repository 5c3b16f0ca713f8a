"""Labels as the names of folders: FOLDER/LABEL/FILE, or FOLDER/SPLIT/LABEL/FILE."""

import os
from pathlib import Path

from nearl_core.importing.statements import ImportLabelsError, Statement


def read_imagefolder(folder: Path) -> tuple[Statement, ...]:
    """What the folder that a file stands in says of it; files of the folder itself say nothing.

    Raises:
        ImportLabelsError: If it is not a folder, or can't be read.
    """
    if not folder.is_dir():
        raise ImportLabelsError(f"{folder.name} is not a folder.", "Name the folder of folders.")

    def refuse(error: OSError) -> None:
        raise ImportLabelsError(
            f"{folder.name} can't be read ({error.strerror}).", "Check the folder."
        ) from error

    found = []
    for place, inner, names in os.walk(folder, onerror=refuse):
        inner[:] = sorted(name for name in inner if not name.startswith("."))
        if Path(place) != folder:
            label = os.path.basename(place)
            found += [
                Statement(os.path.join(place, name), (label,))
                for name in sorted(names)
                if not name.startswith(".")
            ]
    return tuple(found)
