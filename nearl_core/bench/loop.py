"""A simulated reader over a whole task: in which order fewest decisions teach most.

The reader answers by the known labels of `train`. As on the desk the instant learner is fitted and
the queue ordered anew after each decision; from the 48th on after every fourth, which saves time.
Balanced accuracy is of `test`; what all of `train` together gives is the final one. Nothing is
trained in between: features stay the backbone's.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from nearl_core.bench.frozen import Part, Task
from nearl_core.control import RunControl
from nearl_core.learn import acquire, evaluate, instant
from nearl_core.learn.examples import FloatArray
from nearl_core.learn.head import Head

MARKS = (0.8, 0.9, 0.95)
SAVED_TO = 0.9
"""The mark that savings are told of."""
LONGEST = 320
DRAWN = 200
Indices = NDArray[np.intp]


@dataclass(frozen=True, eq=False)
class Pool:
    """What an order is made of.

    Attributes:
        part: The whole task's scans.
        rows: Those that are not decided yet.
        decided: Those that are.
        probabilities: Of `rows`, or None while nothing can be ranked.
    """

    part: Part
    rows: Indices
    decided: Indices
    probabilities: FloatArray | None


Order = Callable[[Pool, np.random.Generator], Indices]
"""Places in `rows`, the first to be asked first; luck is passed in."""


def _ours(pool: Pool, rng: np.random.Generator) -> Indices:
    del rng
    part, rows = pool.part, pool.rows
    decided = part.examples(pool.decided) if len(pool.decided) else None
    return acquire.order(
        len(rows),
        lambda places: part.features[rows[places]],
        pool.probabilities,
        decided,
        part.blocks,
    )


def _random(pool: Pool, rng: np.random.Generator) -> Indices:
    return rng.permutation(len(pool.rows))


def _unsure(pool: Pool, rng: np.random.Generator) -> Indices:
    if pool.probabilities is None:
        return _random(pool, rng)
    return np.argsort(pool.probabilities.max(1), kind="stable")


WAYS: dict[str, Order] = {"ours": _ours, "random": _random, "uncertainty": _unsure}
"""Plain uncertainty: the least probable first label first, as MONAI Label's default strategy."""


@dataclass(frozen=True)
class Walk:
    """One reader's way through a task.

    Attributes:
        decisions: At which numbers of decisions the others were noted.
        accuracy: Balanced accuracy on test.
        corrections: Rankings so far whose first label was wrong, or that were not there yet.
    """

    decisions: tuple[int, ...]
    accuracy: tuple[float, ...]
    corrections: tuple[int, ...]


@dataclass(frozen=True)
class LoopFigure:
    """What one way of asking needs in one task, by the mean over seeds.

    Attributes:
        final: Balanced accuracy with all of train decided.
        decisions: For each of MARKS the decisions needed, or None above the longest walk.
        corrections: Likewise.
        at: Numbers of decisions at which accuracy was noted.
        accuracy: Of each seed, at each of `at`.
    """

    task: str
    way: str
    seeds: int
    final: float
    decisions: tuple[float | None, ...]
    corrections: tuple[float | None, ...]
    at: tuple[int, ...]
    accuracy: tuple[tuple[float, ...], ...]


@dataclass(frozen=True)
class Saving:
    """By what part fewer decisions than at random ours needs to a mark.

    Attributes:
        task: Or "mean" for the mean of tasks.
        part: None where the mark was not reached.
        error: Its standard error over seeds, by the bootstrap.
    """

    task: str
    part: float | None
    error: float | None


def measure(task: Task, seeds: int, control: RunControl) -> Iterator[LoopFigure]:
    """Walk a task in each way, once for each seed.

    Raises:
        Cancelled: If asked to stop.
    """
    final = _accuracy(_fit(task.train, np.arange(len(task.train.labels))), task.test)
    for way, order in WAYS.items():
        walks = []
        for seed in range(seeds):
            control.step(seed, seeds, f"{task.name}, {way}")
            walks.append(walk(task, order, seed, control))
        at, accuracy = walks[0].decisions, tuple(w.accuracy for w in walks)
        wrong = np.mean([w.corrections for w in walks], axis=0)
        needed = [reached(at, np.mean(accuracy, axis=0), mark * final) for mark in MARKS]
        corrections = (None if n is None else float(np.interp(n, at, wrong)) for n in needed)
        yield LoopFigure(
            task.name, way, seeds, final, tuple(needed), tuple(corrections), at, accuracy
        )


