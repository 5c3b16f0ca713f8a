"""Walking folders for scans: lazily, by content, whatever stands in the way."""

import os
import re
import stat
from collections.abc import Iterable, Iterator
from pathlib import Path

from nearl_core.links import followed, is_link
from nearl_core.scans.kinds import HEAD_BYTES, Kind, kind_of, without_picture
from nearl_core.servers import Trusted
from nearl_core.types import SkippedFile

GONE = "There is no such file."
_ARCHIVE = "This is an archive: unpack it first."
_PROJECT_SUFFIX = ".nearl"
_MOST_LINKS = 40
"""Of a chain: as many as systems follow."""
_ELSEWHERE = "This is a link to a folder elsewhere: add that folder itself."
_TO_A_SERVER = "This is a link to another computer, which nobody named on this one."


def find(paths: Iterable[Path]) -> Iterator[Path | SkippedFile]:
    """The scans among files and folders, in the order given and by name within a folder.

    Folders are read one at a time, each once even where links form a loop. A link to a file counts
    as that file; one to a folder is followed inside the folder that was given only, for else a
    folder that came from somebody else could lead to the whole disk. Named pipes, devices
    and sockets are never opened. In folders, what macOS leaves beside files (`._*`), hidden
    folders and hidden files that are no scans are passed over without a word.

    Yields:
        The path of each file that looks like a scan by its first bytes, or what was skipped.
    """
    seen: set[tuple[int, int]] = set()
    for path in paths:
        yield from _walk(path, seen)


def head_of(path: Path) -> bytes | str:
    """The first bytes of a regular file, or why there are none.

    Anything but a regular file is left alone: opening a named pipe waits for a writer for ever,
    and opening a device can move it.
    """
    try:
        if not stat.S_ISREG(path.stat().st_mode):
            return "This is no regular file."
        # O_NONBLOCK: should the file turn into a pipe in between, opening it still returns.
        descriptor = os.open(
            path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)
        )
        try:
            if not stat.S_ISREG(os.fstat(descriptor).st_mode):
                return "This is no regular file."
            return os.read(descriptor, HEAD_BYTES)
        finally:
            os.close(descriptor)
    except FileNotFoundError:
        return GONE
    except PermissionError:
        return "The file may not be read."
    except (OSError, ValueError):
        return "The file can't be read."


def _walk(start: Path, seen: set[tuple[int, int]]) -> Iterator[Path | SkippedFile]:
    """A path that was given and all below it; folders can be nested deeper than calls can."""
    levels: list[Iterator[tuple[Path, bool]]] = [iter(((start, False),))]
    while levels:
        path, linked = next(levels[-1], (None, False))
        if path is None:
            levels.pop()
            continue
        given, why = len(levels) == 1, _leads_out(path, start) if linked else ""
        if not given and path.name.startswith("."):
            yield from _hidden(path) if not why else ()
        elif why:
            yield SkippedFile(path, why)
        elif not _is_folder(path):
            yield from _file(path, given=given)
        elif not given and path.suffix == _PROJECT_SUFFIX:
            yield SkippedFile(path, "This is a project.")
        else:
            names = _names(path, seen)
            if isinstance(names, str):
                yield SkippedFile(path, names)
            else:
                levels.append(_below(path, names))


def _below(folder: Path, names: list[tuple[str, bool]]) -> Iterator[tuple[Path, bool]]:
    for name, linked in names:
        yield folder / name, linked


def _is_folder(path: Path) -> bool:
    try:
        return path.is_dir()
    except (OSError, ValueError):
        return False


def _leads_out(link: Path, start: Path) -> str:
    """Why a link below a path that was given is not followed, or ""."""
    place = os.fspath(link)
    for _ in range(_MOST_LINKS):
        try:
            target = os.readlink(place)
        except OSError:
            break  # no link, or gone: what it is comes out when it is opened
        if Trusted(start).refusal(target):
            return _TO_A_SERVER
        place = os.path.join(os.path.dirname(place), target)
    if _is_folder(link) and not Path(followed(link)).is_relative_to(followed(start)):
        return _ELSEWHERE
    return ""


def _names(folder: Path, seen: set[tuple[int, int]]) -> list[tuple[str, bool]] | str:
    """What is in a folder that was not seen before, in order, or why it can't be told.

    Returns:
        Names, and whether each is a link.
    """
    try:
        status = folder.stat()
        key = (status.st_dev, status.st_ino)
        if key in seen:
            return []
        seen.add(key)
        with os.scandir(folder) as entries:
            names = [
                (entry.name, _is_link(entry))
                for entry in entries
                if not entry.name.startswith("._")
            ]
    except PermissionError:
        return "The folder may not be read."
    except (OSError, ValueError):
        return "The folder can't be read."
    return sorted(names, key=lambda one: _natural(one[0]))


def _is_link(entry: os.DirEntry[str]) -> bool:
    try:
        return is_link(entry)
    except OSError:  # what it is comes out when it is opened
        return False


def _hidden(path: Path) -> Iterator[Path | SkippedFile]:
    """A scan may have any name; what else is hidden was never meant to be seen."""
    head = head_of(path)
    if isinstance(head, bytes) and head and kind_of(head) is not None:
        yield from _file(path, given=False)


def _file(path: Path, *, given: bool) -> Iterator[Path | SkippedFile]:
    head = head_of(path)
    if isinstance(head, str):
        yield SkippedFile(path, head)
    elif not head:
        yield SkippedFile(path, "The file is empty.")
    elif given and path.name.startswith("._"):
        yield SkippedFile(path, "This is what macOS leaves beside a file, no picture.")
    elif (kind := kind_of(head)) is None:
        yield SkippedFile(path, _ARCHIVE if _is_archive(path, head) else "This is no scan.")
    elif kind is Kind.DICOM and (what := without_picture(head)):
        yield SkippedFile(path, f"This holds no picture but {what}.")
    else:
        yield path


def _is_archive(path: Path, head: bytes) -> bool:
    """Whether it may hold scans; documents of an office are ZIP archives too."""
    zipped = head.startswith(b"PK\3\4") and path.suffix.lower() == ".zip"
    return zipped or head.startswith((b"7z\xbc\xaf\x27\x1c", b"Rar!\x1a\x07"))


def _natural(name: str) -> tuple[list[tuple[int, str]], str]:
    """Sorts "IM2" before "IM10"."""
    parts = re.split(r"(\d{1,18})", name.casefold())
    return [(int(part), "") if part.isdecimal() else (-1, part) for part in parts], name
