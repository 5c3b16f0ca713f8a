"""Folders within a project, which are made where they are missing, and the project which is not."""

import errno
import os
from pathlib import Path
from typing import Final

PROJECT_ENDING: Final = ".nearl"


def make_inner(folder: Path) -> None:
    """Make a folder with those above it, but not the project that it stands in.

    Where the drive of a project is gone, its place may still be there: small pictures of patients
    would come to stand on another disk, unseen and perhaps not encrypted.

    Raises:
        OSError: If it can't be made, or the project is not there.
    """
    for place in (folder, *folder.parents):
        if place.suffix.lower() == PROJECT_ENDING and not place.is_dir():
            raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT))
    folder.mkdir(parents=True, exist_ok=True)
