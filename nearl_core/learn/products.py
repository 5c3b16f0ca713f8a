"""Products of examples' features with each other, kept from one decision to the next.

They take most of the time that the instant learner takes from many examples, and after a decision
all but those of one example are the same: features are taken about a centre and in a scale that
stay, those of the project's main axes. What changes, the examples' weights and with them their mean
and its products, follows from them in closed form.
"""

from collections.abc import Sequence

import numpy as np

from nearl_core.learn.examples import Axes, Features, Products


def products(
    ids: Sequence[int], features: Features, axes: Axes, kept: Products | None = None
) -> Products:
    """Products of scans' features; those that are kept are not made again.

    Args:
        ids: N, of the scans, ascending.
        features: N x F.
        axes: About whose centre and in whose scale.
        kept: Of some of these scans, whose features are still the same.
    """
    asked = np.asarray(ids, np.int64)
    scale, centre = axes.scale.astype(np.float32), axes.centre.astype(np.float32)
    if kept is None or kept.axes is not axes:
        rows = (features - centre) * scale
        return Products(asked, features, axes, rows @ rows.T)
    place = np.searchsorted(kept.ids, asked).clip(max=len(kept.ids) - 1)
    new = np.flatnonzero(kept.ids[place] != asked)
    values = kept.values.take(place, 0).take(place, 1)
    if len(new):
        towards = (features[new] - centre) * scale**2
        values[new] = towards @ features.T - (towards @ centre)[:, None]
        values[:, new] = values[new].T
    return Products(asked, features, axes, values)
