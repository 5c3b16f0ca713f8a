"""Scans unlike anything decided."""

import tracemalloc

import numpy as np
import pytest

from nearl_core.learn.examples import Examples, FloatArray
from nearl_core.learn.unlike import Familiar, familiar


def _near(kinds: FloatArray, count: int, seed: int) -> FloatArray:
    rng = np.random.default_rng(seed)
    rows = kinds[np.arange(count) % len(kinds)] + rng.normal(size=(count, 8)) * 0.05
    return np.asarray(rows / np.linalg.norm(rows, axis=1, keepdims=True))


KINDS = np.eye(8)[:2]


def _decided(count: int) -> Familiar:
    return familiar(Examples(_near(KINDS, count, 0), np.ones((count, 2)), np.ones(count)))


@pytest.mark.parametrize("count", [1, 15])
def test_few_decisions_can_t_tell_what_is_unlike(count: int) -> None:
    assert not _decided(count).unlike(_near(np.eye(8)[7:], 5, 1)).any()


def test_another_kind_of_scan_is_unlike_and_its_own_kind_is_not() -> None:
    decided = _decided(40)
    assert decided.unlike(_near(np.eye(8)[7:], 20, 1)).all()
    assert decided.unlike(_near(KINDS, 200, 2)).mean() < 0.1


def test_very_many_decisions_are_measured_in_little_memory() -> None:
    count = 6000
    tracemalloc.start()
    decided = _decided(count)
    found = decided.unlike(_near(KINDS, count, 2))
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert decided.unlike(_near(np.eye(8)[7:], 20, 1)).all()
    assert found.mean() < 0.1
    assert peak < count * count  # bytes: all distances would be four times as much, twice over
