"""NEARL: USEformer and orthogonal cross-attention adapters around a frozen CLIP.

After Peng et al., "NEARL-CLIP: Interacted Query Adaptation with Orthogonal Regularization for
Medical Vision-Language Understanding" (arXiv 2508.04101). Equation numbers are those of
`docs/method.md`, which says what is the paper's and what is our choice.

The backbone is never touched: the adapters work on what its blocks return. Taking them away is
not calling them.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from nearl_core.model.adapters import Adapters
from nearl_core.model.attention import attend
from nearl_core.model.interaction import Interaction, Texts, frozen_texts
from nearl_core.model.nearl_config import FULL as FULL
from nearl_core.model.nearl_config import Design as Design
from nearl_core.model.nearl_config import NearlConfig as NearlConfig
from nearl_core.model.own_texts import OwnTexts, beside
from nearl_core.model.towers import ImageTower, TextTower

EPSILON = 1e-6
Observe = Callable[[Tensor, Tensor], None]
"""Called with f and the orthogonal update of each adapted token, T x D both, float32."""


class UseBlock(nn.Module):
    """One USEformer block: a pre-norm transformer block without biases, 12 r^2 weights."""

    def __init__(self, rank: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.norm_1, self.norm_2 = nn.LayerNorm(rank), nn.LayerNorm(rank)
        self.qkv = nn.Linear(rank, 3 * rank, bias=False)
        self.out = nn.Linear(rank, rank, bias=False)
        self.wide = nn.Linear(rank, 4 * rank, bias=False)
        self.narrow = nn.Linear(4 * rank, rank, bias=False)

    def forward(self, z: Tensor, others: Tensor) -> Tensor:
        """Equation 3: the queries attend to themselves and to the towers' features.

        Args:
            z: B x M x r.
            others: B x K x r, the image's and the labels' features.

        Returns:
            B x M x r.
        """
        tokens = self.norm_1(torch.cat([z, others], dim=1))
        _, k, v = self.qkv(tokens).chunk(3, dim=-1)
        q = F.linear(tokens[:, : z.shape[1]], self.qkv.weight[: z.shape[-1]])
        z = z + self.out(_attend(q, k, v, self.heads))
        return torch.as_tensor(z + self.narrow(F.gelu(self.wide(self.norm_2(z)))))


class Oca(nn.Module):
    """Orthogonal cross-attention adapter of one layer, 4 r^2 weights, no biases."""

    def __init__(self, rank: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.query, self.key, self.value, self.out = (
            nn.Linear(rank, rank, bias=False) for _ in range(4)
        )

    def forward(self, h: Tensor, z: Tensor) -> Tensor:
        """Equation 4 up to U: tokens h (B x N x r) ask the queries z (B x M x r)."""
        asked = _attend(self.query(h), self.key(z), self.value(z), self.heads)
        return torch.as_tensor(self.out(asked))


class Side(nn.Module):
    """What one tower owns: P, U, an adapter and a scale for each adapted layer."""

    def __init__(self, width: int, depth: int, config: NearlConfig) -> None:
        super().__init__()
        rank = config.rank
        self.down = nn.Parameter(torch.randn(width, rank) * width**-0.5)
        self.up = nn.Parameter(torch.zeros(rank, width))
        self.scale = nn.Parameter(torch.ones(depth))
        self.adapters = nn.ModuleList(
            Oca(rank, config.heads) for _ in range(config.first(depth), depth)
        )


class Nearl(nn.Module):
    """The adapters' weights and what they compute at each layer.

    With `up` zero, as it is made, every update is zero and features are CLIP's to the bit.
    """

    def __init__(self, config: NearlConfig) -> None:
        super().__init__()
        self.config = config
        self.image = Side(config.image_width, config.image_depth, config)
        self.text = Side(config.text_width, config.text_depth, config)
        self.use = nn.ModuleList(UseBlock(config.rank, config.heads) for _ in range(config.blocks))
        self.queries = nn.Parameter(torch.randn(config.queries, config.rank) * 0.5)
        # Set-level: stands where the text side would need an image's feature at each layer.
        self.visual_context = nn.Parameter(torch.randn(config.text_depth, config.rank) * 0.5)

    def side(self, modality: str) -> Side:
        """The part of the "image" or "text" tower."""
        return self.image if modality == "image" else self.text

    def project(self, modality: str, f: Tensor) -> Tensor:
        """Equation 2: h = LN(f) P, the norm without weights: ... x D to ... x r."""
        f = f.float()
        return F.layer_norm(f, f.shape[-1:]) @ self.side(modality).down

    def synergy(self, modality: str, layer: int, z: Tensor, h_v: Tensor, h_t: Tensor) -> Tensor:
        """Equation 3.

        Args:
            modality: The tower whose layer this is.
            layer: Counted from 0.
            z: B x M x r.
            h_v: B x r, the image's summary.
            h_t: C x r, the labels' summaries, or B x C x r where each image has its own.
        """
        if not self.config.synergy:
            return z
        labels = h_t.expand(len(z), -1, -1)
        block = self.use_block(modality, layer)
        return torch.as_tensor(block(z, torch.cat([h_v.unsqueeze(1), labels], dim=1)))

    def share(self, image_layer: int, text_layer: int) -> bool:
        """Whether one USEformer block serves both layers."""
        return self.use_block("image", image_layer) is self.use_block("text", text_layer)

    def use_block(self, modality: str, layer: int) -> UseBlock:
        """The USEformer block that serves a layer."""
        block = self.use[layer * len(self.use) // len(self.side(modality).scale)]
        assert isinstance(block, UseBlock)
        return block

    def moved(self, modality: str, layer: int, f: Tensor, h: Tensor, z: Tensor) -> Tensor:
        """The layer's tokens with their update: B x N x D."""
        return f + self.update(modality, layer, f, h, z, None)

    def update(
        self, modality: str, layer: int, f: Tensor, h: Tensor, z: Tensor, observe: Observe | None
    ) -> Tensor:
        """Equations 4 to 6: what is added to the layer's tokens, B x N x D, in the dtype of f."""
        side = self.side(modality)
        first = self.config.first(len(side.scale))
        u = side.adapters[layer - first](h, z) @ side.up
        orthogonal, parallel = split(u, f)
        if observe is not None:
            observe(f.float().flatten(0, -2), orthogonal.flatten(0, -2))
        kept = parallel * (self.config.beta if self.config.orthogonal else side.scale[layer])
        added = side.scale[layer] * orthogonal + kept
        # Times zero, not left out: what trains asks every tower for gradients.
        return (added if self.config.adapts(modality) else 0 * added).to(f.dtype)

    def start(self, batch: int) -> Tensor:
        """z^0: B x M x r."""
        return self.queries.unsqueeze(0).expand(batch, -1, -1)


