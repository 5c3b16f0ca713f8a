"""Look-up tables of DICOM: Modality LUT (PS3.3 C.11.1), VOI LUT (C.11.2), their descriptors."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from pydicom.dataset import Dataset

from nearl_core.dicom.tags import data, numbers


@dataclass(frozen=True, eq=False)
class Lut:
    """One table.

    Attributes:
        first: The value that the first entry maps.
        entries: 1-D uint16.
        bits: Of each entry, as the descriptor says.
    """

    first: int
    entries: NDArray[np.uint16]
    bits: int

    def mapped(self, values: NDArray[np.generic]) -> NDArray[np.uint16]:
        """The entries of whole-numbered values, clamped at both ends."""
        index = values.astype(np.int64) - self.first
        return self.entries[np.clip(index, 0, len(self.entries) - 1)]


@dataclass(frozen=True)
class Described:
    """A table's descriptor.

    Attributes:
        count: Number of entries.
        first: The value that the first entry maps.
        bits: Of each entry.
    """

    count: int
    first: int
    bits: int


def describe(item: Dataset, descriptor: str, *, signed: bool) -> Described | None:
    """Read a descriptor, or None where it is not valid.

    Args:
        item: The item that holds it.
        descriptor: Its keyword.
        signed: Whether the first value mapped may be negative; US and SS are mixed up by many.
    """
    parts = numbers(item, descriptor)
    if len(parts) != 3:
        return None
    count, first, bits = (int(part) for part in parts)
    first &= 0xFFFF
    if signed and first >= 0x8000:
        first -= 0x10000
    # 65536 entries do not fit into 16 bits and are written as 0.
    return Described((count & 0xFFFF) or 0x10000, first, bits)


def lut_of(
    item: Dataset,
    *,
    signed: bool,
    little_endian: bool,
    descriptor: str = "LUTDescriptor",
    entries: str = "LUTData",
) -> Lut | None:
    """Read a table, or None where it is not valid.

    Args:
        item: The item that holds it.
        signed: Whether the first value mapped may be negative.
        little_endian: Byte order of the file.
        descriptor: Keyword of the number of entries, first value and bits.
        entries: Keyword of the entries; US or OW.
    """
    described = describe(item, descriptor, signed=signed)
    if described is None:
        return None
    count = described.count
    plain = data(item, entries, little_endian=little_endian)
    words = len(plain) // 2
    # Two entries of 8 bits stand in a word; a table that is short serves as far as it goes.
    packed = words < count and (described.bits <= 8 or words == (count + 1) // 2)
    if not words:
        return None
    if not packed:
        table = np.frombuffer(plain, "<u2" if little_endian else ">u2", min(count, words))
    else:
        cells = np.frombuffer(plain, np.uint8)
        if not little_endian and item[entries].VR == "OW":
            # Bytes stand in words, and the words are swapped.
            cells = cells[: len(cells) // 2 * 2].reshape(-1, 2)[:, ::-1].reshape(-1)
        table = cells[:count]
    return Lut(described.first, table.astype(np.uint16), described.bits)
