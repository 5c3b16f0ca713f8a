"""Overlay planes (60xx), DICOM PS3.3 C.9.2: drawn on request only, never given to the model."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from pydicom.dataset import Dataset

from nearl_core.dicom.tags import BROKEN

_GROUPS = range(0x6000, 0x6020, 2)


@dataclass(frozen=True)
class _Plane:
    rows: int
    columns: int
    top: int
    left: int
    bit: int
    frames: int
    first: int
    bits: bytes | None


def overlay_of(
    dataset: Dataset, raw: NDArray[np.generic], frame: int, *, little_endian: bool
) -> NDArray[np.bool_] | None:
    """All overlay planes of one frame together.

    Args:
        dataset: Of the file.
        raw: Rows x columns [x 3] with all its bits.
        frame: Which frame.
        little_endian: Byte order of the file.

    Returns:
        Rows x columns, or None where there is none.
    """
    rows, columns = raw.shape[:2]
    drawn = np.zeros((rows, columns), np.bool_)
    found = False
    for group in _GROUPS:
        plane = _plane(dataset, group, little_endian=little_endian)
        mask = _mask(plane, raw, frame) if plane is not None else None
        if plane is None or mask is None:
            continue
        found = True
        _draw(drawn, mask, plane.top, plane.left)
    return drawn if found else None


def _plane(dataset: Dataset, group: int, *, little_endian: bool) -> _Plane | None:
    rows, columns = _number(dataset, group, 0x0010), _number(dataset, group, 0x0011)
    if not rows or not columns or rows < 1 or columns < 1:
        return None
    origin = _value(dataset, group, 0x0050)
    try:
        top, left = (int(part) - 1 for part in origin) if origin else (0, 0)  # type: ignore[attr-defined]
    except BROKEN:
        top, left = 0, 0
    bits = _value(dataset, group, 0x3000)
    if isinstance(bits, bytes) and not little_endian and dataset[group, 0x3000].VR == "OW":
        # Bits are counted in words, and the words are swapped.
        bits = np.frombuffer(bits[: len(bits) // 2 * 2], "u2").byteswap().tobytes()
    return _Plane(
        rows,
        columns,
        top,
        left,
        bit=_number(dataset, group, 0x0102) or 0,
        frames=max(_number(dataset, group, 0x0015) or 1, 1),
        first=max(_number(dataset, group, 0x0051) or 1, 1) - 1,
        bits=bits if isinstance(bits, bytes) else None,
    )


def _mask(plane: _Plane, raw: NDArray[np.generic], frame: int) -> NDArray[np.bool_] | None:
    if plane.bits is None:
        # Retired: the overlay stands in a bit of the pixel cells that is not stored.
        if raw.ndim != 2 or raw.dtype.kind not in "iu" or plane.bit >= raw.dtype.itemsize * 8:
            return None
        if plane.bit == 0 or (plane.rows, plane.columns) != raw.shape:
            return None
        bits = raw.view(f"u{raw.dtype.itemsize}").astype(np.uint64) >> np.uint64(plane.bit)
        embedded: NDArray[np.bool_] = np.equal(bits & np.uint64(1), 1)
        return embedded
    index = frame - plane.first if plane.frames > 1 else 0
    if not 0 <= index < plane.frames:
        return None
    size = plane.rows * plane.columns
    if len(plane.bits) * 8 < size * (index + 1):
        return None
    first = size * index // 8
    cells = np.frombuffer(plane.bits, np.uint8)[first : (size * (index + 1) + 7) // 8]
    unpacked = np.unpackbits(cells, bitorder="little")[size * index - first * 8 :][:size]
    return unpacked.reshape(plane.rows, plane.columns).astype(np.bool_)


def _draw(drawn: NDArray[np.bool_], mask: NDArray[np.bool_], top: int, left: int) -> None:
    """Put a plane where its origin says; what falls outside is cut off."""
    rows, columns = drawn.shape
    upper, lower = max(top, 0), min(top + mask.shape[0], rows)
    first, last = max(left, 0), min(left + mask.shape[1], columns)
    if upper < lower and first < last:
        drawn[upper:lower, first:last] |= mask[
            upper - top : lower - top, first - left : last - left
        ]


def _value(dataset: Dataset, group: int, number: int) -> object:
    try:
        return dataset[group, number].value if (group, number) in dataset else None
    except BROKEN:
        return None


def _number(dataset: Dataset, group: int, number: int) -> int | None:
    value = _value(dataset, group, number)
    try:
        return int(value) if value is not None else None  # type: ignore[call-overload]
    except BROKEN:
        return None
