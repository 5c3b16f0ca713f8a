"""A stack's list: which files are its frames, in their order.

A project keeps such a list for each stack that it made of several files, in its folder `stacks`,
and the scan's path is the list's. So whatever reads scans reads stacks, too. A list that stands
anywhere else is not believed: it could lead to files that nobody chose.
"""

import json
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from nearl_core.errors import ScanError
from nearl_core.scans.whole import write_whole
from nearl_core.servers import Trusted
from nearl_core.types.scans import STACK_ENDING

FOLDER = "stacks"
"""Of a project."""

ENDING = STACK_ENDING
MAGIC = b'{"nearl_stack": '
_PROJECT_ENDING = ".nearl"
_MOST_BYTES = 64 << 20
_VERSION = 1
_MOST, _LONGEST = 4, 200
"""Notices that are read, and characters of each."""


@dataclass(frozen=True)
class Listed:
    """What a list says.

    Attributes:
        files: One for each frame.
        notices: Sentences on how the frames stand, which a reader should see.
    """

    files: tuple[Path, ...]
    notices: tuple[str, ...] = ()


def write_stack(path: Path, files: Sequence[Path], *, notices: Sequence[str] = ()) -> None:
    """Write a list, whole or not at all.

    Files inside the project or beside it are named relative to the list, so that all of them can
    move together; others by their absolute paths.

    Args:
        path: Of the list, in the folder `stacks` of a project.
        files: One for each frame.
        notices: Sentences on how the frames stand.

    Raises:
        OSError: If it can't be written.
    """
    around = path.parents[2]
    names = [
        os.path.relpath(file, path.parent).replace(os.sep, "/")
        if around in file.parents
        else str(file)
        for file in files
    ]
    # Programs from before there were notices leave them aside.
    said = {"nearl_stack": _VERSION, "files": names, "notices": list(notices)}
    path.parent.mkdir(exist_ok=True)
    write_whole(path, lambda stream: stream.write(json.dumps(said).encode("ascii")))


def read_stack(path: Path) -> tuple[Path, ...]:
    """The files of a stack.

    Raises:
        ScanError: As `read_list`.
    """
    return read_list(path).files


def read_list(path: Path) -> Listed:
    """The files of a stack, and what is to be said of them.

    Raises:
        ScanError: If the list is damaged, newer than this program, stands in no project, or names
            files on a computer that nobody named here.
    """
    if path.parent.name != FOLDER or path.parents[1].suffix.lower() != _PROJECT_ENDING:
        raise ScanError("This list of a stack belongs into the folder of a project.")
    try:
        with path.open("rb") as stream:
            said = json.loads(stream.read(_MOST_BYTES))
        version, names = said["nearl_stack"], said["files"]
        files = tuple(Path(os.path.normpath(path.parent / name)) for name in names)
        notices = tuple(str(notice)[:_LONGEST] for notice in said.get("notices", ())[:_MOST])
    except (OSError, ValueError, LookupError, TypeError, AttributeError, RecursionError) as error:
        raise ScanError("The list of the stack is damaged.", "Bring back a backup.") from error
    if version != _VERSION:
        raise ScanError("The stack was made by a newer NEARL Desk.", "Update NEARL Desk.")
    if not files:
        raise ScanError("The list of the stack is empty.")
    Trusted(path.parents[1]).require(files)
    return Listed(files, notices)


def stacks_of(project: Path) -> Iterator[Path]:
    """The lists in a project's folder."""
    yield from sorted((project / FOLDER).glob(f"*{ENDING}"))
