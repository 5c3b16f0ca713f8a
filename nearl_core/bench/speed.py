"""How fast the engine is: python -m nearl_core bench speed.

Ranking is held against open_clip's own `encode_image` on the same backbone and device: on a CPU in
float32, on a card in the precision that ranks there, by autocast, as it is used. What is compared
takes turns, and each turn gives a ratio; a figure is the median over turns with its quartiles.
Times on a CPU are processor time: what the work takes where nothing else runs, as long as it runs
in one thread (OMP_NUM_THREADS=1); times on a card are by the clock, from idle to idle. Pictures are
made up: how long a tower takes does not depend on what it sees. They lie on the card already; what
fetching them costs is a figure of its own. Adapters stand in every layer, and on a CPU also as they
are trained there, in the upper layers alone.
"""

import copy
from collections.abc import Callable, Iterator
from functools import partial

import torch
from torch import Tensor

from nearl_core.bench.learning_speed import instant_learner
from nearl_core.bench.timing import Figure, Plan, figure, in_turns, ratios
from nearl_core.bench.training_speed import fine_tuning
from nearl_core.control import RunControl
from nearl_core.model.device import choose
from nearl_core.model.encoder import Adapted, Encoder
from nearl_core.model.interaction import Interaction
from nearl_core.model.lowered import lower
from nearl_core.model.nearl import Nearl, NearlConfig
from nearl_core.model.serving import GPU_BATCH, made_up
from nearl_core.model.towers import OpenClip, image_tower, text_tower
from nearl_core.types import Label, LabelSet

UPPER = " in the upper layers"


def ranking(plan: Plan, control: RunControl) -> Iterator[Figure]:
    """Rankings by live adapters against stock open_clip, and what interaction adds.

    Raises:
        NearlError: If the device is not there.
        BackboneError: If the backbone can't be used.
    """
    control.step(0, 0, "loading the backbone")
    bench = _Ranking(plan.encoder(), plan.turns)
    one, how = 1.0, bench.encoder.serving
    yield Figure(f"ranks in {how.precision}", one, one, one, f": {how.reason}")
    for batch in (1, 16):
        control.step(batch, 0, "ranking")
        yield from bench.against_stock(batch)
    if bench.encoder.device.type == "cuda":
        control.step(GPU_BATCH, 0, "ranking")
        yield from bench.throughput(GPU_BATCH)
    for labels, batch in ((2, 1), (10, 1), (10, 16), (50, 1)):
        control.step(labels, 0, "interaction")
        yield from bench.interaction(labels, batch)
        if bench.encoder.first_trained:
            yield from bench.interaction(labels, batch, upper=True)


def measure(plan: Plan, control: RunControl) -> Iterator[Figure]:
    """All figures, one after another.

    Raises:
        BackboneError: If the backbone can't be used.
    """
    yield from ranking(plan, control)
    control.step(0, 0, "fine-tuning")
    slow = plan.random and choose(plan.device).type == "cpu"
    yield from fine_tuning(plan, control, steps=4 if slow else None)
    if not plan.random:
        control.step(0, 0, "learning from decisions")
        yield from instant_learner(plan.turns, control, backbone=plan.backbone)


