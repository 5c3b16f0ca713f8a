"""How fast fine-tuning is, and how soon it lets others in: a part of `bench speed`."""

import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Final

import numpy as np
import torch
from torch import Tensor

from nearl_core.bench.timing import Figure, Plan, figure
from nearl_core.control import RunControl
from nearl_core.learn import tuning
from nearl_core.learn.loop import TuneData, TuneSettings
from nearl_core.model.device import clock, peak_memory
from nearl_core.model.encoder import Encoder
from nearl_core.model.nearl import NearlClip
from nearl_core.model.serving import made_up
from nearl_core.types import Label, LabelSet
from nearl_core.versions import VIEWS

TUNED: Final = 64


def fine_tuning(plan: Plan, control: RunControl, *, steps: int | None = None) -> Iterator[Figure]:
    """What a candidate of 64 decisions and the gate's folds cost, and how long others wait.

    Scans are not read: what enters the towers is made up.

    Args:
        plan: The backbone and the device.
        control: Checked at each micro-batch.
        steps: Only so many are run, and the time of all is told from them.

    Raises:
        NearlError: If the device is not there.
        BackboneError: If the backbone can't be used.
    """
    encoder = plan.encoder()
    watch, settings = _Watch(control, encoder.device), TuneSettings()
    seconds = "s of a processor" if encoder.device.type == "cpu" else "s"
    run = replace(settings, steps=steps or settings.steps)
    inputs, prefix_s = _inputs(encoder, watch)
    everything = np.arange(TUNED)

    def make() -> NearlClip:
        return encoder.trainable(first_layer=encoder.first_trained)

    def candidate() -> None:
        tuning.candidate(make(), inputs, everything, settings=run, seed=0, control=watch.control)

    def whole() -> None:
        tuning.run(make, inputs, settings=run, seed=0, control=watch.control)

    tuned_s, all_s = watch.timed(candidate), watch.timed(whole)
    more = settings.steps / run.steps
    checks_s = all_s - tuned_s + (more - 1) * tuning.FOLDS * tuned_s
    candidate_s = prefix_s + more * tuned_s
    most = 300 if plan.random else 30
    for name, value, goal in (
        ("prefixes of 64 decisions", prefix_s, ""),
        ("a candidate of 64 decisions", candidate_s, f"at most {most}"),
        ("the gate's folds behind it", checks_s, f"at most {4 * most}"),
    ):
        yield Figure(name, value, value, value, seconds, goal)
    yield figure("between two chances to stop", watch.gaps_ms, f"m{seconds}")
    longest = max(watch.gaps_ms)
    yield Figure("the longest", longest, longest, longest, f"m{seconds}", "at most 250")
    for name, memory in (
        ("peak memory of this process", _peak_memory()),
        ("peak memory on the card", peak_memory(encoder.device)),
    ):
        if memory is not None:
            yield Figure(name, memory, memory, memory, "MB")


def _inputs(encoder: Encoder, watch: "_Watch") -> tuple[tuning.TuneInputs, float]:
    """Two labels' decisions of made-up pictures, and the seconds that their prefixes took."""
    clip = encoder.trainable(first_layer=encoder.first_trained)
    images = made_up(TUNED, side=encoder.backbone.preprocessing.size)
    read = list[Tensor]()

    def prefixes() -> None:
        for image in images:
            views = image.expand(VIEWS, -1, -1, -1)
            read.append(encoder.prefixes(clip, views, watch.control))

    prefix_s = watch.timed(prefixes)
    data = TuneData(
        prefixes=torch.stack(read),
        targets=torch.eye(2, device=encoder.device)[torch.arange(TUNED) % 2],
        weights=torch.ones(TUNED, device=encoder.device),
        prompts=encoder.prompts(LabelSet((Label("a", "finding a"), Label("b", "finding b")))),
        multi_label=False,
    )
    return tuning.TuneInputs(
        data=data,
        frozen=encoder.features(list(images), None).astype(np.float64),
        blocks=encoder.blocks,
        patients=[f"P{n}" for n in range(TUNED)],
        blind=np.ones(TUNED, bool),
        unseen=np.ones(TUNED, bool),
        texts=None,
        zero_shot=None,
        live=None,
    ), prefix_s


class _Watch:
    """Stamps each chance that work gives to others.

    Attributes:
        control: For the work that is watched.
        gaps_ms: Between two chances: this thread's processor time; by the clock on a card.
    """

    def __init__(self, control: RunControl, device: torch.device) -> None:
        self.control = replace(control, between=self._stamp)
        self.gaps_ms = list[float]()
        self._clock = clock(device)
        self._last = self._clock()

    def timed(self, work: Callable[[], object]) -> float:
        """The seconds that work took, measured alike."""
        started = self._last = self._clock()
        work()
        self._stamp()
        return self._clock() - started

    def _stamp(self) -> None:
        now = self._clock()
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
