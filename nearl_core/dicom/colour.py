"""Colour frames: palettes (DICOM PS3.3 C.7.9), YBR (C.7.6.3.1.2), more than 8 bits, ICC."""

import numpy as np
from numpy.typing import NDArray
from pydicom.dataset import Dataset

from nearl_core.dicom.layout import Layout
from nearl_core.dicom.lut import Lut, describe, lut_of
from nearl_core.dicom.source import Source
from nearl_core.dicom.stored import NO_YBR, StoredPixels
from nearl_core.dicom.tags import data
from nearl_core.errors import ScanError

_NAMES = ("Red", "Green", "Blue")


def palette_rgb(
    stored: NDArray[np.generic], dataset: Dataset, *, signed: bool, little_endian: bool
) -> NDArray[np.uint8]:
    """Colours of palette indices.

    Args:
        stored: Rows x columns.
        dataset: Holds the palettes.
        signed: Whether indices may be negative.
        little_endian: Byte order of the file.

    Returns:
        Rows x columns x 3.

    Raises:
        ScanError: If a palette is missing or damaged.
    """
    luts = []
    for name in _NAMES:
        lut = _palette(dataset, name, signed=signed, little_endian=little_endian)
        if lut is None:
            raise ScanError("A colour palette is missing or damaged.")
        luts.append(lut)
    greatest = max(int(lut.entries.max()) for lut in luts)
    # Many writers say 16 bits and store 8: then the entries themselves tell. A few say 12.
    bits = min(max(luts[0].bits, greatest.bit_length()), 16)
    down = bits - 8 if luts[0].bits > 8 and greatest > 255 else 0
    return np.stack([(lut.mapped(stored) >> down).astype(np.uint8) for lut in luts], axis=-1)


def _palette(dataset: Dataset, name: str, *, signed: bool, little_endian: bool) -> Lut | None:
    descriptor = f"{name}PaletteColorLookupTableDescriptor"
    segments = f"Segmented{name}PaletteColorLookupTableData"
    if segments in dataset:
        return _segmented(dataset, descriptor, segments, signed=signed, little_endian=little_endian)
    return lut_of(
        dataset,
        signed=signed,
        little_endian=little_endian,
        descriptor=descriptor,
        entries=f"{name}PaletteColorLookupTableData",
    )


def _segmented(
    dataset: Dataset, descriptor: str, segments: str, *, signed: bool, little_endian: bool
) -> Lut | None:
    described = describe(dataset, descriptor, signed=signed)
    if described is None:
        return None
    raw = data(dataset, segments, little_endian=little_endian)
    order = "<" if little_endian else ">"
    size = 2 if described.bits > 8 else 1
    words = np.frombuffer(raw[: len(raw) - len(raw) % size], f"{order}u{size}")
    entries = expanded(words.tolist(), described.count, size)
    return None if entries is None else Lut(described.first, entries, described.bits)


def expanded(words: list[int], count: int, size: int) -> NDArray[np.uint16] | None:
    """The entries of a segmented palette, DICOM PS3.3 C.7.9.2.

    Args:
        words: The segments: 0 discrete, 1 linear, 2 indirect (segments that stand elsewhere).
        count: How many entries the descriptor promises.
        size: Bytes of a word.

    Returns:
        1-D, or None where the segments are damaged or give fewer.
    """
    out: list[int] = []
    try:
        at = 0
        while len(out) < count and at < len(words):
            if words[at] == 2:
                _again(words, at, size, out, count)
                at += 2 + 4 // size
            else:
                at = _segment(words, at, out)
    except (IndexError, ValueError):
        return None
    return np.array(out[:count], np.uint16) if len(out) >= count else None


def _segment(words: list[int], at: int, out: list[int]) -> int:
    """Append the entries of a discrete or linear segment; where the next one begins."""
    kind, length = words[at], words[at + 1]
    if kind == 0:
        out += words[at + 2 : at + 2 + length]
        return at + 2 + length
    if kind != 1 or not out:
        raise ValueError
    # From the entry after the last one to the end point, which it reaches.
    start, rise = out[-1], words[at + 2] - out[-1]
    out += [round(start + rise * step / length) for step in range(1, length + 1)]
    return at + 3


def _again(words: list[int], at: int, size: int, out: list[int], count: int) -> None:
    """Append the entries of segments that stand at a byte offset, least word first."""
    parts = words[at + 2 : at + 2 + 4 // size]
    start = sum(part << (8 * size * index) for index, part in enumerate(parts)) // size
    for _ in range(words[at + 1]):
        if len(out) >= count:
            break
        start = _segment(words, start, out)


def rgb_of(stored: NDArray[np.generic], layout: Layout) -> NDArray[np.uint8]:
    """Three samples a pixel as RGB.

    Args:
        stored: Rows x columns x 3.
        layout: Of the file.

    Returns:
        Rows x columns x 3, uint8.
    """
    plain = eight_bits(stored, layout.stored)
    if layout.photometric in NO_YBR:
        return plain
    return ybr_to_rgb(plain, partial=layout.photometric.startswith("YBR_PARTIAL"))


def every_rgb(source: Source, pixels: StoredPixels) -> NDArray[np.uint8]:
    """All frames of a file with colours as RGB, without its ICC profile.

    Args:
        source: The file.
        pixels: Its stored values: three samples a pixel, or indices of its palettes.

    Returns:
        Frames x rows x columns x 3, one frame without the first.

    Raises:
        ScanError: If a frame can't be decoded, or a palette is missing or damaged.
    """
    layout = pixels.layout
    coded = pixels.every()
    frames = coded if layout.frames > 1 else coded[np.newaxis]
    if layout.samples == 3:
        rgb = [rgb_of(frame, pixels.seen_layout(at)) for at, frame in enumerate(frames)]
    else:
        rgb = [
            palette_rgb(
                frame, source.dataset, signed=layout.signed, little_endian=source.little_endian
            )
            for frame in frames
        ]
    return np.stack(rgb) if layout.frames > 1 else rgb[0]


def eight_bits(values: NDArray[np.generic], bits: int) -> NDArray[np.uint8]:
    """Samples of some bits, scaled to 8."""
    if bits == 8:
        return values.astype(np.uint8)
    if bits < 8:
        return np.rint(values.astype(np.float64) * 255 / ((1 << bits) - 1)).astype(np.uint8)
    unsigned = values.view(f"u{values.dtype.itemsize}")
    down: NDArray[np.uint8] = np.right_shift(unsigned, bits - 8).astype(np.uint8)
    return down


def ybr_to_rgb(ybr: NDArray[np.uint8], *, partial: bool = False) -> NDArray[np.uint8]:
    """YBR_FULL or YBR_PARTIAL to RGB, DICOM PS3.3 C.7.6.3.1.2.

    Args:
        ybr: Rows x columns x 3.
        partial: Whether luminance stands in 16..235 and chroma in 16..240.
    """
    y = ybr[..., 0].astype(np.float32)
    cb = ybr[..., 1].astype(np.float32) - 128
    cr = ybr[..., 2].astype(np.float32) - 128
    if partial:
        y, cb, cr = (y - 16) * (255 / 219), cb * (255 / 224), cr * (255 / 224)
    rgb = np.stack((y + 1.402 * cr, y - 0.344136 * cb - 0.714136 * cr, y + 1.772 * cb), axis=-1)
    rounded: NDArray[np.uint8] = np.clip(rgb + 0.5, 0, 255).astype(np.uint8)
    return rounded
