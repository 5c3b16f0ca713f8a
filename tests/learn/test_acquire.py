"""What to label next."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from nearl_core.learn import acquire
from nearl_core.learn.acquire import Indices
from nearl_core.learn.examples import Examples, FloatArray

WIDTH = 8


def _features(count: int, seed: int = 0) -> FloatArray:
    rows = np.random.default_rng(seed).normal(size=(count, WIDTH))
    return np.asarray(rows / np.linalg.norm(rows, axis=1, keepdims=True))


def _decided(*counts: int, seed: int = 1) -> Examples:
    """Decisions of scans like any other, so many of each label."""
    targets = np.repeat(np.eye(len(counts)), counts, axis=0)
    return Examples(_features(len(targets), seed), targets, np.ones(len(targets)))


def _order(
    features: FloatArray,
    probabilities: FloatArray | None,
    decided: Examples | None,
    *,
    multi_label: bool = False,
) -> Indices:
    return acquire.order(
        len(features), lambda rows: features[rows], probabilities, decided, multi_label=multi_label
    )


@given(
    st.sampled_from([0, 1, 2, 40, 120, 1700]),
    st.sampled_from([0, 1, 3]),
    st.integers(0, 5),
    st.booleans(),
)
def test_every_scan_stands_in_the_queue_once(
    count: int, labels: int, seed: int, multi_label: bool
) -> None:
    p = np.random.default_rng(seed).dirichlet(np.ones(labels), count) if labels else None
    decided = _decided(*(2 * seed,) * max(labels, 1)) if seed else None
    found = _order(_features(count), p, decided, multi_label=multi_label)
    assert sorted(found.tolist()) == list(range(count))


def test_equal_scans_are_a_queue_too() -> None:
    alike = np.repeat(_features(1), 30, axis=0)
    assert sorted(_order(alike, None, None).tolist()) == list(range(30))


def test_close_calls_come_before_clear_ones() -> None:
    sure = np.repeat([0.51, 0.99], 50)
    p = np.column_stack([sure, 1 - sure])
    found = _order(_features(100), p, _decided(4, 4))
    assert (found[:20] < 50).mean() > 0.75  # every tenth is drawn by chance


def test_before_any_ranking_each_kind_has_its_turn() -> None:
    kinds = np.repeat(np.arange(4), [60, 6, 6, 6])
    features = np.eye(WIDTH)[kinds] + np.random.default_rng(0).normal(size=(78, WIDTH)) * 0.01
    features /= np.linalg.norm(features, axis=1, keepdims=True)
    first = _order(features, None, None)[:8]
    assert kinds[first[0]] == 0  # the kind that most scans are of
    assert len(set(kinds[first])) == 4


def test_what_is_decided_is_not_asked_again() -> None:
    kinds = np.repeat(np.arange(2), 30)
    features = np.eye(WIDTH)[kinds] + np.random.default_rng(0).normal(size=(60, WIDTH)) * 0.01
    decided = Examples(features[:6], np.eye(2)[[0] * 6], np.ones(6))
    assert kinds[_order(features, None, decided)[0]] == 1


def test_the_scan_that_makes_all_others_surest_comes_first() -> None:
    x, z = _features(40), _features(5, seed=3)
    ones, none = np.ones(40), np.zeros(2)

    def left(*rows: int) -> float:
        """The mean variance of all scans' scores after some more decisions."""
        seen = np.vstack([z, x[list(rows)]])
        covariance = np.linalg.inv(seen.T @ seen + acquire._RIDGE * np.eye(WIDTH))
        return float(((x @ covariance) * x).sum(1).mean())

    asked: list[int] = []
    for row in acquire._planned(x, z, ones, None, none)[:6].tolist():
        best = min((i for i in range(40) if i not in asked), key=lambda i: left(*asked, i))
        assert row == best
        asked.append(row)


def test_before_any_decision_the_suggested_labels_take_turns() -> None:
    suggested = np.arange(100) % 5 == 0  # a fifth of the scans looks like the second label
    p = np.column_stack([0.9 - 0.8 * suggested, 0.1 + 0.8 * suggested])
    first = _order(_features(100), p, None)[:2]
    assert sorted(suggested[first]) == [False, True]


def test_in_a_multi_label_set_one_doubtful_label_is_enough() -> None:
    p = np.array([[0.99, 0.98, 0.97], [0.99, 0.5, 0.01], [0.3, 0.9, 0.99]])
    assert acquire.doubt(p, multi_label=True).argsort()[::-1].tolist() == [1, 2, 0]


def test_every_tenth_decision_is_of_a_scan_drawn_by_chance() -> None:
    """Whether the queue is ordered anew after each or not."""
    sure = np.linspace(0.5, 1, 100)
    p, features = np.column_stack([sure, 1 - sure]), _features(100)
    anew = {n: _order(features, p, _decided(n - 4, 4))[0] for n in range(8, 108)}
    kept = dict(enumerate(_order(features, p, _decided(4, 4))[:40], start=8))
    for order in (anew, kept):
        clear = {n for n, scan in order.items() if sure[scan] > 0.8}
        assert clear
        assert {n % acquire.RANDOM_EVERY for n in clear} == {acquire.RANDOM_EVERY - 1}


def test_of_two_close_calls_the_one_that_may_be_of_a_rare_label_comes_first() -> None:
    p = np.array([[0.48, 0.47, 0.05], [0.05, 0.48, 0.47], [0.9, 0.05, 0.05]])
    assert _order(np.eye(WIDTH)[:3], p, _decided(20, 20, 1))[0] == 1


def test_a_long_queue_is_looked_at_in_part() -> None:
    features, looked = _features(5000), list[int]()

    def look(rows: Indices) -> FloatArray:
        looked.extend(rows.tolist())
        return features[rows]

    p = np.random.default_rng(0).dirichlet(np.ones(3), 5000)
    acquire.order(5000, look, p, _decided(5, 5, 5))
    assert len(looked) == len(set(looked)) == acquire.LOOKED_AT
