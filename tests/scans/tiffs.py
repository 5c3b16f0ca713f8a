"""TIFF files of every depth and layout, made up on the spot: Pillow writes but a few of them."""

import struct
import zlib
from collections.abc import Iterator, Mapping
from typing import Any, Literal

import imagecodecs
import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]
Entry = tuple[int, list[int]]
Order = Literal["<", ">"]
_LETTERS = {3: "H", 4: "I", 7: "B", 16: "Q"}
_FORMATS = {"u": 1, "i": 2, "f": 3, "c": 6}


def tiff(
    values: Array,
    *,
    big: bool = False,
    order: Order = "<",
    compression: int = 1,
    predictor: int = 1,
    tile: int = 0,
    planar: int = 1,
    more: Mapping[int, Entry] | None = None,
) -> bytes:
    """A file of one page.

    Args:
        values: Rows x columns [x samples]; a fourth or second sample is a transparency.
        big: BigTIFF.
        order: "<" or ">".
        compression: 1 none, 8 deflate, 32773 packbits.
        predictor: 2 stores differences along each row.
        tile: Side of its tiles; 0 for one strip.
        planar: 2 for one plane behind another.
        more: Further entries, or others: type and values.
    """
    samples = 1 if values.ndim == 2 else values.shape[2]
    planes = [values] if planar == 1 else [values[..., k] for k in range(samples)]
    parts = [part for plane in planes for part in _parts(plane, tile)]
    blocks = [_packed(part, order, compression, predictor) for part in parts]
    start = 16 if big else 8
    offsets = [start + sum(map(len, blocks[:k])) for k in range(len(blocks))]
    places = {"offsets": (16 if big else 4, offsets), "sizes": (4, [len(b) for b in blocks])}
    entries: dict[int, Entry] = {
        256: (4, [values.shape[1]]),
        257: (4, [values.shape[0]]),
        258: (3, [values.dtype.itemsize * 8] * samples),
        259: (3, [compression]),
        262: (3, [2 if samples > 2 else 1]),
        277: (3, [samples]),
        284: (3, [planar]),
        317: (3, [predictor]),
        339: (3, [_FORMATS[values.dtype.kind]] * samples),
    }
    if tile:
        sides: Entry = (4, [tile])
        entries |= {322: sides, 323: sides, 324: places["offsets"], 325: places["sizes"]}
    else:
        height: Entry = (4, [values.shape[0]])
        entries |= {273: places["offsets"], 278: height, 279: places["sizes"]}
    if samples in (2, 4):
        entries[338] = (3, [2])
    body = b"".join(blocks)
    mark = {"<": b"II", ">": b"MM"}[order] + struct.pack(f"{order}H", 43 if big else 42)
    if big:
        mark += struct.pack(f"{order}HH", 8, 0)
    at = start + len(body)
    head = mark + struct.pack(f"{order}{'Q' if big else 'I'}", at)
    return head + body + _directory(entries | dict(more or {}), at, order, big)


def _parts(plane: Array, tile: int) -> Iterator[Array]:
    if not tile:
        yield plane
        return
    for top in range(0, plane.shape[0], tile):
        for left in range(0, plane.shape[1], tile):
            part = np.zeros((tile, tile, *plane.shape[2:]), plane.dtype)
            held = plane[top : top + tile, left : left + tile]
            part[: held.shape[0], : held.shape[1]] = held
            yield part


def _packed(part: Array, order: Order, compression: int, predictor: int) -> bytes:
    if predictor == 2:
        part = np.concatenate((part[:, :1], np.diff(part, axis=1)), axis=1)
    ordered = np.ascontiguousarray(part.astype(part.dtype.newbyteorder(order)))
    if compression == 8:
        return zlib.compress(ordered.tobytes())
    if compression == 32773:
        return b"".join(bytes(imagecodecs.packbits_encode(row.tobytes())) for row in ordered)
    return ordered.tobytes()


def _directory(entries: Mapping[int, Entry], at: int, order: Order, big: bool) -> bytes:
    """Entries and, behind them, the values that do not fit into one."""
    inline, count, form = (8, "Q", "HHQ") if big else (4, "H", "HHI")
    size = struct.calcsize(f"={form}") + inline
    behind = at + struct.calcsize(count) + size * len(entries) + inline
    out, values = struct.pack(f"{order}{count}", len(entries)), b""
    for tag, (kind, held) in sorted(entries.items()):
        packed = struct.pack(f"{order}{len(held)}{_LETTERS[kind]}", *held)
        place = packed.ljust(inline, b"\0")
        if len(packed) > inline:
            place = struct.pack(f"{order}{'Q' if big else 'I'}", behind + len(values))
            values += packed
        out += struct.pack(f"{order}{form}", tag, kind, len(held)) + place
    return out + b"\0" * inline + values
