"""NEARL by itself (Peng et al., arXiv 2508.04101): adapters trained to tell scans apart by texts.

As the paper's summaries have it: cosines of adapted images with adapted texts, cross-entropy,
adapters in every layer of both towers, nothing beside them. What is ours of the product (the
instant learner that ranks with them and holds them, the gate) is left out, so that the table says
what the adapters do alone, and the ablation what their parts are worth where they move features
far. The paper's steps and rates are not public: 48 steps of 16, as CLIP-LoRA takes here, at 0.001,
the best of five rates from 0.0005 to 0.006 on held-out scans of the tasks' train folders (from
0.0035 on dermoscopy or breast ultrasound fall to one label).
"""

import math

import torch
from torch import Tensor

from nearl_core.bench.few_shot import FewShot
from nearl_core.bench.peers.clip_lora import prompts
from nearl_core.bench.peers.towers import answered, embedded_views, towers_of, train
from nearl_core.learn.examples import FloatArray
from nearl_core.model.nearl import FULL, Design, Nearl, NearlClip, NearlConfig

STEPS, BATCH = 48, 16
RATE, DECAY = 1e-3, 0.01


def nearl(few: FewShot, *, design: Design = FULL) -> FloatArray:
    """Train the adapters and answer: T x C."""
    towers = towers_of(few)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(few.seed)
        adapters = Nearl(NearlConfig.of(towers.image, towers.text, design=design)).to(few.device)
    clip = NearlClip(towers.image, towers.text, adapters)
    tokens, by_label = prompts(few), balance(few)
    optimiser = torch.optim.AdamW(adapters.parameters(), RATE, weight_decay=DECAY)

    def loss(x: Tensor, y: Tensor) -> Tensor:
        texts = clip.labels(tokens)
        return towers.loss(clip.images_from(x, texts), texts.features, y * by_label)

    views = embedded_views(few, towers.image)
    train(few, views, loss, optimiser, _cosine, steps=STEPS, batch=BATCH)
    with torch.no_grad():
        texts = clip.labels(tokens)
    return answered(few, lambda images: clip.images(images, texts), texts.features)


def balance(few: FewShot) -> Tensor:
    """C, what a scan of each label counts, so that all labels with decisions count alike."""
    counts = torch.from_numpy(few.counts).float().to(few.device)
    return counts.sum() / (counts > 0).sum() / counts.clamp(min=1)


def _cosine(step: int) -> float:
    return 0.5 * (1 + math.cos(math.pi * min(step / max(STEPS, 1), 1)))
