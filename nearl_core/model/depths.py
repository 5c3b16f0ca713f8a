"""Deep features: a scan's embedding, and beside it what the frozen tower saw on the way.

The embedding is made for texts; what tells scans apart that no text was trained for (texture,
margins, grain) is often lost in it. So the means and deviations over places of the stem's maps, or
of the patch tokens two thirds up where there is no stem, stand behind it. Only the learners read
them, each block in a scale of its own (`learn/instant.py`). (Features of middle layers for tasks
far from the training: Evci et al., "Head2Toe", arXiv 2201.03529.)
"""

import torch
from torch import Tensor
from torch.nn import functional as F

from nearl_core.model.towers import ImageTower

MARK = "deep1"
"""Of this recipe, for caches."""


def blocks(tower: ImageTower) -> tuple[int, ...]:
    """Widths of the blocks behind the embedding."""
    seen = tower.stem or (tower.width,)
    return tuple(width for width in seen for _ in range(2))


def features(tower: ImageTower, images: Tensor) -> Tensor:
    """The embedding and the blocks, each normalised: B x (E + sum of blocks), float32."""
    x, maps = tower.embed_seen(images)
    seen = [pooled(one.flatten(2).transpose(1, 2)) for one in maps]
    looked_at = round(tower.depth * 2 / 3)
    for layer in range(tower.depth):
        x = tower.block(layer, x)
        if not maps and layer + 1 == looked_at:
            seen.append(pooled(tower.patches(x)))
    return torch.cat([F.normalize(tower.pool(x).float(), dim=-1), *seen], dim=-1)


def pooled(places: Tensor) -> Tensor:
    """Mean and deviation over places, each normalised: B x N x D to B x 2D, float32."""
    places = places.float()
    deviation = places.var(1, correction=0).clamp(min=1e-12).sqrt()
    return torch.cat([F.normalize(places.mean(1), dim=-1), F.normalize(deviation, dim=-1)], dim=-1)
