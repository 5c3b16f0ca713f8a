"""The starter's image tower: a convolution stem before a vision transformer, known to timm by name.

Importing this module lets timm, and through it open_clip, build the tower from a folder's
configuration (`timm_model_name`). A stem learns from few images where a patch projection needs
many ("Early Convolutions Help Transformers See Better", arXiv 2106.14881).
"""

from typing import Any

import torch
from timm.layers.conv_bn_act import ConvNormAct
from timm.layers.hybrid_embed import HybridEmbed
from timm.models import (
    VisionTransformer,
    build_model_with_cfg,
    generate_default_cfgs,
    register_model,
)
from timm.models.resnet import BasicBlock
from torch import Tensor, nn

from nearl_core.model.texture import Texture

NAME = "nearl_hybrid_tiny"
STEM = (48, 96, 192)
"""Channels of the stem's maps, of stride 4, 8 and 16."""
SUMMARIES = (1, 1, 2)
"""Tokens that stand for the whole of each map."""
GAIN = 6.0
"""By which those tokens begin as long as the patches' of a trained stem."""
default_cfgs = generate_default_cfgs({NAME: {"input_size": (3, 224, 224), "pool_size": None}})


class Stem(nn.Sequential):
    """Stages of a convolution stem, whose maps are worth a look each."""


def stem() -> Stem:
    """Four halvings with residual blocks between: B x 3 x H x W to B x 192 x H/16 x W/16."""

    def halve(channels: int, out: int) -> nn.Module:
        return ConvNormAct(channels, out, 3, stride=2)

    return Stem(
        nn.Sequential(halve(3, 24), halve(24, 48), BasicBlock(48, 48)),
        nn.Sequential(halve(48, 96), BasicBlock(96, 96), BasicBlock(96, 96)),
        nn.Sequential(halve(96, 192), BasicBlock(192, 192)),
    )


class StemEmbed(HybridEmbed):
    """A stem's patches, behind tokens of what its maps show of the whole image.

    A map's means and deviations over places are what a texture is told by, and few of them come
    through 12 layers of patches to CLS. So they enter the first layer as tokens of their own.
    """

    def __init__(self, **given: Any) -> None:  # noqa: ANN401  # timm chooses them
        super().__init__(stem(), **given)
        width = given["embed_dim"]
        self.scaled = nn.ModuleList(nn.BatchNorm1d(2 * channels) for channels in STEM)
        self.summaries = nn.ModuleList(
            nn.Linear(2 * channels, tokens * width)
            for channels, tokens in zip(STEM, SUMMARIES, strict=True)
        )

    def forward(self, images: Tensor) -> Tensor:
        """B x 3 x H x W to B x (4 + N) x D."""
        return self.seen(images)[0]

    def seen(self, images: Tensor) -> tuple[Tensor, list[Tensor]]:
        """`forward`, and the stem's maps on the way, each B x C x h x w."""
        maps, x, stages = list[Tensor](), images, self.backbone
        assert isinstance(stages, Stem)
        for stage in stages:
            x = stage(x)
            maps.append(x)
        patches = self.proj(x).flatten(2).transpose(1, 2)
        summaries = [
            line(scale(statistics(one))).unflatten(1, (-1, patches.shape[2]))
            for line, scale, one in zip(self.summaries, self.scaled, maps, strict=True)
        ]
        return torch.cat([*summaries, patches], dim=1), maps


class HybridTransformer(VisionTransformer):
    """A vision transformer whose feature is made of all that it knows of the image.

    That is CLS, the stem's summaries and the mean and deviation of the patches, side by side:
    (1 + 4 + 2) x D. What only the learners read beside it is its `texture`.
    """

    def __init__(self, **given: Any) -> None:  # noqa: ANN401  # timm chooses them
        super().__init__(embed_layer=StemEmbed, **given)
        self.num_prefix_tokens += sum(SUMMARIES)
        self.num_features = (self.num_prefix_tokens + 2) * self.embed_dim
        self.texture = Texture(STEM[0], STEM[-1])
        embed: Any = self.patch_embed
        for line in embed.summaries:  # after timm's own beginning, which is too small for them
            nn.init.orthogonal_(line.weight, GAIN)
            nn.init.zeros_(line.bias)

    def _pos_embed(self, x: Tensor) -> Tensor:
        """CLS first, then the summaries, which have no position, then the patches."""
        summaries, patches = x.split([sum(SUMMARIES), x.shape[1] - sum(SUMMARIES)], dim=1)
        placed = super()._pos_embed(patches)
        return torch.cat([placed[:, :1], summaries, placed[:, 1:]], dim=1)

    def pool(self, x: Tensor, pool_type: str | None = None) -> Tensor:  # noqa: ARG002  # timm's
        """B x N x D to B x 7D, whatever pooling was named."""
        named, patches = x[:, : self.num_prefix_tokens], x[:, self.num_prefix_tokens :]
        return torch.cat([named.flatten(1), patches.mean(1), deviation(patches)], dim=1)


def statistics(feature_map: Tensor) -> Tensor:
    """Means and deviations over places: B x C x h x w to B x 2C, float32."""
    places = feature_map.float().flatten(2).transpose(1, 2)
    return torch.cat([places.mean(1), deviation(places)], dim=1)


def deviation(places: Tensor) -> Tensor:
    """Over places: B x N x D to B x D; even places have gradients too.

    Written out, since `torch.var` takes ten times as long on a CPU.
    """
    exact = places.float()
    centred = exact - exact.mean(1, keepdim=True)
    return centred.square().mean(1).clamp(min=1e-12).sqrt().to(places.dtype)


@register_model
def nearl_hybrid_tiny(pretrained: bool = False, **kwargs: object) -> HybridTransformer:
    """224 px; 49 tokens of 32 x 32 px, 4 summaries and CLS; 12 layers of width 192."""
    shape = {"img_size": 224, "patch_size": 2, "embed_dim": 192, "depth": 12, "num_heads": 3}
    given: dict[str, Any] = {**shape, **kwargs}
    tower: HybridTransformer = build_model_with_cfg(HybridTransformer, NAME, pretrained, **given)
    return tower
