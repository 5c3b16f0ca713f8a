"""Writing a file whole or not at all."""

import os
import secrets
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO


def write_whole(path: Path, write: Callable[[BinaryIO], object]) -> None:
    """Write beside the place, then put it there; a link that stands there is replaced.

    Args:
        path: The place.
        write: Puts the content into an open file.

    Raises:
        OSError: If it can't be written.
    """
    # A name of its own for each call: two threads may be asked to write the same place.
    beside = path.with_name(f".{path.name}.{os.getpid()}.{secrets.token_hex(4)}.part")
    try:
        with beside.open("xb") as stream:
            write(stream)
        os.replace(beside, path)
    except OSError:
        beside.unlink(missing_ok=True)
        raise
