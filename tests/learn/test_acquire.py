"""What to label next."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from nearl_core.learn import acquire
from nearl_core.learn.instant import FloatArray


def _features(count: int, seed: int = 0) -> FloatArray:
    rows = np.random.default_rng(seed).normal(size=(count, 8))
    return np.asarray(rows / np.linalg.norm(rows, axis=1, keepdims=True))


@given(st.integers(0, 120), st.sampled_from([0, 1, 3]), st.integers(0, 5))
def test_every_scan_stands_in_the_queue_once(count: int, labels: int, seed: int) -> None:
    p = np.random.default_rng(seed).dirichlet(np.ones(labels), count) if labels else None
    found = acquire.order(_features(count), p, decisions=8 * seed)
    assert sorted(found.tolist()) == list(range(count))


def test_close_calls_come_before_clear_ones() -> None:
    sure = np.repeat([0.51, 0.99], 50)
    found = acquire.order(_features(100), np.column_stack([sure, 1 - sure]))
    assert (found[:20] < 50).mean() > 0.75  # every tenth is drawn by chance


def test_before_any_ranking_each_kind_has_its_turn() -> None:
    kinds = np.repeat(np.arange(4), [60, 6, 6, 6])
    features = np.eye(8)[kinds] + np.random.default_rng(0).normal(size=(78, 8)) * 0.01
    features /= np.linalg.norm(features, axis=1, keepdims=True)
    first = acquire.order(features, None)[:12]
    assert len(set(kinds[first])) == 4


def test_before_any_decision_the_suggested_labels_take_turns() -> None:
    suggested = np.arange(100) % 5 == 0  # a fifth of the scans looks like the second label
    p = np.column_stack([0.9 - 0.8 * suggested, 0.1 + 0.8 * suggested])
    first = acquire.order(_features(100), p, decisions=0)[:2]
    assert sorted(suggested[first]) == [False, True]


def test_in_a_multi_label_set_one_doubtful_label_is_enough() -> None:
    p = np.array([[0.99, 0.98, 0.97], [0.99, 0.5, 0.01], [0.3, 0.9, 0.99]])
    assert acquire.doubt(p, multi_label=True).argsort()[::-1].tolist() == [1, 2, 0]


def test_some_places_are_drawn_by_chance() -> None:
    sure = np.linspace(0.5, 1, 100)
    p = np.column_stack([sure, 1 - sure])
    orders = {tuple(acquire.order(_features(100), p, decisions=8 + seed)[:20]) for seed in range(5)}
    assert len(orders) > 1
    assert len({order[:9] for order in orders}) == 1


def test_of_two_close_calls_the_one_that_may_be_of_a_rare_label_comes_first() -> None:
    p = np.array([[0.48, 0.47, 0.05], [0.05, 0.48, 0.47], [0.9, 0.05, 0.05]])
    counts = np.array([20.0, 20.0, 1.0])
    assert acquire.order(_features(3), p, counts)[0] == 1
