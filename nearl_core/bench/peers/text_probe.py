"""A linear probe that starts from the label texts.

As the linear probe of Silva-Rodríguez et al. (arXiv 2312.12730, section 3.2; the "LP" of arXiv
2506.17500): cosines with learned label vectors, started from the texts; SGD with momentum 0.9,
rate 0.1 and a cosine, 300 steps on all examples, no decay.
"""

import torch
from torch import Tensor

from nearl_core.bench.few_shot import FewShot
from nearl_core.bench.peers.heads import (
    Shots,
    asked_of,
    cosine_logits,
    cross_entropy,
    descend,
    probabilities,
    shots_of,
)
from nearl_core.learn.examples import FloatArray

RATE, MOMENTUM, STEPS = 0.1, 0.9, 300


def text_probe(few: FewShot) -> FloatArray:
    """Train from the texts and answer: T x C."""
    shots = shots_of(few)
    return probabilities(cosine_logits(asked_of(few), vectors(shots), shots.scale))


def vectors(shots: Shots, *, steps: int = STEPS) -> Tensor:
    """The label vectors, C x E, not normalised."""
    learned = shots.texts.clone().requires_grad_()
    optimiser = torch.optim.SGD([learned], RATE, momentum=MOMENTUM)

    def loss() -> Tensor:
        return cross_entropy(cosine_logits(shots.x, learned, shots.scale), shots.y)

    descend(optimiser, loss, steps=steps, control=shots.control)
    return learned.detach()
