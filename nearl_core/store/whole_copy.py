"""A copy of a whole project, for a reader who works in it at the same time."""

import os
import secrets
import shutil
from contextlib import suppress
from pathlib import Path
from typing import Final

from nearl_core.control import RunControl
from nearl_core.errors import Cancelled, ProjectError
from nearl_core.store.check import check
from nearl_core.store.copies import copy_database
from nearl_core.store.faults import told
from nearl_core.store.folder import DATABASE, make_folders, project_folder
from nearl_core.store.hashing import hash_files
from nearl_core.store.project import Project

_WITH_IT: Final = ("adapters", "stacks")
"""What stands beside the database and can't be made again."""


def copy_whole(project: Project, to: Path, control: RunControl | None = None) -> Path:
    """Copy a project that is open, without its cache; returns the folder of the copy.

    Scans stay where they are; the copy names them by where they stand seen from it. It holds the
    hash of each of their files, by which they are found again on another computer; where the
    control stops that, the copy is there, and only those known by then are.

    Raises:
        Cancelled: If the control says so before there is a copy.
        ProjectError: If something stands there already, or it can't be written.
    """
    control, folder = control or RunControl(), project_folder(to)
    if folder.exists() or project.folder in folder.parents:
        raise ProjectError(
            f"{folder.name} can't be made there.",
            "Choose a name that is not taken, outside the project.",
        )
    # Made beside and renamed, so that nobody opens half a copy.
    beside = folder.with_name(f"{folder.name}.partial-{secrets.token_hex(4)}")
    with told():
        try:
            beside.mkdir(parents=True)
            copy_database(project.folder, beside / DATABASE, control)
            for name in _WITH_IT:
                control.check()
                if (project.folder / name).is_dir():
                    shutil.copytree(project.folder / name, beside / name, symlinks=True)
            make_folders(beside)
            os.rename(beside, folder)
        finally:
            shutil.rmtree(beside, ignore_errors=True)
    with Project.open(folder) as copy, suppress(Cancelled):
        check(copy, control)
        hash_files(copy, control)
    return folder
