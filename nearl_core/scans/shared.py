"""Memory that a guard and one of its children share; nothing of it outlives the two.

On POSIX it is a file without a name that the child inherits (a memfd where there are such), on
Windows a named mapping that ends with its last holder. `multiprocessing.shared_memory` was turned
down: its names stay behind when a child is killed, and it starts a tracker process.

On Linux both sides also map a part of fixed size for good: copying through a mapping that is warm
takes a fourth of the time of writing and reading a file.
"""

import mmap
import os
import sys
import tempfile
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from nearl_core.scans.wire import ArraySpec, DamagedAnswerError

KEPT_BYTES = 64 << 20
"""What a child keeps between two answers, and the size of the mapped part."""

if sys.platform == "linux":
    import fcntl

Array = NDArray[np.generic]


class FileExchange:
    """A file without a name, read and written by descriptor.

    It is not mapped: a mapping of a file that a damaged child cuts short would end the guard.

    Attributes:
        descriptors: Inherited by the child under the same numbers.
    """

    def __init__(self, descriptor: int) -> None:
        self.descriptors: tuple[int, ...] = (descriptor,)
        self._length = 0

    def write(self, arrays: Sequence[Array], specs: Sequence[ArraySpec]) -> None:
        """Put arrays at their places, as the child."""
        descriptor = self.descriptors[0]
        if self._length > KEPT_BYTES:
            os.ftruncate(descriptor, 0)
        self._length = _end(specs)
        for array, spec in zip(arrays, specs, strict=True):
            rest = np.ascontiguousarray(array).reshape(-1).view(np.uint8).data
            at = spec.offset
            while rest.nbytes:
                done = os.pwrite(descriptor, rest, at)
                rest, at = rest[done:], at + done

    def read(self, specs: Sequence[ArraySpec]) -> list[Array]:
        """Copies of the arrays at their places, as the guard.

        Raises:
            DamagedAnswerError: If the child wrote less than it said.
        """
        found = []
        for spec in specs:
            flat = np.empty(spec.nbytes, np.uint8)
            rest, at = flat.data, spec.offset
            while rest.nbytes:
                done = os.preadv(self.descriptors[0], [rest], at)
                if not done:
                    raise DamagedAnswerError
                rest, at = rest[done:], at + done
            found.append(_shaped(flat, spec))
        return found

    def close(self) -> None:
        """Close the descriptors."""
        for descriptor in self.descriptors:
            os.close(descriptor)


class SealedExchange(FileExchange):
    """A file for large answers, and a mapping for all others.

    What is mapped is sealed: nobody can cut it short under the other side.
    """

    def __init__(self, descriptor: int, sealed: int) -> None:
        super().__init__(descriptor)
        self.descriptors = (descriptor, sealed)
        self._mapping = mmap.mmap(sealed, KEPT_BYTES)
        self._bytes = np.frombuffer(self._mapping, np.uint8)

    def write(self, arrays: Sequence[Array], specs: Sequence[ArraySpec]) -> None:
        """Put arrays at their places, as the child."""
        if _end(specs) > KEPT_BYTES:
            super().write(arrays, specs)
            return
        for array, spec in zip(arrays, specs, strict=True):
            place = self._bytes[spec.offset : spec.offset + spec.nbytes]
            np.copyto(place.view(array.dtype).reshape(array.shape), array)

    def read(self, specs: Sequence[ArraySpec]) -> list[Array]:
        """Copies of the arrays at their places, as the guard.

        Raises:
            DamagedAnswerError: If the child wrote less than it said.
        """
        if _end(specs) > KEPT_BYTES:
            return super().read(specs)
        places = (self._bytes[spec.offset : spec.offset + spec.nbytes] for spec in specs)
        return [_shaped(place.copy(), spec) for place, spec in zip(places, specs, strict=True)]

    def close(self) -> None:
        """Let go of the mapping, and close the descriptors."""
        del self._bytes
        self._mapping.close()
        super().close()


class MappedExchange:
    """A named mapping of Windows; a longer one gets the next number.

    Attributes:
        name: Known to both sides.
    """

    def __init__(self, name: str) -> None:
        self.name = name
        self._mapping: mmap.mmap | None = None

    def write(self, arrays: Sequence[Array], specs: Sequence[ArraySpec]) -> None:
        """Put arrays at their places, as the child."""
        self.close()
        end = _end(specs)
        if not end:
            return
        self._mapping = self._map(end)
        for array, spec in zip(arrays, specs, strict=True):
            self._mapping[spec.offset : spec.offset + spec.nbytes] = array.tobytes()

    def read(self, specs: Sequence[ArraySpec]) -> list[Array]:
        """Copies of the arrays at their places, as the guard."""
        end = _end(specs)
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
    if sys.platform == "linux":
        sealed = os.memfd_create("scan", os.MFD_CLOEXEC | os.MFD_ALLOW_SEALING)
        os.ftruncate(sealed, KEPT_BYTES)
        fcntl.fcntl(sealed, fcntl.F_ADD_SEALS, fcntl.F_SEAL_SHRINK | fcntl.F_SEAL_GROW)
        return SealedExchange(os.memfd_create("scan", os.MFD_CLOEXEC), sealed)
    with tempfile.TemporaryFile() as unnamed:
        return FileExchange(os.dup(unnamed.fileno()))


def exchange_of(argument: str) -> FileExchange | MappedExchange:
    """The child's side, from its command line."""
    parts = argument.split(",")
    if not all(part.isdecimal() for part in parts):
        return MappedExchange(argument)
    descriptors = [int(part) for part in parts]
    return FileExchange(descriptors[0]) if len(parts) == 1 else SealedExchange(*descriptors)


def argument_of(exchange: FileExchange | MappedExchange) -> str:
    """What `exchange_of` needs."""
    if isinstance(exchange, FileExchange):
        return ",".join(map(str, exchange.descriptors))
    return exchange.name


def _end(specs: Sequence[ArraySpec]) -> int:
    """Where the last array ends."""
    return max((spec.offset + spec.nbytes for spec in specs), default=0)


def _shaped(flat: NDArray[np.uint8], spec: ArraySpec) -> Array:
    array: Array = flat.view(np.dtype(spec.dtype)).reshape(spec.shape)
    return array
