"""Image towers with other linear layers: in less than float32, or packed, for ranking.

Only the blocks are lowered: what enters the first and what the last gives to the pool stay
float32, and so do the adapters between blocks, the norms and the sum along the blocks.

Autocasting the stock model was turned down: on a CPU its `nn.MultiheadAttention` leaves the fast
path in bfloat16 and takes six times as long as in float32.
"""

import copy
from collections.abc import Callable
from enum import StrEnum
from functools import partial
from types import SimpleNamespace
from typing import Any, TypeAlias

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from nearl_core.model.attention import attend
from nearl_core.model.packed import PackedLinear
from nearl_core.model.towers import OpenClip, image_tower


class Precision(StrEnum):
    """What the blocks of a tower compute in."""

    FLOAT32 = "float32"
    BFLOAT16 = "bfloat16"
    FLOAT16 = "float16"
    INT8 = "int8"

    @property
    def dtype(self) -> torch.dtype:
        """Of its products, as they come out."""
        lower = {Precision.BFLOAT16: torch.bfloat16, Precision.FLOAT16: torch.float16}
        return lower.get(self, torch.float32)


class LoweredTower:
    """An image tower whose blocks compute in two bytes, int8 or with packed weights in float32.

    float32 comes in and goes out.
    """

    def __init__(self, model: OpenClip, precision: Precision) -> None:
        self._whole = image_tower(model)
        low = SimpleNamespace(visual=_lowered(model.visual, precision))
        self._ranks, self._trains = image_tower(low), image_tower(low, split_attention=True)
        self._dtype = precision.dtype
        self.depth, self.width = self._whole.depth, self._whole.width
        self.texture = self._whole.texture

    def embed(self, inputs: Tensor) -> Tensor:
        """What enters the first block: B x N x D, float32."""
        return self._whole.embed(inputs)

    def embed_seen(self, inputs: Tensor) -> tuple[Tensor, Tensor]:
        """`embed`, and the stem's texture, float32."""
        return self._whole.embed_seen(inputs)

    def patches(self, x: Tensor) -> Tensor:
        """The tokens that stand for places."""
        return self._whole.patches(x)

    def block(self, layer: int, x: Tensor) -> Tensor:
        """One block: B x N x D to B x N x D, float32."""
        with lower(x.device, self._dtype):
            tower = self._trains if torch.is_grad_enabled() else self._ranks
            return tower.block(layer, x).float()

    def summarise(self, h: Tensor) -> Tensor:
        """What stands for the image: B x N x K to B x K."""
        return self._whole.summarise(h)

    def pool(self, x: Tensor) -> Tensor:
        """The projected feature, not normalised: B x E, float32."""
        return self._whole.pool(x)


def lower(device: torch.device, dtype: torch.dtype) -> torch.autocast:
    """Autocast to a lower precision; with float32 nothing."""
    low = dtype is not torch.float32
    return torch.autocast(device.type, dtype if low else torch.float16, enabled=low)


class LowLinear(PackedLinear):
    """A linear layer with its weights in two bytes; under autocast nothing is cast again."""

    def __init__(self, weight: Tensor, bias: Tensor | None, *, dtype: torch.dtype) -> None:
        super().__init__(weight.to(dtype), None if bias is None else bias.to(dtype))


class RowInt8Linear(nn.Module):
    """A linear layer in int8: weights with a scale for each output, inputs with one for each row.

    One scale for all rows was turned down: an outlier of one image would coarsen the others.
    """

    def __init__(self, weight: Tensor, bias: Tensor | None) -> None:
        super().__init__()
        scale = weight.abs().amax(1).clamp(min=_LEAST) / _STEPS  # J
        self.weight = nn.Buffer((weight / scale[:, None]).round().to(torch.int8).t().contiguous())
        self.scale = nn.Buffer(scale)
        self.bias = None if bias is None else nn.Buffer(bias.clone())

    def forward(self, x: Tensor) -> Tensor:
        """... x K to ... x J, float32."""
        rows = x.flatten(0, -2)
        scale = rows.abs().amax(1, keepdim=True).clamp(min=_LEAST) / _STEPS  # R x 1
        found: Tensor = torch._int_mm((rows / scale).round().to(torch.int8), self.weight).float()
        found = found.mul_(scale).mul_(self.scale)
        if self.bias is not None:
            found += self.bias
        return torch.as_tensor(found.unflatten(0, x.shape[:-1]))


_LEAST, _STEPS = 1e-12, 127
_Kind: TypeAlias = Callable[[Tensor, Tensor | None], nn.Module]
_KINDS: dict[Precision, _Kind] = {
    Precision.FLOAT32: PackedLinear,
    Precision.BFLOAT16: partial(LowLinear, dtype=torch.bfloat16),
    Precision.FLOAT16: partial(LowLinear, dtype=torch.float16),
    Precision.INT8: RowInt8Linear,
}


class SplitAttention(nn.Module):
    """Stands for an `nn.MultiheadAttention`, with the projections as layers that can be lowered."""

    def __init__(self, attention: nn.MultiheadAttention, kind: _Kind) -> None:
        super().__init__()
        self.heads = attention.num_heads
        assert attention.in_proj_weight is not None
        self.qkv = kind(attention.in_proj_weight, attention.in_proj_bias)
        self.out = kind(attention.out_proj.weight, attention.out_proj.bias)

    def forward(
        self,
        x: Tensor,
        key: Tensor,
        value: Tensor,
        *,
        attn_mask: Tensor | None = None,
        **others: object,
    ) -> tuple[Tensor, None]:
        """Self-attention, B x N x D, called as open_clip's blocks call theirs."""
        del key, value, others  # the same as x, and that no scores are wanted
        q, k, v = self.qkv(x).unflatten(-1, (3, self.heads, -1)).permute(2, 0, 3, 1, 4)
        if torch.is_grad_enabled():
            mixed = attend(q, k, v, attn_mask)  # see there
        else:
            mixed = F.scaled_dot_product_attention(q, k, v, attn_mask)
        return self.out(mixed.transpose(1, 2).flatten(2)), None


def _lowered(visual: OpenClip, precision: Precision) -> OpenClip:
    """A tower of the same parts, its linear layers lowered; weights that stay are shared."""
    shared: dict[int, Any] = {id(p): p for p in (*visual.parameters(), *visual.buffers())}
    low = copy.deepcopy(visual, shared)
    _lower(low, _KINDS[precision])
    return low


def _lower(module: nn.Module, kind: _Kind) -> None:
    for name, child in list(module.named_children()):
        if type(child) is nn.MultiheadAttention:
            if child._qkv_same_embed_dim and child.bias_k is None and not child.add_zero_attn:
                setattr(module, name, SplitAttention(child, kind))
        elif type(child) is nn.Linear:
            setattr(module, name, kind(child.weight, child.bias))
        else:
            _lower(child, kind)
