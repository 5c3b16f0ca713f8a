"""The gate: whether a trained version may rank, judged on decisions that it did not learn from.

What it holds against each other it holds decision by decision, so that what is easy or hard for
all cancels out, and it asks for a gain beyond the noise of that comparison: many candidates meet
few decisions here, and the best of many looks better than it is. How much the tuned head counts is
the smallest share within one standard error of the best (Breiman et al., "Classification and
Regression Trees", 1984, section 3.4.3); a share of nothing is the instant learner itself.
"""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from nearl_core.learn import evaluate
from nearl_core.learn.compare import above_chance, each_loss, paired, recalls, right
from nearl_core.learn.examples import FloatArray
from nearl_core.learn.head import to_probabilities
from nearl_core.learn.ranker import Blend, mixed
from nearl_core.learn.regression import TEMPERATURES
from nearl_core.types import Evidence, Figures, LabelRecall

SHARES = (0.25, 0.5)
"""Never more than half: on few decisions the tuned head's evidence can be luck."""
MARGIN = 1.5
"""Standard errors by which the log-loss must have fallen against the instant learner."""
CHANCE_MARGIN = 2.5
"""Standard errors by which the balanced accuracy must stand above chance."""
MOST_FLIPS = 0.1
"""Part of the decisions that may be wrong now and were right before."""
ENOUGH_UNSEEN = 24
"""So many decisions made without a suggestion are judged alone."""

SHARPNESSES = np.geomspace(0.5, 2.0, 13)

INSTANT, ZERO_SHOT, LIVE = "the instant learner", "zero-shot", "the live version"
Rival = tuple[NDArray[np.intp], FloatArray]
"""Rows of decisions, N', and what is said of them, N' x C."""


@dataclass(frozen=True, eq=False)
class HeldOut:
    """What each contender said of decisions outside its training.

    Attributes:
        targets: N x C, NaN where a label was not asked for.
        weights: N; decisions made blind or against a suggestion count more than accepted ones;
            0 for those that can't be judged, not all of them.
        zero_shot: N x C logits, or None where the backbone does not know the labels' words.
        instant: N x C logits of the instant learner.
        tuned: For each adapter scale and ridge, N x C scores before the temperature.
        unseen: N, whether no suggestion was on screen; None where none ever was.
        patients: N, numbers: decisions of one patient are not independent; None: one each.
    """

    targets: FloatArray
    weights: FloatArray
    zero_shot: FloatArray | None
    instant: FloatArray
    tuned: dict[tuple[float, float], FloatArray]
    unseen: NDArray[np.bool_] | None = None
    patients: NDArray[np.intp] | None = None

    def judging(self) -> "HeldOut":
        """The same, with the weights that count.

        Accepted suggestions favour what suggested them. Decisions made without one favour
        nobody; where there are enough of those, of every label, only they count. (Those made
        against a suggestion are no such stream by themselves: whatever made it is wrong in all
        of them.)
        """
        if self.unseen is None:
            return self
        alone = self.weights * self.unseen
        enough = (alone > 0).sum() >= ENOUGH_UNSEEN
        said = self.targets > 0
        there = said[self.weights > 0].any(0)
        if not enough or not (said[alone > 0].sum(0)[there] >= 2).all():
            return self
        return replace(self, weights=alone)


@dataclass(frozen=True)
class Judgement:
    """The gate's answer.

    Attributes:
        blend: How the version ranks best.
        before, after: Held-out figures of what ranks now and of the version, on the same rows.
        promoted: Whether it may go live.
        reason: One sentence.
        evidence: What stands behind it.
    """

    blend: Blend
    before: Figures
    after: Figures
    promoted: bool
    reason: str
    evidence: Evidence


def judge(held: HeldOut, *, multi_label: bool, live: Rival | None) -> Judgement:
    """Choose the best blend and hold it against its rivals.

    Full-strength adapters are tried first; half-strength ones (WiSE-FT) if those do not pass.

    Args:
        held: The contenders on held-out decisions.
        multi_label: Whether each label stands for itself.
        live: The rows of decisions of patients that the live version did not learn from and its
            probabilities of them, N' x C; None without a live version or without such decisions.
    """
    held = held.judging()
    judged = []
    for scale in sorted({scale for scale, _ in held.tuned}, reverse=True):
        blend = _best_blend(held, scale, multi_label=multi_label)
        judged.append(_against(held, blend, live, multi_label=multi_label))
    return next((j for j in judged if j.promoted), judged[0])


