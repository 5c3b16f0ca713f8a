"""What two maps of the starter's stem show of an image's texture, beside its embedding.

The embedding is made of means and deviations over places, channel by channel. Which channels
answer together, and how strongly each does anywhere, is not in them. So three blocks stand beside
it: the strongest answer of each channel of the last map, and the covariance of the channels of the
first and of the last map. Covariances are compared by their logarithms, in which they lie as in a
plain space, projected to a few numbers in closed form (`pretrain/head.py`). (Second-order pooling
with logarithms: Carreira et al., "Semantic Segmentation with Second-Order Pooling", ECCV 2012;
the metric: Arsigny et al., "Log-Euclidean metrics", 2006.)
"""

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional as F

NARROW, PROJECTED = 64, 256
RIDGE, LEAST = 1e-2, 1e-6
"""Added to a covariance's diagonal: a part of its mean, and what keeps an even image finite."""


class Texture(nn.Module):
    """Three blocks of a stem's maps, each normalised.

    Attributes:
        widths: Of the blocks.
        narrow: From the last map's channels to fewer.
        lines: For each covariance, from its logarithm to a block.
    """

    def __init__(self, first: int, last: int) -> None:
        """Take the numbers of channels of the first and the last map."""
        super().__init__()
        self.widths = (last, PROJECTED, PROJECTED)
        self.narrow = nn.Linear(last, min(last, NARROW), bias=False)
        nn.init.orthogonal_(self.narrow.weight)
        sizes = (n * (n + 1) // 2 for n in (first, self.narrow.out_features))
        self.lines = nn.ModuleList(nn.Linear(size, PROJECTED) for size in sizes)

    def forward(self, maps: Sequence[Tensor]) -> Tensor:
        """A stem's maps, each B x C x h x w, to B x the sum of widths, float32."""
        strongest = maps[-1].float().amax((2, 3))
        told = [line(one) for line, one in zip(self.lines, self.measured(maps), strict=True)]
        return torch.cat([F.normalize(block, dim=-1) for block in (strongest, *told)], dim=-1)

    def measured(self, maps: Sequence[Tensor]) -> list[Tensor]:
        """What the lines are given: B x C (C + 1) / 2 for each covariance, normalised."""
        first, last = (one.float().flatten(2).transpose(1, 2) for one in (maps[0], maps[-1]))
        return [_logarithm(_covariance(places)) for places in (first, self.narrow(last))]


def _covariance(places: Tensor) -> Tensor:
    """Over places, in float64 where there is one: B x N x C to B x C x C."""
    kind = torch.float32 if places.device.type == "mps" else torch.float64
    apart = (places - places.mean(1, keepdim=True)).to(kind)
    return apart.mT @ apart / places.shape[1]


def _logarithm(covariance: Tensor) -> Tensor:
    """The upper triangle of its logarithm, as long as the whole, normalised: B x C (C + 1) / 2."""
    channels, device = covariance.shape[-1], covariance.device
    whole = covariance.cpu() if device.type == "mps" else covariance  # which has no eigenvalues
    mean = whole.diagonal(dim1=1, dim2=2).mean(1)[:, None, None]
    ridge = (RIDGE * mean + LEAST) * torch.eye(channels, dtype=whole.dtype, device=whole.device)
    values, axes = torch.linalg.eigh(whole + ridge)
    found = (axes * values.log()[:, None]) @ axes.mT
    rows, columns = torch.triu_indices(channels, channels, device=whole.device)
    twice = torch.where(rows == columns, 1.0, 2**0.5).to(found.dtype)
    return F.normalize(found[:, rows, columns] * twice, dim=-1).float().to(device)
