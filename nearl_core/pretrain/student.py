"""The image tower in training: every map and token that the teacher is to be matched with."""

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from nearl_core.model.texture import Texture
from nearl_core.model.towers import OpenClip, image_tower


@dataclass(frozen=True, eq=False)
class Seen:
    """What the student makes of B views.

    Attributes:
        stride8: B x 96 x H/8 x W/8, of the stem.
        stride16: B x 192 x H/16 x W/16, of the stem.
        middle: B x N x D, patch tokens behind the middle layer.
        last: B x N x D, patch tokens behind the last.
        known: B x F, all that the projection is given.
        feature: B x E, projected, not normalised.
    """

    stride8: Tensor
    stride16: Tensor
    middle: Tensor
    last: Tensor
    known: Tensor
    feature: Tensor


class Student:
    """A `nearl_hybrid_tiny` tower as open_clip holds it; takes any size that 32 divides."""

    def __init__(self, model: OpenClip, *, middle_layer: int) -> None:
        self._trunk = model.visual.trunk
        self._tower = image_tower(model, split_attention=True)
        self._middle, self._named = middle_layer, self._trunk.num_prefix_tokens
        self.width = self._tower.width
        self.head: nn.Linear = model.visual.head.proj
        self.texture: Texture = self._trunk.texture
        self.features: int = self.head.out_features

    def __call__(self, images: Tensor) -> Seen:
        """B x 3 x H x W, normalised."""
        images = images.contiguous(memory_format=torch.channels_last)
        x, maps = self._trunk.patch_embed.seen(images)
        summaries, x = x.split([self._named - 1, x.shape[1] - self._named + 1], dim=1)
        positions = self._positions(round(x.shape[1] ** 0.5))
        x = torch.cat([self._trunk.cls_token.expand(len(x), -1, -1).to(x.dtype), x], 1) + positions
        x = torch.cat([x[:, :1], summaries.to(x.dtype), x[:, 1:]], dim=1)
        middle = x
        for layer in range(self._tower.depth):
            x = self._tower.block(layer, x)
            middle = x if layer + 1 == self._middle else middle
        last = self._trunk.norm(x)
        named = self._named
        known = self._trunk.forward_head(last)
        return Seen(maps[-2], maps[-1], middle[:, named:], last[:, named:], known, self.head(known))

    def textures(self, images: Tensor) -> list[Tensor]:
        """What each of the texture's lines is given of B x 3 x H x W, normalised, in float32."""
        maps = self._trunk.patch_embed.seen(images)[1]
        found: list[Tensor] = self.texture.measured(maps)
        return found

    def _positions(self, side: int) -> Tensor:
        """Position embeddings of a grid of another size: 1 x (1 + side^2) x D."""
        learned: Tensor = self._trunk.pos_embed
        own = self._trunk.patch_embed.grid_size[0]
        if side == own:
            return learned
        grid = learned[:, 1:].transpose(1, 2).unflatten(2, (own, own))
        grid = F.interpolate(grid, size=(side, side), mode="bicubic", align_corners=False)
        return torch.cat([learned[:, :1], grid.flatten(2).transpose(1, 2)], 1)