def split(u: Tensor, f: Tensor) -> tuple[Tensor, Tensor]:
    """Equation 5: the parts of u orthogonal and parallel to f, token by token, in float32."""
    u, f = u.float(), f.float()
    along = (u * f).sum(-1, keepdim=True) / (f.square().sum(-1, keepdim=True) + EPSILON)
    parallel = along * f
    return u - parallel, parallel


@dataclass(frozen=True)
class LabelContext:
    """What the text side says of a label set under one version: computed once and kept.

    Attributes:
        features: C x E, float32, normalised; the mean over a label's prompts.
        layers: For each text layer, the labels' projected summaries, C x r; empty without adapters.
            Where each image has its own text side, of the texts that it starts from, up to and with
            the first adapted layer.
        texts: What an image's own text side starts from; None in set-level interaction.
    """

    features: Tensor
    layers: tuple[Tensor, ...] = ()
    texts: Texts | None = None


@dataclass(frozen=True, eq=False)
class _TextPrefix:
    tokens: Tensor
    lower: bool
    texts: Texts


class NearlClip:
    """A frozen CLIP with or without adapters.

    Set-level interaction: the text side is computed once for a label set; the image side reads its
    features at each layer. In the other modes each image has a text side of its own, which reads it
    layer by layer; the features of the labels, by which heads are anchored, stay the set-level
    ones. An image never depends on the others of its batch.
    """

    def __init__(
        self,
        image: ImageTower,
        text: TextTower,
        nearl: Nearl | None,
        *,
        ranks: Adapters | None = None,
    ) -> None:
        """Take two towers and adapters, and what stands for these where images are ranked."""
        self._image, self._text, self.nearl = image, text, nearl
        self._ranks = ranks
        self._kept: _TextPrefix | None = None

    def labels(self, prompts: Sequence[Tensor], *, observe: Observe | None = None) -> LabelContext:
        """The text side of a label set.

        Args:
            prompts: For each label its tokens, P_c x T, int64.
            observe: See Observe.
        """
        counts = [len(tokens) for tokens in prompts]
        tokens = self._text.cut(torch.cat(list(prompts)))
        features, layers = self._encode_text(tokens, counts, observe)
        features = F.normalize(features.float(), dim=-1)
        features = F.normalize(_by_label(features, counts), dim=-1)
        texts = self._texts_apart(prompts)
        if texts is not None:
            assert self.nearl is not None
            layers = [self.nearl.project("text", f) for f in texts.known]
        return LabelContext(features, tuple(layers), texts)

    def _texts_apart(self, prompts: Sequence[Tensor]) -> Texts | None:
        nearl = self.nearl
        if nearl is None or nearl.config.interaction is Interaction.SET_LEVEL:
            return None
        first = nearl.config.first(self._text.depth)
        tokens = self._text.cut(torch.cat([one[:1] for one in prompts]))
        return frozen_texts(self._text, tokens, first=first, how=nearl.config.interaction)

    def texts(self, tokens: Tensor) -> Tensor:
        """Features of single texts that are not cut: P x T, int64, to P x E, normalised.

        Each is a label of its own. Without an update it is the stock tower's feature to the bit,
        where `labels` cuts texts (7e-7) and takes means of prompts.
        """
        return F.normalize(self._encode_text(tokens, [1] * len(tokens), None)[0].float(), dim=-1)

    def _encode_text(
        self, tokens: Tensor, counts: Sequence[int], observe: Observe | None
    ) -> tuple[Tensor, list[Tensor]]:
        nearl, layers = self.nearl, list[Tensor]()
        rows, eot = torch.arange(len(tokens), device=tokens.device), self._text.summary(tokens)
        if nearl is None:
            x = self._text.embed(tokens)
            for layer in range(self._text.depth):
                x = self._text.block(layer, x, tokens)
            return self._text.pool(x, tokens), layers
        first, z = nearl.config.first(self._text.depth), nearl.start(1)
        x, known = self._text_prefix(tokens, first)
        layers += [_by_label(nearl.project("text", f), counts) for f in known[:first]]
        for layer in range(first, self._text.depth):
            if layer >= len(known):
                x = self._text.block(layer, x, tokens)
            f = x[rows, eot]  # P x D
            h = nearl.project("text", f)  # P x r
            layers.append(_by_label(h, counts))
            z = nearl.synergy("text", layer, z, nearl.visual_context[layer][None], layers[-1])
            update = nearl.update("text", layer, f[None], h[None], z, observe)[0]
            x = x.index_put((rows, eot), f + update)
        return self._text.pool(x, tokens), layers

    def _text_prefix(self, tokens: Tensor, first: int) -> tuple[Tensor, tuple[Tensor, ...]]:
        """What the block of text layer `first` returns, and the summaries up to it.

        Kept for the latest texts: training asks for them at each step.
        """
        lower = torch.is_autocast_enabled(tokens.device.type)
        kept = self._kept
        if kept is None or kept.lower is not lower or not torch.equal(kept.tokens, tokens):
            # Not inference mode: what it makes could not be trained on.
            with torch.inference_mode(mode=False), torch.no_grad():
                made = frozen_texts(self._text, tokens, first=first, how=Interaction.FULL)
            kept = self._kept = _TextPrefix(tokens, lower, made)
        return kept.texts.reached, kept.texts.known

    def images(
        self, images: Tensor, labels: LabelContext, *, observe: Observe | None = None
    ) -> Tensor:
        """Features of images: B x 3 x H x W, normalised pixels, to B x E, float32, normalised."""
        first = 0 if self.nearl is None else self.nearl.config.first_layer
        return self.images_from(self.prefix(images, first), labels, observe=observe)

    def prefix(self, images: Tensor, layers: int) -> Tensor:
        """What enters block number `layers` where no adapter stands before it: B x N x D."""
        x = self._image.embed(images)
        for layer in range(layers):
            x = self._image.block(layer, x)
        return x

    def images_from(
        self, x: Tensor, labels: LabelContext, *, observe: Observe | None = None
    ) -> Tensor:
        """Features from a prefix made with `first_layer` layers: B x N x D to B x E."""
        nearl = self.nearl
        first = 0 if nearl is None else nearl.config.first_layer
        if nearl is None:
            for layer in range(first, self._image.depth):
                x = self._image.block(layer, x)
        else:
            x = self._adapted(x, labels, observe)
        return F.normalize(self._image.pool(x).float(), dim=-1)

    def _adapted(self, x: Tensor, labels: LabelContext, observe: Observe | None) -> Tensor:
        """The image tower from the first adapted layer on: B x N x D to B x N x D."""
        nearl = self.nearl if observe or self._ranks is None else self._ranks
        assert nearl is not None
        first, z = nearl.config.first_layer, nearl.start(len(x))
        texts = None
        if labels.texts is not None:
            run = labels.texts.run(self._text, len(x))
            texts = OwnTexts(nearl, run, labels.layers, z)
            if first:
                # Of the last layer without an adapter, which the first text layer may stand beside.
                texts.see(first - 1, self._image.summarise(nearl.project("image", x)))
        for layer in range(first, self._image.depth):
            x = self._image.block(layer, x)
            h = nearl.project("image", x)  # B x N x r
            h_v, paired = self._image.summarise(h), self._paired(layer)
            h_t = texts.after(paired, h_v, layer) if texts else labels.layers[paired]
            if texts:
                z = texts.synergy(layer, z, h_v, h_t)
            else:
                z = nearl.synergy("image", layer, z, h_v, h_t)
            if observe:
                assert self.nearl is not None
                x = x + self.nearl.update("image", layer, x, h, z, observe)
            else:
                x = nearl.moved("image", layer, x, h, z)
        return x

    def _paired(self, layer: int) -> int:
        """The text layer that stands at the same height as an image layer."""
        return beside(layer, self._image.depth, self._text.depth)


def _by_label(rows: Tensor, counts: Sequence[int]) -> Tensor:
    """Means of consecutive runs of rows: P x K to C x K."""
    return torch.stack([part.mean(0) for part in torch.split(rows, list(counts))])


def _attend(q: Tensor, k: Tensor, v: Tensor, heads: int) -> Tensor:
    """Multi-head attention without projections: B x N x r, B x M x r to B x N x r."""
    batch, _, width = q.shape
    q, k, v = (t.reshape(batch, -1, heads, width // heads).transpose(1, 2) for t in (q, k, v))
    return attend(q, k, v).transpose(1, 2).reshape(batch, -1, width)
