"""How far the student is from the teacher."""

from collections.abc import Sequence

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

RIDGE = 0.1
"""Of the first linear maps, as a part of the inputs' mean variance."""


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
    def fit(self, seen: Sequence[Seen], maps: Sequence[TeacherMaps]) -> None:
        """Take means and deviations of the teacher's maps, and the linear maps that fit best."""
        for name, *found in zip(TeacherMaps._fields, *maps, strict=True):
            places = torch.cat([_tokens(one.float()).flatten(0, 1) for one in found])
            getattr(self, f"mean_{name}").copy_(places.mean(0))
            getattr(self, f"deviation_{name}").copy_(places.std(0) + 1e-2)
        pairs = [self._pairs(*one) for one in zip(seen, maps, strict=True)]
        for name in pairs[0]:
            inputs, targets = (
                torch.cat([one[name][side].float().flatten(0, -2) for one in pairs])
                for side in (0, 1)
            )
            weight, bias = _best(inputs, targets)
            getattr(self, name).weight.copy_(weight)
            getattr(self, name).bias.copy_(bias)

    def forward(self, seen: Seen, maps: TeacherMaps) -> dict[str, Tensor]:
        """Distances by name, each 0 where the student says all that the teacher does.

        The maps are met place by place by 1 - cosine; `relation` is 1 - CKA of the batch's
        features (Kornblith et al., arXiv 1905.00414): which views are alike, whatever the axes.
        """
        pairs = self._pairs(seen, maps)
        found = {
            n: _distance(getattr(self, n)(ours), theirs) for n, (ours, theirs) in pairs.items()
        }
        return {**found, "relation": 1 - _alignment(*pairs["summary"])}

    def _pairs(self, seen: Seen, maps: TeacherMaps) -> dict[str, tuple[Tensor, Tensor]]:
        """What each linear map is given, and the standardised maps of the teacher that it meets."""
        side = round(seen.last.shape[1] ** 0.5)
        eight, sixteen = _places(maps.stride8, seen.stride8.shape[-1]), maps.stride16
        of_sixteen = _places(sixteen, seen.stride16.shape[-1])
        whole = maps.last.float().mean((2, 3))
        return {
            "stride8": (_tokens(seen.stride8), self._standard("stride8", eight)),
            "stride16": (_tokens(seen.stride16), self._standard("stride16", of_sixteen)),
            "middle": (seen.middle, self._standard("stride16", _places(sixteen, side))),
            "last": (seen.last, self._standard("last", _places(maps.last, side))),
            "summary": (seen.feature, self._standard("last", whole)),
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


def _best(inputs: Tensor, targets: Tensor) -> tuple[Tensor, Tensor]:
    """Weight and bias of the ridge regression of N targets on N inputs."""
    centre, mean = inputs.mean(0), targets.mean(0)
    x = inputs - centre
    gram = x.T @ x
    ridge = RIDGE * gram.trace() / len(gram) * torch.eye(len(gram), device=gram.device)
    weight = torch.linalg.solve(gram + ridge, x.T @ (targets - mean)).T
    return weight, mean - weight @ centre


def _alignment(one: Tensor, other: Tensor) -> Tensor:
    """Linear CKA of two sets of B features, in [0, 1]."""
    one, other = one.float(), other.float()
    with torch.autocast(one.device.type, enabled=False):  # differences of near values
        one, other = one - one.mean(0), other - other.mean(0)
        one, other = one @ one.T, other @ other.T
        found = (one * other).sum() / (one.norm() * other.norm()).clamp(min=1e-6)
    return torch.as_tensor(found)
