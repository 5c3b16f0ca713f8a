"""The benchmark's tasks as features of the frozen backbone: what needs no training is quick."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from nearl_core.control import RunControl
from nearl_core.engine import Engine
from nearl_core.errors import NearlError
from nearl_core.evaluation import Known, from_folder
from nearl_core.learn import axes
from nearl_core.learn.examples import Axes, Examples, FloatArray
from nearl_core.scans.guard import ScanReader
from nearl_core.types import Label, LabelSet


@dataclass(frozen=True, eq=False)
class Part:
    """Scans of a task.

    Attributes:
        features: N x F: the embedding, normalised, and the blocks behind it.
        labels: N, from 0.
        count: Number of the task's labels, C.
        blocks: Widths of the blocks.
        axes: Of all the scans, decided or not.
    """

    features: FloatArray
    labels: NDArray[np.intp]
    count: int
    blocks: tuple[int, ...]
    axes: Axes | None = None

    @property
    def embeddings(self) -> FloatArray:
        """N x E."""
        return self.features[:, : self.features.shape[1] - sum(self.blocks)]

    @property
    def targets(self) -> FloatArray:
        """N x C."""
        return np.asarray(np.eye(self.count)[self.labels])

    def examples(self, rows: NDArray[np.intp]) -> Examples:
        """Some of them as decisions, each made blind."""
        ones = np.ones(len(rows))
        return Examples(self.features[rows], self.targets[rows], ones, self.blocks, axes=self.axes)


@dataclass(frozen=True, eq=False)
class Task:
    """One task: what readers decide is drawn from `train`, `test` is met only by the figures."""

    name: str
    train: Part
    test: Part


def tasks(
    root: Path,
    names: Sequence[str],
    *,
    work: Path,
    backbone: str,
    device: str | None,
    control: RunControl,
) -> Iterator[Task]:
    """Read tasks; features are kept in `work` for the next time.

    Raises:
        NearlError: If a task's folder can't be used.
    """
    with ScanReader() as reader:
        for name in names:
            folder = root / name
            if not (folder / "train").is_dir() or not (folder / "test").is_dir():
                raise NearlError(
                    f"The task {name} has no train and test folder.", "Give a folder of tasks."
                )
            classes = sorted(p.name for p in (folder / "train").iterdir() if p.is_dir())
            label_set = LabelSet(tuple(Label(c, c.replace("_", " ")) for c in classes))
            engine = Engine(
                backbone=backbone,
                label_set=label_set,
                reader=reader,
                adapters_folder=work / name / "adapters",
                cache_folder=work / name / "cache",
                device=device,
            )
            engine.load(control)
            train = from_folder(folder / "train", label_set, first_id=1)
            test = from_folder(folder / "test", label_set, first_id=1 + len(train.scans))
            yield Task(name, _part(engine, train, control), _part(engine, test, control))


def _part(engine: Engine, known: Known, control: RunControl) -> Part:
    engine.rank(known.scans, control.renamed("reading scans"))
    features = engine.deep_features([scan.id for scan in known.scans])
    labels, count = known.targets.argmax(1), known.targets.shape[1]
    blocks = engine.encoder.blocks
    some = features[axes.drawn(len(features), np.random.default_rng(0))]
    return Part(features, labels, count, blocks, axes.of_scans(some, blocks))
