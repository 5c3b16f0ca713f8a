"""From values to what the eye sees: pure functions, DICOM PS3.3 C.11.2."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from nearl_core.scans.windows import as_stored
from nearl_core.types import Frame, VoiLut, Window, WindowShape

RECIPE = "default-window-1"
"""How `to_rgb` makes what the model sees: through the frame's own default window, inverted as the
file says, without overlay, shutter and aspect. Kept with each ranking; another number where any
grey changes."""

_TABLE_SPAN = 1 << 16
"""Whole numbers within this span are looked up; a wider range is computed block by block."""

_BLOCK = 1 << 16
"""Values computed at a time, so that what lies between stays in the processor's cache."""

Real = NDArray[np.float64]


def to_grey(
    frame: Frame, window: Window | VoiLut | None = None, *, inverted: bool = False
) -> NDArray[np.uint8]:
    """What a reader sees of a frame, without aspect and overlays.

    Args:
        frame: Grey or colour.
        window: Which values to show, or None for the frame's default; colour has no window.
        inverted: Whether to invert what the frame itself says. Padding is shown as any value
            where nothing is inverted (as DCMTK does), and stays black where something is. The desk
            asks this very function, so both show the same.

    Returns:
        Rows x columns, or rows x columns x 3 for colour; 0 is black.
    """
    if frame.is_colour:
        colour = frame.values.astype(np.uint8, copy=False)
        return 255 - colour if inverted else colour.copy()
    if window is None:
        window = frame.windows[0] if frame.windows else as_stored()
    grey = _mapped(frame.values, _curve(window), inverted=frame.inverted != inverted)
    if frame.padding is not None and (frame.inverted or inverted):
        grey[frame.padding] = 0
    return grey


def to_rgb(frame: Frame) -> NDArray[np.uint8]:
    """What the model and the thumbnails see: the default window.

    Returns:
        Rows x columns x 3.
    """
    seen = to_grey(frame)
    return seen if seen.ndim == 3 else np.repeat(seen[:, :, np.newaxis], 3, axis=2)


def enlarged(coarse: Frame, rows: int, columns: int) -> Frame:
    """A frame of more rows and columns, each pixel repeated; masks that are coarse go along.

    Args:
        coarse: Without overlay.
        rows: At least those of the frame.
        columns: At least those of the frame.
    """
    down = np.arange(rows) * coarse.values.shape[0] // rows
    across = np.arange(columns) * coarse.values.shape[1] // columns
    padding = None if coarse.padding is None else coarse.padding[down][:, across]
    return replace(coarse, values=coarse.values[down][:, across], padding=padding, overlay=None)


def levels(window: Window) -> tuple[float, float]:
    """The values that are shown black and white: the ends of the linear part.

    For SIGMOID, where its tangent at the centre meets them.
    """
    if window.shape is WindowShape.LINEAR and window.width >= 1:
        half = (window.width - 1) / 2
        return window.centre - 0.5 - half, window.centre - 0.5 + half
    half = abs(window.width) / 2
    return window.centre - half, window.centre + half


def _curve(window: Window | VoiLut) -> Callable[[Real], Real]:
    """The function from values to grey in 0..255; it may write into its argument."""
    if isinstance(window, VoiLut):
        return _table_curve(window)
    if window.shape is WindowShape.SIGMOID:
        return _sigmoid(window)
    low, high = levels(window)
    if high <= low:
        # LINEAR of width 1 has no slope: C.11.2.1.2 compares alone.
        return lambda values: np.where(values > low, 255.0, 0.0)
    scale = 255.0 / (high - low)

    def linear(values: Real) -> Real:
        values -= low
        values *= scale
        return values

    return linear


def _sigmoid(window: Window) -> Callable[[Real], Real]:
    width = max(abs(window.width), np.finfo(np.float64).tiny)

    def curve(values: Real) -> Real:
        # Beyond 700 exp overflows, and grey has long been 0 or 255.
        power = np.clip(-4.0 * ((values - window.centre) / width), -700.0, 700.0)
        return np.asarray(255.0 / (1.0 + np.exp(power)))

    return curve


def _table_curve(table: VoiLut) -> Callable[[Real], Real]:
    entries = table.entries.astype(np.float64)
    white = max(float(entries.max()), 1.0)

    def curve(values: Real) -> Real:
        index = np.clip(np.floor(values) - table.first, 0, len(entries) - 1)
        return np.asarray(entries[index.astype(np.intp)] * (255.0 / white))

    return curve


def _mapped(
    values: NDArray[np.generic], curve: Callable[[Real], Real], *, inverted: bool
) -> NDArray[np.uint8]:
    if not values.size:
        return np.zeros(values.shape, np.uint8)
    if values.dtype.kind in "iu":
        low, high = int(values.min()), int(values.max())
        if high - low < _TABLE_SPAN:
            span = np.arange(low, high + 1, dtype=np.float64)
            return _looked_up(values, _grey(curve(span), inverted=inverted), low)
    return _computed(values, curve, inverted=inverted)


def _grey(shade: Real, *, inverted: bool) -> NDArray[np.uint8]:
    """Rounded to whole greys, half upwards; what is not a number is black."""
    np.nan_to_num(shade, copy=False, nan=0.0)
    np.clip(shade, 0.0, 255.0, out=shade)
    if inverted:
        np.subtract(255.0, shade, out=shade)
    shade += 0.5
    return shade.astype(np.uint8)


def _looked_up(
    values: NDArray[np.generic], table: NDArray[np.uint8], low: int
) -> NDArray[np.uint8]:
    """Each value's entry; `table` begins at the value `low`."""
    flat = np.ascontiguousarray(values).reshape(-1)
    out = np.empty(flat.size, np.uint8)
    for start in range(0, flat.size, _BLOCK):
        block = flat[start : start + _BLOCK]
        index = np.subtract(block, low, dtype=np.intp)
        np.take(table, index, out=out[start : start + _BLOCK], mode="clip")
    return out.reshape(values.shape)


def _computed(
    values: NDArray[np.generic], curve: Callable[[Real], Real], *, inverted: bool
) -> NDArray[np.uint8]:
    """Value by value; for real values and for a range that no table can hold."""
    flat = np.ascontiguousarray(values).reshape(-1)
    out = np.empty(flat.size, np.uint8)
    for start in range(0, flat.size, _BLOCK):
        block = flat[start : start + _BLOCK].astype(np.float64)
        missing = np.isnan(block)
        with np.errstate(over="ignore"):
            # Past the greatest float is past white.
            grey = _grey(curve(block), inverted=inverted)
        grey[missing] = 0
        out[start : start + _BLOCK] = grey
    return out.reshape(values.shape)
