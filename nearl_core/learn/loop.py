"""The fine-tuning loop: adapters that learn what the instant learner leaves.

The instant learner reads the embedding and the frozen blocks behind it (`learn/instant.py`). The
loop holds its head and lowers its loss by moving the embeddings alone: each step draws a
class-balanced batch of views, and each view is scored by the head that all other examples give, so
that no example is told its own answer. The first step starts from the instant learner's own
leave-one-out loss. (The exact leave-one-out of a closed-form learner as a loss: after Bertinetto et
al., "Meta-learning with differentiable closed-form solvers", arXiv 1805.08136. Episodes with a
head fitted on tuned features in each step were turned down: the adapters made the examples
easier to tell apart than scans to come, and the head believed them.)
"""

import time
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional as F

from nearl_core.control import RunControl
from nearl_core.errors import TrainingError
from nearl_core.learn.by_label import LeftOut
from nearl_core.learn.examples import FloatArray
from nearl_core.learn.micro_batch import MicroBatch
from nearl_core.model.device import TOO_LITTLE_MEMORY, clock, out_of_memory
from nearl_core.model.lowered import lower
from nearl_core.model.nearl import LabelContext, NearlClip


@dataclass(frozen=True)
class TuneSettings:
    """The recipe; `docs/results.md` says how it was chosen.

    Attributes:
        steps: Optimiser steps.
        batch: Views of a step.
        rate: Highest learning rate, after a short warm-up; a cosine takes it to zero.
        seconds: Stop after this long, or None.
    """

    steps: int = 20
    batch: int = 32
    rate: float = 1e-3
    weight_decay: float = 0.05
    warmup: int = 8
    seconds: float | None = None


@dataclass(frozen=True, eq=False)
class TuneData:
    """What the adapters learn from, on the training device but for the prefixes.

    Attributes:
        prefixes: N x V x T x D: for each example V views, as they enter the first adapted block;
            on the CPU, from where those of a micro-batch are fetched.
        targets: N x C, float32, 1 where the label was decided, NaN where it was not asked for.
        weights: N, float32.
        prompts: For each label its tokens, P_c x T.
        multi_label: Whether each label stands for itself.
    """

    prefixes: Tensor
    targets: Tensor
    weights: Tensor
    prompts: Sequence[Tensor]
    multi_label: bool

    @property
    def device(self) -> torch.device:
        """Where training takes place."""
        return self.targets.device

    def take(self, rows: Tensor) -> "TuneData":
        """Some of the examples."""
        return TuneData(
            self.prefixes[rows],
            self.targets[rows],
            self.weights[rows],
            self.prompts,
            self.multi_label,
        )


def tune(
    clip: NearlClip,
    data: TuneData,
    start: "Start",
    *,
    settings: TuneSettings,
    seed: int,
    control: RunControl,
) -> tuple[float, ...]:
    """Train the adapters of `clip` in place; returns the loss of each step.

    Reports each step, and lets other work in (and cancellation) at each micro-batch.

    Raises:
        Cancelled: If asked to stop.
    """
    run = _Run(clip, data, start, settings, seed, control)
    losses: list[float] = []
    started = time.monotonic()
    for step in range(settings.steps):
        used = 0.0
        if settings.seconds is not None:
            used = (time.monotonic() - started) / max(settings.seconds, 1e-3)
        if used >= 1 and losses:  # a step at least: there is no version of none
            break
        losses.append(run.step(step, used))
        control.step(step + 1, settings.steps, run.notice, (("loss", losses[-1]),))
    return tuple(losses)


