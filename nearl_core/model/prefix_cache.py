"""Views of scans as they enter the first adapted block, kept on disk for the next training.

An entry is named by the file as it was (path, size, time of change), the frame and the views, and
by what made it: the backbone with its preprocessing, the layer and the precision. So a changed
file or backbone never meets an old entry, and the folder may be deleted at any time. It holds
`LIMIT_BYTES` at most: what was used longest ago makes room.
"""

import hashlib
import os
from contextlib import suppress
from pathlib import Path

from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor

from nearl_core.inner_folders import make_inner

LIMIT_BYTES = 2 << 30
_NAME, _HEADER_BYTES = "prefix", 256


class PrefixCache:
    """Prefixes of one source; one thread at a time."""

    def __init__(self, folder: Path, source: str) -> None:
        self._folder, self._source = folder / "prefixes", source
        self._there = dict[str, int]()
        """Sizes by name, what was used longest ago first."""
        with suppress(OSError):
            found = [(entry.stat(), entry.name) for entry in os.scandir(self._folder)]
            found.sort(key=lambda one: one[0].st_mtime_ns)
            self._there = {name: stat.st_size for stat, name in found}
        self._total = sum(self._there.values())
        self._used = set[str]()

    def get(self, key: str) -> Tensor | None:
        """What was kept, on the CPU, or None."""
        name = self._name(key)
        if name not in self._there:
            return None
        path = self._folder / name
        try:
            found = load_file(path)[_NAME]
            os.utime(path)
        except (OSError, SafetensorError, KeyError):
            self._drop(name)  # damaged or gone: it is made again
            return None
        self._used.add(name)
        return found

    def put(self, key: str, prefix: Tensor) -> None:
        """Keep one, unless there is no room beside those of this run; done without if need be."""
        name = self._name(key)
        if name in self._there or not self._make_room(prefix.nbytes + _HEADER_BYTES):
            return
        partial = self._folder / f"{name}.partial"
        try:
            make_inner(self._folder)
            save_file({_NAME: prefix.detach().cpu().contiguous()}, partial)
            size = partial.stat().st_size
            partial.replace(self._folder / name)
        except (OSError, SafetensorError):
            with suppress(OSError):
                partial.unlink(missing_ok=True)
            return
        self._there[name], self._total = size, self._total + size
        self._used.add(name)

    def _name(self, key: str) -> str:
        named = f"{self._source}|{key}".encode()
        return f"{hashlib.blake2b(named, digest_size=16).hexdigest()}.safetensors"

    def _make_room(self, size: int) -> bool:
        old = (name for name in list(self._there) if name not in self._used)
        while self._total + size > LIMIT_BYTES:
            name = next(old, None)
            if name is None:
                return False
            self._drop(name)
        return True

    def _drop(self, name: str) -> None:
        with suppress(OSError):
            (self._folder / name).unlink(missing_ok=True)
        self._total -= self._there.pop(name, 0)
