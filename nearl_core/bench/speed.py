"""How fast the engine is: python -m nearl_core bench speed.

Ranking is held against open_clip's own `encode_image` on the same backbone and device in float32.
What is compared takes turns, and each turn gives a ratio; a figure is the median over turns with
its quartiles. Times on a CPU are processor time: what the work takes where nothing else runs, as
long as it runs in one thread (OMP_NUM_THREADS=1). Pictures are made up: how long a tower takes does
not depend on what it sees.
"""

import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import partial
from itertools import cycle
from pathlib import Path
from typing import Final, TypeVar

import numpy as np
import torch
from torch import Tensor

from nearl_core.control import RunControl
from nearl_core.engine import Engine
from nearl_core.learn.by_label import leave_each_out
from nearl_core.learn.instant import Examples
from nearl_core.learn.loop import Start, TuneData, TuneSettings, tune
from nearl_core.model import backbones, device
from nearl_core.model.encoder import Adapted, Encoder
from nearl_core.model.features import scan_key
from nearl_core.model.interaction import Interaction
from nearl_core.model.nearl import Nearl, NearlConfig
from nearl_core.model.serving import made_up
from nearl_core.model.towers import image_tower, text_tower
from nearl_core.scans.guard import ScanReader
from nearl_core.types import Decision, Label, LabelSet, Scan, State, Verdict
from nearl_core.versions import VIEWS

GPU_BATCH: Final = 100
DECISIONS: Final = 1000
SCANS: Final = 10_000
TUNED: Final = 64
_MORE: Final = 64
_LABELS: Final = 10
_T = TypeVar("_T")
LABEL_COUNTS: Final = (2, 10, 50)


@dataclass(frozen=True)
class Figure:
    """One measured figure.

    Attributes:
        name: What was measured.
        value: The median over turns.
        low, high: Quartiles.
        unit: Of all three.
        goal: "at least X" or "at most X", or "" where it is only reported.
    """

    name: str
    value: float
    low: float
    high: float
    unit: str
    goal: str = ""


@dataclass(frozen=True)
class Plan:
    """What is to be measured.

    Attributes:
        backbone: Its name; `random` gives its architecture random weights.
        turns: How often.
    """

    backbone: str
    random: bool = False
    device: str | None = None
    turns: int = 7


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
    for labels in LABEL_COUNTS:
        control.step(labels, 0, "interaction")
        yield from bench.interaction(labels)


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
        stock, frozen, live = _in_turns(
            self._turns,
            lambda: self._stock(there),
            lambda: self.encoder.features(list(images), None),
            lambda: self.encoder.features(list(images), adapted),
        )
        goal = "at least 1.5" if self.encoder.device.type == "cpu" else "at least 0.95"
        yield _figure(f"stock open_clip, batch {batch}", [s / batch for s in stock], "ms an image")
        yield _figure(f"frozen, batch {batch}", _ratios(stock, frozen), "x stock")
        yield _figure(f"live NEARL, batch {batch}", _ratios(stock, live), "x stock", goal)
        if self.encoder.device.type == "cuda":
            rates = [1000 * batch / s for s in live]
            yield _figure(f"live NEARL, batch {batch}", rates, "images/s", "at least 500")

    def interaction(self, labels: int) -> Iterator[Figure]:
        """What one token a text, and whole texts, add to set-level's time, for single images."""
        images = list(made_up(1, side=self._side))
        modes = [Interaction.SET_LEVEL, Interaction.EOT_ONLY]
        if labels <= LABEL_COUNTS[0]:
            modes.append(Interaction.FULL)
        adapted = [self._adapted(labels, how) for how in modes]
        runs = [partial(self.encoder.features, images, one) for one in adapted]
        kept, *others = _in_turns(self._turns, *runs)
        for how, times in zip(modes[1:], others, strict=True):
            added = [100 * (ratio - 1) for ratio in _ratios(times, kept)]
            goal = "at most 5" if how is Interaction.EOT_ONLY and labels == 10 else ""
            yield _figure(f"{how} over set-level, {labels} labels", added, "% more time", goal)

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


# --- the instant learner ---


