"""Encoders of transformers that are built as BERT is, as open_clip's text towers, block by block.

Nothing of transformers is imported here: the parts are there once open_clip has built them.
"""

from typing import Any, TypeAlias

import torch
from torch import Tensor

from nearl_core.errors import BackboneError
from nearl_core.model.attention import attend

Part: TypeAlias = Any
"""A part of open_clip's `HFTextEncoder`; it ships no types."""
_POOLERS = ("ClsPooler", "ClsLastHiddenStatePooler", "MeanPooler")


class BertTextTower:
    """An `HFTextEncoder` of open_clip around a BERT; inputs are B x T token ids.

    Every token sees every other but the padding, so texts may be cut behind the longest. CLS
    stands for a text, also where the feature is a mean of all its tokens.
    """

    bidirectional = True

    def __init__(self, text: Part, *, split_attention: bool = False) -> None:
        self._text, self._bert, self._split = text, text.transformer, split_attention
        encoder = getattr(self._bert, "encoder", None)
        layers = getattr(encoder, "layer", None)
        self._pooler = type(text.pooler).__name__
        if layers is None or not hasattr(self._bert, "embeddings") or self._pooler not in _POOLERS:
            raise BackboneError(
                "This backbone's text tower is not built as BERT is.",
                "Choose a backbone with the text tower of CLIP, SigLIP or BERT.",
            )
        self._layers = list(layers)
        self.depth = len(self._layers)
        self.width = int(text.config.hidden_size)

    def embed(self, inputs: Tensor) -> Tensor:
        """Words, places and kinds: B x T x D."""
        return torch.as_tensor(self._bert.embeddings(input_ids=inputs))

    def block(self, layer: int, x: Tensor, tokens: Tensor) -> Tensor:
        """One frozen block; the padding is hidden."""
        block, seen = self._layers[layer], self._seen(tokens)
        if self._split and type(block).__name__ == "BertLayer":
            hidden = torch.zeros_like(seen, dtype=x.dtype).masked_fill_(~seen, -torch.inf)
            attended = _split_attention(block.attention.self, x, hidden[:, None, None])
            x = block.attention.output(attended, x)
            return torch.as_tensor(block.output(block.intermediate(x), x))
        mask = seen[:, None, None].expand(-1, 1, x.shape[1], -1)
        found = block(x, attention_mask=mask)
        return torch.as_tensor(found[0] if isinstance(found, tuple) else found)

    def summary(self, inputs: Tensor) -> Tensor:
        """CLS stands first."""
        return torch.zeros(len(inputs), dtype=torch.long, device=inputs.device)

    def pool(self, x: Tensor, inputs: Tensor) -> Tensor:
        """CLS or the mean of all tokens but the padding, and the projection."""
        if self._pooler == "MeanPooler":
            seen = self._seen(inputs)[..., None]
            pooled = (x * seen).sum(1) / seen.sum(1)
        elif self._pooler == "ClsPooler" and self._bert.pooler is not None:
            pooled = self._bert.pooler(x)
        else:
            pooled = x[:, 0]
        return torch.as_tensor(self._text.proj(pooled))

    def cut(self, tokens: Tensor) -> Tensor:
        """Tokens up to the end of the longest text: B x T' (equal results, less work)."""
        places = torch.arange(1, tokens.shape[1] + 1, device=tokens.device)
        return tokens[:, : int((self._seen(tokens) * places).max())]

    def _seen(self, tokens: Tensor) -> Tensor:
        seen: Tensor = tokens != self._text.config.pad_token_id
        return seen


def _split_attention(attention: Part, x: Tensor, mask: Tensor) -> Tensor:
    """BERT's attention by its own weights, as `attend` computes it: B x T x D."""
    batch, length, _ = x.shape
    heads = attention.num_attention_heads
    q, k, v = (
        part(x).view(batch, length, heads, -1).transpose(1, 2)
        for part in (attention.query, attention.key, attention.value)
    )
    return attend(q, k, v, mask).transpose(1, 2).reshape(batch, length, -1)
