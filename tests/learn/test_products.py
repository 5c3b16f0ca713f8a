"""Products that are kept from decision to decision are those of the features as they are."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nearl_core.learn import axes, instant
from nearl_core.learn.examples import Examples, Products
from nearl_core.learn.products import products

SCANS, WIDTH, BLOCKS = 60, 90, (20, 30)
_RNG = np.random.default_rng(0)
FEATURES = (_RNG.normal(size=(SCANS, WIDTH)) + 3).astype(np.float32)
AXES = axes.measure(FEATURES, BLOCKS)
SETS = st.lists(st.integers(0, SCANS - 1), min_size=1, max_size=40).map(sorted)
"""Scans that are decided, some by several readers."""


@settings(max_examples=60)
@given(st.lists(SETS, min_size=2, max_size=5))
def test_whatever_is_decided_or_taken_back_they_are_those_made_anew(sets: list[list[int]]) -> None:
    kept: Products | None = None
    for ids in sets:
        kept = products(ids, FEATURES[ids], AXES, kept)
        rows = (FEATURES[ids] - AXES.centre) * AXES.scale
        assert abs(kept.values - rows @ rows.T).max() < 1e-5
    weights = np.random.default_rng(len(sets)).uniform(0.1, 1, len(sets[-1]))
    weights /= weights.sum()
    apart = (rows - weights @ rows) * np.sqrt(weights)[:, None]
    assert kept is not None
    weighed = kept.weighed(weights)
    if len(set(sets[-1])) > 1:
        assert weighed is not None
        assert abs(weighed - apart @ apart.T).max() < 1e-5


def test_axes_measured_anew_leave_none_of_them() -> None:
    ids = list(range(10))
    kept = products(ids, FEATURES[ids], AXES)
    other = replace(AXES, scale=AXES.scale * 2)
    assert np.allclose(products(ids, FEATURES[ids], other, kept).values, 4 * kept.values, rtol=1e-4)


def _many(count: int) -> Examples:
    rng = np.random.default_rng(1)
    truth = rng.integers(4, size=count)
    centres = rng.normal(size=(4, 700)) * 0.3
    features = (rng.normal(size=(count, 700)) + centres[truth] + 2).astype(np.float32)
    along = axes.measure(features[:192], (200, 200))
    weights = rng.uniform(0.2, 1, count)
    return Examples(features, np.eye(4)[truth], weights, (200, 200), axes=along)


@pytest.mark.parametrize("multi_label", [False, True])
def test_a_head_by_them_ranks_as_without_them(multi_label: bool) -> None:
    whole = _many(640)
    examples, asked = whole.take(np.arange(600)), whole.features[600:]
    plain = instant.fit(examples, None, multi_label=multi_label)
    assert examples.axes is not None
    made = products(range(600), examples.features, examples.axes)
    quick = instant.fit(replace(examples, products=made), None, multi_label=multi_label)
    assert abs(quick.probabilities(asked) - plain.probabilities(asked)).max() < 1e-5


def test_those_of_other_features_are_left_alone() -> None:
    examples = _many(600)
    assert examples.axes is not None
    wrong = products(range(600), examples.features[::-1], examples.axes)
    plain = instant.fit(examples, None, multi_label=False)
    held = instant.fit(replace(examples, products=wrong), None, multi_label=False)
    assert np.array_equal(plain.weight, held.weight)


@pytest.mark.parametrize("apart", [1e-1, 1e-2, 1e-3, 0.0])
def test_scans_much_alike_beside_all_others_are_told_apart_by_their_features(apart: float) -> None:
    whole = _many(640)
    assert whole.axes is not None
    features = whole.features[:1] + np.float32(apart) * (whole.features - whole.features[:1])
    examples = replace(whole.take(np.arange(600)), features=features[:600])
    made = products(range(600), examples.features, whole.axes)
    plain = instant.fit(examples, None, multi_label=False)
    quick = instant.fit(replace(examples, products=made), None, multi_label=False)
    asked = features[600:]
    assert abs(quick.probabilities(asked) - plain.probabilities(asked)).max() < 1e-4
