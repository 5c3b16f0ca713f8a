"""What is measured of speed, and how: figures, work in turns, work by its processor time."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import torch

from nearl_core.model import backbones
from nearl_core.model.device import choose, wait
from nearl_core.model.encoder import Encoder


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
        device: Its name, or None for the best there is.
        turns: How often.
    """

    backbone: str
    random: bool = False
    device: str | None = None
    turns: int = 7

    def encoder(self) -> Encoder:
        """The backbone at work on the device.

        Raises:
            NearlError: If the device is not there.
            BackboneError: If the backbone can't be used.
        """
        device = choose(self.device)  # first: loading takes a while
        load = backbones.random if self.random else backbones.load
        return Encoder(load(self.backbone), device)


WARM_UP = {"cpu": 1}
"""Turns that come first and are not counted; on a card three: it chooses kernels and gains pace."""


def in_turns(turns: int, *works: Callable[[], object], device: torch.device) -> list[list[float]]:
    """The time of each work in each turn, ms, after some that are not counted.

    On a CPU processor time of all threads, so that other work on the machine does not count; on a
    card the time by the clock, from when it had nothing left to do until it has nothing again.
    """
    clock = time.process_time if device.type == "cpu" else time.perf_counter
    found: list[list[float]] = [[] for _ in works]
    for _ in range(turns + WARM_UP.get(device.type, 3)):
        for times, work in zip(found, works, strict=True):
            wait(device)
            started = clock()
            work()
            wait(device)
            times.append(1000 * (clock() - started))
    return [times[-turns:] for times in found]


def ratios(one: Sequence[float], other: Sequence[float]) -> list[float]:
    """One work's times over another's, turn by turn."""
    return [a / b for a, b in zip(one, other, strict=True)]


def figure(name: str, values: Sequence[float], unit: str, goal: str = "") -> Figure:
    """The median of some values with their quartiles."""
    low, middle, high = np.percentile(values, (25, 50, 75)).tolist()
    return Figure(name, middle, low, high, unit, goal)


def timed(
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
