"""Rates over time."""

import math
from collections.abc import Callable


def cosine_after_one(passes: int, *, first: float, each: int = 1) -> Callable[[int], float]:
    """CoOp's: one pass at a constant low rate, then a cosine to zero, changed once a pass.

    Args:
        passes: Number of passes over the examples.
        first: Factor of the first pass.
        each: Steps of a pass.

    Returns:
        From a step, counted from 0, to the factor of the rate.
    """

    def factor(step: int) -> float:
        done = step // each
        return first if done == 0 else 0.5 * (1 + math.cos(math.pi * min(done / passes, 1)))

    return factor
