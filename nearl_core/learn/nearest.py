"""Scans like one: the nearest by the backbone's own features, which are normalised."""

from collections.abc import Sequence

import numpy as np

from nearl_core.learn.examples import FloatArray


def nearest(
    scan_ids: Sequence[int], features: FloatArray, scan_id: int, k: int
) -> list[tuple[int, float]]:
    """The scans most like one of them, the most alike first.

    Args:
        scan_ids: N, each once; without `scan_id` nothing can be told.
        features: N x E, normalised, of these scans.
        scan_id: The one that others are compared with.
        k: How many at most.

    Returns:
        Ids with the cosine between both scans' features, at most 1.
    """
    if scan_id not in scan_ids:
        return []
    at = scan_ids.index(scan_id)
    likeness = features @ features[at]
    likeness[at] = -np.inf
    best = np.argsort(-likeness, kind="stable")[: min(k, len(scan_ids) - 1)]
    return [(scan_ids[row], float(likeness[row])) for row in best.tolist()]
