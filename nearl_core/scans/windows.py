"""Windows that no file lists: as stored, automatic, percentiles."""

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from nearl_core.types import Frame, Window, WindowShape


def as_stored() -> Window:
    """The window that shows 8-bit values as they are: 0 is black, 255 is white."""
    return Window(128.0, 256.0)


def common(frames: Iterable[Frame]) -> Window | None:
    """One automatic window for many frames: from their least to their greatest value.

    Args:
        frames: Those that list windows of their own, or show colour, say nothing here.

    Returns:
        None where no frame's window is automatic.
    """
    ends: list[float] = []
    for frame in frames:
        seen = _seen(frame.values, frame.padding) if frame.automatic else np.empty(0)
        if seen.size:
            ends += [float(seen.min()), float(seen.max())]
    return _between(min(ends), max(ends)) if ends else None


def automatic(values: NDArray[np.generic], padding: NDArray[np.bool_] | None = None) -> Window:
    """From the least to the greatest value outside the padding.

    Args:
        values: Rows x columns, real; values that are not finite are left out.
        padding: Rows x columns, or None.
    """
    seen = _seen(values, padding)
    if not seen.size:
        return as_stored()
    return _between(float(seen.min()), float(seen.max()))


def percentiles(
    values: NDArray[np.generic],
    padding: NDArray[np.bool_] | None = None,
    *,
    low: float = 0.5,
    high: float = 99.5,
) -> Window:
    """From one percentile to another outside the padding; a preset, never the default."""
    seen = _seen(values, padding)
    if not seen.size:
        return as_stored()
    least, greatest = np.percentile(seen.astype(np.float64), (low, high))
    return _between(float(least), float(greatest))


def _seen(values: NDArray[np.generic], padding: NDArray[np.bool_] | None) -> NDArray[np.generic]:
    seen = values if padding is None or padding.all() else values[~padding]
    return seen[np.isfinite(seen)] if seen.dtype.kind == "f" else seen


def _between(low: float, high: float) -> Window:
    if high <= low:
        # One value everywhere is shown black.
        return Window(low + 1.0, 1.0)
    # Halves first: the sum of two large values may not be finite.
    return Window(low / 2 + high / 2, high - low, WindowShape.LINEAR_EXACT)
