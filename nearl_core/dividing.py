"""Which scans fall to which reader where they are divided.

By patient, so that whoever reads one scan of a patient reads all of them, and by the patient's hash
alone: copies of a project agree on it, and scans that are added later fall to somebody as well.
"""

import zlib
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from nearl_core.types import Division

_RANGE = 1 << 32


@dataclass(frozen=True)
class Part:
    """One reader's part.

    Attributes:
        number: Which of the parts, from 0.
        parts: How many there are.
        shared: Share of the scans that belong to each of them.
    """

    number: int
    parts: int
    shared: float

    def holds(self, patients: Iterable[bytes]) -> NDArray[np.bool_]:
        """Whether scans of these patients are in it; N."""
        drawn = np.fromiter(map(zlib.crc32, patients), np.float64) / _RANGE
        rest = (drawn - self.shared) / max(1 - self.shared, 1 / _RANGE)
        number = np.minimum((rest * self.parts).astype(np.int64), self.parts - 1)
        return np.asarray((drawn < self.shared) | (number == self.number))


def part_of(reader: str, division: Division) -> Part | None:
    """A reader's part; None for who reads all."""
    names = [name.strip().casefold() for name in division.readers]
    wanted = reader.strip().casefold()
    if len(names) < 2 or wanted not in names:
        return None
    return Part(names.index(wanted), len(names), division.shared)
