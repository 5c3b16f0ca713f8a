"""The text tower while it hears an image: what is computed anew for each image, what is kept.

Set-level interaction (`NearlClip`) computes the texts once for a label set. In the other two modes
the text side reads each image at each layer, so that it differs from image to image; an image never
meets another one in either.

- EOT-only: adapters move the summary token of a text alone. Tokens before EOT never see it (causal
  mask), so their keys and values are kept for a label set, and for each image one token a text is
  computed. In a bidirectional tower (SigLIP, BERT) the others do see the summary; there this is an
  approximation, since what they would make of it is left out.
- full: every token of every text for every image; what EOT-only is measured against.

One text stands for each label here, its first prompt: the others would multiply the cost and enter
as a mean only.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol, runtime_checkable

import torch
from torch import Tensor

from nearl_core.errors import BackboneError
from nearl_core.model.clip_towers import Memory
from nearl_core.model.towers import TextTower


class Interaction(StrEnum):
    """What the text side hears of an image."""

    SET_LEVEL = "set-level"
    EOT_ONLY = "eot-only"
    FULL = "full"


@runtime_checkable
class RemembersTexts(Protocol):
    """A text tower that can compute its summary token alone."""

    def remember(self, layer: int, x: Tensor, tokens: Tensor) -> Memory:
        """Keys and values of the other tokens at a block that x enters: P x T x D."""

    def summary_block(self, layer: int, summary: Tensor, memory: Memory) -> Tensor:
        """One block of the summary tokens alone: B x P x D to B x P x D."""


@dataclass(frozen=True, eq=False)
class Texts:
    """The frozen part of a label set's texts, one a label; no weight of an adapter is in it.

    An adapter moves what its layer's block returns, so that the block itself is frozen in the first
    adapted layer too.

    Attributes:
        tokens: C x T.
        places: C, of the summary token.
        known: For each layer up to and with the first adapted one the summaries after its block,
            C x D.
        reached: C x T x D, what the last of these blocks returns.
        memories: For each layer behind them; None where all is computed anew.
    """

    tokens: Tensor
    places: Tensor
    known: tuple[Tensor, ...]
    reached: Tensor
    memories: tuple[Memory, ...] | None

    def run(self, tower: TextTower, batch: int) -> "SummariesAlone | WholeTexts":
        """The texts for so many images, after the last block that is known."""
        if self.memories is None:
            return WholeTexts(tower, self, batch)
        return SummariesAlone(tower, self, batch)


def frozen_texts(tower: TextTower, tokens: Tensor, *, first: int, how: Interaction) -> Texts:
    """What of the texts (C x T) is the same for every image, adapted from layer `first` on.

    Raises:
        BackboneError: If the tower can't compute its summary alone.
    """
    remembers = how is Interaction.EOT_ONLY
    if remembers and not isinstance(tower, RemembersTexts):
        raise BackboneError(
            "This backbone's text tower can't compute its summary alone.",
            "Train with the set-level interaction.",
        )
    places, rows = tower.summary(tokens), torch.arange(len(tokens), device=tokens.device)
    frozen = min(first + 1, tower.depth)
    known, memories = list[Tensor](), list[Memory]()
    with torch.no_grad():
        x = reached = tower.embed(tokens)
        for layer in range(tower.depth if remembers else frozen):
            if layer >= frozen:
                assert isinstance(tower, RemembersTexts)
                memories.append(tower.remember(layer, x, tokens))
            x = tower.block(layer, x, tokens)
            if layer < frozen:
                known.append(x[rows, places])
                reached = x
    kept = tuple(memories) if remembers else None
    return Texts(tokens, places, tuple(known), reached, kept)


class SummariesAlone:
    """EOT-only: one token a text and image.

    Attributes:
        summaries: B x C x D, after the latest block.
    """

    def __init__(self, tower: TextTower, texts: Texts, batch: int) -> None:
        assert isinstance(tower, RemembersTexts)
        assert texts.memories is not None
        self._tower, self._memories, self._known = tower, texts.memories, len(texts.known)
        self.summaries = texts.known[-1].expand(batch, -1, -1)

    def step(self, layer: int) -> Tensor:
        """The summaries after a block: B x C x D."""
        memory = self._memories[layer - self._known]
        self.summaries = self._tower.summary_block(layer, self.summaries, memory)
        return self.summaries

    def take(self, summaries: Tensor) -> None:
        """Go on with what an adapter made of the summaries: B x C x D."""
        self.summaries = summaries


class WholeTexts:
    """Full recomputation: every token of every text and image.

    Attributes:
        summaries: B x C x D, after the latest block.
    """

    def __init__(self, tower: TextTower, texts: Texts, batch: int) -> None:
        self._tower, self._labels = tower, len(texts.tokens)
        self._tokens = texts.tokens.repeat(batch, 1)
        self._x = texts.reached.repeat(batch, 1, 1)  # B C x T x D
        self._rows = torch.arange(len(self._tokens), device=self._tokens.device)
        self._places = texts.places.repeat(batch)
        self.summaries = texts.known[-1].expand(batch, -1, -1)

    def step(self, layer: int) -> Tensor:
        """The summaries after a block: B x C x D."""
        self._x = self._tower.block(layer, self._x, self._tokens)
        self.summaries = self._x[self._rows, self._places].unflatten(0, (-1, self._labels))
        return self.summaries

    def take(self, summaries: Tensor) -> None:
        """Go on with what an adapter made of the summaries: B x C x D."""
        moved = summaries.flatten(0, 1)
        self._x = self._x.index_put((self._rows, self._places), moved)
