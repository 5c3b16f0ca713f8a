"""The gate: whether a trained version may rank, judged on decisions that it did not learn from."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from nearl_core.learn import evaluate
from nearl_core.learn.instant import TEMPERATURES, FloatArray, to_probabilities
from nearl_core.learn.ranker import Blend, mixed
from nearl_core.types import Figures

SHARES = (0.25, 0.5, 0.75, 1.0)
Rival = tuple[NDArray[np.intp], FloatArray]
"""Rows of decisions, N', and what is said of them, N' x C."""


@dataclass(frozen=True, eq=False)
class HeldOut:
    """What each contender said of decisions outside its training.

    Attributes:
        targets: N x C.
        weights: N; decisions made blind or against a suggestion count more than accepted ones;
            0 for those that can't be judged, not all of them.
        zero_shot: N x C logits, or None where the backbone does not know the labels' words.
        instant: N x C logits of the instant learner.
        tuned: For each adapter scale and ridge, N x C scores before the temperature.
    """

    targets: FloatArray
    weights: FloatArray
    zero_shot: FloatArray | None
    instant: FloatArray
    tuned: dict[tuple[float, float], FloatArray]


@dataclass(frozen=True)
class Judgement:
    """The gate's answer.

    Attributes:
        blend: How the version ranks best.
        before, after: Held-out figures of what ranks now and of the version, on the same rows.
        promoted: Whether it may go live.
        reason: One sentence.
    """

    blend: Blend
    before: Figures
    after: Figures
    promoted: bool
    reason: str


def judge(held: HeldOut, *, multi_label: bool, live: Rival | None) -> Judgement:
    """Choose the best blend and hold it against its rivals.

    Full-strength adapters are tried first; half-strength ones (WiSE-FT) if those do not pass.

    Args:
        held: The contenders on held-out decisions.
        multi_label: Whether each label stands for itself.
        live: The rows of decisions that the live version did not learn from and its
            probabilities of them, N' x C; None without a live version or without such decisions.
    """
    instant = to_probabilities(held.instant, multi_label=multi_label)
    rivals = {"the instant learner": (np.arange(len(instant)), instant)}
    if held.zero_shot is not None:
        zero_shot = to_probabilities(held.zero_shot, multi_label=multi_label)
        rivals["zero-shot"] = (np.arange(len(instant)), zero_shot)
    if live is not None:
        rivals["the live version"] = live
    rivals = {name: counted for name, r in rivals.items() if len((counted := _counted(r, held))[0])}
    judged = [
        _against(held, blend, rivals, multi_label=multi_label)
        for blend in _best_blends(held, multi_label=multi_label)
    ]
    return next((j for j in judged if j.promoted), judged[0])


def _counted(rival: Rival, held: HeldOut) -> Rival:
    rows, p = rival
    counts = held.weights[rows] > 0
    return rows[counts], p[counts]


def _best_blends(held: HeldOut, *, multi_label: bool) -> list[Blend]:
    """The best blend of each adapter scale, full strength first."""
    best = []
    for scale in sorted({scale for scale, _ in held.tuned}, reverse=True):
        options = [
            (
                _loss(
                    mixed(held.instant, scores / t, share, multi_label=multi_label),
                    held,
                    multi_label,
                ),
                Blend(scale, ridge, t, share),
            )
            for (of, ridge), scores in held.tuned.items()
            if of == scale
            for t in _temperatures(scores, held, multi_label)
            for share in SHARES
        ]
        best.append(min(options, key=lambda option: option[0])[1])
    return best


def _temperatures(scores: FloatArray, held: HeldOut, multi_label: bool) -> tuple[float, ...]:
    losses = [
        _loss(to_probabilities(scores / t, multi_label=multi_label), held, multi_label)
        for t in TEMPERATURES
    ]
    return (float(TEMPERATURES[int(np.argmin(losses))]),)


def _each(p: FloatArray, t: FloatArray, multi_label: bool) -> FloatArray:
    p = p.clip(1e-6, 1 - 1e-6)
    if multi_label:
        return np.asarray(-(t * np.log(p) + (1 - t) * np.log(1 - p)).mean(1))
    return np.asarray(-(t * np.log(p)).sum(1))


def _loss(p: FloatArray, held: HeldOut, multi_label: bool) -> float:
    return float(np.average(_each(p, held.targets, multi_label), weights=held.weights))


def _against(
    held: HeldOut,
    blend: Blend,
    rivals: dict[str, Rival],
    *,
    multi_label: bool,
) -> Judgement:
    scores = held.tuned[blend.scale, blend.ridge] / blend.temperature
    own = mixed(held.instant, scores, blend.share, multi_label=multi_label)
    first = next(reversed(rivals)) if "the live version" in rivals else "the instant learner"
    rows, p = rivals[first]
    before = evaluate.figures(p, held.targets[rows], multi_label=multi_label)
    after = evaluate.figures(own[rows], held.targets[rows], multi_label=multi_label)
    for name, (rows, p) in rivals.items():
        reason = _worse(own[rows], p, held.targets[rows], held.weights[rows], multi_label)
        if reason:
            return Judgement(
                blend,
                before,
                after,
                False,
                f"Kept what is live: on {len(rows)} held-out decisions it {reason} {name}.",
            )
    gained = after.balanced_accuracy - before.balanced_accuracy
    reason = (
        f"Live: on {after.n} held-out decisions balanced accuracy is "
        f"{after.balanced_accuracy:.2f} ({gained:+.2f}) and log-loss {after.log_loss:.2f} "
        f"({after.log_loss - before.log_loss:+.2f}) against {first}."
    )
    return Judgement(blend, before, after, True, reason)


def _worse(
    own: FloatArray, other: FloatArray, targets: FloatArray, weights: FloatArray, multi_label: bool
) -> str:
    """What is worse, or ""; the loss is compared pair by pair."""
    difference = _each(own, targets, multi_label) - _each(other, targets, multi_label)
    if np.average(difference, weights=weights) > 0:
        return "has a higher log-loss than"
    accuracy = [
        evaluate.balanced_accuracy(p, targets, multi_label=multi_label, weights=weights)
        for p in (own, other)
    ]
    return "has a lower balanced accuracy than" if accuracy[0] < accuracy[1] else ""
