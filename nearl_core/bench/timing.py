"""What is measured of speed, and how: figures, work in turns, work by its processor time."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import torch


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


def in_turns(turns: int, *works: Callable[[], object]) -> list[list[float]]:
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
