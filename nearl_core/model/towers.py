"""Layer-wise access to the two towers of an open_clip model.

Every tower answers the same questions: what enters the first block, what a block makes of it,
what stands for the whole, and what feature the last block's output gives. Walked without any
adapter a tower gives what open_clip gives.

What stands for the whole is the token that the tower's own feature is made of: CLS of an image,
EOT (CLIP), the last token (SigLIP) or CLS (BERT) of a text. An image tower whose feature is made
of all patches (SigLIP's attention pool, a mean) has no such token. There the mean of the patches
stands for the image. The pool's own result was turned down: its weights are made for the last
layer's tokens, and h_v is needed at every layer.

A bidirectional text tower (SigLIP, BERT) differs from a causal one in one thing that matters to
adapters: its other tokens see the summary token, so what an adapter adds there reaches them in
the next layer. Recomputing the summary alone against kept keys and values is exact for a causal
tower and an approximation for a bidirectional one.
"""

from typing import Any, Protocol, TypeAlias

from timm.models.vision_transformer import VisionTransformer
from torch import Tensor

from nearl_core.errors import BackboneError
from nearl_core.model.bert_tower import BertTextTower
from nearl_core.model.clip_towers import ClipImageTower, ClipTextTower
from nearl_core.model.timm_tower import TimmImageTower

OpenClip: TypeAlias = Any
"""A model of open_clip or a part of one; the library ships no types."""


class Tower(Protocol):
    """One tower.

    Attributes:
        depth: Number of transformer blocks, L.
        width: Width of their tokens, D.
    """

    depth: int
    width: int

    def embed(self, inputs: Tensor) -> Tensor:
        """What enters the first block: B x N x D."""


class ImageTower(Tower, Protocol):
    """A tower of images; inputs are B x 3 x H x W, normalised.

    Attributes:
        texture: Widths of what its stem shows beside the tokens; none where there is no stem.
    """

    texture: tuple[int, ...]

    def embed_seen(self, inputs: Tensor) -> tuple[Tensor, Tensor]:
        """`embed`, and the stem's texture: B x N x D and B x the sum of `texture`."""

    def patches(self, x: Tensor) -> Tensor:
        """The tokens that stand for places: B x N x D to B x N' x D."""

    def block(self, layer: int, x: Tensor) -> Tensor:
        """One frozen block, layer counted from 0: B x N x D to B x N x D (equation 1)."""

    def summarise(self, h: Tensor) -> Tensor:
        """What stands for the image, from one vector a token: B x N x K to B x K."""

    def pool(self, x: Tensor) -> Tensor:
        """The projected feature, not normalised: B x E."""


class TextTower(Tower, Protocol):
    """A tower of texts; inputs are B x T token ids.

    Attributes:
        bidirectional: Whether tokens see those behind them.
    """

    bidirectional: bool

    def block(self, layer: int, x: Tensor, tokens: Tensor) -> Tensor:
        """One frozen block, layer counted from 0: B x T x D to B x T x D (equation 1).

        The tokens are those that were embedded; they tell what is padding.
        """

    def summary(self, inputs: Tensor) -> Tensor:
        """Place of the token that stands for the text: B, int64."""

    def pool(self, x: Tensor, inputs: Tensor) -> Tensor:
        """The projected feature, not normalised: B x E."""

    def cut(self, tokens: Tensor) -> Tensor:
        """The tokens without what no feature needs: B x T' (equal results, less work)."""


def image_tower(model: OpenClip, *, split_attention: bool = False) -> ImageTower:
    """The image tower of an open_clip model: its own vision transformer or one of timm.

    Raises:
        BackboneError: If it is not a vision transformer.
    """
    trunk = getattr(model.visual, "trunk", None)
    if trunk is None:
        return ClipImageTower(model.visual, split_attention=split_attention)
    if not isinstance(trunk, VisionTransformer):
        raise BackboneError(
            "This backbone's image tower is not a vision transformer.",
            "Choose a ViT backbone such as starter, BiomedCLIP or ViT-B-16.",
        )
    return TimmImageTower(trunk, model.visual.head, split_attention=split_attention)


def text_tower(model: OpenClip, *, split_attention: bool = False) -> TextTower:
    """The text tower of an open_clip model, which holds it itself or as `text`.

    Raises:
        BackboneError: If it is not a transformer with a feature of one token.
    """
    text = getattr(model, "text", model)
    if hasattr(text, "pooler"):  # open_clip's wrapper of a model of transformers
        return BertTextTower(text, split_attention=split_attention)
    return ClipTextTower(text, split_attention=split_attention)
