"""Adapters for ranking on a card beside a lowered tower: what passes over all tokens, at once.

A card computes a tower's products sooner than it reads and writes their numbers, so that small
steps over all tokens cost as much as large ones. Equations 4 to 6 are two products with few columns
here: W_q is taken into the keys and W_o U into the values, so that M queries in each head make M
keys of width r and M values of the tower's width; one kernel then reads f and writes it moved
(`card_kernels.py`). Tokens stay float32; what is multiplied is in two bytes, as in the tower.
"""

import torch
from torch import Tensor
from torch.nn import functional as F

from nearl_core.model import card_kernels
from nearl_core.model.folded import Folded
from nearl_core.model.nearl import EPSILON, Nearl, Oca

_NORM_EPSILON = 1e-5
"""PyTorch's own of a LayerNorm."""


class Fused(Folded):
    """What `Nearl` computes of an image, to the rounding of a lowered tower. Without gradients."""

    def __init__(self, nearl: Nearl, dtype: torch.dtype) -> None:
        super().__init__(nearl)
        self._dtype = dtype
        with torch.no_grad():
            self._tokens_down = nearl.image.down.to(dtype).contiguous()
            self._made = _keys_and_values(nearl, dtype)

    @staticmethod
    def serves(nearl: Nearl, dtype: torch.dtype) -> bool:
        """Whether these adapters add the orthogonal part alone, and a card computes it at once."""
        config, device = nearl.config, nearl.queries.device
        alone = config.beta == 0 and config.orthogonal and config.adapts("image")
        small = dtype in (torch.bfloat16, torch.float16)
        return alone and small and card_kernels.work(device, dtype, config.queries, config.heads)

    def project(self, modality: str, f: Tensor) -> Tensor:
        """Equation 2; of an image's tokens in two bytes."""
        if modality != "image":
            return super().project(modality, f)
        return card_kernels.projected(f, self._tokens_down, _NORM_EPSILON)

    def synergy(self, modality: str, layer: int, z: Tensor, h_v: Tensor, h_t: Tensor) -> Tensor:
        """Equation 3."""
        return super().synergy(modality, layer, z, h_v.float(), h_t)

    def moved(self, modality: str, layer: int, f: Tensor, h: Tensor, z: Tensor) -> Tensor:
        """Equations 4 to 6: the layer's tokens with their update, B x N x D."""
        if modality != "image":
            return super().moved(modality, layer, f, h, z)
        low, heads = z.to(self._dtype), self.config.heads
        keys, values = (
            F.linear(low, part).unflatten(-1, (heads, -1)) for part in self._made[layer]
        )
        return card_kernels.moved(f, h, keys, values, EPSILON)


def _keys_and_values(nearl: Nearl, dtype: torch.dtype) -> dict[int, tuple[Tensor, Tensor]]:
    """For each adapted layer what makes keys and values of z: heads r x r, and heads D x r."""
    side, heads = nearl.image, nearl.config.heads
    found = {}
    for layer, adapter in enumerate(side.adapters, start=nearl.config.first_layer):
        assert isinstance(adapter, Oca)
        query, key, value = (
            part.weight.unflatten(0, (heads, -1))  # heads x r/heads x r
            for part in (adapter.query, adapter.key, adapter.value)
        )
        keys = torch.einsum("hdr,hdk->hrk", query, key) * key.shape[1] ** -0.5
        out = side.scale[layer] * (side.up.T @ adapter.out.weight)  # D x r
        values = torch.einsum("xhd,hdk->hxk", out.unflatten(1, (heads, -1)), value)
        found[layer] = (_rows(keys, dtype), _rows(values, dtype))
    return found


def _rows(parts: Tensor, dtype: torch.dtype) -> Tensor:
    return parts.flatten(0, 1).to(dtype).contiguous()
