"""Tip-Adapter-F (Zhang et al., arXiv 2111.03930): a cache of the decided scans, its keys trained.

logits = scale * v T' + alpha * exp(-beta (1 - v K')) Y, with the examples' features as the keys K
at the start and their labels Y as values. AdamW at 1e-3 with a cosine, in batches of 256, which
here hold all examples; the paper's 20 passes are 100 here (its own setting where a data set is
small), since a pass is one step. The paper searches alpha and beta on a validation set after
training; here on held-out folds, over a wider grid.
"""

import torch
from torch import Tensor

from nearl_core.bench.few_shot import FewShot
from nearl_core.bench.peers.heads import Shots, chosen, cosine_logits, cross_entropy, descend
from nearl_core.learn.examples import FloatArray

ALPHA, BETA = 1.0, 5.5
ALPHAS = (0.1, 0.3, 1.0, 3.0, 10.0, 30.0, 100.0)
BETAS = (1.0, 2.0, 5.5, 12.0, 25.0, 50.0, 100.0)
GRID = tuple((alpha, beta) for alpha in ALPHAS for beta in BETAS)
RATE, EPSILON, STEPS = 1e-3, 1e-4, 100


def tip_adapter_f(few: FewShot) -> FloatArray:
    """Find alpha and beta on held-out folds, train on all, and answer: T x C."""
    return chosen(few, fit, default=GRID.index((ALPHA, BETA)))


def fit(shots: Shots, asked: Tensor) -> Tensor:
    """The trained cache read at each alpha and beta: T x E to G x T x C."""
    keys = trained_keys(shots, steps=STEPS)
    return torch.stack([logits(shots, asked, keys, alpha, beta) for alpha, beta in GRID])


def logits(shots: Shots, asked: Tensor, keys: Tensor, alpha: float, beta: float) -> Tensor:
    """T x E to T x C with keys N x E."""
    cache = torch.exp(-beta * (1 - asked @ keys.T)) @ shots.y
    return cosine_logits(asked, shots.texts, shots.scale) + alpha * cache


def trained_keys(shots: Shots, *, steps: int) -> Tensor:
    """The keys, N x E, started from the examples' features."""
    keys = shots.x.clone().requires_grad_()
    optimiser = torch.optim.AdamW([keys], RATE, eps=EPSILON)

    def loss() -> Tensor:
        return cross_entropy(logits(shots, shots.x, keys, ALPHA, BETA), shots.y)

    descend(optimiser, loss, steps=steps, control=shots.control)
    return keys.detach()
