"""Draws are the same for everyone, nested, and as the protocol says."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from nearl_core.bench.draws import Protocol, drawn
from nearl_core.learn.examples import FloatArray

SEEDS = st.integers(0, 2**31)


def _targets(*each: int) -> FloatArray:
    return np.repeat(np.eye(len(each)), each, axis=0)


@st.composite
def targets(draw: st.DrawFn) -> FloatArray:
    each = draw(st.lists(st.integers(1, 30), min_size=2, max_size=6))
    shuffled = draw(st.permutations(range(sum(each))))
    return _targets(*each)[list(shuffled)]


@given(targets(), st.integers(1, 16), SEEDS)
def test_shots_of_each_label_or_all_that_it_has(t: FloatArray, count: int, draw: int) -> None:
    rows = drawn(Protocol.SHOTS, t, count, draw=draw)
    assert t[rows].sum(0).tolist() == np.minimum(count, t.sum(0)).tolist()
    assert len(set(rows.tolist())) == len(rows)


@given(targets(), st.integers(1, 200), SEEDS)
def test_natural_draws_have_so_many_in_all(t: FloatArray, count: int, draw: int) -> None:
    rows = drawn(Protocol.NATURAL, t, count, draw=draw)
    assert len(set(rows.tolist())) == len(rows) == min(count, len(t))


@given(targets(), st.sampled_from(list(Protocol)), st.integers(1, 16), SEEDS)
def test_fewer_decisions_are_part_of_more(
    t: FloatArray, protocol: Protocol, count: int, draw: int
) -> None:
    few, many = (set(drawn(protocol, t, n, draw=draw).tolist()) for n in (count, 2 * count))
    assert few <= many
    assert few == set(drawn(protocol, t, count, draw=draw).tolist())


def test_draws_differ_and_natural_ones_are_as_imbalanced_as_the_scans() -> None:
    t = _targets(300, 60)
    many = [drawn(Protocol.NATURAL, t, 24, draw=draw) for draw in range(100)]
    assert len({tuple(rows) for rows in many}) == 100
    share = np.mean([t[rows, 1].mean() for rows in many])
    assert abs(share - 60 / 360) < 0.03
    assert any(t[drawn(Protocol.NATURAL, t, 8, draw=draw), 1].sum() == 0 for draw in range(20))
