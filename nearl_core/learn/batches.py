"""From decisions to examples: targets, weights, patient-wise folds, balanced batches."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from nearl_core.suggesting import is_accepted
from nearl_core.types import Confidence, Decision, LabelSet, Occasion, Scan, Shown, State

ACCEPTED_WEIGHT = 0.5
GRID_WEIGHT = 0.25
"""Of a scan accepted among others: it was looked at for a moment, its suggestion in sight."""
_CONFIDENCE_WEIGHT = {
    Confidence.DEFINITE: 1.0,
    Confidence.PROBABLE: 0.7,
    Confidence.POSSIBLE: 0.4,
}


@dataclass(frozen=True)
class Lesson:
    """One scan with what was decided of it.

    Attributes:
        scan_id: The scan.
        decision_id: The decision that says so.
        patient: Scans of one patient share it.
        frames: The frames that were on screen or named; empty for a scan that was not shown.
        target: C values: 1.0 where the label was decided, 0.0 where it was not, NaN where it was
            not asked for.
        weight: How much it counts.
        blind: Whether it was decided without a suggestion or against it.
        unseen: Whether it was decided without a suggestion on screen.
    """

    scan_id: int
    decision_id: int
    patient: str
    frames: tuple[int, ...]
    target: tuple[float, ...]
    weight: float
    blind: bool
    unseen: bool


def lessons(
    scans: Mapping[int, Scan], decisions: Sequence[Decision], label_set: LabelSet
) -> list[Lesson]:
    """What can be learned from standing decisions, in the order of their scans.

    Deferred and unassessable scans teach nothing; none-apply teaches in a multi-label set alone.
    A label that is no longer in the set is left out. Where several readers decided of a scan,
    each of them is a lesson.
    """
    return Lessons(label_set).of(scans, decisions)


class Lessons:
    """Makes lessons for one label set, each once: after a decision the others are there already."""

    def __init__(self, label_set: LabelSet) -> None:
        self.label_set = label_set
        self._place = {label_id: c for c, label_id in enumerate(label_set.ids)}
        self._made = dict[int, tuple[Decision, Lesson | None]]()

    def of(self, scans: Mapping[int, Scan], decisions: Sequence[Decision]) -> list[Lesson]:
        """What can be learned from standing decisions, see `lessons`."""
        found = list[Lesson]()
        for decision in sorted(decisions, key=lambda d: (d.scan_id, d.id)):
            made, lesson = self._made.get(decision.id, (None, None))
            if made is not decision:
                scan = scans.get(decision.scan_id)
                if scan is None:
                    continue
                lesson = self._lesson(scan, decision)
                self._made[decision.id] = decision, lesson
            if lesson is not None and decision.scan_id in scans:
                found.append(lesson)
        return found

    def _lesson(self, scan: Scan, decision: Decision) -> Lesson | None:
        verdict = decision.verdict
        none_apply = self.label_set.multi_label and verdict.state is State.NONE_APPLY
        chosen = [self._place[label] for label in verdict.labels if label in self._place]
        if not (none_apply or (verdict.state is State.LABELLED and chosen)):
            return None
        target = np.zeros(len(self._place))
        target[chosen] = 1.0
        if self.label_set.multi_label:  # else a kind of pneumonia would teach it is no pneumonia
            implied = self.label_set.implied(self.label_set.ids[c] for c in chosen)
            target[[self._place[label] for label in implied]] = 1.0
            target[[self._place[one] for one in decision.unasked if one in self._place]] = np.nan
            if np.isnan(target).all():
                return None
        shown = decision.shown is Shown.VISIBLE
        accepted = shown and is_accepted(verdict, decision.ranking, self.label_set)
        weight = _CONFIDENCE_WEIGHT[verdict.confidence]
        if decision.occasion is Occasion.GRID:
            weight *= GRID_WEIGHT
        elif accepted:
            weight *= ACCEPTED_WEIGHT
        frames = decision.frames_shown
        if verdict.frame is not None:
            frames = (verdict.frame,)
        return Lesson(
            scan.id,
            decision.id,
            patient_of(scan),
            frames,
            tuple(target.tolist()),
            weight,
            not accepted,
            decision.shown is not Shown.VISIBLE,
        )


def patient_of(scan: Scan) -> str:
    """What scans of one patient share; one whose patient nothing tells stands for itself."""
    return scan.patient or f"scan {scan.id}"


def patient_folds(
    patients: Sequence[str], targets: NDArray[np.float64], *, folds: int, seed: int
) -> NDArray[np.intp]:
    """A fold for each example: patients stay whole, labels spread as evenly as can be.

    Args:
        patients: N names.
        targets: N x C, NaN where a label was not asked for.
        folds: Number of folds, K.
        seed: For the order among equals.

    Returns:
        N, in 0..K-1.
    """
    names, place = np.unique(np.asarray(patients), return_inverse=True)
    targets = np.nan_to_num(targets)
    targets = np.column_stack([targets, targets.sum(1) == 0])  # none apply: to be spread as well
    of_patient = np.zeros((len(names), targets.shape[1]))
    np.add.at(of_patient, place, targets)
    rarity = of_patient / targets.sum(0).clip(1)
    shuffled = np.random.default_rng(seed).permutation(len(names))
    order = shuffled[np.argsort(-rarity.sum(1)[shuffled], kind="stable")]
    examples = np.bincount(place, minlength=len(names))
    held, size = np.zeros((folds, targets.shape[1])), np.zeros(folds)
    fold_of = np.zeros(len(names), dtype=np.intp)
    for patient in order:
        crowding = (held * of_patient[patient]).sum(1)
        fold = int(np.lexsort((size, crowding))[0])
        fold_of[patient] = fold
        held[fold] += of_patient[patient]
        size[fold] += examples[patient]
    return fold_of[place]


def balanced_weights(
    targets: NDArray[np.float64], weights: NDArray[np.float64], *, multi_label: bool
) -> NDArray[np.float64]:
    """Weights with mean 1 that give each label of an exclusive set the same part."""
    balanced = weights.astype(float)
    if not multi_label:
        of_label = targets.T @ balanced
        balanced = balanced / np.where(of_label > 0, of_label, 1)[targets.argmax(1)]
    return np.asarray(balanced / balanced.mean())


def batches(count: int, size: int, rng: np.random.Generator) -> Iterator[NDArray[np.intp]]:
    """One pass over all examples in random order; the last batch takes what is left."""
    order = rng.permutation(count)
    for start in range(0, count, size):
        yield order[start : start + size]
