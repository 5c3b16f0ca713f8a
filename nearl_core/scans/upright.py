"""Turning pixels as their file says, and laying what is transparent on black."""

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.generic]


def turned(values: Array, orientation: int) -> Array:
    """The picture as it is to be seen.

    Args:
        values: Rows x columns, or rows x columns x 3.
        orientation: 1 to 8, as in EXIF and TIFF 6.0 (tag 274); others change nothing.
    """
    if orientation in (5, 6, 7, 8):
        values = values.swapaxes(0, 1)
    if orientation in (2, 3, 6, 7):
        values = values[:, ::-1]
    if orientation in (3, 4, 7, 8):
        values = values[::-1]
    return np.ascontiguousarray(values)


def flattened(values: Array, colours: int, *, multiplied: bool, clear: bool) -> Array:
    """Grey or colour on black, without what stands behind them.

    Args:
        values: Rows x columns, or rows x columns x samples.
        colours: 1 or 3, the samples that are seen.
        multiplied: Whether they were multiplied by the transparency already.
        clear: Whether the sample behind them is a transparency of unsigned numbers.

    Returns:
        Rows x columns, or rows x columns x 3, of the same dtype.
    """
    if values.ndim == 2:
        return values
    seen = values[..., :colours]
    if clear and not multiplied and values.shape[2] > colours:
        most = float((1 << 8 * values.dtype.itemsize) - 1)
        alpha = values[..., colours : colours + 1].astype(np.float64) / most
        seen = np.rint(seen.astype(np.float64) * alpha).astype(values.dtype)
    return np.ascontiguousarray(seen[..., 0] if colours == 1 else seen)
