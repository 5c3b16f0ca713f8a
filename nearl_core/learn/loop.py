"""The fine-tuning loop: adapters trained so that the closed-form head generalises from them.

Each step draws a class-balanced episode, fits the ridge head of `learn/instant.py` on one half of
it (the support), and lowers the loss of the other half (the query); the solve is differentiable,
so the adapters learn features on which a few examples rank the rest well. (The idea of a
closed-form learner inside the loop: Bertinetto et al., "Meta-learning with differentiable
closed-form solvers", arXiv 1805.08136. That it trains NEARL adapters is our choice.)
"""

import time
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from nearl_core.control import RunControl
from nearl_core.errors import TrainingError
from nearl_core.model.device import TOO_LITTLE_MEMORY, out_of_memory
from nearl_core.model.nearl import LabelContext, NearlClip

MICRO_BATCH_SECONDS = 0.2
KEPT_GRAPH_BYTES = 1 << 30


@dataclass(frozen=True)
class TuneSettings:
    """The recipe; `docs/results.md` says how it was chosen.

    Attributes:
        steps: Optimiser steps.
        batch: Views in an episode.
        rate: Highest learning rate, after a short warm-up; a cosine takes it to zero.
        ridge, temperature: Of the head inside the loop.
        seconds: Stop after this long, or None.
    """

    steps: int = 40
    batch: int = 32
    rate: float = 1e-3
    weight_decay: float = 0.05
    warmup: int = 8
    ridge: float = 0.3
    temperature: float = 0.25
    seconds: float | None = None


@dataclass(frozen=True, eq=False)
class TuneData:
    """What the adapters learn from, on the training device.

    Attributes:
        prefixes: N x V x T x D: for each example V views, as they enter the first adapted block.
        targets: N x C, float32, 1 where the label was decided.
        weights: N, float32.
        prompts: For each label its tokens, P_c x T.
        text_share: How much the label texts count in the head, s.
        multi_label: Whether each label stands for itself.
    """

    prefixes: Tensor
    targets: Tensor
    weights: Tensor
    prompts: Sequence[Tensor]
    text_share: float
    multi_label: bool

    def take(self, rows: Tensor) -> "TuneData":
        """Some of the examples."""
        return TuneData(
            self.prefixes[rows],
            self.targets[rows],
            self.weights[rows],
            self.prompts,
            self.text_share,
            self.multi_label,
        )


