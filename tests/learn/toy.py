"""A toy to fine-tune: a tiny random backbone, and a signal hidden in noise."""

import numpy as np
import torch

from nearl_core.control import RunControl
from nearl_core.learn import tuning
from nearl_core.learn.by_label import leave_each_out
from nearl_core.learn.examples import Examples
from nearl_core.learn.loop import Start, TuneData, TuneSettings
from nearl_core.learn.tuning import TuneInputs
from nearl_core.model.encoder import Encoder
from nearl_core.model.nearl import NearlClip
from tests.engine.making import LABELS, MODEL

COUNT = 24
SHORT = TuneSettings(steps=3, batch=12)


def fresh(encoder: Encoder, seed: int = 0) -> NearlClip:
    """Adapters that learned nothing, behind the second of two layers."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return encoder.trainable(first_layer=2)


def noisy(encoder: Encoder) -> TuneData:
    """Two labels, told apart by a direction that is weak beside the noise."""
    generator = torch.Generator().manual_seed(0)
    tokens = (MODEL["vision_cfg"]["image_size"] // MODEL["vision_cfg"]["patch_size"]) ** 2 + 1
    prefixes = torch.randn(COUNT, 2, tokens, 32, generator=generator)
    targets = torch.eye(2)[torch.arange(COUNT) % 2]
    prefixes += (targets[:, 0] * 2 - 1).view(-1, 1, 1, 1) * torch.randn(32, generator=generator) / 3
    return TuneData(prefixes, targets, torch.ones(COUNT), encoder.prompts(LABELS), False)


def start_of(encoder: Encoder, data: TuneData) -> Start:
    """What the instant learner knows of these data."""
    frozen, _ = tuning.encode(fresh(encoder), data, RunControl())
    targets = data.targets.double().numpy()
    known = Examples(frozen, targets, np.ones(len(targets)))
    return Start(leave_each_out(known, None, multi_label=data.multi_label), frozen, data)


def inputs_of(encoder: Encoder, data: TuneData) -> TuneInputs:
    """These data as decisions of as many patients, all made blind."""
    frozen, texts = tuning.encode(fresh(encoder), data, RunControl())
    return TuneInputs(
        data=data,
        frozen=frozen,
        blocks=(),
        patients=[str(n) for n in range(len(frozen))],
        blind=np.ones(len(frozen), bool),
        unseen=np.ones(len(frozen), bool),
        texts=texts,
        zero_shot=None,
        live=None,
    )
