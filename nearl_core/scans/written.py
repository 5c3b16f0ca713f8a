"""Pictures that this program writes: PNG, TIFF of stored values, thumbnails."""

import io
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from nearl_core.errors import ScanError
from nearl_core.scans.png import deep_png
from nearl_core.scans.raster import DAMAGED
from nearl_core.scans.whole import write_whole


def png_bytes(pixels: NDArray[np.generic]) -> bytes:
    """A PNG without any text or time in it.

    Args:
        pixels: Rows x columns [x 3], uint8 or uint16.
    """
    if pixels.ndim == 3 and pixels.dtype == np.uint16:
        return deep_png(pixels.astype(np.uint16, copy=False))
    out = io.BytesIO()
    # Level 1 is three times as fast as the default and a tenth larger.
    Image.fromarray(np.ascontiguousarray(pixels)).save(out, "PNG", compress_level=1)
    return out.getvalue()


def write_values(stem: Path, values: NDArray[np.generic]) -> str:
    """Write stored values: PNG where they are whole and not negative, else TIFF of 32 bits.

    Args:
        stem: The place without an ending.
        values: Rows x columns of any real dtype, or rows x columns x 3 of 8 or 16 bits.

    Returns:
        The ending.

    Raises:
        ScanError: If 32 bits can't hold them.
        OSError: If it can't be written.
    """
    if values.dtype in (np.uint8, np.uint16):
        encoded = png_bytes(values)
        write_whole(stem.with_name(f"{stem.name}.png"), lambda stream: stream.write(encoded))
        return ".png"
    kind = np.int32 if values.dtype.kind in "iu" else np.float32
    narrow = values.astype(kind)
    if not np.array_equal(narrow.astype(values.dtype), values, equal_nan=kind is np.float32):
        raise ScanError("32 bits can't hold its values.")
    picture = Image.fromarray(narrow)
    target = stem.with_name(f"{stem.name}.tiff")
    write_whole(target, lambda stream: picture.save(stream, "TIFF", compression="tiff_lzw"))
    return ".tiff"


_TIFF_TAGS = frozenset((256, 257, 258, 259, 262, 273, 277, 278, 279, 284, 317, 339))
"""Size, kind and place of the pixels (TIFF 6.0, section 8)."""


def residue(data: bytes) -> list[str]:
    """Why a TIFF of stored values may not leave: it holds more than pixels.

    Args:
        data: The whole file.
    """
    try:
        with Image.open(io.BytesIO(data), formats=["TIFF"]) as picture:
            picture.load()
            found = set(getattr(picture, "tag_v2", {}))
            return ["it holds more than pixels"] if found - _TIFF_TAGS else []
    except DAMAGED:
        return ["it can't be read"]


def write_png(path: Path, pixels: NDArray[np.uint8]) -> None:
    """Write a PNG beside its place, then put it there.

    Raises:
        OSError: If it can't be written.
    """
    encoded = png_bytes(pixels)
    write_whole(path, lambda stream: stream.write(encoded))


def thumbnail(rgb: NDArray[np.uint8], side: int) -> NDArray[np.uint8]:
    """A picture made to fit a square, never enlarged.

    Args:
        rgb: Rows x columns [x 3].
        side: Of the square, in pixels.

    Returns:
        Rows x columns x 3.
    """
    picture = Image.fromarray(np.ascontiguousarray(rgb)).convert("RGB")
    picture.thumbnail((side, side), Image.Resampling.BOX, reducing_gap=2.0)
    return np.asarray(picture).copy()
