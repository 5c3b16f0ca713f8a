"""Random views of images, made for a whole batch at once."""

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional as F

MOST_SOURCES = 4


@dataclass(frozen=True)
class AugmentSettings:
    """How far a view may stand from its image.

    Attributes:
        size: Side of the view in pixels.
        smallest_crop: Least part of the area that is kept.
        rotation: Largest turn in degrees.
        mixed: Share of the batch that shows another image in blobs.
        mosaic: Share of the batch that shows four images side by side, each in its full detail.
    """

    size: int = 224
    smallest_crop: float = 0.3
    rotation: float = 20.0
    mixed: float = 0.25
    mosaic: float = 0.35


@dataclass(frozen=True)
class Views:
    """Views of a batch and what they show.

    Attributes:
        images: B x 3 x S x S, float32, RGB in [0, 1].
        sources: B x 4, int64: places in the batch of what a view shows.
        shares: B x 4, float32: the part of the area that each has; rows sum to 1.
    """

    images: Tensor
    sources: Tensor
    shares: Tensor


def augment(images: Tensor, settings: AugmentSettings, generator: torch.Generator) -> Views:
    """A random view of each image.

    Args:
        images: B x 3 x H x W, uint8, RGB.
        settings: How far to go.
        generator: Source of all randomness.
    """
    images = images.float() / 255
    views = _geometry(images, settings.size, settings, generator)
    count = len(views)
    sources = torch.arange(count)[:, None].expand(-1, MOST_SOURCES).clone()
    shares = torch.zeros(count, MOST_SOURCES)
    shares[:, 0] = 1
    kind = torch.rand(count, generator=generator)
    tiled = torch.nonzero(kind < settings.mosaic)[:, 0]
    if len(tiled):
        tiles = _geometry(images, settings.size // 2, settings, generator)
        others = torch.randint(count, (len(tiled), MOST_SOURCES), generator=generator)
        views[tiled] = _side_by_side(tiles[others])
        sources[tiled], shares[tiled] = others, 1 / MOST_SOURCES
    blobs = torch.nonzero((kind >= settings.mosaic) & (kind < settings.mosaic + settings.mixed))[
        :, 0
    ]
    if len(blobs):
        mask = _blobs(len(blobs), settings.size, generator)
        other = torch.randint(count, (len(blobs),), generator=generator)
        views[blobs] = mask * views[blobs] + (1 - mask) * views[other]
        kept = mask.mean((1, 2, 3))
        # What the other view shows itself is not told apart; it is nearly always one image.
        sources[blobs, 1], shares[blobs, 0] = sources[other, 0], kept
        shares[blobs, 1] = 1 - kept
    return Views(_colour(views, generator), sources, shares)


def _side_by_side(tiles: Tensor) -> Tensor:
    """B x 4 x 3 x S x S to B x 3 x 2S x 2S."""
    rows = torch.cat([tiles[:, 0::2], tiles[:, 1::2]], dim=-1)  # left and right
    return torch.cat([rows[:, 0], rows[:, 1]], dim=-2)


def _blobs(count: int, size: int, generator: torch.Generator) -> Tensor:
    """Soft masks of random shapes, as in FMix (arXiv 2002.12047): B x 1 x S x S in [0, 1]."""
    cells = int(torch.randint(3, 9, (1,), generator=generator))
    noise = torch.randn(count, 1, cells, cells, generator=generator)
    smooth = F.interpolate(noise, size=(size, size), mode="bicubic", align_corners=False)
    level = _uniform(count, -0.7, 0.7, generator).view(-1, 1, 1, 1)
    hardness = _uniform(count, 2.0, 40.0, generator).view(-1, 1, 1, 1)
    return ((smooth - level) * hardness).sigmoid()


def _uniform(count: int, low: float, high: float, generator: torch.Generator) -> Tensor:
    return torch.rand(count, generator=generator) * (high - low) + low


def _geometry(
    images: Tensor, size: int, settings: AugmentSettings, generator: torch.Generator
) -> Tensor:
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
    grid = F.affine_grid(matrix, [count, 3, size, size], align_corners=False)
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
    views = views * spread(0.35, -0.5, 0.5, channels=3).exp() + spread(
        0.35, -0.12, 0.12, channels=3
    )
    views = views.clamp(1e-4, 1) ** spread(0.25, -0.7, 0.7, channels=3).exp()
    turned = some(0.08)
    views = turned * (1 - views) + (1 - turned) * views
    blurred = F.avg_pool2d(views, 3, stride=1, padding=1, count_include_pad=False)
    soft = spread(0.25, 0.0, 1.0)
    views = soft * blurred + (1 - soft) * views
    noise = torch.randn(views.shape, generator=generator) * spread(0.25, 0.0, 0.08)
    return (views + noise).clamp(0, 1)
