"""Which training scans a cell's decisions are made of: two protocols, the same for every method.

Draws are nested: with one number of the draw, 4 shots hold the 2 shots' scans, so that a curve over
counts shows what more decisions give and not the luck of other scans.
"""

from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from nearl_core.learn.examples import FloatArray

Rows = NDArray[np.intp]
SHOTS = (1, 2, 4, 8, 16)
DECISIONS = (8, 16, 32, 64, 128)
REVISION = 1  # raised when draws change: figures on other draws are other cells


class Protocol(StrEnum):
    """How decisions are drawn.

    SHOTS: so many of each label. NATURAL: so many in all, as the training scans come: imbalanced as
    they are, and a label may have none.
    """

    SHOTS = "shots"
    NATURAL = "natural"

    @property
    def counts(self) -> tuple[int, ...]:
        """The counts of the full benchmark."""
        return SHOTS if self is Protocol.SHOTS else DECISIONS


def drawn(protocol: Protocol, targets: FloatArray, count: int, *, draw: int) -> Rows:
    """The rows of one draw; for natural draws in the order in which they were drawn.

    Args:
        protocol: How.
        targets: N x C one-hot, of the training scans.
        count: Shots of each label, or decisions in all; where there are fewer scans, those.
        draw: Number of the draw, which is its seed.
    """
    if protocol is Protocol.NATURAL:
        return _shuffled(np.arange(len(targets)), draw, 0)[:count]
    of_label = [np.flatnonzero(column) for column in targets.T]
    picked = [_shuffled(rows, draw, 1 + c)[:count] for c, rows in enumerate(of_label)]
    return np.concatenate(picked)


def _shuffled(rows: Rows, draw: int, stream: int) -> Rows:
    return np.random.default_rng([REVISION, draw, stream]).permutation(rows)
