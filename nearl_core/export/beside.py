"""A folder that is there whole or not at all."""

import hashlib
import os
import platform
import re
import secrets
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from itertools import count
from pathlib import Path

from nearl_core.errors import ExportError

HERE = hashlib.blake2b(platform.node().encode(), digest_size=4).hexdigest()
"""What tells this computer from others, without its name."""


@contextmanager
def beside(out: Path, *, apart_from: Path) -> Iterator[Path]:
    """A folder beside the wanted one that takes its name at the end, or is gone.

    Args:
        out: The wanted one; it does not exist or is empty.
        apart_from: A folder that it must not stand in.

    Raises:
        ExportError: If the place can't be used or written, or another export to it is under way.
    """
    out = Path(os.path.abspath(out))
    if out == apart_from or out.is_relative_to(apart_from):
        raise ExportError("The export can't stand in the project.", "Choose another folder.")
    try:
        if not _is_free(out):
            named = out.name or out
            raise ExportError(f"{named} is not empty.", "Choose a new or an empty folder.")
        out.parent.mkdir(parents=True, exist_ok=True)
        own = f"{out.name}.partial-{HERE}-{os.getpid()}-{secrets.token_hex(4)}"
        folder = out.with_name(own)
        folder.mkdir()
        try:
            _require_alone(out, folder)
            yield folder
            if out.exists():
                out.rmdir()  # Windows does not rename onto an empty folder
            folder.rename(out)
        finally:
            shutil.rmtree(folder, ignore_errors=True)
    except OSError as error:
        raise ExportError(
            f"The export can't be written ({error.strerror or type(error).__name__}).",
            "Check the place and the free space of the disk, then export again.",
        ) from error


def free_folder(out: Path) -> Path:
    """The folder, or where something stands in it the first of `NAME-2`, `NAME-3`… that is free."""
    with suppress(OSError):  # what can't be looked at is refused when it is exported to
        return next(place for place in _places(out) if _is_free(place))
    return out


def _places(out: Path) -> Iterator[Path]:
    yield out
    yield from (out.with_name(f"{out.name}-{number}") for number in count(2))


def _is_free(out: Path) -> bool:
    """Whether it does not exist or is an empty folder.

    Raises:
        OSError: If it can't be looked at.
    """
    return not out.exists() or (out.is_dir() and not any(out.iterdir()))


def _require_alone(out: Path, own: Path) -> None:
    """Remove what an export to this place left when it was killed, and refuse one under way.

    Each makes its folder before it looks: of two that begin at once at least one sees the other.
    A process of another computer, as on a share, can't be looked for from here.

    Raises:
        ExportError: If one is under way.
    """
    import psutil

    pattern = re.compile(re.escape(out.name) + r"\.partial-([0-9a-z]+)-([0-9]+)-[0-9a-f]{8}")
    for other in out.parent.iterdir():
        match = pattern.fullmatch(other.name)
        if match is None or other == own or not other.is_dir():
            continue
        if match[1] == HERE and not psutil.pid_exists(int(match[2])):
            shutil.rmtree(other, ignore_errors=True)
            continue
        raise ExportError(
            f"Another export to {out.name} is under way.",
            f"Wait for it, or choose another folder. If it broke off, delete {other.name}.",
        )
