"""The gate: what may rank, and what it says of the rest."""

from dataclasses import replace

import numpy as np
import pytest

from nearl_core.learn.compare import paired
from nearl_core.learn.examples import FloatArray
from nearl_core.learn.head import to_probabilities
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


def test_the_sentence_agrees_with_the_figures_beside_it() -> None:
    own, tuned = _logits(1.0, noise=0.5, seed=139), _logits(1.05, noise=0.55, seed=1139)
    found = judge(_held(tuned, own=own), multi_label=False, live=None)
    assert found.after.log_loss < found.before.log_loss
    assert "once sureness of so few earns nothing" in found.reason
    assert "higher log-loss" not in found.reason


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
    own = _logits(np.where(accepted, 0.8, -0.8))
    new = -own
    alike = judge(_held(new, own=own), multi_label=False, live=None)
    less = judge(
        _held(new, own=own, weights=np.where(accepted, 0.05, 1.0)), multi_label=False, live=None
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


@pytest.mark.parametrize("seed", range(8))
def test_nothing_goes_live_on_labels_drawn_by_lot(seed: int) -> None:
    """What is said has nothing to do with what was decided: any gain is luck."""
    rng = np.random.default_rng(seed)
    held = _held(*(rng.normal(size=(COUNT, 2)) for _ in range(2)), own=rng.normal(size=(COUNT, 2)))
    found = judge(held, multi_label=False, live=None)
    assert not found.promoted
    assert "chance" in found.reason or "noise" in found.reason or "than" in found.reason


def test_a_gain_within_the_noise_stays() -> None:
    own = _logits(1.0, noise=1.2)
    rng = np.random.default_rng(5)
    nudged = own + rng.normal(size=own.shape) * 0.05 + (np.eye(2)[TRUTH] - 0.5) * 0.004
    assert not judge(_held(nudged, own=own), multi_label=False, live=None).promoted


def test_many_wrong_that_were_right_before_are_too_many() -> None:
    """Better in the mean, but a tenth and more of what the reader could trust is lost."""
    lost = np.arange(COUNT) < 12
    won = (np.arange(COUNT) >= 12) & (np.arange(COUNT) < 44)
    own = _logits(np.where(won, -1.0, 1.0))
    new = _logits(np.where(lost, -0.4, 3.0))
    own_wins = _held(new, own=own)
    found = judge(own_wins, multi_label=False, live=None)
    assert found.evidence.lost <= 8 or not found.promoted


def test_the_evidence_counts_each_label_and_what_changed_hands() -> None:
    found = judge(_held(STRONG), multi_label=False, live=None)
    assert [label.n for label in found.evidence.labels] == [40, 40]
    before, after = found.before, found.after
    changed = (after.accuracy - before.accuracy) * COUNT
    assert found.evidence.gained - found.evidence.lost == pytest.approx(changed)
    mean = np.mean([label.after for label in found.evidence.labels if label.after is not None])
    assert mean == pytest.approx(after.balanced_accuracy)


def test_decisions_made_without_a_suggestion_count_alone_where_there_are_enough() -> None:
    unseen = np.arange(COUNT) >= 40
    own = _logits(np.where(unseen, 0.2, 3.0), noise=0.5)
    new = _logits(np.where(unseen, 2.5, 0.1), noise=0.5, seed=1)
    everything = judge(_held(new, own=own), multi_label=False, live=None)
    first = judge(replace(_held(new, own=own), unseen=unseen), multi_label=False, live=None)
    assert everything.after.n == COUNT
    assert first.promoted
    assert first.after.n == first.evidence.unseen == 40


def test_scans_of_one_patient_are_one_witness() -> None:
    """The same gain on twenty scans of each of four patients says as much as on four."""
    of_patient = np.array([0.9, 0.1, 0.5, 0.4])
    many = np.repeat(of_patient, 20)
    alike = paired(many, np.zeros(80), np.ones(80), np.repeat(np.arange(4), 20))
    few = paired(of_patient, np.zeros(4), np.ones(4))
    assert alike.mean == pytest.approx(few.mean)
    assert alike.error == pytest.approx(few.error, rel=0.02)
    assert paired(many, np.zeros(80), np.ones(80)).error < few.error / 3


def test_a_few_right_answers_make_no_version_sure() -> None:
    """Sixteen decisions that both have right: whoever is surer has won nothing."""
    few = np.zeros(COUNT)
    few[:16] = 1
    right = _logits(3.0, noise=0.2)
    found = judge(
        _held(right, own=_logits(3.0, noise=0.3, seed=1), weights=few), multi_label=False, live=None
    )
    assert not found.promoted
    ranked = to_probabilities(right / found.blend.temperature, multi_label=False)
    assert ranked.max() < 0.97
