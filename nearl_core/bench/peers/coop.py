"""CoOp (Zhou et al., arXiv 2109.01134): 16 learned words before each label's name.

The words are the same for all labels, drawn from N(0, 0.02^2), the name stands at the end. A
cosine after one pass at 1e-5, batches of 32, 50 / 100 / 200 passes at 1 / 2-4 / 8 and more shots,
but no more than 400 steps. AdamW at 0.01 with decay 5e-4 in place of the paper's SGD at 0.002,
which learned less on held-out scans of a task's train folder.
"""

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from nearl_core.bench.few_shot import FewShot
from nearl_core.bench.peers.heads import asked_of, probabilities
from nearl_core.bench.peers.prompted import spoken, tokens_of, word_embedding
from nearl_core.bench.peers.schedules import cosine_after_one
from nearl_core.bench.peers.towers import (
    Towers,
    embedded_views,
    passes_by_shots,
    steps_of_pass,
    towers_of,
    train,
)
from nearl_core.learn.examples import FloatArray

WORDS, SPREAD = 16, 0.02
RATE, FIRST, DECAY, BATCH = 1e-2, 1e-5, 5e-4, 32
MOST_STEPS = 400


class Context:
    """The learned words and the label texts behind them.

    Attributes:
        words: All that learns: 16 x D.
    """

    def __init__(self, few: FewShot) -> None:
        self._table = word_embedding(few.backbone.model)
        self._tokens, self._first = tokens_of(few, WORDS)
        generator = torch.Generator().manual_seed(few.seed)
        words = SPREAD * torch.randn(WORDS, self._table.embedding_dim, generator=generator)
        self.words = nn.Parameter(words.to(few.device))

    def texts(self, towers: Towers) -> Tensor:
        """C x E, normalised, float32."""
        tokens = towers.text.cut(self._tokens)
        with spoken(self._table, self.words, self._first):
            x = towers.text.embed(tokens)
        for layer in range(towers.text.depth):
            x = towers.text.block(layer, x, tokens)
        return F.normalize(towers.text.pool(x, tokens).float(), dim=-1)


def coop(few: FewShot) -> FloatArray:
    """Train the words and answer: T x C."""
    towers = towers_of(few)
    context = Context(few)
    optimiser = torch.optim.AdamW([context.words], RATE, weight_decay=DECAY)
    passes, each = passes_by_shots(few), steps_of_pass(few, BATCH)
    steps = min(passes * each, MOST_STEPS)
    factor = cosine_after_one(max(steps // each, 1), first=FIRST / RATE, each=each)

    def loss(features: Tensor, y: Tensor) -> Tensor:
        return towers.loss(features, context.texts(towers), y)

    train(few, features_of_views(few, towers), loss, optimiser, factor, steps=steps, batch=BATCH)
    with torch.no_grad():
        texts = context.texts(towers).cpu().double()
    return probabilities(towers.scale * asked_of(few) @ texts.T)


def features_of_views(few: FewShot, towers: Towers) -> Tensor:
    """Frozen features of each decided scan's views: N x V x E, normalised, float32."""
    found = []
    with torch.no_grad():
        for views in embedded_views(few, towers.image):
            x = views.float()
            for layer in range(towers.image.depth):
                x = towers.image.block(layer, x)
            found.append(F.normalize(towers.image.pool(x), dim=-1))
            few.control.check()
    return torch.stack(found)
