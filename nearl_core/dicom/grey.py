"""Grey values of a frame: padding, Modality LUT or rescale, windows (PS3.3 C.11.1, C.11.2)."""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from nearl_core.dicom.groups import FrameHeader
from nearl_core.dicom.layout import Layout
from nearl_core.dicom.lut import lut_of
from nearl_core.dicom.tags import each_number, items, number, text, texts
from nearl_core.scans.rescale import rescaled
from nearl_core.scans.windows import as_stored, automatic
from nearl_core.types import Frame, VoiLut, Window, WindowShape

_ODD_WINDOW = "The file's window is not valid; an automatic one is shown."


@dataclass(frozen=True, eq=False)
class Grey:
    """A frame with what a reader should know of it."""

    frame: Frame
    notices: tuple[str, ...]


def grey_frame(
    stored: NDArray[np.generic],
    header: FrameHeader,
    layout: Layout,
    *,
    little_endian: bool,
    overlay: NDArray[np.bool_] | None,
) -> Grey:
    """From stored values to a frame that only needs a window.

    Args:
        stored: Rows x columns.
        header: Of the frame.
        layout: Of the file.
        little_endian: Byte order of the file.
        overlay: Rows x columns, or None.
    """
    padding = padding_mask(stored, header, layout)
    values, rescaled = modality_values(stored, header, layout, little_endian=little_endian)
    listed, notices = windows_of(header, layout, little_endian=little_endian)
    whole = stored.dtype.itemsize == 1 and layout.stored == 8 and not layout.signed
    own = not listed and (rescaled or not whole)
    if not listed:
        listed = (automatic(values, padding) if own else as_stored(),)
    frame = Frame(
        values,
        padding,
        listed,
        inverted=is_inverted(header, layout),
        overlay=overlay,
        automatic=own,
    )
    return Grey(frame, notices)


def is_inverted(header: FrameHeader, layout: Layout) -> bool:
    """Whether low values are white: said twice, it still counts once."""
    shape = text(header.root, "PresentationLUTShape").upper()
    return layout.photometric == "MONOCHROME1" or shape == "INVERSE"


def padding_mask(
    stored: NDArray[np.generic], header: FrameHeader, layout: Layout
) -> NDArray[np.bool_] | None:
    """Where no image stands: PixelPaddingValue to PixelPaddingRangeLimit, inclusive, either order.

    Returns:
        Rows x columns, or None where nothing is padded.
    """
    # The elements of real pixel data are called Float... and DoubleFloat...
    kind = {8: "DoubleFloat", 4: "Float"}[layout.dtype.itemsize] if layout.real else ""
    value = _stored_number(header, f"{kind}PixelPaddingValue", layout)
    if value is None:
        return None
    limit = _stored_number(header, f"{kind}PixelPaddingRangeLimit", layout)
    low, high = sorted((value, value if limit is None else limit))
    if not layout.real:
        # Comparing whole numbers with a float would make floats of the whole frame.
        low, high = int(low), int(high)
    mask = np.greater_equal(stored, low) & np.less_equal(stored, high)
    return mask if mask.any() and not mask.all() else None


def _stored_number(header: FrameHeader, keyword: str, layout: Layout) -> float | None:
    """A value in stored units; US and SS are mixed up by many writers."""
    value = number(header.root, keyword)
    if value is None or layout.real:
        return value
    bits = min(layout.allocated, 16) if abs(value) < 65536 else layout.allocated
    whole = int(value) & ((1 << bits) - 1)
    return whole - (1 << bits) if layout.signed and whole >> (bits - 1) else whole


def modality_values(
    stored: NDArray[np.generic], header: FrameHeader, layout: Layout, *, little_endian: bool
) -> tuple[NDArray[np.generic], bool]:
    """Apply the Modality LUT, else slope and intercept.

    Returns:
        The values, in whole numbers where they are exact, else float64; and whether the file
        says how to map them.
    """
    if header.shows_stored:
        return stored, False
    sequence = items(header.root, "ModalityLUTSequence")
    if sequence and not layout.real:
        lut = lut_of(sequence[0], signed=layout.signed, little_endian=little_endian)
        if lut is not None:
            return lut.mapped(stored), True
    place = header.holder("PixelValueTransformationSequence", "RescaleSlope")
    place = place or header.holder("PixelValueTransformationSequence", "RescaleIntercept")
    if place is None:
        return stored, False
    slope, intercept = number(place, "RescaleSlope"), number(place, "RescaleIntercept")
    slope = 1.0 if slope is None or slope == 0 else slope
    intercept = 0.0 if intercept is None else intercept
    if (slope, intercept) == (1.0, 0.0):
        return stored, False
    return rescaled(stored, slope, intercept), True


def windows_of(
    header: FrameHeader, layout: Layout, *, little_endian: bool
) -> tuple[tuple[Window | VoiLut, ...], tuple[str, ...]]:
    """The alternatives that the file lists, windows before tables, and notices.

    Args:
        header: Of the frame.
        layout: Of the file.
        little_endian: Byte order of the file.
    """
    place = header.holder("FrameVOILUTSequence", "WindowCenter")
    listed: list[Window | VoiLut] = []
    notices: tuple[str, ...] = ()
    if place is not None:
        shape = _shape(text(place, "VOILUTFunction"))
        names = texts(place, "WindowCenterWidthExplanation")
        ends = (each_number(place, f"Window{end}") for end in ("Center", "Width"))
        for index, (centre, width) in enumerate(zip(*ends, strict=False)):
            name = names[index] if index < len(names) else ""
            if centre is not None and width is not None and is_valid(width, shape):
                listed.append(Window(centre, width, shape, name))
        if not listed and any(texts(place, "WindowCenter")):
            notices = (_ODD_WINDOW,)
    holder = header.holder("FrameVOILUTSequence", "VOILUTSequence")
    tables = items(holder, "VOILUTSequence") if holder is not None else ()
    signed = bool(tables) and _may_be_negative(header, layout, little_endian=little_endian)
    for item in tables:
        lut = lut_of(item, signed=signed, little_endian=little_endian)
        if lut is not None:
            listed.append(VoiLut(lut.first, lut.entries, text(item, "LUTExplanation")))
    return tuple(listed), notices if not listed else ()


def _may_be_negative(header: FrameHeader, layout: Layout, *, little_endian: bool) -> bool:
    """Whether a value that can be stored lies one or more below zero after the Modality LUT.

    A table's first value is signed then, PS3.3 C.11.2.1.1: one rule for all frames of a file.
    """
    if layout.real:
        return True
    least = -(1 << (layout.stored - 1)) if layout.signed else 0
    ends = np.array([least, least + (1 << layout.stored) - 1], layout.dtype)
    values, _ = modality_values(ends, header, layout, little_endian=little_endian)
    return bool(values.min() <= -1)


def is_valid(width: float, shape: WindowShape) -> bool:
    """Whether a window's width is one that the standard allows."""
    if not math.isfinite(width):
        return False
    return width >= 1 if shape is WindowShape.LINEAR else width > 0


def _shape(name: str) -> WindowShape:
    try:
        return WindowShape(name.upper())
    except ValueError:
        return WindowShape.LINEAR
