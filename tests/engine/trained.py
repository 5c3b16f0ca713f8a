"""One training for a module of tests, and engines on its project."""

import time
from dataclasses import dataclass
from pathlib import Path

import pytest

from nearl_core.control import Progress, RunControl
from nearl_core.engine import Engine
from nearl_core.types import LabelSet, Ranking, Scan, TrainingResult
from tests.engine.making import LABELS, Making, all_decided

SECONDS = 2.0
"""That a limit is kept is tested by a clock of its own: `tests/learn/test_tuning.py`."""


@dataclass
class Trained:
    """One training, which many tests look at.

    Attributes:
        between: How often waiting work was let in while it trained.
        reports: What it reported.
        served: Rankings that were asked for in between.
        seconds: How long it took, all in all.
    """

    make: Making
    engine: Engine
    result: TrainingResult
    scans: list[Scan]
    between: int
    reports: list[Progress]
    served: list[Ranking]
    seconds: float

    @property
    def file(self) -> Path:
        return self.make.folder / "adapters" / self.result.version.file


def by_id(scans: list[Scan]) -> dict[int, Scan]:
    return {scan.id: scan for scan in scans}


def train_once(make: Making, backbone: Path, scans: list[Scan]) -> Trained:
    """The training, in which waiting work is let in."""
    engine, served, reports, count = make(backbone), list[Ranking](), list[Progress](), [0]

    def between() -> None:
        count[0] += 1
        if count[0] % 40 == 0:
            served.extend(engine.rank([scans[24 + len(served) % 4]], RunControl()))

    engine.learn(by_id(scans), all_decided(scans[:24]))
    started = time.monotonic()
    result = engine.train(
        by_id(scans),
        all_decided(scans[:24]),
        version_id="v1",
        max_seconds=SECONDS,
        control=RunControl(report=reports.append, between=between),
    )
    seconds = time.monotonic() - started
    return Trained(make, engine, result, scans, count[0], reports, served, seconds)


def opened(trained: Trained, backbone: Path, label_set: LabelSet = LABELS) -> Engine:
    """A second engine on the same project, taught and with the version live."""
    engine = trained.make(backbone, label_set)
    engine.activate(trained.result.version)
    engine.rank(trained.scans, RunControl())
    engine.learn(by_id(trained.scans), all_decided(trained.scans[:24]))
    return engine


def close(one: list[Ranking], other: list[Ranking], *, to: float = 1e-6) -> bool:
    """Whether both say the same."""
    return all(
        (a.scan_id, a.version, a.decisions) == (b.scan_id, b.version, b.decisions)
        and all(e.probability == pytest.approx(b.probability(e.label_id), abs=to) for e in a.labels)
        and a.labels
        for a, b in zip(one, other, strict=True)
    )
