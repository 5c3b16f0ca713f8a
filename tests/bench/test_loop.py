"""The simulated reader, on tasks that a head can learn."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nearl_core.bench import loop
from nearl_core.bench.frozen import Part, Task
from nearl_core.control import RunControl
from nearl_core.learn import acquire


def _part(each: tuple[int, ...], seed: int) -> Part:
    """Labels around centres of their own, under noise."""
    rng = np.random.default_rng(seed)
    labels = np.repeat(np.arange(len(each)), each)
    x = 2 * np.eye(12)[labels] + rng.normal(size=(len(labels), 12))
    return Part(x / np.linalg.norm(x, axis=1, keepdims=True), labels, len(each), ())


def _task(*each: int) -> Task:
    return Task("made", _part(each, 0), _part((40,) * len(each), 1))


@pytest.mark.parametrize("way", loop.WAYS)
def test_a_reader_decides_each_scan_once_and_learns(way: str) -> None:
    seen = loop.walk(_task(30, 30), loop.WAYS[way], 0, RunControl())
    assert seen.decisions[:20] == tuple(range(1, 21))
    assert seen.decisions[-1] == 60
    steps = np.diff((0, *seen.decisions[:-1]))  # as the desk asks for an order
    assert steps.tolist() == [acquire.lasts(n) for n in (0, *seen.decisions[:-2])]
    assert np.all(np.diff(seen.corrections) >= 0)
    assert np.all(np.diff(seen.corrections) <= np.diff(seen.decisions))
    assert np.mean(seen.accuracy[-10:]) > np.mean(seen.accuracy[:5]) + 0.1


@given(st.lists(st.floats(0, 1), min_size=1, max_size=40))
def test_a_risen_curve_never_falls_and_keeps_the_mean(values: list[float]) -> None:
    found = loop.risen(np.array(values))
    assert np.all(np.diff(found) >= -1e-12)
    assert found.mean() == pytest.approx(np.mean(values))
    assert loop.risen(np.sort(values)).tolist() == pytest.approx(np.sort(values).tolist())


def test_a_lucky_moment_is_no_mark_reached() -> None:
    curve = np.array([0.5, 0.5, 0.9, 0.5, 0.5, 0.5, 0.8, 0.9])
    needed = loop.reached(range(1, 9), curve, 0.8)
    assert needed == pytest.approx(7)
    assert loop.reached(range(1, 9), curve, 0.95) is None


def _figure(way: str, *curves: tuple[float, ...]) -> loop.LoopFigure:
    return loop.LoopFigure("a", way, len(curves), 1.0, (), (), (10, 20, 30, 40), curves)


def test_what_is_saved_comes_with_its_error() -> None:
    quick, slow = (0.5, 0.9, 1.0, 1.0), (0.5, 0.6, 0.7, 0.9)
    sure = loop.savings([_figure("ours", quick, quick), _figure("random", slow, slow)])
    assert [(s.task, s.part, s.error) for s in sure] == [("a", 0.5, 0.0), ("mean", 0.5, 0.0)]
    torn = loop.savings([_figure("ours", quick, slow), _figure("random", slow, slow)])
    assert torn[0].part is not None
    assert 0 < torn[0].part < 0.5
    assert torn[0].error is not None
    assert torn[0].error > 0.05
    never = loop.savings([_figure("ours", quick), _figure("random", (0.5, 0.6, 0.7, 0.8))])
    assert never[-1] == loop.Saving("mean", None, None)