def _best_blend(held: HeldOut, scale: float, *, multi_label: bool) -> Blend:
    """The best head at one adapter scale, and the smallest share as good as its best."""
    soft = _soft(held, multi_label=multi_label)

    def losses(p: FloatArray) -> FloatArray:
        return each_loss(p, soft, multi_label=multi_label)

    def mean(each: FloatArray) -> float:
        return float(np.average(each, weights=held.weights))

    _, ridge, temperature = min(
        (mean(losses(to_probabilities(scores / t, multi_label=multi_label))), ridge, float(t))
        for (of, ridge), scores in held.tuned.items()
        if of == scale
        for t in TEMPERATURES
    )
    tuned = held.tuned[scale, ridge] / temperature
    options = {
        share: losses(mixed(held.instant, tuned, share, multi_label=multi_label))
        for share in SHARES
    }
    best = min(options, key=lambda share: mean(options[share]))
    share = next(
        share
        for share in SHARES
        if share == best or _within_an_error(options[share], options[best], held)
    )
    return Blend(scale, ridge, temperature, share)


def _soft(held: HeldOut, *, multi_label: bool) -> FloatArray:
    """Targets short of certainty, N x C, as Platt's: (n + 1) / (n + 2) for a label decided n times.

    So a few decisions that are all right make no version sure.
    """
    targets, counted = held.targets, held.weights > 0
    counts = (targets[counted] > 0).sum(0)
    if multi_label:
        others = (targets[counted] == 0).sum(0)
        soft = np.where(targets > 0, (counts + 1) / (counts + 2), 1 / (others + 2))
        return np.where(np.isnan(targets), np.nan, soft)
    sure = (targets @ ((counts + 1) / (counts + 2)))[:, None]
    return np.asarray(np.where(targets > 0, sure, (1 - sure) / max(targets.shape[1] - 1, 1)))


def _within_an_error(each: FloatArray, best: FloatArray, held: HeldOut) -> bool:
    """Whether a loss can't be told from the best one."""
    found = paired(each, best, held.weights, held.patients)
    return found.mean <= found.error


def _against(held: HeldOut, blend: Blend, live: Rival | None, *, multi_label: bool) -> Judgement:
    tuned = held.tuned[blend.scale, blend.ridge] / blend.temperature
    own = mixed(held.instant, tuned, blend.share, multi_label=multi_label)
    rivals = _rivals(held, live, multi_label=multi_label)
    first = LIVE if LIVE in rivals else INSTANT
    reason = _chance(own, held, multi_label=multi_label)
    for name, rival in rivals.items():
        reason = reason or _worse(own, name, rival, held, multi_label=multi_label)
    before, after, evidence = _figures(own, rivals[first], held, multi_label=multi_label)
    if reason:
        return Judgement(blend, before, after, False, f"Kept what is live: {reason}.", evidence)
    gained = after.balanced_accuracy - before.balanced_accuracy
    return Judgement(
        blend,
        before,
        after,
        True,
        f"Live: on {after.n} held-out decisions balanced accuracy is "
        f"{after.balanced_accuracy:.2f} ({gained:+z.2f}) and log-loss {after.log_loss:.2f} "
        f"({after.log_loss - before.log_loss:+z.2f}) against {first}.",
        evidence,
    )


def _rivals(held: HeldOut, live: Rival | None, *, multi_label: bool) -> dict[str, Rival]:
    everything = np.arange(len(held.targets))
    rivals = {INSTANT: (everything, _at_its_best(held, multi_label=multi_label))}
    if held.zero_shot is not None:
        zero_shot = to_probabilities(held.zero_shot, multi_label=multi_label)
        rivals[ZERO_SHOT] = (everything, zero_shot)
    if live is not None:
        rivals[LIVE] = live
    counted = {name: _counted(rival, held) for name, rival in rivals.items()}
    return {name: rival for name, rival in counted.items() if len(rival[0])}