def savings(figures: Sequence[LoopFigure]) -> list[Saving]:
    """What ours saves in each task, and in the mean of them."""
    rng, found, drawn = np.random.default_rng(0), list[Saving](), list[FloatArray]()
    for task in dict.fromkeys(f.task for f in figures):
        ours, random = (
            next(f for f in figures if (f.task, f.way) == (task, way)) for way in ("ours", "random")
        )
        every = np.arange(ours.seeds)
        picks = [
            (rng.choice(every, len(every)), rng.choice(every, len(every))) for _ in range(DRAWN)
        ]
        again = np.array([_saved(ours, random, *pick) for pick in picks])
        drawn.append(again)
        found.append(_saving(task, _saved(ours, random, every, every), again))
    parts = [np.nan if s.part is None else s.part for s in found]
    return [*found, _saving("mean", float(np.mean(parts)), np.mean(drawn, axis=0))]


def _saving(task: str, part: float, again: FloatArray) -> Saving:
    if np.isnan(part):
        return Saving(task, None, None)
    return Saving(task, part, float(np.nanstd(again)))


def _saved(ours: LoopFigure, random: LoopFigure, own: Indices, other: Indices) -> float:
    """By the mean over some seeds of each; NaN where the mark is not reached."""
    needed = [
        reached(f.at, np.array(f.accuracy)[seeds].mean(0), SAVED_TO * f.final)
        for f, seeds in ((ours, own), (random, other))
    ]
    return float("nan") if None in needed else 1 - needed[0] / needed[1]  # type: ignore[operator]


def walk(task: Task, order: Order, seed: int, control: RunControl) -> Walk:
    """Decide scans of `train`, in an order made anew as the desk does."""
    rng = np.random.default_rng([seed, 5])
    # Luck is in where the pool begins, too: equal features would else make equal orders.
    rows = rng.permutation(len(task.train.labels))
    decided = np.zeros(0, np.intp)
    head: Head | None = None
    wrong, notes = 0, list[tuple[int, float, int]]()
    while len(decided) < min(LONGEST, len(task.train.labels)):
        control.check()
        p = None if head is None else head.probabilities(task.train.features[rows])
        asked = order(Pool(task.train, rows, decided, p), rng)
        chosen = rows[asked[: acquire.lasts(len(decided))]]
        wrong += _corrections(head, task.train, chosen)
        decided = np.concatenate([decided, chosen])
        rows = rows[~np.isin(rows, chosen)]
        head = _fit(task.train, decided)
        notes.append((len(decided), _accuracy(head, task.test), wrong))
    return Walk(*(tuple(column) for column in zip(*notes, strict=True)))


def _corrections(head: Head | None, part: Part, rows: Indices) -> int:
    if head is None:
        return len(rows)
    return int((head.probabilities(part.features[rows]).argmax(1) != part.labels[rows]).sum())


def _fit(part: Part, rows: Indices) -> Head | None:
    head = instant.fit(part.examples(rows), None, multi_label=False)
    return head if head.can_rank else None


def _accuracy(head: Head | None, part: Part) -> float:
    if head is None:
        return 1 / part.count
    return evaluate.balanced_accuracy(head.probabilities(part.features), part.targets)


def reached(at: Sequence[int], accuracy: FloatArray, mark: float) -> float | None:
    """Where a curve comes to a mark, straight between its points, once it is made to rise.

    A flat curve that trembles crosses a mark by luck long before it stays there. So the nearest
    curve that never falls is taken (isotonic regression: neighbours that fall are pooled).
    """
    rising = risen(accuracy)
    there = np.flatnonzero(rising >= mark)
    if not len(there):
        return None
    i = int(there[0])
    if i == 0:
        return float(at[0])
    part = (mark - rising[i - 1]) / (rising[i] - rising[i - 1])
    return float(at[i - 1] + part * (at[i] - at[i - 1]))


def risen(values: FloatArray) -> FloatArray:
    """The curve that never falls and is nearest to one, by squares: N to N."""
    means, sizes = list[float](), list[int]()
    for value in values.tolist():
        means.append(value)
        sizes.append(1)
        while len(means) > 1 and means[-2] > means[-1]:
            size = sizes[-2] + sizes.pop()
            last = means.pop()
            means[-1] += (last - means[-1]) * (size - sizes[-1]) / size
            sizes[-1] = size
    return np.repeat(means, sizes)
