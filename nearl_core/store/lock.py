"""One project is open for writing in one place at a time.

The operating system's own lock on `project.lock` decides between processes of one computer: it
falls with its process, also by kill -9, so there is nothing stale to guess about. The file's text
says who holds it, and decides alone where the lock does not reach: on network shares without
locks, and between computers.
"""

import json
import os
import platform
import sys
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final, Self

from nearl_core.errors import ProjectLockedError

_FAR: Final = 1 << 30  # Windows locks keep others from reading what they cover: lock past the text
_SAME_START_S: Final = 2.0


@dataclass(frozen=True)
class Holder:
    """Who holds a project: host, process id, that process's start (seconds since 1970)."""

    host: str
    pid: int
    started: float


def _here() -> Holder:
    import psutil

    return Holder(platform.node(), os.getpid(), psutil.Process().create_time())


def _is_alive(holder: Holder) -> bool:
    import psutil

    try:
        started = psutil.Process(holder.pid).create_time()
    except psutil.NoSuchProcess:
        return False
    except psutil.AccessDenied:
        return True
    return abs(started - holder.started) < _SAME_START_S


def _parse(text: str) -> Holder | None:
    try:
        body = json.loads(text)
        return Holder(str(body["host"]), int(body["pid"]), float(body["started"]))
    except (ValueError, KeyError, TypeError):
        return None


def _locked(holder: Holder | None) -> ProjectLockedError:
    if holder is None:
        where = "in another window"
    elif holder.pid == os.getpid() and holder.host == platform.node():
        where = f"in this process ({holder.pid})"
    elif holder.host == platform.node():
        where = f"on this computer in process {holder.pid}"
    else:
        where = f"on the computer {holder.host} in process {holder.pid}"
    remedy = "Close it there, or open it read-only."
    if holder is not None and holder.host != platform.node():
        remedy += " If that computer is gone for good, delete project.lock in the project folder."
    return ProjectLockedError(f"The project is already open for writing {where}.", remedy)


def _os_lock(descriptor: int) -> bool | None:
    """True where the lock was got, False where someone has it, None where there are no locks."""
    if sys.platform == "win32":
        import msvcrt

        os.lseek(descriptor, _FAR, os.SEEK_SET)
        try:
            msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
        except OSError:
            return False
        return True
    import fcntl

    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError:
        return None
    return True


class ProjectLock:
    """The lock of one open project; released by `release` or by the end of the process."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor: int | None = descriptor

    @classmethod
    def acquire(cls, path: Path) -> Self:
        """Take the lock; a lock left by a dead process of this computer is taken over.

        Raises:
            ProjectLockedError: If the project is open for writing elsewhere.
            OSError: If the file can't be written.
        """
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | getattr(os, "O_BINARY", 0), 0o644)
        try:
            cls._take(descriptor)
        except BaseException:
            os.close(descriptor)
            raise
        return cls(descriptor)

    @staticmethod
    def _take(descriptor: int) -> None:
        got = _os_lock(descriptor)
        os.lseek(descriptor, 0, os.SEEK_SET)
        holder = _parse(os.read(descriptor, 4096).decode("utf-8", "replace"))
        if got is False:
            raise _locked(holder or _waited_for(descriptor))
        if holder is not None:
            # Where locks work on this computer, getting the lock proves the old holder dead; a
            # holder elsewhere may be alive whatever the lock says.
            elsewhere = holder.host != platform.node()
            if elsewhere or (got is None and _is_alive(holder)):
                raise _locked(holder)
        text = json.dumps(asdict(_here())).encode()
        os.lseek(descriptor, 0, os.SEEK_SET)
        os.ftruncate(descriptor, 0)
        os.write(descriptor, text)
        os.fsync(descriptor)

    def release(self) -> None:
        """Let others open the project; calling it again does nothing."""
        if self._descriptor is None:
            return
        descriptor, self._descriptor = self._descriptor, None
        try:
            # The file stays: removing it would let two processes lock two files of one name.
            os.ftruncate(descriptor, 0)
        finally:
            os.close(descriptor)


def _waited_for(descriptor: int) -> Holder | None:
    # The holder writes its name right after it got the lock.
    for _ in range(20):
        os.lseek(descriptor, 0, os.SEEK_SET)
        holder = _parse(os.read(descriptor, 4096).decode("utf-8", "replace"))
        if holder is not None:
            return holder
        time.sleep(0.01)
    return None
