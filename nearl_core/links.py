"""Where a path leads behind its links."""

import os
from pathlib import Path


def followed(path: str | Path) -> str:
    """The path without links, or as it is where they lead on further than any system follows.

    `os.path.realpath` calls itself for each link of a chain: a thousand end in RecursionError.
    """
    try:
        return os.path.realpath(path)
    except RecursionError:
        return os.path.abspath(path)
