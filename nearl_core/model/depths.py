"""Deep features: a scan's embedding, and beside it what the frozen tower saw on the way.

The embedding is made for texts; what tells scans apart that no text was trained for (texture,
margins, grain) is often lost in it. So the means and deviations of the patch tokens two thirds up
stand behind it; or the texture that a stem shows (the starter's, `model/texture.py`), whose
embedding is made of means and deviations already. Only the learners read them, each block in a
scale of its own (`learn/instant.py`). (Features of middle layers for tasks far from the training:
Evci et al., "Head2Toe", arXiv 2201.03529.)
"""

import torch
from torch import Tensor
from torch.nn import functional as F

from nearl_core.model.hybrid import deviation
from nearl_core.model.towers import ImageTower

MARK = "deep2"
"""Of this recipe, for caches."""


def blocks(tower: ImageTower) -> tuple[int, ...]:
    """Widths of the blocks behind the embedding."""
    return tower.texture or (tower.width, tower.width)


def features(tower: ImageTower, images: Tensor) -> Tensor:
    """The embedding and the blocks, each normalised: B x (E + sum of blocks), float32."""
    x, beside = tower.embed_seen(images)
    looked_at = 0 if tower.texture else round(tower.depth * 2 / 3)
    for layer in range(tower.depth):
        x = tower.block(layer, x)
        if layer + 1 == looked_at:
            beside = pooled(tower.patches(x))
    return torch.cat([F.normalize(tower.pool(x).float(), dim=-1), beside], dim=-1)


def pooled(places: Tensor) -> Tensor:
    """Mean and deviation over places, each normalised: B x N x D to B x 2D, float32."""
    places = places.float()
    parts = places.mean(1), deviation(places)
    return torch.cat([F.normalize(part, dim=-1) for part in parts], dim=-1)
