"""A simulated reader over a whole task: in which order fewest decisions teach most.

The reader answers by the known labels of `train`; after every fifth decision the instant learner
is fitted and the queue ordered anew. Balanced accuracy is of `test`; what all of `train` together
gives is the final one. Nothing is trained in between: features stay the backbone's.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from nearl_core.bench.frozen import Part, Task
from nearl_core.control import RunControl
from nearl_core.learn import acquire, evaluate, instant
from nearl_core.learn.instant import FloatArray, Head

MARKS = (0.8, 0.9, 0.95)
EVERY = 5
LONGEST = 300
Indices = NDArray[np.intp]
Order = Callable[[FloatArray, FloatArray | None, FloatArray, int, np.random.Generator], Indices]
"""Features, probabilities or None, decisions of each label, their number, and luck to an order."""


def _ours(
    x: FloatArray, p: FloatArray | None, counts: FloatArray, n: int, rng: np.random.Generator
) -> Indices:
    del rng
    return acquire.order(x, p, counts, decisions=n)


def _random(
    x: FloatArray, p: FloatArray | None, counts: FloatArray, n: int, rng: np.random.Generator
) -> Indices:
    del p, counts, n
    return rng.permutation(len(x))


def _unsure(
    x: FloatArray, p: FloatArray | None, counts: FloatArray, n: int, rng: np.random.Generator
) -> Indices:
    if p is None:
        return _random(x, p, counts, n, rng)
    return np.argsort(p.max(1), kind="stable")


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
        accuracy: At each of `at` decisions.
    """

    task: str
    way: str
    seeds: int
    final: float
    decisions: tuple[float | None, ...]
    corrections: tuple[float | None, ...]
    at: tuple[int, ...]
    accuracy: tuple[float, ...]


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
        at = walks[0].decisions
        accuracy = np.mean([w.accuracy for w in walks], axis=0)
        wrong = np.mean([w.corrections for w in walks], axis=0)
        reached = [_reached(at, accuracy, mark * final) for mark in MARKS]
        yield LoopFigure(
            task.name,
            way,
            seeds,
            final,
            tuple(reached),
            tuple(None if n is None else float(np.interp(n, at, wrong)) for n in reached),
            at,
            tuple(accuracy.tolist()),
        )


def saved(figures: Sequence[LoopFigure], mark: int = 1) -> float | None:
    """By what part fewer decisions than at random ours needs to a mark, in the mean of tasks."""
    needed = {(f.task, f.way): f.decisions[mark] for f in figures}
    parts = []
    for task in dict.fromkeys(f.task for f in figures):
        ours, random = needed[task, "ours"], needed[task, "random"]
        if ours is None or random is None:
            return None
        parts.append(1 - ours / random)
    return float(np.mean(parts)) if parts else None


def walk(task: Task, order: Order, seed: int, control: RunControl) -> Walk:
    """Decide scans of `train` one by one, in an order made anew after every fifth."""
    rng = np.random.default_rng([seed, 5])
    # Luck is in where the pool begins, too: equal features would else make equal orders.
    pool = rng.permutation(len(task.train.labels))
    decided: list[int] = []
    head: Head | None = None
    wrong, notes = 0, list[tuple[int, float, int]]()
    while len(decided) < min(LONGEST, len(task.train.labels)):
        control.check()
        x = task.train.embeddings[pool]
        p = None if head is None else head.probabilities(task.train.features[pool])
        counts = np.bincount(task.train.labels[decided], minlength=task.train.count).astype(float)
        chosen = pool[order(x, p, counts, len(decided), rng)[:EVERY]]
        wrong += _corrections(head, task.train, chosen)
        decided += chosen.tolist()
        pool = np.setdiff1d(pool, chosen)
        head = _fit(task.train, np.array(decided))
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


def _reached(at: Sequence[int], accuracy: FloatArray, mark: float) -> float | None:
    """Where a curve first comes to a mark, straight between its points."""
    there = np.flatnonzero(accuracy >= mark)
    if not len(there):
        return None
    i = int(there[0])
    if i == 0:
        return float(at[0])
    part = (mark - accuracy[i - 1]) / (accuracy[i] - accuracy[i - 1])
    return float(at[i - 1] + part * (at[i] - at[i - 1]))
