"""Labels that were added later: what older decisions do not speak of teaches and judges nothing."""

from dataclasses import replace

import numpy as np
import pytest

from nearl_core.learn import by_label, compare, evaluate, instant
from nearl_core.learn.examples import Examples, FloatArray
from nearl_core.learn.linear_probe import probabilities
from nearl_core.learn.look_again import doubts
from nearl_core.learn.promote import HeldOut, judge

OLD, NEW, WIDTH = 90, 40, 12
COUNT = OLD + NEW
TEXTS = np.linalg.qr(np.random.default_rng(3).normal(size=(WIDTH, 3)))[0].T


def _examples(seed: int = 0) -> tuple[Examples, FloatArray]:
    """Three labels, the last of which only the newest decisions were asked for; and the truth."""
    rng = np.random.default_rng(seed)
    truth = rng.integers(0, 2, size=(COUNT, 3)).astype(float)
    features = truth @ TEXTS + rng.normal(size=(COUNT, WIDTH)) * 0.15
    features /= np.linalg.norm(features, axis=1, keepdims=True)
    targets = truth.copy()
    targets[:OLD, 2] = np.nan
    return Examples(features, targets, np.linspace(0.3, 1.0, COUNT)), truth


@pytest.mark.parametrize("texts", [None, TEXTS])
def test_a_new_label_is_learned_from_the_decisions_that_were_asked_for_it(
    texts: FloatArray | None,
) -> None:
    examples, truth = _examples()
    head = by_label.fit(examples, texts, multi_label=True)
    asked, _ = _examples(1)
    p = head.probabilities(asked.features)
    assert ((p[:, 2] >= 0.5) == (_examples(1)[1][:, 2] > 0)).mean() > 0.95
    # As if the older decisions were not there; and the other labels as if it were not.
    rows, first = np.arange(OLD, COUNT), np.arange(2)
    new = replace(examples.take(rows), targets=truth[rows, 2:], labels=np.array([2]))
    old = replace(examples, targets=truth[:, :2], labels=first)
    parts = [instant.fit(one, texts, multi_label=True) for one in (old, new)]
    alone = np.column_stack([one.probabilities(asked.features) for one in parts])
    assert p == pytest.approx(alone, abs=1e-9)
    # With decisions that come one by one the ridges are kept, label by label.
    again = by_label.fit(examples, texts, multi_label=True, before=head)
    assert again.probabilities(asked.features) == pytest.approx(p, abs=1e-9)
    fixed = by_label.fit_fixed(
        examples, texts, multi_label=True, ridge=0.2, text_share=0.3, temperature=0.5
    )
    of_new = instant.fit_fixed(
        new, texts, multi_label=True, ridge=0.2, text_share=0.3, temperature=0.5
    )
    found, expected = (one.logits(asked.features) for one in (fixed, of_new))
    assert found[:, 2:] == pytest.approx(expected, abs=1e-9)


def test_of_a_label_that_no_decision_speaks_of_nothing_is_known() -> None:
    examples, _ = _examples()
    head = by_label.fit(examples.take(np.arange(OLD)), None, multi_label=True)
    assert head.seen.tolist() == [True, True, False]
    assert head.probabilities(examples.features)[:, 2].max() < 1e-6


def test_each_example_can_be_taken_out_of_the_weights_of_each_label() -> None:
    examples, _ = _examples()
    found = by_label.leave_each_out(examples, TEXTS, multi_label=True)
    known = ~np.isnan(examples.targets)
    assert (found.judged == known).all()
    assert not found.misses[~known].any()
    assert found.group.tolist() == [0, 0, 1]
    apart = [examples.features - head.centre for head in found.head.parts]
    pulled = np.array([(x * pulls).sum(1) for x, pulls in zip(apart, found.pulls, strict=True)])
    for group, rows in enumerate((np.arange(COUNT), np.arange(OLD, COUNT))):
        weights = examples.weights[rows]  # the part in the constant, beside two examples more
        share = 1 / (1 + 2 * (weights**2).sum() / weights.sum() ** 2)
        pulled[group, rows] += weights / weights.sum() * share
    logits = found.head.logits(examples.features)
    logits -= pulled[found.group].T * found.misses / found.head.temperature
    expected = by_label.left_out_logits(examples, TEXTS, multi_label=True)
    assert (np.isnan(expected) == ~known).all()
    assert logits[known] == pytest.approx(expected[known], abs=1e-9)
    assert (found.scores / found.head.temperature)[known] == pytest.approx(expected[known])


def test_figures_leave_out_what_was_not_asked() -> None:
    p = np.array([[0.9, 0.2], [0.3, 0.9], [0.8, 0.6], [0.4, 0.1]])
    t = np.array([[1.0, np.nan], [0.0, np.nan], [0.0, 1.0], [1.0, 0.0]])
    found = evaluate.figures(p, t, multi_label=True)
    assert found.accuracy == pytest.approx(0.5)
    assert found.balanced_accuracy == pytest.approx((0.5 + 1.0) / 2)
    said = [0.9, 0.7, 0.2, 0.4, 0.6, 0.9]
    assert found.log_loss == pytest.approx(-np.log(said).mean())
    assert found.auroc == pytest.approx((0.75 + 1.0) / 2)
    anything = np.where(np.isnan(t), 1 - p, p)
    assert evaluate.figures(anything, t, multi_label=True) == found
    losses = compare.each_loss(p, t, multi_label=True)
    assert losses[:2] == pytest.approx(-np.log(said[:2]))
    assert compare.recalls(p, t, multi_label=True) == (0.5, 1.0)


def test_the_gate_judges_by_what_was_asked() -> None:
    examples, truth = _examples()
    own, tuned = (truth - 0.5) * 0.4, (truth - 0.5) * 4
    patients = np.arange(COUNT)
    unseen = np.ones(COUNT, bool)

    def judged(unasked: float) -> object:
        """The gate's word where the version says this of what was not asked."""
        said = np.where(np.isnan(examples.targets), unasked, tuned)
        held = HeldOut(
            examples.targets, np.ones(COUNT), own, own, {(1.0, 0.3): said}, unseen, patients
        )
        return judge(held, multi_label=True, live=(np.arange(COUNT), own * 0 + 0.5))

    good, bad = judged(3.0), judged(-3.0)
    assert good == bad
    assert judged(0.0) == good
    held = HeldOut(examples.targets, np.ones(COUNT), None, own, {(1.0, 0.3): tuned})
    found = judge(held, multi_label=True, live=None)
    assert found.promoted
    assert found.evidence.labels[2].n == np.nansum(examples.targets[:, 2])


def test_a_decision_is_in_no_doubt_about_a_label_that_it_was_not_asked_for() -> None:
    examples, _ = _examples()
    targets = examples.targets.copy()
    targets[[5, 110]] = 1 - targets[[5, 110]]
    found = doubts(replace(examples, targets=targets), None, multi_label=True)
    assert not (found.label[:OLD] == 2).any()
    assert np.isfinite(found.suspicion).all()
    assert set(np.argsort(-found.suspicion)[:2]) == {5, 110}


def test_the_yardstick_learns_a_new_label_likewise() -> None:
    few, (asked, truth) = _examples()[0].take(np.arange(OLD - 20, COUNT)), _examples(1)
    patients = [str(n) for n in range(len(few.targets))]
    p = probabilities(few, patients, asked.features, multi_label=True)
    assert ((p >= 0.5) == (truth > 0)).all(1).mean() > 0.9
