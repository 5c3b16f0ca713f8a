"""open_clip's own transformers, block by block."""

from dataclasses import dataclass
from typing import Any, TypeAlias

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from nearl_core.errors import BackboneError
from nearl_core.model.attention import attend

Part: TypeAlias = Any
"""A part of a model of open_clip; the library ships no types."""
_POOLED = ("argmax", "eos", "first", "last")


@dataclass(frozen=True, eq=False)
class Memory:
    """What a block's summary tokens attend to besides themselves.

    Attributes:
        keys, values: P x heads x T x D/heads.
        others: P x T, bool: tokens that the summary sees, itself left out.
    """

    keys: Tensor
    values: Tensor
    others: Tensor


class ClipImageTower:
    """An open_clip `VisionTransformer`; inputs are B x 3 x H x W, normalised."""

    def __init__(self, visual: Part, *, split_attention: bool = False) -> None:
        self._visual = visual
        self._blocks = _blocks_of(visual)
        self._split = split_attention
        self.depth = len(self._blocks)
        self.width = int(visual.transformer.width)
        self._by_class_token = visual.pool_type == "tok" or visual.attn_pool is not None
        self.texture: tuple[int, ...] = ()

    def embed(self, inputs: Tensor) -> Tensor:
        """Patches, CLS and positions: B x N x D."""
        embedded: Tensor = self._visual._embeds(inputs)
        return embedded

    def embed_seen(self, inputs: Tensor) -> tuple[Tensor, Tensor]:
        """`embed`, and nothing: there is no stem."""
        return self.embed(inputs), inputs.new_empty(len(inputs), 0)

    def patches(self, x: Tensor) -> Tensor:
        """All tokens but CLS."""
        return x[:, 1:]

    def block(self, layer: int, x: Tensor) -> Tensor:
        """One frozen block."""
        return _run(self._blocks[layer], x, mask=None, split=self._split)

    def summarise(self, h: Tensor) -> Tensor:
        """CLS, which stands first; the mean of the patches where CLS makes no feature."""
        return h[:, 0] if self._by_class_token else h[:, 1:].mean(1)

    def pool(self, x: Tensor) -> Tensor:
        """As the visual tower's own end does."""
        pooled: Tensor = self._visual._pool(x)[0]
        return pooled if self._visual.proj is None else torch.as_tensor(pooled @ self._visual.proj)


class ClipTextTower:
    """An open_clip text transformer; inputs are B x T token ids.

    With a causal mask, as in CLIP, texts may be cut behind the last EOT: tokens before it never
    see what stands after. Without one, as in SigLIP, every token sees every other, the padding
    too, so that texts keep their length.
    """

    def __init__(self, text: Part, *, split_attention: bool = False) -> None:
        self._text = text
        self._blocks = _blocks_of(text)
        self._split = split_attention
        self._pool_type = getattr(text, "text_pool_type", None) or getattr(text, "pool_type", "")
        self._eos: int = getattr(text, "text_eos_id", None) or getattr(text, "eos_id", None) or 0
        if getattr(text, "cls_emb", None) is not None or self._pool_type not in _POOLED:
            raise BackboneError(
                "This backbone's text tower takes its feature from no token of the text.",
                "Choose a CLIP or a SigLIP; a CoCa can't be used.",
            )
        self.bidirectional = text.attn_mask is None
        self.depth = len(self._blocks)
        self.width = int(text.transformer.width)

    def embed(self, inputs: Tensor) -> Tensor:
        """Tokens and positions: B x T x D."""
        x: Tensor = self._text.token_embedding(inputs)
        return torch.as_tensor(x + self._text.positional_embedding[: inputs.shape[1]])

    def block(self, layer: int, x: Tensor, tokens: Tensor) -> Tensor:
        """One frozen block under the causal mask, if there is one."""
        del tokens
        length, mask = x.shape[1], self._text.attn_mask
        mask = None if mask is None else mask[:length, :length]
        return _run(self._blocks[layer], x, mask=mask, split=self._split)

    def remember(self, layer: int, x: Tensor, tokens: Tensor) -> Memory:
        """Keys and values of the tokens besides EOT at a block that x enters: P x T x D."""
        block = self._blocks[layer]
        _, keys, values = _projected(block.attn, block.ln_1(x))
        places = torch.arange(x.shape[1], device=x.device)
        ends = self.summary(tokens)[:, None]
        return Memory(keys, values, places != ends if self.bidirectional else places < ends)

    def summary_block(self, layer: int, summary: Tensor, memory: Memory) -> Tensor:
        """One block of EOT alone: B x P x D to B x P x D; others stay as they were remembered."""
        block = self._blocks[layer]
        q, k, v = _projected(block.attn, block.ln_1(summary))  # each B x heads x P x d
        q = q * q.shape[-1] ** -0.5
        others = torch.einsum("bhpd,phtd->bhpt", q, memory.keys)
        others = others.masked_fill(~memory.others, -torch.inf)
        weights = torch.cat([others, (q * k).sum(-1, keepdim=True)], -1).softmax(-1)
        mixed = torch.einsum("bhpt,phtd->bhpd", weights[..., :-1], memory.values)
        mixed = (mixed + weights[..., -1:] * v).transpose(1, 2).flatten(2)  # B x P x D
        x = summary + block.ls_1(block.attn.out_proj(mixed))
        return torch.as_tensor(x + block.ls_2(block.mlp(block.ln_2(x))))

    def summary(self, inputs: Tensor) -> Tensor:
        """Place of EOT in each text."""
        if self._pool_type == "eos":
            return torch.eq(inputs, self._eos).int().argmax(dim=-1)
        if self._pool_type in ("first", "last"):
            place = 0 if self._pool_type == "first" else inputs.shape[1] - 1
            return torch.full((len(inputs),), place, device=inputs.device)
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
        if self.bidirectional or self._pool_type in ("first", "last"):
            return tokens
        return tokens[:, : int(self.summary(tokens).max()) + 1]


def _blocks_of(tower: Part) -> list[Any]:
    transformer = getattr(tower, "transformer", None)
    blocks = getattr(transformer, "resblocks", None)
    if blocks is None or not getattr(transformer, "batch_first", False):
        raise BackboneError(
            "This backbone's towers are not vision and text transformers.",
            "Choose a ViT backbone such as starter, ViT-B-16 or ViT-B-32.",
        )
    return list(blocks)


def _run(block: Part, x: Tensor, *, mask: Tensor | None, split: bool) -> Tensor:
    if not split or not isinstance(block.attn, nn.MultiheadAttention):
        return torch.as_tensor(block(x, attn_mask=mask))
    x = x + block.ls_1(_split_attention(block.attn, block.ln_1(x), mask))
    return torch.as_tensor(x + block.ls_2(block.mlp(block.ln_2(x))))


def _split_attention(attention: Part, x: Tensor, mask: Tensor | None) -> Tensor:
    """`nn.MultiheadAttention` by its own weights, which under bf16 leaves its fast path."""
    mixed = attend(*_projected(attention, x), mask)
    return torch.as_tensor(attention.out_proj(mixed.transpose(1, 2).flatten(2)))


def _projected(attention: Part, x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Questions, keys and values of B x N x D, each B x heads x N x D/heads."""
    qkv = F.linear(x, attention.in_proj_weight, attention.in_proj_bias)
    q, k, v = qkv.unflatten(-1, (3, attention.num_heads, -1)).permute(2, 0, 3, 1, 4)
    return q, k, v
