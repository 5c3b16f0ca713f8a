"""Layer-wise access to the two towers of an open_clip CLIP.

Every tower answers the same four questions: what enters the first block, what a block makes of
it, which token stands for the whole, and what feature the last block's output gives.
"""

from typing import Any, Protocol, TypeAlias

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from nearl_core.errors import BackboneError
from nearl_core.model.attention import attend

OpenClip: TypeAlias = Any
"""A model of open_clip or a part of one; the library ships no types."""


class Tower(Protocol):
    """One tower of a CLIP, block by block.

    Attributes:
        depth: Number of transformer blocks, L.
        width: Width of their tokens, D.
    """

    depth: int
    width: int

    def embed(self, inputs: Tensor) -> Tensor:
        """What enters the first block: B x N x D."""

    def block(self, layer: int, x: Tensor) -> Tensor:
        """One frozen block, layer counted from 0: B x N x D to B x N x D (equation 1)."""

    def summary(self, inputs: Tensor) -> Tensor:
        """Place of the token that stands for the whole (CLS or EOT): B, int64."""

    def pool(self, x: Tensor, inputs: Tensor) -> Tensor:
        """The projected feature, not normalised: B x E."""


class ImageTower:
    """An open_clip `VisionTransformer`; inputs are B x 3 x H x W, normalised."""

    def __init__(self, visual: OpenClip, *, split_attention: bool = False) -> None:
        self._visual = visual
        self._blocks = _blocks_of(visual)
        self._split = split_attention
        self.depth = len(self._blocks)
        self.width = int(visual.transformer.width)

    def embed(self, inputs: Tensor) -> Tensor:
        """Patches, CLS and positions: B x N x D."""
        embedded: Tensor = self._visual._embeds(inputs)
        return embedded

    def block(self, layer: int, x: Tensor) -> Tensor:
        """One frozen block."""
        return _run(self._blocks[layer], x, mask=None, split=self._split)

    def summary(self, inputs: Tensor) -> Tensor:
        """CLS stands first."""
        return torch.zeros(len(inputs), dtype=torch.long, device=inputs.device)

    def pool(self, x: Tensor, inputs: Tensor) -> Tensor:
        """As the visual tower's own end does."""
        del inputs
        pooled: Tensor = self._visual._pool(x)[0]
        return pooled if self._visual.proj is None else torch.as_tensor(pooled @ self._visual.proj)


class TextTower:
    """An open_clip text transformer with a causal mask; inputs are B x T token ids.

    Texts may be cut behind the last EOT: tokens before it never see what stands after.
    """

    def __init__(self, text: OpenClip, *, split_attention: bool = False) -> None:
        self._text = text
        self._blocks = _blocks_of(text)
        self._split = split_attention
        self._pool_type = getattr(text, "text_pool_type", None) or getattr(text, "pool_type", "")
        self._eos: int = getattr(text, "text_eos_id", None) or getattr(text, "eos_id", None) or 0
        causal = text.attn_mask is not None and getattr(text, "cls_emb", None) is None
        if not causal or self._pool_type not in ("argmax", "eos", "last"):
            raise BackboneError(
                "This backbone's text tower has no causal mask.",
                "Choose a CLIP with a causal text tower.",
            )
        self.depth = len(self._blocks)
        self.width = int(text.transformer.width)

    def embed(self, inputs: Tensor) -> Tensor:
        """Tokens and positions: B x T x D."""
        x: Tensor = self._text.token_embedding(inputs)
        return torch.as_tensor(x + self._text.positional_embedding[: inputs.shape[1]])

    def block(self, layer: int, x: Tensor) -> Tensor:
        """One frozen block under the causal mask."""
        length = x.shape[1]
        mask = self._text.attn_mask[:length, :length]
        return _run(self._blocks[layer], x, mask=mask, split=self._split)

    def summary(self, inputs: Tensor) -> Tensor:
        """Place of EOT in each text."""
        if self._pool_type == "eos":
            return torch.eq(inputs, self._eos).int().argmax(dim=-1)
        if self._pool_type == "last":
            return torch.full((len(inputs),), inputs.shape[1] - 1, device=inputs.device)
        return inputs.argmax(dim=-1)

    def pool(self, x: Tensor, inputs: Tensor) -> Tensor:
        """The last norm, EOT, and the projection."""
        x = self._text.ln_final(x)
        pooled = x[torch.arange(len(x), device=x.device), self.summary(inputs)]
        projection = self._text.text_projection
        if projection is None:
            return pooled
        if isinstance(projection, nn.Linear):
            return torch.as_tensor(projection(pooled))
        return torch.as_tensor(pooled @ projection)

    def cut(self, tokens: Tensor) -> Tensor:
        """Tokens up to the longest EOT: B x T' (equal results, less work)."""
        if self._pool_type == "last":
            return tokens
        return tokens[:, : int(self.summary(tokens).max()) + 1]


def image_tower(model: OpenClip, *, split_attention: bool = False) -> ImageTower:
    """The image tower of an open_clip model.

    Raises:
        BackboneError: If it is not a vision transformer.
    """
    return ImageTower(model.visual, split_attention=split_attention)


def text_tower(model: OpenClip, *, split_attention: bool = False) -> TextTower:
    """The text tower of an open_clip model, which holds it itself or as `text`.

    Raises:
        BackboneError: If it is not a causal transformer.
    """
    return TextTower(getattr(model, "text", model), split_attention=split_attention)


def _blocks_of(tower: OpenClip) -> list[Any]:
    transformer = getattr(tower, "transformer", None)
    blocks = getattr(transformer, "resblocks", None)
    if blocks is None or not getattr(transformer, "batch_first", False):
        raise BackboneError(
            "This backbone's towers are not open_clip vision and text transformers.",
            "Choose a ViT backbone such as starter, ViT-B-16 or ViT-B-32.",
        )
    return list(blocks)


def _run(block: OpenClip, x: Tensor, *, mask: Tensor | None, split: bool) -> Tensor:
    if not split or not isinstance(block.attn, nn.MultiheadAttention):
        return torch.as_tensor(block(x, attn_mask=mask))
    x = x + block.ls_1(_split_attention(block.attn, block.ln_1(x), mask))
    return torch.as_tensor(x + block.ls_2(block.mlp(block.ln_2(x))))


def _split_attention(attention: OpenClip, x: Tensor, mask: Tensor | None) -> Tensor:
    """`nn.MultiheadAttention` by its own weights, which under bf16 leaves its fast path."""
    batch, length, width = x.shape
    qkv = F.linear(x, attention.in_proj_weight, attention.in_proj_bias)
    qkv = qkv.view(batch, length, 3, attention.num_heads, -1)  # B x N x 3 x heads x D/heads
    q, k, v = qkv.permute(2, 0, 3, 1, 4)
    mixed = attend(q, k, v, mask)
    return torch.as_tensor(attention.out_proj(mixed.transpose(1, 2).reshape(batch, length, width)))
