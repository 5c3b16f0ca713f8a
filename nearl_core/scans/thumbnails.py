"""Thumbnails on disk: a convenience that may be deleted at any time and never outgrows a limit."""

import contextlib
import os
import threading
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from nearl_core.inner_folders import make_inner
from nearl_core.scans.written import write_png

LIMIT_BYTES = 256 << 20
"""Some 40,000 thumbnails."""

_SHARD = 1000
"""Thumbnails in one folder: a hundred thousand in one make file systems slow."""


class ThumbnailCache:
    """Pictures kept by scan, of which those used longest ago go first; any thread may call.

    Args:
        folder: Made when the first is kept; may be gone later.
        limit_bytes: Of all files together.
    """

    def __init__(self, folder: Path, *, limit_bytes: int = LIMIT_BYTES) -> None:
        self._folder = folder
        self._limit = limit_bytes
        self._lock = threading.Lock()
        # Nothing is known yet: the first that is kept has the others counted.
        self._bytes = limit_bytes
        self._sweeping = False

    def find(self, scan_id: int) -> Path | None:
        """The file of a scan's thumbnail, or None."""
        file = self._file(scan_id)
        if not file.is_file():
            return None
        with contextlib.suppress(OSError):
            os.utime(file)  # used now
        return file

    def keep(self, scan_id: int, pixels: NDArray[np.uint8]) -> None:
        """Write a thumbnail, rows x columns x 3; where there are too many, old ones go.

        Raises:
            OSError: If it can't be written.
        """
        file = self._file(scan_id)
        make_inner(file.parent)
        write_png(file, pixels)
        with self._lock:
            self._bytes += file.stat().st_size
            if self._bytes <= self._limit or self._sweeping:
                return
            self._sweeping = True
        # Without the lock: others go on meanwhile.
        held = self._swept()
        with self._lock:
            self._bytes, self._sweeping = held, False

    def _file(self, scan_id: int) -> Path:
        return self._folder / str(scan_id // _SHARD) / f"{scan_id}.png"

    def _swept(self) -> int:
        """Remove the oldest where all are too many, down to three quarters; the bytes left."""
        files = sorted(self._files())
        held = sum(size for _, size, _ in files)
        if held > self._limit:
            for _, size, path in files:
                if held <= self._limit * 3 // 4:
                    break
                with contextlib.suppress(OSError):
                    os.unlink(path)
                held -= size
        return held

    def _files(self) -> Iterator[tuple[int, int, str]]:
        """Time of last use, size and path."""
        for folder, _, names in os.walk(self._folder):
            for name in names:
                path = os.path.join(folder, name)
                with contextlib.suppress(OSError):
                    status = os.stat(path)
                    yield status.st_mtime_ns, status.st_size, path