def _at_its_best(held: HeldOut, *, multi_label: bool) -> FloatArray:
    """The instant learner at the temperature that suits these decisions, as the blend has its.

    So no version wins by being surer alone, which takes no training.
    """
    soft = _soft(held, multi_label=multi_label)
    options = (to_probabilities(s * held.instant, multi_label=multi_label) for s in SHARPNESSES)
    return min(
        options,
        key=lambda p: float(
            np.average(each_loss(p, soft, multi_label=multi_label), weights=held.weights)
        ),
    )


def _counted(rival: Rival, held: HeldOut) -> Rival:
    rows, p = rival
    counts = held.weights[rows] > 0
    return rows[counts], p[counts]


def _chance(own: FloatArray, held: HeldOut, *, multi_label: bool) -> str:
    """Why nothing was learned, or ""."""
    rows = held.weights > 0
    by = above_chance(own[rows], held.targets[rows], held.weights[rows], multi_label=multi_label)
    if by.mean > CHANCE_MARGIN * by.error:
        return ""
    return (
        f"on {rows.sum()} held-out decisions it can't be told from chance "
        f"(balanced accuracy above chance: {by.mean:+z.2f}, its error {by.error:.2f}, and "
        f"{CHANCE_MARGIN:g} errors are asked for)"
    )


def _worse(own: FloatArray, name: str, rival: Rival, held: HeldOut, *, multi_label: bool) -> str:
    """In what it is worse than a rival, or ""."""
    rows, p = rival
    own, targets, weights = own[rows], held.targets[rows], held.weights[rows]
    patients = None if held.patients is None else held.patients[rows]
    soft = _soft(held, multi_label=multi_label)[rows]
    losses = [each_loss(q, soft, multi_label=multi_label) for q in (p, own)]
    gain = paired(losses[0], losses[1], weights, patients)
    on = f"on {len(rows)} held-out decisions"
    if gain.mean < 0:
        before, after = (evaluate.log_loss(q, targets, multi_label=multi_label) for q in (p, own))
        if after < before:  # as the figures beside this sentence say
            return f"{on} its log-loss is not below {name}'s once sureness of so few earns nothing"
        return f"{on} it has a higher log-loss than {name}"
    accuracies = [
        evaluate.balanced_accuracy(q, targets, multi_label=multi_label, weights=weights)
        for q in (p, own)
    ]
    if accuracies[1] < accuracies[0]:
        return f"{on} it has a lower balanced accuracy than {name}"
    if name == INSTANT and gain.mean <= MARGIN * gain.error:
        return (
            f"{on} its gain over {name} ({gain.mean:.3f} in log-loss) is within the noise "
            f"(± {gain.error:.3f})"
        )
    lost = right(p, targets, multi_label=multi_label) & ~right(
        own, targets, multi_label=multi_label
    )
    if weights[lost].sum() > MOST_FLIPS * weights.sum():
        return f"{on} it is wrong in {lost.sum()} that {name} had right"
    return ""


def _flips(
    own: FloatArray, other: FloatArray, targets: FloatArray, *, multi_label: bool
) -> tuple[int, int]:
    """Decisions that became right, and that became wrong."""
    now, then = (right(p, targets, multi_label=multi_label) for p in (own, other))
    return int((now & ~then).sum()), int((then & ~now).sum())


def _figures(
    own: FloatArray, rival: Rival, held: HeldOut, *, multi_label: bool
) -> tuple[Figures, Figures, Evidence]:
    rows, p = rival
    targets = held.targets[rows]
    before, after = (evaluate.figures(q, targets, multi_label=multi_label) for q in (p, own[rows]))
    gained, lost = _flips(own[rows], p, targets, multi_label=multi_label)
    recall = zip(
        (targets > 0).sum(0).tolist(),
        recalls(p, targets, multi_label=multi_label),
        recalls(own[rows], targets, multi_label=multi_label),
        strict=True,
    )
    evidence = Evidence(
        labels=tuple(LabelRecall(n, then, now) for n, then, now in recall),
        gained=gained,
        lost=lost,
        unseen=len(rows) if held.unseen is None else int(held.unseen[rows].sum()),
    )
    return before, after, evidence
