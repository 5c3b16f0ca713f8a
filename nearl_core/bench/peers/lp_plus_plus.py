"""LP++ (Huang et al., arXiv 2404.02285): label vectors and text multipliers, without tuning.

logits = v'(w_k + alpha_k t_k). The start is closed-form: w_k the sum of the label's features,
alpha the mean over labels of 250 times the mean cosine of a label's features with its text. Step
sizes come from Lipschitz bounds of the loss: 4 N / lambda_max(V'V) for w and
N / (4 max_k sum_i (v_i't_k)^2) for alpha. 300 steps on w with momentum 0.9, alpha after every
tenth.

The 250 belongs to CLIP's scale of 100; here it is 2.5 times the backbone's own scale.
"""

import torch
from torch import Tensor

from nearl_core.bench.few_shot import FewShot
from nearl_core.bench.peers.heads import (
    Shots,
    asked_of,
    cross_entropy,
    probabilities,
    shots_of,
)
from nearl_core.learn.examples import FloatArray

STEPS, MOMENTUM, EACH = 300, 0.9, 10
TEXT = 2.5


def lp_plus_plus(few: FewShot) -> FloatArray:
    """Train and answer: T x C."""
    shots = shots_of(few)
    w, alpha = train(shots)
    return probabilities(logits(asked_of(few), shots.texts, w, alpha))


def logits(x: Tensor, texts: Tensor, w: Tensor, alpha: Tensor) -> Tensor:
    """T x E to T x C with w C x E and alpha C."""
    return x @ w.T + alpha * (x @ texts.T)


def start(shots: Shots) -> tuple[Tensor, Tensor]:
    """The closed-form start: w, C x E, and alpha, C."""
    counts = shots.y.sum(0)
    cosines = (shots.y * (shots.x @ shots.texts.T)).sum(0) / counts.clamp(min=1)
    alpha = TEXT * shots.scale * cosines[counts > 0].mean()
    return shots.y.T @ shots.x, alpha.expand(len(counts)).clone()


def step_sizes(shots: Shots) -> tuple[float, float]:
    """Of w and of alpha."""
    count = len(shots.x)
    of_w = 4 * count / float(torch.linalg.matrix_norm(shots.x, 2) ** 2)
    most = float((shots.x @ shots.texts.T).square().sum(0).max())
    return of_w, count / (4 * max(most, 1e-12))


def train(shots: Shots, *, steps: int = STEPS) -> tuple[Tensor, Tensor]:
    """w, C x E, and alpha, C."""
    w, alpha = start(shots)
    rate, alpha_rate = step_sizes(shots)
    speed = torch.zeros_like(w)
    for step in range(1, steps + 1):
        w.requires_grad_(), alpha.requires_grad_()
        with torch.enable_grad():
            loss = cross_entropy(logits(shots.x, shots.texts, w, alpha), shots.y)
        of_w, of_alpha = torch.autograd.grad(loss, [w, alpha])
        speed = MOMENTUM * speed + of_w
        w = w.detach() - rate * speed
        alpha = alpha.detach() - alpha_rate * of_alpha * (step % EACH == 0)
        shots.control.check()
    return w, alpha
