"""Random views of images, made for a whole batch at once."""

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional as F


@dataclass(frozen=True)
class AugmentSettings:
    """How far a view may stand from its image.

    Attributes:
        size: Side of the view in pixels.
        smallest_crop: Least part of the area that is kept.
        rotation: Largest turn in degrees.
        mixed: Share of the batch that gets a piece of another image (CutMix, arXiv 1905.04899).
    """

    size: int = 128
    smallest_crop: float = 0.3
    rotation: float = 20.0
    mixed: float = 0.3


@dataclass(frozen=True)
class Views:
    """Views of a batch and what they show.

    Attributes:
        images: B x 3 x S x S, float32, RGB in [0, 1].
        partner: B, int64: whose piece was put in; itself where none was.
        share: B, float32 in (0, 1]: the part of the area that the image itself kept.
    """

    images: Tensor
    partner: Tensor
    share: Tensor


def augment(images: Tensor, settings: AugmentSettings, generator: torch.Generator) -> Views:
    """A random view of each image.

    Args:
        images: B x 3 x H x W, uint8, RGB.
        settings: How far to go.
        generator: Source of all randomness.
    """
    views = _geometry(images.float() / 255, settings, generator)
    views = _colour(views, generator)
    return _mix(views, settings, generator)


def _uniform(count: int, low: float, high: float, generator: torch.Generator) -> Tensor:
    return torch.rand(count, generator=generator) * (high - low) + low


def _geometry(images: Tensor, settings: AugmentSettings, generator: torch.Generator) -> Tensor:
    """Crop, aspect, turn and flips in a single resampling."""
    count = len(images)
    area = _uniform(count, settings.smallest_crop, 1.0, generator)
    aspect = _uniform(count, -0.25, 0.25, generator).exp()
    height, width = (area / aspect).sqrt().clamp(max=1), (area * aspect).sqrt().clamp(max=1)
    angle = torch.deg2rad(_uniform(count, -settings.rotation, settings.rotation, generator))
    angle = angle * (torch.rand(count, generator=generator) < 0.5)
    flip_x = 1 - 2 * (torch.rand(count, generator=generator) < 0.5).float()
    flip_y = 1 - 2 * (torch.rand(count, generator=generator) < 0.2).float()
    matrix = torch.zeros(count, 2, 3)
    matrix[:, 0, 0], matrix[:, 0, 1] = width * angle.cos() * flip_x, -height * angle.sin() * flip_y
    matrix[:, 1, 0], matrix[:, 1, 1] = width * angle.sin() * flip_x, height * angle.cos() * flip_y
    matrix[:, 0, 2] = (1 - width) * _uniform(count, -1, 1, generator)
    matrix[:, 1, 2] = (1 - height) * _uniform(count, -1, 1, generator)
    grid = F.affine_grid(matrix, [count, 3, settings.size, settings.size], align_corners=False)
    return F.grid_sample(images, grid, padding_mode="reflection", align_corners=False)


def _colour(views: Tensor, generator: torch.Generator) -> Tensor:
    """Gamma, contrast, brightness, tint, inversion, blur and noise, each for some of the batch."""
    count = len(views)

    def some(share: float) -> Tensor:
        return (torch.rand(count, generator=generator) < share).float().view(-1, 1, 1, 1)

    def spread(share: float, low: float, high: float, channels: int = 1) -> Tensor:
        value = torch.rand(count, channels, 1, 1, generator=generator) * (high - low) + low
        return value * some(share)

    views = views.clamp(1e-4, 1) ** spread(0.5, -0.5, 0.5).exp()
    mean = views.mean((2, 3), keepdim=True)
    views = (views - mean) * spread(0.6, -0.5, 0.4).exp() + mean + spread(0.6, -0.2, 0.2)
    views = views * spread(0.35, -0.4, 0.4, channels=3).exp() + spread(0.35, -0.1, 0.1, channels=3)
    turned = some(0.08)
    views = turned * (1 - views) + (1 - turned) * views
    blurred = F.avg_pool2d(views, 3, stride=1, padding=1, count_include_pad=False)
    soft = spread(0.25, 0.0, 1.0)
    views = soft * blurred + (1 - soft) * views
    noise = torch.randn(views.shape, generator=generator) * spread(0.25, 0.0, 0.08)
    return (views + noise).clamp(0, 1)


def _mix(views: Tensor, settings: AugmentSettings, generator: torch.Generator) -> Views:
    count, _, size, _ = views.shape
    partner, share = torch.arange(count), torch.ones(count)
    mixed = views.clone()
    order = torch.randperm(count, generator=generator)
    chosen = torch.nonzero(torch.rand(count, generator=generator) < settings.mixed)[:, 0]
    for place in chosen.tolist():
        height, width, top, left = _box(size, generator)
        other = int(order[place])
        region = (slice(None), slice(top, top + height), slice(left, left + width))
        mixed[(place, *region)] = views[(other, *region)]
        partner[place], share[place] = other, 1 - height * width / size**2
    return Views(mixed, partner, share)


def _box(size: int, generator: torch.Generator) -> tuple[int, int, int, int]:
    height, width = (
        int(x) for x in torch.randint(size // 4, size * 3 // 4, (2,), generator=generator)
    )
    top = int(torch.randint(0, size - height + 1, (1,), generator=generator))
    left = int(torch.randint(0, size - width + 1, (1,), generator=generator))
    return height, width, top, left
