"""Slope and intercept: from stored values to what they mean."""

import numpy as np
from numpy.typing import NDArray


def rescaled(stored: NDArray[np.generic], slope: float, intercept: float) -> NDArray[np.generic]:
    """Values times a slope plus an intercept.

    Args:
        stored: Of any shape.
        slope: Not 0.
        intercept: In units of the result.

    Returns:
        Whole numbers where they are exact in 16 or 32 bits, else float64.
    """
    if stored.dtype.kind in "iu" and slope == int(slope) and intercept == int(intercept):
        ends = [int(slope), int(intercept), int(stored.min()), int(stored.max())]
        ends += [end * int(slope) for end in ends[2:]]
        ends += [end + int(intercept) for end in ends[4:]]
        for dtype in (np.int16, np.uint16, np.int32):
            limits = np.iinfo(dtype)
            if limits.min <= min(ends) and max(ends) <= limits.max:
                # Nothing leaves the type on the way: whole numbers stay exact.
                whole = stored.astype(dtype)
                if slope != 1:
                    np.multiply(whole, dtype(int(slope)), out=whole)
                np.add(whole, dtype(int(intercept)), out=whole)
                return whole
    return stored.astype(np.float64) * slope + intercept
