"""The text tower where images are ranked in EOT-only interaction: one token a text, in few steps.

Weights are fixed there, so that the norms' weights are folded into the products behind them, and
keys stand beside values as they are read. Walking a text tower for a few tokens reads all its
weights for each image: where images are ranked in two bytes a number the products here are too.
Then a batch must always be of one size, as the image tower's is.
"""

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from nearl_core.model.clip_towers import ClipTextTower, Memory
from nearl_core.model.packed import Linear, behind_norm, fixed
from nearl_core.model.towers import OpenClip, TextTower, text_tower


@dataclass(frozen=True, eq=False)
class _Block:
    qkv: Linear
    out: Linear
    wide: Linear
    narrow: Linear
    bend: nn.Module
    eps: float


@dataclass(frozen=True, eq=False)
class QuickMemory(Memory):
    """As it is multiplied.

    Attributes:
        both: 1 x P x 2 x heads x T x D/heads, keys before values.
        unseen: 1 x P x 1 x 1 x (T + 1), added to scores: -inf where the summary does not look. The
            summary itself stands last.
    """

    both: Tensor
    unseen: Tensor


class QuickTextTower(ClipTextTower):
    """A text tower of open_clip whose summaries alone are computed without gradients."""

    def __init__(self, text: OpenClip, *, dtype: torch.dtype) -> None:
        super().__init__(text)
        self._dtype = dtype
        self._quick = dict[int, _Block]()

    def remember(self, layer: int, x: Tensor, tokens: Tensor) -> Memory:
        """Keys and values of the tokens besides EOT at a block that x enters."""
        kept = super().remember(layer, x, tokens)
        if layer not in self._quick:
            self._quick[layer] = self._folded(self._blocks[layer])
        both = torch.stack([kept.keys, kept.values], dim=1)
        itself = kept.others.new_ones(len(kept.others), 1)
        seen = torch.cat([kept.others, itself], dim=1)
        unseen = torch.zeros_like(seen, dtype=x.dtype).masked_fill_(~seen, -torch.inf)
        keys, values = both.unbind(1)
        return QuickMemory(keys, values, kept.others, both[None], unseen[None, :, None, None])

    def summary_block(self, layer: int, summary: Tensor, memory: Memory) -> Tensor:
        """One block of EOT alone: B x P x D to B x P x D; others stay as they were remembered."""
        assert isinstance(memory, QuickMemory)
        block, (batch, texts, width) = self._quick[layer], summary.shape
        qkv = block.qkv(_normed(summary, block.eps)).float()
        own = qkv.view(batch, texts, 3, memory.both.shape[3], 1, -1)
        others = memory.both.expand(batch, -1, -1, -1, -1, -1)
        k, v = torch.cat([others, own[:, :, 1:]], dim=-2).flatten(0, 1).unbind(1)
        unseen = memory.unseen.expand(batch, -1, -1, -1, -1).flatten(0, 1)
        # Copying what is kept costs less than the seven small steps of attention without a copy.
        mixed = F.scaled_dot_product_attention(own[:, :, 0].flatten(0, 1), k, v, unseen)
        mixed = mixed.reshape(batch, texts, width)
        x = summary + block.out(mixed)
        return x + block.narrow(block.bend(block.wide(_normed(x, block.eps))))

    def _folded(self, block: Any) -> _Block:  # noqa: ANN401  # open_clip ships no types
        attention, mlp = block.attn, block.mlp
        weight, bias = behind_norm(block.ln_1, attention.in_proj_weight, attention.in_proj_bias)
        wide = behind_norm(block.ln_2, mlp.c_fc.weight, mlp.c_fc.bias)
        return _Block(
            qkv=self._fixed(weight, bias),
            out=self._fixed(*_scaled(attention.out_proj, block.ls_1)),
            wide=self._fixed(*wide),
            narrow=self._fixed(*_scaled(mlp.c_proj, block.ls_2)),
            bend=mlp.gelu,
            eps=block.ln_1.eps,
        )

    def _fixed(self, weight: Tensor, bias: Tensor) -> Linear:
        return fixed(weight.to(self._dtype), bias.to(self._dtype))


def quick_text_tower(model: OpenClip, *, dtype: torch.dtype) -> TextTower:
    """The text tower of a model that ranks, its products in a precision; a BERT's is plain."""
    plain = text_tower(model)
    if not isinstance(plain, ClipTextTower) or not all(map(_is_usual, plain._blocks)):
        return plain
    return QuickTextTower(getattr(model, "text", model), dtype=dtype)


def _is_usual(block: Any) -> bool:  # noqa: ANN401  # open_clip ships no types
    """Whether a block is made of what is folded here."""
    norms = (block.ln_1, block.ln_2)
    parts = {"c_fc", "gelu", "c_proj"}
    return (
        type(block.attn) is nn.MultiheadAttention
        and block.attn.in_proj_weight is not None
        and all(isinstance(norm, nn.LayerNorm) and norm.bias is not None for norm in norms)
        and block.ln_1.eps == block.ln_2.eps
        and parts == {name for name, _ in block.mlp.named_children()}
    )


def _scaled(layer: nn.Linear, scale: nn.Module) -> tuple[Tensor, Tensor]:
    """Weights and bias of a product with the layer scale behind it, if there is one."""
    gamma = getattr(scale, "gamma", None)
    if gamma is None:
        return layer.weight, layer.bias
    return layer.weight * gamma[:, None], layer.bias * gamma


def _normed(x: Tensor, eps: float) -> Tensor:
    return F.layer_norm(x, x.shape[-1:], eps=eps)
