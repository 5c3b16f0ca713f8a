"""A disk that fails on demand, for processes that were started with it."""

import ctypes
import os
import shutil
import struct
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

_HEADER = struct.Struct("4l")
_SOURCE = Path(__file__).with_suffix(".c")


def available() -> bool:
    """Whether there is a compiler, and a loader that takes what it makes."""
    return sys.platform == "linux" and shutil.which("cc") is not None


def start_with_it(folder: Path) -> None:
    """Start this program anew, if need be, with the failing disk preloaded; made in a folder."""
    library = folder / "failing_disk.so"
    if os.environ.get("LD_PRELOAD") == str(library):
        return
    subprocess.run(["cc", "-shared", "-fPIC", "-O1", "-o", library, _SOURCE, "-ldl"], check=True)
    environment = {**os.environ, "LD_PRELOAD": str(library)}
    os.execve(sys.executable, [sys.executable, *sys.orig_argv[1:]], environment)


class FailingDisk:
    """What stands under one folder fails, from one change on."""

    def __init__(self, folder: Path) -> None:
        self._folder = os.fsencode(folder)
        self._library = ctypes.CDLL(None)
        self._library.failing_disk_disarm.restype = ctypes.c_long

    def arm(self, nth: int, code: int = 0, *, once: bool = False, dies: bool = False) -> None:
        """Fail at the nth change and at all after it, or end the process there."""
        first = ctypes.c_long(nth)
        self._library.failing_disk_arm(self._folder, first, code, int(once), int(dies))

    def disarm(self) -> int:
        """Fail no more; returns how many changes there were since it was armed."""
        return int(self._library.failing_disk_disarm())

    def refuse_locks(self, code: int) -> None:
        """Refuse file locks with an error; 0 for no more."""
        self._library.failing_disk_refuse_locks(self._folder, code)

    def record(self, tape: Path) -> None:
        """Record every change from now on, with its data, into a file that stands elsewhere."""
        self._library.failing_disk_record(self._folder, os.fsencode(tape))

    def mark(self, number: int) -> None:
        """Put a mark between the changes."""
        self._library.failing_disk_mark(ctypes.c_long(number))

    def stop(self) -> None:
        """Record no more."""
        self._library.failing_disk_stop()


@dataclass(frozen=True)
class Change:
    """One recorded change of a file.

    Attributes:
        what: c created, w written, t cut or grown, s synced, u removed, m a mark.
        offset: Of what was written, the new size of what was cut, or the mark's number.
    """

    what: str
    path: str
    offset: int
    data: bytes


def recorded(tape: Path) -> list[Change]:
    """What was recorded, in its order."""
    content, place = tape.read_bytes(), 0
    found = []
    while place < len(content):
        what, length, size, offset = _HEADER.unpack_from(content, place)
        place += _HEADER.size
        path = os.fsdecode(content[place : place + length])
        place += length
        found.append(Change(chr(what), path, offset, content[place : place + size]))
        place += size
    return found
