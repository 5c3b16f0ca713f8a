"""TaskRes (Yu et al., arXiv 2211.10277): a residual of its own for each label's text.

t' = t + alpha x, with x zero at the start; Adam at 2e-3 with a cosine after one pass at 1e-5, 100
passes for up to 4 shots and 200 above, batches of 256, which here hold all examples. The paper
takes alpha 0.5, and 1 for one of its data sets; here held-out folds choose between them.
"""

import torch
from torch import Tensor
from torch.optim.lr_scheduler import LambdaLR

from nearl_core.bench.few_shot import FewShot
from nearl_core.bench.peers.heads import Shots, chosen, cosine_logits, cross_entropy, descend
from nearl_core.bench.peers.schedules import cosine_after_one
from nearl_core.learn.examples import FloatArray

ALPHAS = (0.5, 1.0)
RATE = 2e-3
FEW, PASSES_FEW, PASSES = 4, 100, 200


def task_res(few: FewShot) -> FloatArray:
    """Choose alpha on held-out folds, train on all, and answer: T x C."""
    return chosen(few, fit, default=0)


def fit(shots: Shots, asked: Tensor, *, steps: int | None = None) -> Tensor:
    """Residuals for each alpha, trained side by side: T x E to G x T x C."""
    steps = passes(shots) if steps is None else steps
    alpha = torch.tensor(ALPHAS, dtype=shots.x.dtype)[:, None, None]
    residual = torch.zeros(len(ALPHAS), *shots.texts.shape, dtype=shots.x.dtype)
    residual.requires_grad_()

    def logits(x: Tensor) -> Tensor:
        return cosine_logits(x, shots.texts + alpha * residual, shots.scale)

    optimiser = torch.optim.Adam([residual], RATE)
    schedule = LambdaLR(optimiser, cosine_after_one(steps, first=1e-5 / RATE))
    descend(
        optimiser,
        lambda: cross_entropy(logits(shots.x), shots.y),
        steps=steps,
        control=shots.control,
        schedule=schedule,
    )
    return logits(asked).detach()


def passes(shots: Shots) -> int:
    """By the mean number of examples of the labels that have one."""
    counts = shots.y.sum(0)
    return PASSES_FEW if float(counts[counts > 0].mean()) <= FEW else PASSES
