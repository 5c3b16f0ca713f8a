"""Mild random views of one image, for training: what a scan could as well have looked like."""

import torch
from torch import Tensor
from torch.nn import functional as F

MARK = "views1"
"""Of this recipe, for caches."""
SMALLEST_CROP = 0.55
ROTATION = 0.2
CONTRAST, BRIGHTNESS = 0.2, 0.1


def views(image: Tensor, count: int, *, flip: bool, generator: torch.Generator) -> Tensor:
    """The image itself and random views of it.

    Args:
        image: 3 x S x S, float32, normalised.
        count: V, the image itself counted.
        flip: Whether left and right may change places.
        generator: Source of randomness.

    Returns:
        V x 3 x S x S.
    """
    extra = count - 1
    if extra == 0:
        return image[None]
    random = torch.rand(8, extra, generator=generator)
    side = (random[0] * (1 - SMALLEST_CROP) + SMALLEST_CROP).sqrt()
    angle = (random[1] * 2 - 1) * ROTATION
    mirror = 1 - 2 * ((random[2] < 0.5) & torch.tensor(flip)).float()
    matrix = torch.zeros(extra, 2, 3)
    matrix[:, 0, 0], matrix[:, 0, 1] = side * angle.cos() * mirror, -side * angle.sin()
    matrix[:, 1, 0], matrix[:, 1, 1] = side * angle.sin() * mirror, side * angle.cos()
    matrix[:, :, 2] = ((1 - side) * (random[3:5] * 2 - 1)).T
    grid = F.affine_grid(matrix, [extra, *image.shape], align_corners=False)
    repeated = image.expand(extra, -1, -1, -1)
    moved = F.grid_sample(repeated, grid, padding_mode="reflection", align_corners=False)
    contrast = 1 + (random[5] * 2 - 1).view(-1, 1, 1, 1) * CONTRAST
    spread = image.std()
    shift = (random[6] * 2 - 1).view(-1, 1, 1, 1) * BRIGHTNESS * spread
    mean = moved.mean((1, 2, 3), keepdim=True)
    return torch.cat([image[None], (moved - mean) * contrast + mean + shift])