class _Ranking:
    """Rankings by adapters with random updates."""

    def __init__(self, encoder: Encoder, turns: int) -> None:
        self.encoder, self._turns = encoder, turns
        self._side = encoder.backbone.preprocessing.size

    def against_stock(self, batch: int) -> Iterator[Figure]:
        """Ratios to stock `encode_image`, for a batch that is where both compute."""
        images = made_up(batch, side=self._side).to(self.encoder.device)
        heights = (False, True) if self.encoder.first_trained else (False,)
        adapted = (self._adapted(2, Interaction.SET_LEVEL, upper=upper) for upper in heights)
        versions = [None, *adapted]
        ranked = (partial(self.encoder.features, list(images), one) for one in versions)
        stock, frozen, *live = self._in_turns(lambda: self._stock(images), *ranked)
        goal = "at least 1.5 for a ViT-B/16" if self.encoder.device.type == "cpu" else ""
        goal = "at least 0.95" if batch == GPU_BATCH else goal
        precision = str(self._stock_precision).removeprefix("torch.")
        name = f"stock open_clip in {precision}, batch {batch}"
        yield figure(name, [s / batch for s in stock], "ms an image")
        yield figure(f"frozen, batch {batch}", ratios(stock, frozen), "x stock")
        for upper, times in zip(heights, live, strict=True):
            name = f"live NEARL{UPPER if upper else ''}, batch {batch}"
            yield figure(name, ratios(stock, times), "x stock", goal)

    def throughput(self, batch: int) -> Iterator[Figure]:
        """On a card: the ratio to stock, and images a second with and without fetching them."""
        yield from self.against_stock(batch)
        images = made_up(batch, side=self._side)
        there, adapted = images.to(self.encoder.device), self._adapted(2, Interaction.SET_LEVEL)
        low = self._stock_precision
        whole = copy.deepcopy(self.encoder.model.visual).to(low)
        works: dict[str, Callable[[], object]] = {
            "stock open_clip": lambda: self._stock(there),
            "stock open_clip, all of it in the lower precision": lambda: _whole(whole, there, low),
            "live NEARL": lambda: self.encoder.features(list(there), adapted),
            "live NEARL, pictures from main memory": lambda: self.encoder.features(
                list(images), adapted
            ),
        }
        for name, times in zip(works, self._in_turns(*works.values()), strict=True):
            goal = "at least 500 for a ViT-B/16" if name == "live NEARL" else ""
            rates = [1000 * batch / ms for ms in times]
            yield figure(f"{name}, batch {batch}", rates, "images/s", goal)

    def interaction(self, labels: int, batch: int, *, upper: bool = False) -> Iterator[Figure]:
        """What one token a text, and whole texts of two labels, add to set-level's time."""
        images = list(made_up(batch, side=self._side))
        modes = [Interaction.SET_LEVEL, Interaction.EOT_ONLY]
        if labels == 2:
            modes.append(Interaction.FULL)
        adapted = [self._adapted(labels, how, upper=upper) for how in modes]
        runs = [partial(self.encoder.features, images, one) for one in adapted]
        kept, *others = self._in_turns(*runs)
        for how, times in zip(modes[1:], others, strict=True):
            added = [100 * (ratio - 1) for ratio in ratios(times, kept)]
            goal = "at most 5" if how is Interaction.EOT_ONLY and labels == 10 else ""
            name = f"{how} over set-level{UPPER if upper else ''}, {labels} labels, batch {batch}"
            yield figure(name, added, "% more time", goal)

    @property
    def _stock_precision(self) -> torch.dtype:
        """On a card that which ranks there; on a CPU autocast is slower than float32."""
        on_cpu = self.encoder.device.type == "cpu"
        return torch.float32 if on_cpu else self.encoder.serving.precision.dtype

    def _in_turns(self, *works: Callable[[], object]) -> list[list[float]]:
        return in_turns(self._turns, *works, device=self.encoder.device)

    def _stock(self, images: Tensor) -> None:
        with torch.inference_mode(), lower(images.device, self._stock_precision):
            self.encoder.model.encode_image(images, normalize=True).cpu()

    def _adapted(self, labels: int, how: Interaction, *, upper: bool = False) -> Adapted:
        model, first = self.encoder.model, self.encoder.first_trained if upper else 0
        image, text = image_tower(model), text_tower(model)
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(0)
            nearl = Nearl(NearlConfig.of(image, text, first_layer=first, interaction=how))
            for side in (nearl.image, nearl.text):
                torch.nn.init.normal_(side.up, std=0.01)
        names = tuple(Label(str(n), f"finding number {n}") for n in range(labels))
        return self.encoder.adapted(nearl, LabelSet(names))


def _whole(visual: OpenClip, images: Tensor, dtype: torch.dtype) -> None:
    """A stock image tower whose weights, norms and sums are in a lower precision too."""
    with torch.inference_mode():
        visual(images.to(dtype)).cpu()
