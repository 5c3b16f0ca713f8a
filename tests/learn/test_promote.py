"""The gate: what may rank, and what it says of the rest."""

import numpy as np

from nearl_core.learn.instant import FloatArray, to_probabilities
from nearl_core.learn.promote import HeldOut, judge

COUNT = 80
TRUTH = np.arange(COUNT) % 2


def _logits(right: FloatArray | float, *, noise: float = 0.0, seed: int = 0) -> FloatArray:
    """Logits of two labels that favour the right one by so much."""
    by = np.broadcast_to(np.asarray(right, float), COUNT)
    by = by + np.random.default_rng(seed).normal(size=COUNT) * noise
    return np.column_stack([np.where(TRUTH == 0, by, 0), np.where(TRUTH == 1, by, 0)])


WEAK = _logits(0.4, noise=1.2)
STRONG = _logits(2.5, noise=1.2, seed=1)
AGAINST = _logits(-2.0, noise=1.0, seed=2)


def _held(
    full: FloatArray,
    half: FloatArray | None = None,
    *,
    own: FloatArray = WEAK,
    zero_shot: FloatArray | None = None,
    weights: FloatArray | None = None,
) -> HeldOut:
    return HeldOut(
        targets=np.eye(2)[TRUTH],
        weights=np.ones(COUNT) if weights is None else weights,
        zero_shot=zero_shot,
        instant=own,
        tuned={(1.0, 0.3): full, (0.5, 0.3): full if half is None else half},
    )


def test_a_better_version_goes_live_and_the_sentence_has_the_figures() -> None:
    found = judge(_held(STRONG), multi_label=False, live=None)
    assert found.promoted
    assert found.after.balanced_accuracy > found.before.balanced_accuracy
    assert found.after.log_loss < found.before.log_loss
    assert f"{found.after.balanced_accuracy:.2f}" in found.reason
    assert "80 held-out decisions" in found.reason
    assert "the instant learner" in found.reason


def test_a_worse_version_stays_and_the_sentence_says_why() -> None:
    found = judge(_held(AGAINST, own=STRONG), multi_label=False, live=None)
    assert not found.promoted
    assert found.reason.startswith("Kept what is live")
    assert "the instant learner" in found.reason


def test_a_version_below_zero_shot_stays() -> None:
    zero_shot = _logits(6.0)
    found = judge(_held(STRONG, zero_shot=zero_shot), multi_label=False, live=None)
    assert not found.promoted
    assert "zero-shot" in found.reason


def test_adapters_of_half_strength_are_tried_where_full_ones_fail() -> None:
    found = judge(_held(AGAINST, STRONG, own=_logits(1.0, noise=1.2)), multi_label=False, live=None)
    assert found.promoted
    assert found.blend.scale == 0.5
    assert judge(_held(STRONG), multi_label=False, live=None).blend.scale == 1.0


def test_the_live_version_is_a_rival_on_what_it_did_not_learn_from() -> None:
    rows = np.arange(60, 80)
    better = to_probabilities(_logits(7.0)[rows], multi_label=False)
    worse = to_probabilities(AGAINST[rows], multi_label=False)
    stays = judge(_held(STRONG), multi_label=False, live=(rows, better))
    assert not stays.promoted
    assert "the live version" in stays.reason
    assert "20 held-out decisions" in stays.reason
    goes = judge(_held(STRONG), multi_label=False, live=(rows, worse))
    assert goes.promoted
    # Before and after are told of the same decisions, or the gain would mean nothing.
    assert goes.before.n == goes.after.n == 20


def test_accepted_suggestions_weigh_less_than_decisions_made_blind() -> None:
    """The live head is right where it was accepted, the new one where the reader said otherwise."""
    accepted = np.arange(COUNT) < 50
    own = _logits(np.where(accepted, 0.8, -0.2))
    new = _logits(np.where(accepted, -0.3, 1.0))
    alike = judge(_held(new, own=own), multi_label=False, live=None)
    less = judge(
        _held(new, own=own, weights=np.where(accepted, 0.1, 1.0)), multi_label=False, live=None
    )
    assert not alike.promoted
    assert less.promoted


def test_decisions_that_no_learner_could_know_are_not_counted() -> None:
    """A label with a single example is outside its own fold nowhere: only the text can know it."""
    alone = np.arange(COUNT) >= 78
    weights = np.where(alone, 0.0, 1.0)
    own, new = (np.where(alone[:, None], -logits, logits) for logits in (WEAK, STRONG))
    found = judge(
        _held(new, own=own, zero_shot=np.where(alone[:, None], 3 * STRONG, WEAK), weights=weights),
        multi_label=False,
        live=None,
    )
    assert found.promoted
    assert found.after.n == 78


def test_each_label_of_a_multi_label_set_is_judged() -> None:
    targets = np.eye(2)[TRUTH]
    better, worse = (targets - 0.5) * 4, (targets - 0.5) * 0.4
    held = HeldOut(targets, np.ones(COUNT), None, worse, {(1.0, 0.3): better, (0.5, 0.3): better})
    assert judge(held, multi_label=True, live=None).promoted
    held = HeldOut(targets, np.ones(COUNT), None, better, {(1.0, 0.3): -better})
    assert not judge(held, multi_label=True, live=None).promoted
