"""CLIP-LoRA (Zanella and Ben Ayed, arXiv 2405.18541): low-rank updates in both towers.

Rank 2 on q, k and v of every layer, scaled by 1 / sqrt(2), dropout 0.25 before the updates; AdamW
with decay 0.01 and a cosine. The paper takes 500 steps a shot, 8,000 at 16 shots, of 32 scans at
2e-4; here it takes 48 steps of 16 at a rate of 0.02, the best of three on held-out scans of the
tasks' train folders.
"""

import math

import torch
from torch import Tensor

from nearl_core.bench.few_shot import FewShot
from nearl_core.bench.peers.lora import Lora, targets_of
from nearl_core.bench.peers.towers import answered, embedded_views, towers_of, train
from nearl_core.learn.examples import FloatArray
from nearl_core.model.nearl import NearlClip
from nearl_core.model.prompts import prompts_of
from nearl_core.model.towers import image_tower, text_tower

RANK, ALPHA, DROPOUT = 2, 1.0, 0.25
STEPS, BATCH = 48, 16
RATE, DECAY = 2e-2, 0.01


def clip_lora(few: FewShot) -> FloatArray:
    """Train the updates and answer: T x C."""
    towers = towers_of(few)
    lora = lora_of(few)
    tokens = prompts(few)
    clip = NearlClip(towers.image, towers.text, None)
    optimiser = torch.optim.AdamW(lora.parameters(), RATE, weight_decay=DECAY)

    def loss(x: Tensor, y: Tensor) -> Tensor:
        with lora.over():
            texts = clip.labels(tokens)
            return towers.loss(clip.images_from(x, texts), texts.features, y)

    views = embedded_views(few, towers.image)
    train(few, views, loss, optimiser, _cosine, steps=STEPS, batch=BATCH)
    return answer(few, lora.eval(), tokens)


def lora_of(few: FewShot) -> Lora:
    """Fresh updates of a cell's backbone."""
    targets = targets_of(few.backbone.model)
    return Lora(targets, rank=RANK, alpha=ALPHA, dropout=DROPOUT, seed=few.seed)


def prompts(few: FewShot) -> list[Tensor]:
    """For each label its tokens, P_c x T."""
    labels = few.label_set.labels
    return [few.backbone.tokenize(list(prompts_of(label))).to(few.device) for label in labels]


def answer(few: FewShot, lora: Lora, tokens: list[Tensor]) -> FloatArray:
    """Probabilities of the asked scans under the updates: T x C."""
    model = few.backbone.model
    clip = NearlClip(image_tower(model), text_tower(model), None)
    with torch.no_grad(), lora.over():
        texts = clip.labels(tokens)
        return answered(few, lambda images: clip.images(images, texts), texts.features)


def _cosine(step: int) -> float:
    """To zero at the last step; the paper's floor of 1e-6 is 1/200 of its rate."""
    return 0.5 * (1 + math.cos(math.pi * min(step / max(STEPS, 1), 1)))
