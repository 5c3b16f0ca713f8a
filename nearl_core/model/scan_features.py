"""Which features stand for a scan: its file's key, the frames it is ranked by, and their rows."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from nearl_core.model.features import FeatureCache, scan_key
from nearl_core.types import Scan


@dataclass(frozen=True)
class Place:
    """Where a scan's features stand: the key of its file, and frames."""

    key: str
    frames: tuple[int, ...]

    def is_in(self, *caches: FeatureCache) -> bool:
        """Whether every cache has a feature of every frame."""
        for cache in caches:
            for frame in self.frames:
                if (self.key, frame) not in cache:
                    return False
        return True


def ranked_frames(frames: int, count: int = 3) -> tuple[int, ...]:
    """The frames by which a stack is ranked: the middle one and some evenly spaced around it."""
    if frames <= count:
        return tuple(range(frames))
    places = (np.arange(count) + 0.5) * frames / count
    return tuple(sorted({int(p) for p in places} | {frames // 2}))


def place_of(scan: Scan) -> Place:
    """The place of a scan by the frames it is ranked by."""
    return Place(scan_key(scan.path), ranked_frames(scan.frames))


def rows(
    places: Sequence[Place], cache: FeatureCache, *, width: int | None = None
) -> NDArray[np.float64]:
    """The mean feature of each place, or its first `width` columns: N x F; all in the cache.

    Every frame counts alike; the mean of a linear head's logits is its logit of the mean feature.
    """
    if all(len(place.frames) == 1 for place in places):
        return cache.rows([(p.key, p.frames[0]) for p in places])[:, :width].astype(np.float64)
    means = [cache.rows([(p.key, f) for f in p.frames]).mean(0)[:width] for p in places]
    return np.stack(means).astype(np.float64)
