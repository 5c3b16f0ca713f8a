"""Targets short of certainty."""

import numpy as np
import pytest

from nearl_core.learn.losses import soft_targets


@pytest.mark.parametrize(("labels", "counted"), [(2, 4), (3, 4), (6, 8)])
def test_targets_stop_short_of_certainty_by_what_was_decided(labels: int, counted: int) -> None:
    targets = np.eye(labels).repeat(4, axis=0)
    soft = soft_targets(targets, multi_label=False)
    assert soft[targets > 0] == pytest.approx((counted + 1) / (counted + 2))
    assert soft.sum(1) == pytest.approx(1)
    each = soft_targets(targets, multi_label=True)
    assert each[targets > 0] == pytest.approx(5 / 6)
    assert each[targets == 0] == pytest.approx(1 / (4 * labels - 2))


def test_a_label_decided_once_among_many_counts_twice_among_six() -> None:
    targets = np.eye(6)[[0, *[1] * 19, *[2] * 4]]
    sure = soft_targets(targets, multi_label=False).max(1)
    assert sure[[0, 1, -1]] == pytest.approx([3 / 4, 20 / 21, 9 / 10])
