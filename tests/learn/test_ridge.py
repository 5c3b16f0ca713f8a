"""The quick ridge says what the plain formula says."""

import numpy as np
import pytest

from nearl_core.learn import instant, regression
from nearl_core.learn.examples import Examples, FloatArray
from nearl_core.learn.ridge import Ridge

SIZES = [(40, 60), (60, 40), (300, 420), (420, 300)]


def _problem(count: int, width: int) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Rows of which some directions spread much more than others, weights and targets."""
    rng = np.random.default_rng(count)
    rows = rng.normal(size=(count, width)) * np.geomspace(30, 0.1, width)
    weights = rng.uniform(0.2, 1, count)
    return rows - rows.mean(0), weights / weights.sum(), rng.normal(size=(count, 3))


def _ridge(x: FloatArray, s: FloatArray, kind: type[np.floating]) -> Ridge:
    return Ridge((x * np.sqrt(s)[:, None]).astype(kind), np.sqrt(s))


def _plain(x: FloatArray, s: FloatArray, y: FloatArray, k: float) -> tuple[FloatArray, FloatArray]:
    """X' S X and all in float64, by the definition: W and the leverage of each example."""
    gram = x.T @ (s[:, None] * x)
    lifted = gram + k * np.trace(gram) / min(x.shape) * np.eye(x.shape[1])
    lever = s * np.einsum("nf,nf->n", x, np.linalg.solve(lifted, x.T).T)
    return np.linalg.solve(lifted, x.T @ (s[:, None] * y)), lever


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("k", [0.1, 1.0])
@pytest.mark.parametrize(("kind", "near"), [(np.float64, 1e-8), (np.float32, 1e-4)])
def test_the_solution_is_that_of_the_plain_formula(
    size: tuple[int, int], k: float, kind: type[np.floating], near: float
) -> None:
    x, s, y = _problem(*size)
    wanted, lever = _plain(x, s, y, k)
    quick = _ridge(x, s, kind)
    assert abs(x @ quick.solution(k, y) - x @ wanted).max() < near
    found, found_lever = quick.fitted(k, y), quick.leverage(k)
    assert abs(found - x @ wanted).max() < near
    assert abs(found_lever - lever).max() < near


@pytest.mark.parametrize("multi_label", [False, True])
@pytest.mark.parametrize("with_texts", [False, True])
def test_a_large_problem_ranks_as_it_would_in_float64(
    multi_label: bool, with_texts: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    rng = np.random.default_rng(0)
    labels, width, blocks = 4, 96, (100, 104)
    truth = rng.integers(labels, size=330)
    features = rng.normal(size=(330, 300)) + rng.normal(size=(labels, 300))[truth] * 0.3
    targets = np.eye(labels)[truth]
    examples = Examples(features[:290], targets[:290], rng.uniform(0.2, 1, 290), blocks)
    texts = rng.normal(size=(labels, width)) if with_texts else None
    quick = instant.fit(examples, texts, multi_label=multi_label)
    monkeypatch.setattr(regression, "LARGE", 10_000)
    plain = instant.fit(examples, texts, multi_label=multi_label)
    assert (quick.ridge, quick.text_share) == (plain.ridge, plain.text_share)
    assert quick.temperature == pytest.approx(plain.temperature, rel=1e-6)
    asked = features[290:]
    assert abs(quick.probabilities(asked) - plain.probabilities(asked)).max() < 1e-5
