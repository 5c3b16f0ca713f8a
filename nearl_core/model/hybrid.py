"""The starter's image tower: a convolution stem before a vision transformer, known to timm by name.

Importing this module lets timm, and through it open_clip, build the tower from a folder's
configuration (`timm_model_name`). A stem learns from few images where a patch projection needs
many ("Early Convolutions Help Transformers See Better", arXiv 2106.14881).
"""

from typing import Any

from timm.layers.conv_bn_act import ConvNormAct
from timm.layers.hybrid_embed import HybridEmbed
from timm.models import (
    VisionTransformer,
    build_model_with_cfg,
    generate_default_cfgs,
    register_model,
)
from timm.models.resnet import BasicBlock
from torch import nn

NAME = "nearl_hybrid_tiny"
STEM = (48, 96, 192)
"""Channels of the stem's maps, of stride 4, 8 and 16."""
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


@register_model
def nearl_hybrid_tiny(pretrained: bool = False, **kwargs: object) -> VisionTransformer:
    """224 px; 49 tokens of 32 x 32 px and CLS; 12 layers of width 192."""

    def embed(**given: Any) -> HybridEmbed:  # noqa: ANN401  # timm chooses them
        return HybridEmbed(stem(), **given)

    shape = {"img_size": 224, "patch_size": 2, "embed_dim": 192, "depth": 12, "num_heads": 3}
    given: dict[str, Any] = {**shape, "embed_layer": embed, **kwargs}
    tower: VisionTransformer = build_model_with_cfg(VisionTransformer, NAME, pretrained, **given)
    return tower