def instant_learner(turns: int, control: RunControl, *, backbone: str) -> Iterator[Figure]:
    """From a decision to the ranking of the scan on screen and a queue in order, by kept features.

    Raises:
        BackboneError: If the backbone can't be used.
    """
    with tempfile.TemporaryDirectory() as folder, ScanReader(workers=1) as reader:
        labels = LabelSet(tuple(Label(str(n), f"finding number {n}") for n in range(_LABELS)))
        engine = Engine(
            backbone=backbone,
            label_set=labels,
            reader=reader,
            adapters_folder=Path(folder) / "adapters",
            cache_folder=Path(folder) / "cache",
            device="cpu",
        )
        engine.load(control)
        scans, decisions = _decided(engine, Path(folder), control)
        ids = list(scans)

        def step(count: int) -> None:
            engine.learn(scans, decisions[:count])
            engine.rerank(ids[-1:])
            engine.queue_order(ids)

        known = cycle(range(DECISIONS, len(decisions)))
        one = _timed(max(turns, 20), lambda: step(next(known)))

        def come_due() -> None:
            for count in (DECISIONS // 2, DECISIONS - DECISIONS // 25, DECISIONS):
                engine.learn(scans, decisions[:count])

        few = max(turns // 3, 3)
        anew = _timed(few, lambda: engine.choose_anew(control), come_due)
        many = _timed(few, lambda: step(DECISIONS), lambda: step(DECISIONS // 2))
    name = f"a decision, {DECISIONS} decided, {SCANS} in the queue"
    for times, what in (
        (one, name),
        (anew, "what is chosen anew behind one decision in fifty"),
        (many, f"{name}, half of them at once"),
    ):
        yield _figure(what, [work for work, _ in times], "ms of a processor")
        yield _figure(f"{what}, by the clock", [clock for _, clock in times], "ms")
    of_work, by_clock = np.percentile(one, 95, axis=0).tolist()
    worst = f"{name}, 95th percentile"
    yield Figure(worst, of_work, of_work, of_work, "ms of a processor")
    yield Figure(worst, by_clock, by_clock, by_clock, "ms", "at most 100")


def _timed(
    turns: int, work: Callable[[], object], before: Callable[[], object] = lambda: None
) -> list[tuple[float, float]]:
    """How long work takes by all processors and by the clock, ms; what comes before is not timed.

    A turn more comes first and is not counted.
    """
    found = []
    for _ in range(turns + 1):
        before()
        used, clock = time.process_time(), time.perf_counter()
        work()
        found.append((1000 * (time.process_time() - used), 1000 * (time.perf_counter() - clock)))
    return found[1:]


def _decided(
    engine: Engine, folder: Path, control: RunControl
) -> tuple[dict[int, Scan], list[Decision]]:
    """Scans of which only the features exist, the first of them decided."""
    rng, scans = np.random.default_rng(0), dict[int, Scan]()
    width = engine.encoder.embedding + sum(engine.encoder.blocks)
    centres = rng.standard_normal((_LABELS, width))
    for number in range(SCANS):
        path = folder / f"{number}.png"
        path.touch()
        scans[number] = Scan(number, path, patient=f"P{number}")
        feature = centres[number % _LABELS] + rng.standard_normal(centres.shape[1])
        feature /= np.linalg.norm(feature)
        engine.ready.cache.put(scan_key(path), 0, feature.astype(np.float32))
        control.check()
    engine.rank(list(scans.values()), control)  # nothing is read: all features are there
    now = datetime.now(UTC)
    decided = [
        Decision(n + 1, n, "bench", now, Verdict(State.LABELLED, (str(n % _LABELS),)))
        for n in range(min(DECISIONS + _MORE, SCANS))
    ]
    return scans, decided


# --- fine-tuning ---


def fine_tuning(plan: Plan, control: RunControl, *, steps: int | None = None) -> Iterator[Figure]:
    """What a candidate of 64 decisions costs, and the longest that a ranking or a stop waits.

    Args:
        plan: The backbone and the device.
        control: Checked at each micro-batch.
        steps: Only so many are run, and the time of all is told from them.

    Raises:
        BackboneError: If the backbone can't be used.
    """
    load = backbones.random if plan.random else backbones.load
    encoder = Encoder(load(plan.backbone), device.choose(plan.device))
    clip = encoder.trainable(first_layer=encoder.first_trained)
    watch = _Watch(control)
    images = made_up(TUNED, side=encoder.backbone.preprocessing.size)
    read = [
        watch.timed(lambda i=i: encoder.prefixes(clip, i.expand(VIEWS, -1, -1, -1), watch.control))  # type: ignore[misc]
        for i in images
    ]
    labels = LabelSet((Label("a", "finding a"), Label("b", "finding b")))
    data = TuneData(
        prefixes=torch.stack([prefix for prefix, _ in read]),
        targets=torch.eye(2, device=encoder.device)[torch.arange(TUNED) % 2],
        weights=torch.ones(TUNED, device=encoder.device),
        prompts=encoder.prompts(labels),
        multi_label=False,
    )
    frozen = encoder.features(list(images), None)[:, : encoder.embedding].astype(np.float64)
    known = Examples(frozen, data.targets.double().cpu().numpy(), np.ones(TUNED))
    start = Start(leave_each_out(known, None, multi_label=False), frozen, data)
    settings = TuneSettings()
    run = replace(settings, steps=steps or settings.steps)
    _, tuned = watch.timed(
        lambda: tune(clip, data, start, settings=run, seed=0, control=watch.control)
    )
    prefix_s = sum(seconds for _, seconds in read)
    all_s = prefix_s + tuned * settings.steps / run.steps
    goal = "at most 300" if plan.random else "at most 30"
    yield Figure("prefixes of 64 decisions", prefix_s, prefix_s, prefix_s, "s of a processor")
    yield Figure("a candidate of 64 decisions", all_s, all_s, all_s, "s of a processor", goal)
    yield _figure("between two chances to stop", watch.gaps_ms, "ms of a processor")
    longest = max(watch.gaps_ms)
    yield Figure("the longest", longest, longest, longest, "ms of a processor", "at most 250")
    memory = _peak_memory()
    if memory is not None:
        yield Figure("peak memory of this process", memory, memory, memory, "MB")


class _Watch:
    """Stamps each chance that work gives to others.

    Attributes:
        control: For the work that is watched.
        gaps_ms: Processor time of this thread between two chances.
    """

    def __init__(self, control: RunControl) -> None:
        self.control = replace(control, between=self._stamp)
        self.gaps_ms = list[float]()
        self._last = time.thread_time()

    def timed(self, work: Callable[[], _T]) -> tuple[_T, float]:
        """What work gives, and the seconds that it took of this thread's processor."""
        started = self._last = time.thread_time()
        result = work()
        self._stamp()
        return result, time.thread_time() - started

    def _stamp(self) -> None:
        now = time.thread_time()
        self.gaps_ms.append(1000 * (now - self._last))
        self._last = now


def _peak_memory() -> float | None:
    """The largest that this process has been, MB; None where the system does not say."""
    try:
        import resource
    except ImportError:  # Windows
        return None
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / (1 << 20 if sys.platform == "darwin" else 1 << 10)


# --- timing ---


def _in_turns(turns: int, *works: Callable[[], object]) -> list[list[float]]:
    """The time of each work in each turn, ms; a turn more comes first and is not counted.

    Processor time of all threads, so that other work on the machine does not count; with a GPU the
    time by the clock.
    """
    clock = time.perf_counter if torch.cuda.is_available() else time.process_time
    found: list[list[float]] = [[] for _ in works]
    for turn in range(turns + 1):
        for times, work in zip(found, works, strict=True):
            started = clock()
            work()
            if turn:
                times.append(1000 * (clock() - started))
    return found


def _ratios(one: Sequence[float], other: Sequence[float]) -> list[float]:
    return [a / b for a, b in zip(one, other, strict=True)]


def _figure(name: str, values: Sequence[float], unit: str, goal: str = "") -> Figure:
    low, middle, high = np.percentile(values, (25, 50, 75)).tolist()
    return Figure(name, middle, low, high, unit, goal)
