"""How fast the engine is: python -m nearl_core bench speed.

Ranking is held against open_clip's own `encode_image` on the same backbone and device in float32.
What is compared takes turns, and each turn gives a ratio; a figure is the median over turns with
its quartiles. Times on a CPU are processor time: what the work takes where nothing else runs, as
long as it runs in one thread (OMP_NUM_THREADS=1). Pictures are made up: how long a tower takes does
not depend on what it sees.
"""

from collections.abc import Iterator
from functools import partial
from typing import Final

import torch
from torch import Tensor

from nearl_core.bench.learning_speed import instant_learner
from nearl_core.bench.timing import Figure, Plan, figure, in_turns, ratios
from nearl_core.bench.training_speed import fine_tuning
from nearl_core.control import RunControl
from nearl_core.model import backbones, device
from nearl_core.model.encoder import Adapted, Encoder
from nearl_core.model.interaction import Interaction
from nearl_core.model.nearl import Nearl, NearlConfig
from nearl_core.model.serving import made_up
from nearl_core.model.towers import image_tower, text_tower
from nearl_core.types import Label, LabelSet

GPU_BATCH: Final = 100


def ranking(plan: Plan, control: RunControl) -> Iterator[Figure]:
    """Rankings by live adapters against stock open_clip, and what interaction adds.

    Raises:
        BackboneError: If the backbone can't be used.
    """
    control.step(0, 0, "loading the backbone")
    load = backbones.random if plan.random else backbones.load
    bench = _Ranking(Encoder(load(plan.backbone), device.choose(plan.device)), plan.turns)
    one, how = 1.0, bench.encoder.serving
    yield Figure(f"ranks in {how.precision}", one, one, one, f": {how.reason}")
    on_gpu = bench.encoder.device.type == "cuda"
    for batch in (1, 16, *((GPU_BATCH,) if on_gpu else ())):
        control.step(batch, 0, "ranking")
        yield from bench.against_stock(batch)
    for labels, batch in ((2, 1), (10, 1), (10, 16), (50, 1)):
        control.step(labels, 0, "interaction")
        yield from bench.interaction(labels, batch)


def measure(plan: Plan, control: RunControl) -> Iterator[Figure]:
    """All figures, one after another.

    Raises:
        BackboneError: If the backbone can't be used.
    """
    yield from ranking(plan, control)
    control.step(0, 0, "fine-tuning")
    yield from fine_tuning(plan, control, steps=4 if plan.random else None)
    if not plan.random:
        control.step(0, 0, "learning from decisions")
        yield from instant_learner(plan.turns, control, backbone=plan.backbone)


class _Ranking:
    """Rankings by adapters with random updates in every layer."""

    def __init__(self, encoder: Encoder, turns: int) -> None:
        self.encoder, self._turns = encoder, turns
        self._side = encoder.backbone.preprocessing.size

    def against_stock(self, batch: int) -> Iterator[Figure]:
        """Ratios to stock `encode_image` in float32, for a batch."""
        images = made_up(batch, side=self._side)
        adapted = self._adapted(2, Interaction.SET_LEVEL)
        there = images.to(self.encoder.device)
        stock, frozen, live = in_turns(
            self._turns,
            lambda: self._stock(there),
            lambda: self.encoder.features(list(images), None),
            lambda: self.encoder.features(list(images), adapted),
        )
        goal = "at least 1.5" if self.encoder.device.type == "cpu" else "at least 0.95"
        yield figure(f"stock open_clip, batch {batch}", [s / batch for s in stock], "ms an image")
        yield figure(f"frozen, batch {batch}", ratios(stock, frozen), "x stock")
        yield figure(f"live NEARL, batch {batch}", ratios(stock, live), "x stock", goal)
        if self.encoder.device.type == "cuda":
            rates = [1000 * batch / s for s in live]
            yield figure(f"live NEARL, batch {batch}", rates, "images/s", "at least 500")

    def interaction(self, labels: int, batch: int) -> Iterator[Figure]:
        """What one token a text, and whole texts of two labels, add to set-level's time."""
        images = list(made_up(batch, side=self._side))
        modes = [Interaction.SET_LEVEL, Interaction.EOT_ONLY]
        if labels == 2:
            modes.append(Interaction.FULL)
        adapted = [self._adapted(labels, how) for how in modes]
        runs = [partial(self.encoder.features, images, one) for one in adapted]
        kept, *others = in_turns(self._turns, *runs)
        for how, times in zip(modes[1:], others, strict=True):
            added = [100 * (ratio - 1) for ratio in ratios(times, kept)]
            goal = "at most 5" if how is Interaction.EOT_ONLY and labels == 10 else ""
            name = f"{how} over set-level, {labels} labels, batch {batch}"
            yield figure(name, added, "% more time", goal)

    def _stock(self, images: Tensor) -> None:
        with torch.inference_mode():
            self.encoder.model.encode_image(images, normalize=True).cpu()

    def _adapted(self, labels: int, how: Interaction) -> Adapted:
        model = self.encoder.model
        image, text = image_tower(model), text_tower(model)
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(0)
            nearl = Nearl(NearlConfig.of(image, text, interaction=how))
            for side in (nearl.image, nearl.text):
                torch.nn.init.normal_(side.up, std=0.01)
        names = tuple(Label(str(n), f"finding number {n}") for n in range(labels))
        return self.encoder.adapted(nearl, LabelSet(names))
