"""The correction of the ridge's scores where labels exclude each other (`learn/regression.py`)."""

from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

from nearl_core.learn import evaluate, instant, regression
from nearl_core.learn.batches import balanced_weights
from nearl_core.learn.examples import Examples, FloatArray
from nearl_core.learn.head import Head, to_probabilities
from nearl_core.learn.losses import soft_targets

WIDTH = 24


def some(labels: int, count: int, *, seed: int = 0) -> tuple[Examples, FloatArray, FloatArray]:
    """Examples of labels that overlap, and other features with their targets."""
    rng = np.random.default_rng(seed)
    centres = rng.normal(size=(labels, WIDTH))
    truth = np.concatenate([np.arange(count) % labels, rng.integers(labels, size=600)])
    features = centres[truth] + rng.normal(size=(len(truth), WIDTH)) * 1.3
    targets = np.eye(labels)[truth]
    known = Examples(features[:count], targets[:count], np.ones(count))
    return known, features[count:], targets[count:]


def plain(examples: Examples, monkeypatch: pytest.MonkeyPatch) -> Head:
    with monkeypatch.context() as patch:
        patch.setattr(regression, "CORRECT_FROM", 10**9)
        return instant.fit(examples, None, multi_label=False)


def log_loss(head: Head, features: FloatArray, targets: FloatArray) -> float:
    return evaluate.log_loss(head.probabilities(features), targets, multi_label=False)


@pytest.mark.parametrize(("labels", "count"), [(4, 60), (22, 220)])
def test_it_lowers_the_loss_of_other_scans_the_more_labels_the_more(
    labels: int, count: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    gains = []
    for seed in range(4):
        examples, features, targets = some(labels, count, seed=seed)
        before = log_loss(plain(examples, monkeypatch), features, targets)
        found = instant.fit(examples, None, multi_label=False)
        assert found.correction is not None
        gains.append(before - log_loss(found, features, targets))
    assert np.mean(gains) > (0.01 if labels == 22 else -0.005)


def test_it_is_the_logistic_regression_that_starts_from_left_out_scores(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """At its end, k times its weights is what the softmax misses, by the examples' weights."""
    monkeypatch.setattr(regression, "CORRECTION_STEPS", 400)
    examples, _, _ = some(5, 60)
    left_out = instant.leave_each_out(examples, None, multi_label=False)
    head, start = left_out.head, left_out.scores / left_out.head.temperature
    correction = left_out.learner.correction
    assert correction is not None
    x = examples.features - head.centre
    s = balanced_weights(examples.targets, examples.weights, multi_label=False)
    s = s / s.sum()
    spread = (s @ x**2).sum() / WIDTH  # as many numbers as the ridge's products have
    added = x @ correction / head.temperature
    said = to_probabilities(start + added, multi_label=False)
    soft = soft_targets(examples.targets, multi_label=False)
    likely = (to_probabilities(start, multi_label=False) * examples.targets).sum(1)
    missed = (likely / (likely + regression.CONTRADICTED / 5))[:, None] * (soft - said)
    missed[(missed * examples.targets).sum(1) <= 0] = 0
    pull = 2 * x.T @ (s[:, None] * missed)
    held = regression.CORRECTION_HELD / 60 * spread * correction / head.temperature
    np.testing.assert_allclose(pull, held, atol=1e-6)


def test_slips_do_little_harm(monkeypatch: pytest.MonkeyPatch) -> None:
    losses = []
    for believing in (0.0, regression.CONTRADICTED):
        monkeypatch.setattr(regression, "CONTRADICTED", believing)
        for seed in range(4):
            examples, features, targets = some(4, 92, seed=seed)
            flipped = examples.targets.copy()
            flipped[::7] = np.roll(flipped[::7], 1, axis=1)
            head = instant.fit(replace(examples, targets=flipped), None, multi_label=False)
            losses.append(log_loss(head, features, targets))
    believed, doubted = np.array_split(losses, 2)
    assert (doubted < believed).all()


def test_slips_are_looked_for_without_it() -> None:
    examples, _, _ = some(4, 48)
    left_out = instant.leave_each_out(examples, None, multi_label=False)
    head, logits = instant.fit_and_leave_out(examples, None, multi_label=False)
    assert head.correction is None
    np.testing.assert_allclose(logits, left_out.scores / left_out.head.temperature)


@pytest.mark.parametrize(
    ("labels", "count", "multi_label"), [(4, 15, False), (3, 90, False), (4, 64, True)]
)
def test_few_examples_few_labels_and_those_that_may_hold_together_are_left_as_they_are(
    labels: int, count: int, multi_label: bool
) -> None:
    examples, _, _ = some(labels, count)
    assert instant.fit(examples, None, multi_label=multi_label).correction is None


def test_a_label_with_one_example_keeps_its_place() -> None:
    """The others' head knows nothing of it, so that nothing it says of it is missed."""
    examples, _, _ = some(4, 60)
    alone = np.full((1, WIDTH), 3.0)
    targets = np.zeros((61, 5))
    targets[:60, :4], targets[60, 4] = examples.targets, 1
    head = instant.fit(
        Examples(np.concatenate([examples.features, alone]), targets, np.ones(61)),
        None,
        multi_label=False,
    )
    assert head.correction is not None
    assert head.probabilities(alone).argmax() == 4


def kept(count: int, more: int) -> tuple[Head, Head, NDArray[np.float64]]:
    examples, features, _ = some(4, count + more)
    before = instant.fit(examples.take(np.arange(count)), None, multi_label=False)
    return before, instant.fit(examples, None, multi_label=False, before=before), features


def test_it_is_kept_while_many_examples_hardly_grow() -> None:
    before, after, features = kept(300, 1)
    assert after.correction is before.correction
    assert abs(after.probabilities(features) - before.probabilities(features)).max() < 0.05
    _, chosen, _ = kept(300, 40)
    assert chosen.correction is not before.correction
