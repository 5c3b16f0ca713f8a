"""What the heads on frozen features share: the examples, the loss, the descent, the choosing.

All is full batch and float64 on the CPU: a benchmark's cell has at most a few hundred examples,
fewer than the batches of the papers. Label sets are exclusive.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional as F

from nearl_core.bench.few_shot import FewShot
from nearl_core.control import RunControl
from nearl_core.learn.batches import patient_folds
from nearl_core.learn.examples import FloatArray

FOLDS = 4


@dataclass(frozen=True, eq=False)
class Shots:
    """The decided scans of a cell as tensors, float64.

    Attributes:
        x: N x E, normalised features.
        y: N x C, 1 where the label was decided, else 0.
        texts: C x E, normalised.
        scale: The backbone's, of its cosines; 1 / tau in the papers.
        control: Asked at each step whether to stop.
    """

    x: Tensor
    y: Tensor
    texts: Tensor
    scale: float
    control: RunControl

    def take(self, rows: NDArray[np.intp]) -> "Shots":
        """Some of them."""
        return Shots(self.x[rows], self.y[rows], self.texts, self.scale, self.control)


Fit = Callable[[Shots, Tensor], Tensor]
"""From examples and asked features (T x E) to logits: G x T x C for G settings."""


def shots_of(few: FewShot) -> Shots:
    """The examples of a cell."""
    return Shots(
        torch.as_tensor(few.features).double(),
        torch.as_tensor(few.targets).double(),
        torch.as_tensor(few.texts).double(),
        few.backbone.logit_scale,
        few.control,
    )


def asked_of(few: FewShot) -> Tensor:
    """The asked features, T x E, float64."""
    return torch.as_tensor(few.asked).double()


def cosine_logits(x: Tensor, vectors: Tensor, scale: float) -> Tensor:
    """Scaled cosines of normalised features (.. x T x E) with label vectors (.. x C x E)."""
    return scale * x @ F.normalize(vectors, dim=-1).mT


def cross_entropy(logits: Tensor, y: Tensor) -> Tensor:
    """Mean over examples, as published: labels are not balanced. G settings are summed."""
    return -(y * logits.log_softmax(-1)).sum(-1).mean(-1).sum()


def probabilities(logits: Tensor) -> FloatArray:
    """Softmax over labels: T x C, float64."""
    return np.asarray(logits.detach().cpu().double().softmax(-1).numpy())


def descend(
    optimiser: torch.optim.Optimizer,
    loss: Callable[[], Tensor],
    *,
    steps: int,
    control: RunControl,
    schedule: torch.optim.lr_scheduler.LRScheduler | None = None,
) -> None:
    """Full-batch descent; the rate follows a cosine to zero unless there is another schedule."""
    follow = schedule or torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, steps)
    for _ in range(steps):
        optimiser.zero_grad(set_to_none=True)
        with torch.enable_grad():
            loss().backward()
        optimiser.step()
        follow.step()
        control.check()


def chosen(few: FewShot, fit: Fit, *, default: int) -> FloatArray:
    """What the setting that does best on held-out folds says of the asked scans: T x C."""
    shots = shots_of(few)
    best = choose(shots, fit, default=default)
    return probabilities(fit(shots, asked_of(few))[best])


def choose(shots: Shots, fit: Fit, *, default: int) -> int:
    """The setting with the least log-loss on examples held out, labels counted alike.

    It stands for the validation set on which the papers search. A held-out example counts where
    its label has another example; with fewer than two such labels nothing can be told apart, and
    the default stays.
    """
    y = shots.y.numpy()
    if (y.sum(0) >= 2).sum() < 2:
        return default
    names = [str(row) for row in range(len(y))]
    folds = patient_folds(names, y, folds=FOLDS, seed=0)
    rows, logits = list[int](), list[Tensor]()
    for fold in np.unique(folds):
        rest, out = np.flatnonzero(folds != fold), np.flatnonzero(folds == fold)
        out = out[y[rest].sum(0)[y[out].argmax(1)] > 0]
        if len(out):
            rows += out.tolist()
            logits.append(fit(shots.take(rest), shots.x[out]).detach())
    held = shots.y[rows]
    share = (held / held.sum(0).clamp(min=1)).sum(1)
    losses = -((held * torch.cat(logits, 1).log_softmax(-1)).sum(-1) @ share)
    return int(losses.argmin())
