"""The text tower where images are ranked in EOT-only interaction: one token a text, in few steps.

Weights are fixed there, so that the norms' weights are folded into the products behind them and
the scores' scale into the questions, and keys are kept as they are multiplied. Walking a text tower
for a few tokens reads all its weights for each image: where images are ranked in two bytes a number
the products here are too. Then a batch must always be of one size, as the image tower's is.
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
        turned: P x heads x D/heads x T, the keys.
        unseen: P x 1 x 1 x T, added to scores: -inf where the summary does not look.
    """

    turned: Tensor
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
        unseen = torch.zeros_like(kept.others, dtype=x.dtype).masked_fill_(~kept.others, -torch.inf)
        turned = kept.keys.transpose(-1, -2).contiguous()
        values = kept.values.contiguous()
        return QuickMemory(kept.keys, values, kept.others, turned, unseen[:, None, None])

    def summary_block(self, layer: int, summary: Tensor, memory: Memory) -> Tensor:
        """One block of EOT alone: B x P x D to B x P x D; others stay as they were remembered."""
        assert isinstance(memory, QuickMemory)
        block, (batch, texts, width) = self._quick[layer], summary.shape
        qkv = block.qkv(_normed(summary, block.eps)).float()
        heads = qkv.view(batch, texts, 3, memory.keys.shape[1], -1)
        q, k, v = heads.permute(2, 1, 3, 0, 4).unbind(0)  # each P x heads x B x D/heads
        others = torch.matmul(q, memory.turned) + memory.unseen  # P x heads x B x T
        own = torch.linalg.vecdot(q, k).unsqueeze(-1)
        weights = torch.cat([others, own], -1).softmax(-1)
        mixed = torch.matmul(weights[..., :-1], memory.values)
        mixed = torch.addcmul(mixed, weights[..., -1:], v)
        x = summary + block.out(mixed.permute(2, 0, 1, 3).reshape(batch, texts, width))
        return x + block.narrow(block.bend(block.wide(_normed(x, block.eps))))

    def _folded(self, block: Any) -> _Block:  # noqa: ANN401  # open_clip ships no types
        attention, mlp = block.attn, block.mlp
        weight, bias = behind_norm(block.ln_1, attention.in_proj_weight, attention.in_proj_bias)
        asks = torch.ones_like(bias)
        asks[: self.width] = (self.width // attention.num_heads) ** -0.5
        wide = behind_norm(block.ln_2, mlp.c_fc.weight, mlp.c_fc.bias)
        return _Block(
            qkv=self._fixed(weight * asks[:, None], bias * asks),
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
