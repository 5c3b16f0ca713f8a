"""How far the student is from the teacher."""

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from nearl_core.pretrain.student import Seen
from nearl_core.pretrain.teacher import (
    FEATURES,
    STRIDE8_FEATURES,
    STRIDE16_FEATURES,
    TeacherMaps,
)


class Matching(nn.Module):
    """Linear maps from what the student makes to the teacher's standardised features; not shipped.

    Args:
        stem: Channels of the stem's stride-8 and stride-16 maps.
        width: Width of the tokens.
        feature: Size of the projected feature.
    """

    def __init__(self, stem: tuple[int, int], width: int, feature: int) -> None:
        super().__init__()
        self.stride8 = nn.Linear(stem[0], STRIDE8_FEATURES)
        self.stride16 = nn.Linear(stem[1], STRIDE16_FEATURES)
        self.middle = nn.Linear(width, STRIDE16_FEATURES)
        self.last = nn.Linear(width, FEATURES)
        self.summary = nn.Linear(feature, FEATURES)
        for name, size in zip(TeacherMaps._fields, _SIZES, strict=True):
            self.register_buffer(f"mean_{name}", torch.zeros(size))
            self.register_buffer(f"deviation_{name}", torch.ones(size))

    @torch.no_grad()
    def measure(self, maps: TeacherMaps) -> None:
        """Take the mean and deviation by which targets are standardised."""
        for name, found in zip(TeacherMaps._fields, maps, strict=True):
            getattr(self, f"mean_{name}").copy_(found.float().mean((0, 2, 3)))
            getattr(self, f"deviation_{name}").copy_(found.float().std((0, 2, 3)) + 1e-2)

    def forward(self, seen: Seen, maps: TeacherMaps) -> dict[str, Tensor]:
        """Distances by name, each 0 where the student says all that the teacher does.

        The maps are met place by place by 1 - cosine; `relation` is 1 - CKA of the batch's
        features (Kornblith et al., arXiv 1905.00414): which views are alike, whatever the axes.
        """
        side = round(seen.last.shape[1] ** 0.5)
        stride8 = self._standard("stride8", _places(maps.stride8, seen.stride8.shape[-1]))
        stride16 = self._standard("stride16", _places(maps.stride16, seen.stride16.shape[-1]))
        middle = self._standard("stride16", _places(maps.stride16, side))
        last = self._standard("last", _places(maps.last, side))
        whole = self._standard("last", maps.last.float().mean((2, 3)))
        return {
            "stride8": _distance(self.stride8(_tokens(seen.stride8)), stride8),
            "stride16": _distance(self.stride16(_tokens(seen.stride16)), stride16),
            "middle": _distance(self.middle(seen.middle), middle),
            "last": _distance(self.last(seen.last), last),
            "summary": _distance(self.summary(seen.feature), whole),
            "relation": 1 - _alignment(seen.feature.float(), whole),
        }

    def _standard(self, name: str, values: Tensor) -> Tensor:
        mean, deviation = getattr(self, f"mean_{name}"), getattr(self, f"deviation_{name}")
        return torch.as_tensor((values - mean) / deviation)


_SIZES = (STRIDE8_FEATURES, STRIDE16_FEATURES, FEATURES)


def _tokens(feature_map: Tensor) -> Tensor:
    return feature_map.flatten(2).transpose(1, 2)


def _places(feature_map: Tensor, side: int) -> Tensor:
    """B x side^2 x C, by the mean over what a place covers."""
    found = feature_map.float()
    return _tokens(found if found.shape[-1] == side else F.adaptive_avg_pool2d(found, side))


def _distance(student: Tensor, target: Tensor) -> Tensor:
    return 1 - F.cosine_similarity(student.float(), target, dim=-1).mean()


def _alignment(one: Tensor, other: Tensor) -> Tensor:
    """Linear CKA of two sets of B features, in [0, 1]."""
    with torch.autocast(one.device.type, enabled=False):  # differences of near values
        one, other = one - one.mean(0), other - other.mean(0)
        one, other = one @ one.T, other @ other.T
        found = (one * other).sum() / (one.norm() * other.norm()).clamp(min=1e-6)
    return torch.as_tensor(found)
