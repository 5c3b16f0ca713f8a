"""The few-shot benchmark: methods on the same backbone, shots and draws, in one run.

A task is a folder TASK/{train,test}/CLASS/*. Draws come from `train` alone; `test` is met only by
the figures. Each decision counts as made blind, and each file as a patient of its own.
"""

import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

import numpy as np

from nearl_core.control import RunControl
from nearl_core.engine import Engine
from nearl_core.errors import NearlError, TrainingError
from nearl_core.evaluation import Known, Stage, from_folder, probabilities
from nearl_core.learn import evaluate
from nearl_core.learn.batches import lessons
from nearl_core.learn.instant import FloatArray
from nearl_core.scans.guard import ScanReader
from nearl_core.types import Decision, Figures, Label, LabelSet, Scan, State, Verdict


@dataclass(frozen=True)
class Cell:
    """One figure of the table.

    Attributes:
        promoted: Whether the gate let the trained version rank; None for methods without one.
    """

    task: str
    shots: int
    draw: int
    method: str
    figures: Figures
    promoted: bool | None = None


@dataclass(frozen=True)
class Plan:
    """What is to be run.

    Attributes:
        root: Holds the tasks' folders.
        results: JSON lines; cells that stand there are not run again.
        work: For caches and versions.
    """

    root: Path
    results: Path
    work: Path
    tasks: tuple[str, ...]
    shots: tuple[int, ...] = (16,)
    draws: int = 5
    backbone: str = "starter"
    device: str | None = None


def run(plan: Plan, control: RunControl) -> Iterator[Cell]:
    """Run what is not yet in the results; yields each cell once it is written.

    Raises:
        NearlError: If a task's folder can't be used.
    """
    done = {(c.task, c.shots, c.draw) for c in read(plan.results)}
    plan.results.parent.mkdir(parents=True, exist_ok=True)
    with ScanReader() as reader:
        for task in plan.tasks:
            bench = _Task(plan, task, reader, control)
            for shots in plan.shots:
                for draw in range(plan.draws):
                    if (task, shots, draw) in done:
                        continue
                    cells = bench.draw(shots, draw, control)
                    with plan.results.open("a", encoding="utf-8") as file:
                        file.writelines(json.dumps(asdict(cell)) + "\n" for cell in cells)
                    yield from cells


def read(results: Path) -> list[Cell]:
    """The cells of a results file."""
    if not results.is_file():
        return []
    rows = (json.loads(line) for line in results.read_text("utf-8").splitlines() if line)
    return [Cell(**{**row, "figures": Figures(**row["figures"])}) for row in rows]


def table(cells: Sequence[Cell]) -> str:
    """Mean balanced accuracy and its standard error over draws, as Markdown."""
    keys = sorted({(c.task, c.shots) for c in cells})
    methods = list(dict.fromkeys(c.method for c in cells))
    lines = ["| method | " + " | ".join(f"{task}, {shots}" for task, shots in keys) + " |"]
    lines.append("|---|" + "---|" * len(keys))
    for method in methods:
        found = []
        for task, shots in keys:
            values = [
                c.figures.balanced_accuracy
                for c in cells
                if (c.task, c.shots, c.method) == (task, shots, method)
            ]
            error = np.std(values, ddof=1) / np.sqrt(len(values)) if len(values) > 1 else 0.0
            found.append(f"{np.mean(values):.3f} ± {error:.3f}" if values else "")
        lines.append(f"| {method} | " + " | ".join(found) + " |")
    return "\n".join(lines)


class _Task:
    """One task with its engine; features of the test scans are made once."""

    def __init__(self, plan: Plan, task: str, reader: ScanReader, control: RunControl) -> None:
        folder = plan.root / task
        if not (folder / "train").is_dir() or not (folder / "test").is_dir():
            raise NearlError(
                f"The task {task} has no train and test folder.", "Give a folder of tasks."
            )
        names = sorted(p.name for p in (folder / "train").iterdir() if p.is_dir())
        labels = tuple(Label(name, name.replace("_", " ")) for name in names)
        self._task, self._label_set = task, LabelSet(labels)
        self._work = plan.work / task
        self._engine = Engine(
            backbone=plan.backbone,
            label_set=self._label_set,
            reader=reader,
            adapters_folder=self._work / "adapters",
            cache_folder=self._work / "cache",
            device=plan.device,
        )
        self._engine.load(control)
        self._train = from_folder(folder / "train", self._label_set, first_id=1)
        self._test = from_folder(
            folder / "test", self._label_set, first_id=1 + len(self._train.scans)
        )

    def draw(self, shots: int, draw: int, control: RunControl) -> list[Cell]:
        """All methods on one draw."""
        engine = self._engine
        scans, decisions = drawn(self._train, self._label_set, shots, draw)
        engine.activate(None)
        engine.rank([*scans.values(), *self._test.scans], control.renamed("reading scans"))
        engine.learn(scans, decisions)
        learned = lessons(scans, decisions, self._label_set)
        ids = [scan.id for scan in self._test.scans]
        cells = []
        for stage in (Stage.ZERO_SHOT, Stage.LINEAR_PROBE, Stage.INSTANT):
            figures = _figures(self._test, probabilities(engine, ids, stage, learned))
            cells.append(Cell(self._task, shots, draw, stage.value, figures))
        return cells + self._trained(cells[-1], scans, decisions, control)

    def _trained(
        self,
        instant: Cell,
        scans: dict[int, Scan],
        decisions: list[Decision],
        control: RunControl,
    ) -> list[Cell]:
        """The tuned head, whatever the gate says of it, and what would rank after the gate."""
        engine = self._engine
        tuned_cell = replace(instant, method=Stage.TUNED.value, promoted=False)
        live_cell = replace(instant, method=Stage.LIVE.value, promoted=False)
        version_id = f"{self._task}-{instant.shots}-{instant.draw}"
        try:
            result = engine.train(
                scans, decisions, version_id=version_id, seed=instant.draw, control=control
            )
        except TrainingError:
            return [tuned_cell, live_cell]
        engine.activate(result.version)
        engine.rank(self._test.scans, control.renamed("reading scans"))
        ids = [scan.id for scan in self._test.scans]
        promoted = result.version.promoted
        found = {s: probabilities(engine, ids, s, []) for s in (Stage.TUNED, Stage.LIVE)}
        tuned, live = (_figures(self._test, found[s]) for s in (Stage.TUNED, Stage.LIVE))
        return [
            replace(tuned_cell, figures=tuned, promoted=promoted),
            replace(live_cell, figures=live, promoted=True) if promoted else live_cell,
        ]


def _figures(known: Known, p: FloatArray) -> Figures:
    return evaluate.figures(p, known.targets, multi_label=False)


def drawn(
    known: Known, label_set: LabelSet, shots: int, draw: int
) -> tuple[dict[int, Scan], list[Decision]]:
    """So many scans of each label, drawn by a seed, as decisions."""
    rng = np.random.default_rng([draw, shots])
    chosen: list[tuple[Scan, str]] = []
    for place, label_id in enumerate(label_set.ids):
        rows = np.flatnonzero(known.targets[:, place])
        picked = rng.choice(rows, size=min(shots, len(rows)), replace=False)
        chosen += [(known.scans[row], label_id) for row in picked]
    scans = {scan.id: scan for scan, _ in chosen}
    now = datetime.now(UTC)
    decisions = [
        Decision(number, scan.id, "benchmark", now, Verdict(State.LABELLED, (label_id,)))
        for number, (scan, label_id) in enumerate(chosen, start=1)
    ]
    return scans, decisions
