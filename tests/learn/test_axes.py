"""Main axes of all scans, and the learner that stretches features along them."""

import numpy as np
import pytest

from nearl_core.learn import axes, instant
from nearl_core.learn.examples import Examples, FloatArray
from nearl_core.learn.head import Head

BLOCKS = (8,)


def _scans(count: int, seed: int = 0) -> tuple[FloatArray, FloatArray]:
    """Two kinds of scans that differ along one direction, among many in which they hardly do."""
    rng = np.random.default_rng(seed)
    kind = rng.integers(2, size=count)
    direction = np.linspace(1, 2, 40)
    x = np.outer(2 * kind - 1, direction / np.linalg.norm(direction)) * 2
    return x + rng.standard_normal(x.shape) * 0.9, np.asarray(np.eye(2)[kind])


def _fitted(rows: FloatArray, targets: FloatArray, of: FloatArray | None) -> Head:
    found = None if of is None else axes.of_scans(of, BLOCKS)
    examples = Examples(rows, targets, np.ones(len(rows)), BLOCKS, axes=found)
    return instant.fit(examples, None, multi_label=False)


def test_axes_are_the_directions_in_which_scans_differ_most() -> None:
    x, _ = _scans(150)
    found = axes.measure(x, BLOCKS)
    direction = np.linspace(1, 2, 40) * found.scale
    first = found.along[0] / np.linalg.norm(found.along[0])
    assert abs(first @ direction) / np.linalg.norm(direction) > 0.97
    np.testing.assert_allclose(found.along @ found.along.T, np.eye(len(found.along)), atol=1e-8)
    assert found.lengths[0] == 1
    assert (np.diff(found.lengths) <= 0).all()
    seen = (x - found.centre) * found.scale
    for block in np.split(seen, [32], axis=1):  # each block spreads by one half
        assert block.var(0).sum() == pytest.approx(0.5)


def test_undecided_scans_make_few_decisions_tell_more() -> None:
    better = 0.0
    for seed in range(20):
        x, y = _scans(200, seed)
        two = np.array([y[:, 0].argmax(), y[:, 1].argmax()])
        right = []
        for of in (None, x):
            p = _fitted(x[two], y[two], of).probabilities(x)
            right.append(float((p.argmax(1) == y.argmax(1)).mean()))
        better += right[1] - right[0]
    assert better / 20 > 0.03


def test_what_is_stretched_is_a_linear_head_on_features_as_they_are() -> None:
    x, y = _scans(60)
    found = axes.of_scans(x, BLOCKS)
    assert found is not None
    longer = axes.stretched(found, 12)
    assert (longer >= 0).all()
    assert longer[0] > 0.1
    along = found.along[: len(longer)]
    seen = (x - found.centre) * found.scale
    seen = seen + seen @ along.T * longer @ along
    stretched = Examples(seen[:12], y[:12], np.ones(12))
    plain = Examples(x[:12], y[:12], np.ones(12), BLOCKS, axes=found)
    chosen = {"ridge": 0.7, "text_share": 0.0, "temperature": 1.0}
    one, other = (
        instant.fit_fixed(examples, None, multi_label=False, **chosen).logits(rows)
        for examples, rows in ((stretched, seen), (plain, x))
    )
    np.testing.assert_allclose(one, other, atol=1e-8)


def test_more_decisions_are_stretched_less() -> None:
    found = axes.of_scans(_scans(150)[0], BLOCKS)
    assert found is not None
    of = [float(axes.stretched(found, count).sum()) for count in (1, 16, 64, 1000)]
    assert of[0] == of[1] > of[2] > of[3] == 0


def test_few_scans_show_no_axes() -> None:
    assert axes.of_scans(_scans(axes.FEWEST - 1)[0], BLOCKS) is None


def test_rounding_is_no_axis() -> None:
    one, rng = _scans(1)[0], np.random.default_rng(0)
    assert axes.of_scans(one * (1 + 1e-8 * rng.standard_normal((40, 40))), BLOCKS) is None


def test_scans_that_are_all_alike_do_no_harm() -> None:
    x, y = np.ones((40, 40)), np.eye(2)[np.arange(40) % 2]
    p = _fitted(x[:8], y[:8], x).probabilities(x)
    assert np.isfinite(p).all()
