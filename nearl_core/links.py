"""Where a path leads behind its links."""

import os
import stat
import sys
from pathlib import Path


def followed(path: str | Path) -> str:
    """The path without links, or as it is where they lead on further than any system follows.

    `os.path.realpath` calls itself for each link of a chain: a thousand end in RecursionError.
    """
    try:
        return os.path.realpath(path)
    except RecursionError:
        return os.path.abspath(path)


def is_link(entry: os.DirEntry[str]) -> bool:
    """Whether an entry of a folder leads elsewhere: a symbolic link, on Windows a junction too.

    Raises:
        OSError: If it can't be looked at.
    """
    if entry.is_symlink():
        return True
    if sys.platform != "win32":
        return False
    # Other reparse points, such as a cloud's files that are not here yet, lead nowhere else.
    return entry.stat(follow_symlinks=False).st_reparse_tag == stat.IO_REPARSE_TAG_MOUNT_POINT
