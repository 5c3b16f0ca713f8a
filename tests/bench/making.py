"""A few-shot cell that can be learned: three kinds of stripes before a tiny random backbone."""

from functools import cache

import numpy as np
import torch
from torch import Tensor

from nearl_core.bench.few_shot import FewShot, Pictures
from nearl_core.control import RunControl
from nearl_core.learn.examples import Examples
from nearl_core.model import backbones
from nearl_core.model.backbones import Backbone
from nearl_core.model.encoder import Encoder
from nearl_core.model.preprocessing import Preprocessing
from nearl_core.types import Label, LabelSet
from tests.model.making import SIZE, model_cfg

EMBED = 32
NAMES = ("flat lines", "upright lines", "a chequered plate")
LABELS = LabelSet(tuple(Label(name[0], name) for name in NAMES))


@cache
def backbone() -> Backbone:
    """Random weights; its tokenizer is CLIP's."""
    prepare = Preprocessing(SIZE, (0.5,) * 3, (0.25,) * 3)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        model = backbones.build(model_cfg() | {"embed_dim": EMBED}).eval().requires_grad_(False)
    return Backbone("tiny", "random", model, prepare, backbones.clip_tokenizer(77), None)


def picture(kind: int, *, seed: int) -> Tensor:
    """3 x S x S: stripes of a kind under noise."""
    across = torch.arange(SIZE).float().mul(1.6).sin().expand(SIZE, SIZE)
    drawn = (across.T, across, across * across.T)[kind]
    generator = torch.Generator().manual_seed(1000 * kind + seed)
    return drawn.expand(3, -1, -1) + 0.3 * torch.randn(3, SIZE, SIZE, generator=generator)


def cell(
    counts: tuple[int, int, int] = (8, 8, 8),
    *,
    asked: int = 10,
    seed: int = 0,
    device: torch.device = torch.device("cpu"),  # noqa: B008
) -> tuple[FewShot, np.ndarray]:
    """A cell with so many decisions a label, and the asked scans' places: T."""
    decided = [(kind, n) for kind, count in enumerate(counts) for n in range(count)]
    rest = [(kind, 500 + n) for kind in range(3) for n in range(asked)]
    images, asked_images = (
        [picture(kind, seed=n) for kind, n in scans] for scans in (decided, rest)
    )
    encoder = Encoder(backbone(), device)
    width, targets = encoder.embedding, np.eye(3)[[kind for kind, _ in decided]]
    deep, asked_deep = (
        encoder.features(part, None).astype(np.float64) for part in (images, asked_images)
    )
    few = FewShot(
        backbone=backbone(),
        label_set=LABELS,
        texts=torch.from_numpy(encoder.texts(LABELS)).float(),
        features=deep[:, :width],
        targets=targets,
        images=Pictures(images.__getitem__, range(len(images))),
        asked=asked_deep[:, :width],
        deep=Examples(deep, targets, targets.sum(1), encoder.blocks),
        asked_deep=asked_deep,
        asked_images=Pictures(asked_images.__getitem__, range(len(rest))),
        device=device,
        seed=seed,
        control=RunControl(),
    )
    return few, np.array([kind for kind, _ in rest])
