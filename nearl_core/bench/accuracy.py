"""The few-shot benchmark: methods on the same backbone and draws; `docs/benchmark.md`."""

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from itertools import product
from pathlib import Path

import numpy as np

from nearl_core.bench import cells
from nearl_core.bench.cells import Cell, Key, Setting
from nearl_core.bench.draws import Protocol, drawn
from nearl_core.bench.entrants import Entrant, chosen
from nearl_core.bench.own import Answer
from nearl_core.bench.task import Task
from nearl_core.control import RunControl
from nearl_core.errors import NearlError
from nearl_core.learn import evaluate
from nearl_core.model import backbones
from nearl_core.scans.guard import ScanReader


@dataclass(frozen=True)
class Plan:
    """What is to be run.

    Attributes:
        root: Holds the tasks' folders.
        results: JSON lines; cells that stand there are not run again.
        work: For caches and versions.
        counts: For each protocol, shots a label or decisions in all.
        methods: Names, see `entrants.chosen`; empty for the main table.
    """

    root: Path
    results: Path
    work: Path
    tasks: Sequence[str]
    counts: Sequence[tuple[Protocol, int]] = ((Protocol.SHOTS, 16),)
    draws: int = 5
    methods: Sequence[str] = ()
    backbone: str = "starter"
    device: str | None = None


@dataclass(frozen=True)
class Failed:
    """A method that broke down on a draw; it is run again the next time.

    Attributes:
        where: The setting, the draw and the method.
        text: What was said, for the one who mends it.
    """

    where: str
    text: str


@dataclass(frozen=True)
class Job:
    """One entrant on one draw."""

    setting: Setting
    draw: int
    entrant: Entrant

    def keys(self, backbone_hash: str) -> set[Key]:
        """The cells that it makes."""
        revision = self.entrant.revision
        return {
            Key(self.setting, self.draw, name, revision, backbone_hash)
            for name in self.entrant.names
        }

    @property
    def text(self) -> str:
        """For the progress line."""
        return f"{self.setting.text}, draw {self.draw}, {self.entrant.names[-1]}"


@dataclass
class Clock:
    """How long what is left will take, by what each entrant took so far at the same count.

    Attributes:
        seconds: Of runs, by the entrant's first name and by its name with the count.
    """

    seconds: dict[tuple[str, int | None], list[float]] = field(default_factory=dict)

    def took(self, name: str, setting: Setting, seconds: float) -> None:
        """One run is over."""
        for count in (None, setting.count):
            self.seconds.setdefault((name, count), []).append(seconds)

    def left(self, jobs: Sequence[Job]) -> float | None:
        """Seconds, or None before anything is known; an unknown entrant counts as the mean."""
        means = {of: float(np.mean(times)) for of, times in self.seconds.items()}
        if not means:
            return None
        usual = float(np.mean([mean for (_, count), mean in means.items() if count is None]))
        total = 0.0
        for job in jobs:
            name = job.entrant.names[0]
            of_name = means.get((name, None), usual)
            total += means.get((name, job.setting.count), of_name)
        return total


def jobs(plan: Plan, done: set[Key], backbone_hash: str) -> list[Job]:
    """What is still to be run: task by task, and of a task draw by draw.

    So a run that is stopped early has every count and method, of fewer draws.
    """
    every = [
        Job(Setting(protocol, task, count), draw, entrant)
        for task, draw, (protocol, count), entrant in product(
            plan.tasks, range(plan.draws), plan.counts, chosen(plan.methods)
        )
    ]
    return [job for job in every if not job.keys(backbone_hash) <= done]


def run(plan: Plan, control: RunControl) -> Iterator[Cell | Failed]:
    """Run what is not yet in the results; yields each cell once it is written.

    Raises:
        NearlError: If a task's folder, a method or the backbone can't be used.
        Cancelled: If asked to stop; what is written stays.
    """
    backbone_hash = backbones.load(plan.backbone).hash
    there = cells.read([plan.results]).cells
    left = jobs(plan, {cell.key for cell in there}, backbone_hash)
    total, clock = len(left), Clock()
    for cell in there:
        if cell.backbone_hash == backbone_hash:
            clock.took(cell.method, cell.setting, cell.seconds)
    quiet = replace(control, report=lambda _: None)
    with ScanReader() as reader:
        task: Task | None = None
        of = ""
        while left:
            job = left[0]
            if task is None or of != job.setting.task:
                task, of = _open(plan, job.setting.task, reader, control), job.setting.task
            control.step(total - len(left), total, job.text + _time_left(clock.left(left)))
            found = _cells(job, task, quiet)
            if isinstance(found, Failed):
                yield found
            else:
                cells.append(plan.results, found)
                clock.took(job.entrant.names[0], job.setting, found[0].seconds)
                yield from found
            left = left[1:]
        control.step(total, total, "benchmark")


def _open(plan: Plan, name: str, reader: ScanReader, control: RunControl) -> Task:
    return Task(
        plan.root / name,
        plan.work / name,
        backbone=plan.backbone,
        device=plan.device,
        reader=reader,
        control=control,
    )


def _time_left(seconds: float | None) -> str:
    if seconds is None:
        return ""
    if seconds < 90:
        return f" · about {seconds:.0f} s left"
    return (
        f" · about {seconds / 60:.0f} min left"
        if seconds < 5400
        else (f" · about {seconds / 3600:.1f} h left")
    )


_BREAKDOWNS = (
    NearlError,
    RuntimeError,
    ValueError,
    TypeError,
    ArithmeticError,
    LookupError,
    AssertionError,
)


def _cells(job: Job, task: Task, control: RunControl) -> list[Cell] | Failed:
    """Run one job; a breakdown of one method keeps no other from being measured."""
    setting = job.setting
    rows = drawn(setting.protocol, task.train.known.targets, setting.count, draw=job.draw)
    started = time.monotonic()
    try:
        answers = job.entrant.run(task, rows, job.draw, control)
        for name, answer in answers.items():
            _check(name, answer.probabilities, task)
    except _BREAKDOWNS as error:
        return Failed(job.text, f"{type(error).__name__}: {error}")
    seconds = time.monotonic() - started
    return [
        _cell(job, name, answer, task, decisions=len(rows), seconds=seconds)
        for name, answer in answers.items()
    ]


def _check(name: str, p: np.ndarray, task: Task) -> None:
    """Raises ValueError for what are no probabilities of the test scans."""
    shape = task.test.known.targets.shape
    if p.shape != shape or not np.isfinite(p).all() or (p < 0).any():
        raise ValueError(f"{name} gave no {shape} of finite probabilities")
    if not np.allclose(p.sum(1), 1, atol=1e-4):
        raise ValueError(f"{name} gave probabilities that do not sum to 1")


def _cell(
    job: Job, name: str, answer: Answer, task: Task, *, decisions: int, seconds: float
) -> Cell:
    p, backbone = answer.probabilities, task.encoder.backbone
    return Cell(
        protocol=job.setting.protocol,
        task=job.setting.task,
        count=job.setting.count,
        draw=job.draw,
        method=name,
        revision=job.entrant.revision,
        backbone=backbone.name,
        backbone_hash=backbone.hash,
        decisions=decisions,
        figures=evaluate.figures(p, task.test.known.targets, multi_label=False),
        calibrated_ece=evaluate.calibrated_error(p.max(1), seed=0),
        seconds=round(seconds, 3),
        made=datetime.now(UTC).isoformat(timespec="seconds"),
        promoted=answer.promoted,
        note=job.entrant.note,
    )
