"""Which scans are like one."""

import numpy as np

from nearl_core.learn.nearest import nearest

FEATURES = np.array([[1.0, 0.0], [0.0, 1.0], [0.6, 0.8], [1.0, 0.0]])


def test_the_most_alike_come_first_and_never_the_scan_itself() -> None:
    found = nearest([7, 8, 9, 4], FEATURES, 7, 2)
    assert found == [(4, 1.0), (9, 0.6)]


def test_a_scan_without_features_is_like_none() -> None:
    assert nearest([7, 8, 9, 4], FEATURES, 5, 2) == []


def test_there_are_no_more_than_there_are() -> None:
    assert len(nearest([7, 8, 9, 4], FEATURES, 8, 99)) == 3
