"""Small projects on disk, without decoding anything."""

from collections import Counter
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from nearl_core.errors import ScanError
from nearl_core.scans import decode
from nearl_core.store.project import Project
from nearl_core.store.scans import NewScan
from nearl_core.types import (
    Decision,
    Disguise,
    Figures,
    Frame,
    Identity,
    Label,
    LabelProbability,
    LabelSet,
    NewDecision,
    Ranking,
    ScanInfo,
    Shown,
    State,
    TagLine,
    Verdict,
    Version,
    Window,
)

S = TypeVar("S")
T = TypeVar("T")

LABELS = LabelSet((Label("disc", "Disc"), Label("stripes", "Stripes"), Label("dots", "Dots")))
MULTI = LabelSet(LABELS.labels, multi_label=True)


def new_project(
    folder: Path, *, scans: int = 6, label_set: LabelSet = LABELS, patients: int = 0
) -> Project:
    """An open project with scans whose files do not exist; of so many patients, if any."""
    project = Project.create(folder / "p.nearl", label_set)
    project.add_scans(
        NewScan(
            folder / "scans" / f"{number}.png",
            ScanInfo(32, 32),
            Identity(patient=f"P{number % patients}" if patients else ""),
        )
        for number in range(1, scans + 1)
    )
    return project


def labelled(*labels: str) -> Verdict:
    """A verdict that names labels."""
    return Verdict(State.LABELLED, labels)


def ranking(scan_id: int, first: str = "disc") -> Ranking:
    """What version v1 might have said."""
    others = [label_id for label_id in LABELS.ids if label_id != first]
    order = (LabelProbability(first, 0.8), *(LabelProbability(one, 0.1) for one in others))
    return Ranking(scan_id, "v1", 3, order, recipe="default-window-1")


def decide(
    project: Project,
    scan_id: int,
    *labels: str,
    reader: str = "r",
    shown: Shown = Shown.BLIND,
    suggestion: str = "",
) -> Decision:
    """Record that a scan has labels."""
    said = ranking(scan_id, suggestion) if suggestion else None
    return project.record(NewDecision(scan_id, reader, labelled(*labels), said, shown))


def said(decisions: Iterable[Decision]) -> dict[tuple[int, str], tuple[str, ...]]:
    """Labels by scan and reader."""
    return {(one.scan_id, one.reader): one.verdict.labels for one in decisions}


class NoHeaders:
    """A reader of headers for tests in which none is to be read."""

    def tags(self, path: Path, *, identity: bool = False) -> tuple[TagLine, ...]:
        raise AssertionError(f"no header was to be read: {path}, {identity}")

    def infos(self, paths: Sequence[Path]) -> list[tuple[ScanInfo, Identity] | ScanError]:
        raise AssertionError(f"no header was to be read: {paths}")

    def each(self, scans: Iterable[S], read: Callable[[S], T]) -> Iterator[tuple[S, T | ScanError]]:
        raise AssertionError(f"no header was to be read: {scans}, {read}")


class PillowReader:
    """Reads 8-bit pictures in this process, for tests that are not about decoding."""

    def __init__(self) -> None:
        self.reads: Counter[Path] = Counter()

    def info(self, path: Path) -> tuple[ScanInfo, Identity]:
        frame, info = self.frame(path)
        del frame
        return info, Identity()

    def infos(self, paths: Sequence[Path]) -> list[tuple[ScanInfo, Identity] | ScanError]:
        return [found for _, found in self.each(paths, self.info)]

    def frame(self, path: Path, frame: int = 0) -> tuple[Frame, ScanInfo]:
        del frame
        self.reads[path] += 1
        try:
            with Image.open(path) as image:
                values = np.asarray(image.convert("L"))
        except OSError as error:
            raise ScanError(f"{path.name} can't be read.") from error
        return Frame(values, windows=(Window(128.0, 256.0),)), ScanInfo(*values.shape)

    def stored(self, path: Path, *, rgb: bool = False) -> NDArray[np.generic]:
        del rgb
        return self.frame(path)[0].values

    def copy(self, path: Path, out: Path, disguise: Disguise) -> None:
        decode.copy(path, out, disguise)

    def each(
        self, scans: Iterable[S], read: Callable[[S], T]
    ) -> Generator[tuple[S, T | ScanError], None, None]:
        for scan in scans:
            try:
                yield scan, read(scan)
            except ScanError as error:
                yield scan, error


def version(version_id: str, file: str = "v1.safetensors") -> Version:
    """A version that was trained somewhere."""
    figures = Figures(10, 0.8, 0.75, 0.5, 0.1, 0.9)
    return Version(
        id=version_id,
        created=datetime(2026, 1, 2, tzinfo=UTC),
        file=file,
        backbone="starter",
        backbone_hash="0" * 64,
        label_set_revision=1,
        decision_ids=(1, 2),
        seconds=3.5,
        device="cpu",
        before=None,
        after=figures,
        promoted=True,
        reason="Better.",
    )
