"""Memory that a guard and one of its children share; nothing of it outlives the two.

On POSIX it is a file without a name that the child inherits (a memfd where there are such), on
Windows a named mapping that ends with its last holder. `multiprocessing.shared_memory` was turned
down: its names stay behind when a child is killed, and it starts a tracker process.
"""

import mmap
import os
import sys
import tempfile
from collections.abc import Sequence
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from nearl_core.scans.wire import ArraySpec, DamagedAnswerError

KEPT_BYTES = 64 << 20
"""What a child keeps between two answers."""

Array = NDArray[np.generic]


class Exchange(Protocol):
    """One side of the shared memory."""

    def write(self, arrays: Sequence[Array], specs: Sequence[ArraySpec]) -> None:
        """Put arrays at their places, as the child."""

    def read(self, specs: Sequence[ArraySpec]) -> list[Array]:
        """Copies of the arrays at their places, as the guard."""

    def close(self) -> None:
        """Let go."""


class FileExchange:
    """A file without a name, read and written by descriptor.

    It is not mapped: a mapping of a file that a damaged child cuts short would end the guard.

    Attributes:
        descriptor: Inherited by the child under the same number.
    """

    def __init__(self, descriptor: int) -> None:
        self.descriptor = descriptor
        self._length = 0

    def write(self, arrays: Sequence[Array], specs: Sequence[ArraySpec]) -> None:
        """Put arrays at their places."""
        end = max((spec.offset + spec.nbytes for spec in specs), default=0)
        if self._length > KEPT_BYTES:
            os.ftruncate(self.descriptor, 0)
        self._length = end
        for array, spec in zip(arrays, specs, strict=True):
            rest = np.ascontiguousarray(array).reshape(-1).view(np.uint8).data
            at = spec.offset
            while rest.nbytes:
                done = os.pwrite(self.descriptor, rest, at)
                rest, at = rest[done:], at + done

    def read(self, specs: Sequence[ArraySpec]) -> list[Array]:
        """Copies of the arrays at their places.

        Raises:
            DamagedAnswerError: If the child wrote less than it said.
        """
        found = []
        for spec in specs:
            flat = np.empty(spec.nbytes, np.uint8)
            rest, at = flat.data, spec.offset
            while rest.nbytes:
                done = os.preadv(self.descriptor, [rest], at)
                if not done:
                    raise DamagedAnswerError
                rest, at = rest[done:], at + done
            found.append(_shaped(flat, spec))
        return found

    def close(self) -> None:
        """Close the descriptor."""
        os.close(self.descriptor)


class MappedExchange:
    """A named mapping of Windows; a longer one gets the next number.

    Attributes:
        name: Known to both sides.
    """

    def __init__(self, name: str) -> None:
        self.name = name
        self._mapping: mmap.mmap | None = None

    def write(self, arrays: Sequence[Array], specs: Sequence[ArraySpec]) -> None:
        """Put arrays at their places."""
        self.close()
        end = max((spec.offset + spec.nbytes for spec in specs), default=0)
        if not end:
            return
        self._mapping = self._map(end)
        for array, spec in zip(arrays, specs, strict=True):
            self._mapping[spec.offset : spec.offset + spec.nbytes] = array.tobytes()

    def read(self, specs: Sequence[ArraySpec]) -> list[Array]:
        """Copies of the arrays at their places."""
        end = max((spec.offset + spec.nbytes for spec in specs), default=0)
        if not end:
            return [_shaped(np.empty(0, np.uint8), spec) for spec in specs]
        mapping = self._map(end)
        try:
            return [
                _shaped(np.frombuffer(mapping, np.uint8, spec.nbytes, spec.offset).copy(), spec)
                for spec in specs
            ]
        finally:
            mapping.close()

    def close(self) -> None:
        """Let go of the mapping."""
        if self._mapping is not None:
            self._mapping.close()
            self._mapping = None

    def _map(self, length: int) -> mmap.mmap:
        if sys.platform != "win32":
            raise OSError("named mappings are of Windows")
        return mmap.mmap(-1, length, tagname=f"{self.name}-{length}")


def new_exchange(name: str) -> FileExchange | MappedExchange:
    """The guard's side of new shared memory."""
    if sys.platform == "win32":
        return MappedExchange(name)
    if hasattr(os, "memfd_create"):
        return FileExchange(os.memfd_create("scan", os.MFD_CLOEXEC))
    with tempfile.TemporaryFile() as unnamed:
        return FileExchange(os.dup(unnamed.fileno()))


def exchange_of(argument: str) -> FileExchange | MappedExchange:
    """The child's side, from its command line."""
    return FileExchange(int(argument)) if argument.isdecimal() else MappedExchange(argument)


def argument_of(exchange: FileExchange | MappedExchange) -> str:
    """What `exchange_of` needs."""
    return str(exchange.descriptor) if isinstance(exchange, FileExchange) else exchange.name


def _shaped(flat: NDArray[np.uint8], spec: ArraySpec) -> Array:
    array: Array = flat.view(np.dtype(spec.dtype)).reshape(spec.shape)
    return array