class _Run:
    """One run's optimiser and random source."""

    def __init__(
        self,
        clip: NearlClip,
        data: TuneData,
        start: "Start",
        settings: TuneSettings,
        seed: int,
        control: RunControl,
    ) -> None:
        assert clip.nearl is not None
        self._clip, self._data, self._settings, self._control = clip, data, settings, control
        self._start = start
        self._weights = list(clip.nearl.parameters())
        self._optimiser = torch.optim.AdamW(
            self._weights, settings.rate, weight_decay=settings.weight_decay
        )
        self._rng = np.random.default_rng(seed)
        self._batches = _Batches(data.targets.cpu().numpy(), self._rng)
        self._micro = MicroBatch.on(data.device.type, settings.batch)
        self._clock = clock(data.device)  # not the CPU's wall time: beside other work it is long
        self._slowest = 0.0
        self.notice = "training"

    def step(self, number: int, used: float) -> float:
        """One batch; out of memory halves the micro-batch and tries again.

        Args:
            number: Of the step, from 0.
            used: The part of the time that is used, 0 without a limit.
        """
        for group in self._optimiser.param_groups:
            group["lr"] = self._settings.rate * self._schedule(number, used)
        rows = torch.from_numpy(self._batches.draw(self._settings.batch))
        views = self._rng.integers(self._data.prefixes.shape[1], size=len(rows))
        while True:
            self._optimiser.zero_grad(set_to_none=True)
            try:
                loss = self._backward(rows, torch.from_numpy(views))
                break
            except RuntimeError as error:
                if not out_of_memory(error):
                    raise
                if not self._micro.halve():
                    raise TrainingError(*TOO_LITTLE_MEMORY) from error
                self.notice = f"out of memory: going on with {self._micro.size} images at a time"
        torch.nn.utils.clip_grad_norm_(self._weights, 1.0)
        self._optimiser.step()
        self._micro.took(self._slowest)
        self._slowest = 0.0
        return loss

    def _schedule(self, number: int, used: float) -> float:
        warm = min(1.0, (number + 1) / self._settings.warmup)
        done = min(1.0, max(number / self._settings.steps, used))
        return float(warm * 0.5 * (1 + np.cos(np.pi * done)))

    def _backward(self, rows: Tensor, views: Tensor) -> float:
        """Gradients by micro-batches, as of the whole batch at once; each lets other work in.

        The text side is run once for all of them, and gets what they say of it at the end.
        """
        labels = self._labels()
        self._control.check()
        leaves = LabelContext(
            labels.features.detach().requires_grad_(),
            tuple(layer.detach().requires_grad_() for layer in labels.layers),
            labels.texts,
        )
        total, size = 0.0, self._micro.size  # the loop below may change it for the next step
        counted = self._start.weights[rows].sum().clamp(min=1e-9)
        for part, seen in zip(rows.split(size), views.split(size), strict=True):
            loss = self._loss(self._features(part, seen, leaves), part) / counted
            loss.backward()
            total += float(loss.detach())
            self._control.check()
        _carry(labels, leaves)
        return total

    def _labels(self) -> LabelContext:
        with precision(self._data):
            return self._clip.labels(self._data.prompts)

    def _features(self, rows: Tensor, views: Tensor, labels: LabelContext) -> Tensor:
        started = self._clock()
        prefixes = self._data.prefixes[rows, views].to(self._data.device).float()
        with precision(self._data):
            features = self._clip.images_from(prefixes, labels)
        self._slowest = max(self._slowest, self._clock() - started)
        self._control.check()
        return features

    def _loss(self, features: Tensor, rows: Tensor) -> Tensor:
        """Summed over views, each by its weight."""
        seen = self._start.seen
        scores = self._start.scores(features, rows)[:, seen]
        wanted = self._data.targets[rows][:, seen]
        if self._data.multi_label:
            known = self._start.judged[rows][:, seen]
            wanted = wanted.nan_to_num()
            each = F.binary_cross_entropy_with_logits(scores, wanted, known, reduction="none")
            each = each.sum(1) / known.sum(1).clamp(min=1)
        else:
            each = -(wanted * scores.log_softmax(1)).sum(1)
        return (each * self._start.weights[rows]).sum()


class Start:
    """What the instant learner says of each example without it, and of an embedding that moved.

    Attributes:
        weights: N, how much each example counts; 0 where the others don't know its label.
        judged: N x C, 1 for a target that is known, of a label that the others know, else 0.
        seen: C, the labels that the learner knows of.
    """

    def __init__(self, left_out: LeftOut, embeddings: FloatArray, data: TuneData) -> None:
        """Take the learner of N examples and their frozen embeddings, N x E."""

        def tensor(values: FloatArray) -> Tensor:
            return torch.from_numpy(values).to(data.targets)

        head, width = left_out.head, embeddings.shape[1]
        self.judged = tensor(left_out.judged.astype(float))
        self.weights = data.weights * self.judged.amax(1)
        self.seen = torch.from_numpy(head.seen).to(data.targets.device)
        self._embeddings = tensor(embeddings)
        self._scores = tensor(left_out.scores / head.temperature)
        self._weight = tensor(head.weight[:width] / head.temperature)
        self._pulls = tensor(left_out.pulls[:, :, :width])
        self._group = torch.from_numpy(left_out.group).to(data.targets.device)
        self._misses = tensor(left_out.misses / head.temperature)

    def scores(self, embeddings: Tensor, rows: Tensor) -> Tensor:
        """Logits of examples whose embeddings are these now, by the others' head: B x E to B x C.

        What stands behind the embedding stays as it was in the frozen view.
        """
        moved = embeddings - self._embeddings[rows]
        own = (moved * self._pulls[:, rows]).sum(2)[self._group].T * self._misses[rows]
        return self._scores[rows] + moved @ self._weight - own


class _Batches:
    """Draws rows, as many of each label as can be."""

    def __init__(self, targets: NDArray[np.float32], rng: np.random.Generator) -> None:
        there = targets > 0
        groups = [np.flatnonzero(column) for column in there.T]
        groups.append(np.flatnonzero(~there.any(1)))  # none apply, in a multi-label set
        self._groups = [rows for rows in groups if len(rows)]
        self._rng = rng

    def draw(self, size: int) -> NDArray[np.intp]:
        each = max(2, size // len(self._groups))
        drawn = [self._rng.permutation(rows)[:each] for rows in self._groups]
        return np.array(list(dict.fromkeys(np.concatenate(drawn).tolist())), np.intp)


def _carry(labels: LabelContext, leaves: LabelContext) -> None:
    """Take the gradients that reached the label context on into the text side."""
    pairs = zip((labels.features, *labels.layers), (leaves.features, *leaves.layers), strict=True)
    live = [
        (made, leaf.grad) for made, leaf in pairs if leaf.grad is not None and made.requires_grad
    ]
    if live:
        torch.autograd.backward([made for made, _ in live], [grad for _, grad in live])


def precision(data: TuneData) -> torch.autocast:
    """The precision of training, as the prefixes were made in."""
    return lower(data.device, data.prefixes.dtype)
