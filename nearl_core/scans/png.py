"""PNG beyond what Pillow reads: 16 bits a colour, and what stands in its chunks."""

import io
import struct
from collections.abc import Iterator
from typing import BinaryIO

import numpy as np
from numpy.typing import NDArray

from nearl_core.scans.upright import flattened

_COLOURS = {0: 1, 2: 3, 4: 1, 6: 3}
"""Samples that are seen, by colour type: grey, RGB, and each with alpha."""
_RAW_EXIF = b"Raw profile type exif"
"""Where ImageMagick puts EXIF into a PNG: a text of this name."""


def has_exif(stream: BinaryIO) -> bool:
    """Whether a PNG has EXIF; its pixels are passed over."""
    return any(kind == b"eXIf" or start == _RAW_EXIF for kind, start, _ in _chunks(stream))


def deep_values(stream: BinaryIO) -> NDArray[np.uint16] | None:
    """The pixels of a PNG of 16 bits a colour; None for others and for moving ones.

    Returns:
        Rows x columns, or rows x columns x 3; what is transparent is black.

    Raises:
        RuntimeError: If it is damaged.
    """
    place = stream.tell()
    stream.seek(0)
    head = stream.read(26)
    colours = _COLOURS.get(head[25]) if len(head) == 26 and head[24] == 16 else None
    chunks = list(_chunks(stream)) if colours else []
    try:
        if colours is None or any(kind == b"acTL" for kind, _, _ in chunks):
            return None
        import imagecodecs  # only where it is needed: the desk imports this module

        stream.seek(0)
        # No further than the last chunk, which has 12 bytes: gigabytes of nothing may follow.
        whole = stream.read(chunks[-1][2] + 12 if chunks else 0)
        values: NDArray[np.uint16] = np.asarray(imagecodecs.png_decode(whole))
    finally:
        stream.seek(place)
    return flattened(values, colours, multiplied=False, clear=True).astype(np.uint16, copy=False)


def deep_png(pixels: NDArray[np.uint16]) -> bytes:
    """A PNG of 16 bits a colour, without any text or time in it: rows x columns x 3."""
    import imagecodecs

    return bytes(imagecodecs.png_encode(np.ascontiguousarray(pixels), level=1))


def _chunks(stream: BinaryIO) -> Iterator[tuple[bytes, bytes, int]]:
    """Each chunk's kind, first bytes and end; the stream stands where it was afterwards."""
    place, at = stream.tell(), 8
    try:
        while True:
            stream.seek(at, io.SEEK_SET)
            head = stream.read(8 + len(_RAW_EXIF))
            if len(head) < 8 or head[4:8] == b"IEND":
                return
            end = at + 12 + int(struct.unpack_from(">I", head)[0])
            yield head[4:8], head[8:], end
            at = end
    finally:
        stream.seek(place)