def tune(
    clip: NearlClip, data: TuneData, *, settings: TuneSettings, seed: int, control: RunControl
) -> tuple[float, ...]:
    """Train the adapters of `clip` in place; returns the loss of each step.

    Reports each step, and lets other work in (and cancellation) at each micro-batch.

    Raises:
        Cancelled: If asked to stop.
    """
    run = _Run(clip, data, settings, seed, control)
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
        settings: TuneSettings,
        seed: int,
        control: RunControl,
    ) -> None:
        assert clip.nearl is not None
        self._clip, self._data, self._settings, self._control = clip, data, settings, control
        self._weights = list(clip.nearl.parameters())
        self._optimiser = torch.optim.AdamW(
            self._weights, settings.rate, weight_decay=settings.weight_decay
        )
        self._rng = np.random.default_rng(seed)
        self._episodes = _Episodes(data.targets.cpu().numpy(), self._rng)
        self._micro, self._most = min(2, settings.batch), settings.batch
        self._slowest = 0.0
        self.notice = "training"

    def step(self, number: int, used: float) -> float:
        """One episode; out of memory halves the micro-batch and tries again.

        Args:
            number: Of the step, from 0.
            used: The part of the time that is used, 0 without a limit.
        """
        for group in self._optimiser.param_groups:
            group["lr"] = self._settings.rate * self._schedule(number, used)
        episode = self._episodes.draw(self._settings.batch)
        views = self._rng.integers(self._data.prefixes.shape[1], size=len(episode))
        while True:
            self._optimiser.zero_grad(set_to_none=True)
            try:
                loss = self._backward(episode, torch.from_numpy(views))
                break
            except RuntimeError as error:
                if not out_of_memory(error):
                    raise
                if self._micro == 1:
                    raise TrainingError(*TOO_LITTLE_MEMORY) from error
                self._micro = self._most = self._micro // 2
                self.notice = f"out of memory: going on with {self._micro} images at a time"
        torch.nn.utils.clip_grad_norm_(self._weights, 1.0)
        self._optimiser.step()
        self._pace()
        return loss

    def _schedule(self, number: int, used: float) -> float:
        warm = min(1.0, (number + 1) / self._settings.warmup)
        done = min(1.0, max(number / self._settings.steps, used))
        return float(warm * 0.5 * (1 + np.cos(np.pi * done)))

    def _backward(self, episode: "Episode", views: Tensor) -> float:
        """Gradients by micro-batches, as of the whole episode at once.

        The loss couples all views: features are made first, the loss tells each feature's
        gradient, and each micro-batch carries its own to the weights. Where the graphs of all
        of them would take too much memory, each micro-batch is run again instead.
        """
        rows = torch.from_numpy(episode.rows)
        labels = self._labels()
        self._control.check()
        leaves = LabelContext(
            labels.features.detach().requires_grad_(),
            tuple(layer.detach().requires_grad_() for layer in labels.layers),
            labels.texts,
        )
        size = self._micro  # the loop below may change it for the next step
        parts = list(zip(rows.split(size), views.split(size), strict=True))
        keep = self._graph_bytes(len(episode)) < KEPT_GRAPH_BYTES
        with torch.set_grad_enabled(keep):
            made = [self._features(*part, leaves) for part in parts]
        features = torch.cat([part.detach() for part in made]).requires_grad_()
        loss = self._loss(features, leaves.features, episode)
        loss.backward()
        assert features.grad is not None
        for place, gradient in enumerate(features.grad.split(size)):
            again = made[place] if keep else self._features(*parts[place], leaves)
            again.backward(gradient)
            self._control.check()
        _carry(labels, leaves)
        return float(loss.detach())

    def _graph_bytes(self, images: int) -> int:
        """About what the graphs of so many images take: some sixty values a token and layer."""
        assert self._clip.nearl is not None
        config = self._clip.nearl.config
        tokens, width = self._data.prefixes.shape[-2:]
        return images * (config.image_depth - config.first_layer) * tokens * width * 60 * 4

    def _labels(self) -> LabelContext:
        with precision(self._data.prefixes):
            return self._clip.labels(self._data.prompts)

    def _features(self, rows: Tensor, views: Tensor, labels: LabelContext) -> Tensor:
        started = time.thread_time()  # wall time would shrink batches on a busy machine
        prefixes = self._data.prefixes[rows, views].float()
        with precision(self._data.prefixes):
            features = self._clip.images_from(prefixes, labels)
        self._slowest = max(self._slowest, time.thread_time() - started)
        self._control.check()
        return features

    def _pace(self) -> None:
        """Keep a micro-batch's way back, about twice its way there, within its time."""
        if self._slowest > MICRO_BATCH_SECONDS / 3:
            self._micro = max(1, self._micro // 2)
        elif self._slowest < MICRO_BATCH_SECONDS / 8:
            self._micro = min(self._most, self._micro * 2)
        self._slowest = 0.0

    def _loss(self, features: Tensor, texts: Tensor, episode: "Episode") -> Tensor:
        rows = torch.from_numpy(episode.rows)
        support = torch.from_numpy(episode.support).to(features.device)
        targets, weights = self._data.targets[rows], self._data.weights[rows]
        head = _Head(self._settings, self._data.multi_label, self._data.text_share)
        scores = head(
            features[support], targets[support], weights[support], texts, features[~support]
        )
        wanted = targets[~support]
        if self._data.multi_label:
            each = F.binary_cross_entropy_with_logits(scores, wanted, reduction="none").mean(1)
        else:
            each = -(wanted * scores.log_softmax(1)).sum(1)
        return (each * weights[~support]).sum() / weights[~support].sum()


@dataclass(frozen=True)
class _Head:
    """The head of `learn/instant.py` in its dual form, with gradients."""

    settings: TuneSettings
    multi_label: bool
    text_share: float

    def __call__(
        self, support: Tensor, targets: Tensor, weights: Tensor, texts: Tensor, query: Tensor
    ) -> Tensor:
        """Logits of the query: Q x C."""
        centre = support.mean(0)
        x, q = support - centre, query - centre
        spread = x.square().sum(1).mean().sqrt() + 1e-6
        x, q = x / spread, q / spread
        base = 0.5 if self.multi_label else 1 / targets.shape[1]
        anchor = (texts - texts.mean(0)).T * (self.text_share * 3)
        residual = targets - base - x @ anchor
        gram = x @ x.T
        ridge = self.settings.ridge * gram.diagonal().mean() / weights.clamp(min=0.05)
        solved = torch.linalg.solve(gram + torch.diag(ridge), residual)
        return torch.as_tensor((q @ anchor + q @ x.T @ solved) / self.settings.temperature)


@dataclass(frozen=True)
class Episode:
    """Rows of the examples drawn, and which of them are the support."""

    rows: np.ndarray[tuple[int], np.dtype[np.intp]]
    support: np.ndarray[tuple[int], np.dtype[np.bool_]]

    def __len__(self) -> int:
        return len(self.rows)


class _Episodes:
    """Draws class-balanced episodes; each label gives to support and query alike."""

    def __init__(
        self, targets: np.ndarray[tuple[int, int], np.dtype[np.float32]], rng: np.random.Generator
    ) -> None:
        groups = [np.flatnonzero(targets[:, c]) for c in range(targets.shape[1])]
        groups.append(np.flatnonzero(targets.sum(1) == 0))  # none apply, in a multi-label set
        self._groups = [rows for rows in groups if len(rows)]
        self._rng = rng

    def draw(self, size: int) -> Episode:
        each = max(2, size // len(self._groups))
        role: dict[int, bool] = {}
        for rows in self._groups:
            chosen = self._rng.permutation(rows)[:each]
            for place, row in enumerate(chosen):
                role.setdefault(int(row), place % 2 == 0)
        if all(role.values()):
            role[next(iter(role))] = False
        return Episode(np.array(list(role)), np.array(list(role.values())))


def _carry(labels: LabelContext, leaves: LabelContext) -> None:
    """Take the gradients that reached the label context on into the text side."""
    pairs = zip((labels.features, *labels.layers), (leaves.features, *leaves.layers), strict=True)
    live = [
        (made, leaf.grad) for made, leaf in pairs if leaf.grad is not None and made.requires_grad
    ]
    if live:
        torch.autograd.backward([made for made, _ in live], [grad for _, grad in live])


def precision(like: Tensor) -> torch.autocast:
    """The precision of training, as the prefixes were made in."""
    return torch.autocast(like.device.type, torch.bfloat16, enabled=like.dtype == torch.bfloat16)
