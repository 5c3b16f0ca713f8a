"""MaPLe (Khattak et al., arXiv 2210.03117): learned words in both towers, coupled.

Two words before each label's name, and anew in front of each of the first 9 layers; a linear map
a layer makes the image tower's extra tokens of them. The first words start from "a photo", the
others from N(0, 0.02^2).

A shallower tower takes as many layers as it has. The image tower's tokens join behind its first
norm. The paper takes 5 passes over a hundred labels in batches of 4, by SGD at 0.0035; here it
takes 48 steps of 16 by AdamW at 0.02 with decay 5e-4, a cosine after one pass at 1e-5: SGD stayed
at chance on held-out scans of a task's train folder.
"""

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from nearl_core.bench.few_shot import FewShot
from nearl_core.bench.peers.prompted import spoken, tokens_of, word_embedding
from nearl_core.bench.peers.schedules import cosine_after_one
from nearl_core.bench.peers.towers import (
    Towers,
    answered,
    embedded_views,
    steps_of_pass,
    towers_of,
    train,
)
from nearl_core.learn.examples import FloatArray

WORDS, DEPTH, SPREAD, START = 2, 9, 0.02, "a photo of a"
RATE, FIRST, DECAY = 2e-2, 1e-5, 5e-4
STEPS, BATCH = 48, 16


class Coupled(nn.Module):
    """Words for each prompted layer, and the maps that make image tokens of them."""

    def __init__(
        self, first: Tensor, *, text_width: int, image_width: int, depth: int, seed: int
    ) -> None:
        super().__init__()
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            deeper = [SPREAD * torch.randn(WORDS, text_width) for _ in range(depth - 1)]
            self.maps = nn.ModuleList(nn.Linear(text_width, image_width) for _ in range(depth))
        self.words = nn.ParameterList([first.clone(), *deeper])

    def image_tokens(self, layer: int) -> Tensor:
        """The tokens of a layer: n x D_v."""
        return torch.as_tensor(self.maps[layer](self.words[layer]))


class Maple:
    """The towers of a cell with the learned words in them."""

    def __init__(self, few: FewShot, towers: Towers) -> None:
        self._towers = towers
        self._table = word_embedding(few.backbone.model)
        self._tokens, self._place = tokens_of(few, WORDS)
        start = few.backbone.tokenize([START])[0, self._place : self._place + WORDS]
        self.learned = Coupled(
            self._table.weight[start.to(few.device)].detach().float(),
            text_width=self._table.embedding_dim,
            image_width=towers.image.width,
            depth=min(DEPTH, towers.image.depth, towers.text.depth),
            seed=few.seed,
        ).to(few.device)

    def texts(self) -> Tensor:
        """C x E, normalised, float32."""
        tower, words = self._towers.text, self.learned.words
        tokens = tower.cut(self._tokens)
        with spoken(self._table, words[0], self._place):
            x = tower.embed(tokens)
        for layer in range(tower.depth):
            if 0 < layer < len(words):
                laid = words[layer].to(x.dtype).expand(len(x), -1, -1)
                x = torch.cat([x[:, : self._place], laid, x[:, self._place + WORDS :]], 1)
            x = tower.block(layer, x, tokens)
        return F.normalize(tower.pool(x, tokens).float(), dim=-1)

    def images(self, x: Tensor) -> Tensor:
        """From what enters the first block, B x N x D, to B x E, normalised, float32."""
        tower, own = self._towers.image, x.shape[1]
        for layer in range(tower.depth):
            if layer < len(self.learned.words):
                laid = self.learned.image_tokens(layer).to(x.dtype).expand(len(x), -1, -1)
                x = torch.cat([x[:, :own], laid], 1)
            x = tower.block(layer, x)
        return F.normalize(tower.pool(x[:, :own]).float(), dim=-1)


def maple(few: FewShot) -> FloatArray:
    """Train words and maps and answer: T x C."""
    towers = towers_of(few)
    prompted = Maple(few, towers)
    optimiser = torch.optim.AdamW(prompted.learned.parameters(), RATE, weight_decay=DECAY)
    each = steps_of_pass(few, BATCH)
    factor = cosine_after_one(max(STEPS // each, 1), first=FIRST / RATE, each=each)

    def loss(x: Tensor, y: Tensor) -> Tensor:
        return towers.loss(prompted.images(x), prompted.texts(), y)

    views = embedded_views(few, towers.image)
    train(few, views, loss, optimiser, factor, steps=STEPS, batch=BATCH)
    with torch.no_grad():
        texts = prompted.texts()
    return answered(few, lambda images: prompted.images(towers.image.embed(images)), texts)
