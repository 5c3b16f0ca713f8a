"""CLIP-Adapter (Gao et al., arXiv 2110.04544): a bottleneck on image features, mixed with them.

v' = ratio * ReLU(ReLU(v W_1) W_2) + (1 - ratio) * v, with a bottleneck of a quarter of the width
and no biases. The paper searches the ratio on a validation set; here it is found on held-out
folds. Its rate of 1e-5 is for thousands of steps; here Adam takes 200 steps of 1e-3 with a cosine.
"""

import torch
from torch import Tensor
from torch.nn import functional as F

from nearl_core.bench.few_shot import FewShot
from nearl_core.bench.peers.heads import Shots, chosen, cosine_logits, cross_entropy, descend
from nearl_core.learn.examples import FloatArray

REDUCTION = 4
RATIOS = (0.2, 0.4, 0.6, 0.8)
RATE, STEPS = 1e-3, 200


def clip_adapter(few: FewShot) -> FloatArray:
    """Find the ratio on held-out folds, train on all, and answer: T x C."""
    return chosen(few, lambda shots, asked: fit(shots, asked, seed=few.seed), default=0)


def fit(shots: Shots, asked: Tensor, *, ratios: tuple[float, ...] = RATIOS, seed: int) -> Tensor:
    """An adapter of each ratio, trained side by side in float32: T x E to G x T x C."""
    ratio = torch.tensor(ratios)[:, None, None]
    down, up = bottleneck(shots.x.shape[1], seed=seed)
    downs = down.repeat(1, len(ratios)).requires_grad_()  # E x GH: one product for all ratios
    ups = up.repeat(len(ratios), 1, 1).requires_grad_()  # G x H x E
    x, y, texts = shots.x.float(), shots.y.float(), shots.texts.float()

    def logits(x: Tensor) -> Tensor:
        narrow = F.relu(x @ downs).view(len(x), len(ratios), -1).transpose(0, 1)  # G x T x H
        mixed = ratio * F.relu(narrow @ ups) + (1 - ratio) * x
        return cosine_logits(F.normalize(mixed, dim=-1), texts, shots.scale)

    optimiser = torch.optim.Adam([downs, ups], RATE)
    descend(optimiser, lambda: cross_entropy(logits(x), y), steps=STEPS, control=shots.control)
    return logits(asked.float()).detach()


def bottleneck(width: int, *, seed: int) -> tuple[Tensor, Tensor]:
    """W_1, E x E/4, and W_2, E/4 x E, as PyTorch's linear layers start: float32."""
    narrow = width // REDUCTION
    generator = torch.Generator().manual_seed(seed)
    down = torch.rand(width, narrow, generator=generator)
    up = torch.rand(narrow, width, generator=generator)
    return (2 * down - 1) * width**-0.5, (2 * up - 1) * narrow**-0.5
