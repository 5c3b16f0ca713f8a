"""What to label next."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nearl_core.learn import acquire
from nearl_core.learn.instant import FloatArray


def _features(count: int, seed: int = 0) -> FloatArray:
    rows = np.random.default_rng(seed).normal(size=(count, 8))
    return np.asarray(rows / np.linalg.norm(rows, axis=1, keepdims=True))


@given(st.integers(1, 120), st.sampled_from([0, 1, 3]), st.integers(0, 5))
def test_every_scan_stands_in_the_queue_once(count: int, labels: int, seed: int) -> None:
    p = np.random.default_rng(seed).dirichlet(np.ones(labels), count) if labels else None
    found = acquire.order(_features(count), p, seed=seed)
    assert sorted(found.tolist()) == list(range(count))


def test_close_calls_come_before_clear_ones() -> None:
    sure = np.repeat([0.51, 0.99], 50)
    found = acquire.order(_features(100), np.column_stack([sure, 1 - sure]))
    assert (found[:20] < 50).mean() > 0.75  # every fifth is drawn by chance


def test_before_any_ranking_scans_spread() -> None:
    kinds = np.repeat(np.arange(4), [60, 3, 3, 3])
    features = np.eye(8)[kinds] + np.random.default_rng(0).normal(size=(69, 8)) * 0.01
    features /= np.linalg.norm(features, axis=1, keepdims=True)
    first = acquire.order(features, None)[:4]
    assert len(set(kinds[first])) == 4


def test_some_places_are_drawn_by_chance() -> None:
    sure = np.linspace(0.5, 1, 100)
    p = np.column_stack([sure, 1 - sure])
    orders = {tuple(acquire.order(_features(100), p, seed=seed)[:10]) for seed in range(5)}
    assert len(orders) > 1
    assert len({order[:4] for order in orders}) == 1


@pytest.mark.parametrize("count", [0, 15])
def test_few_decisions_can_t_tell_what_is_unlike(count: int) -> None:
    decided = _features(count) if count else None
    assert not acquire.unlike(_features(3, seed=1), decided).any()


def test_a_scan_far_from_all_decided_ones_is_unlike() -> None:
    decided = np.eye(8)[:2][np.arange(40) % 2] + _features(40) * 0.05
    decided /= np.linalg.norm(decided, axis=1, keepdims=True)
    assert acquire.unlike(np.stack([np.eye(8)[7], decided[3]]), decided).tolist() == [True, False]
