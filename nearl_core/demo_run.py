"""The main job without a display: every step of the loop on the demo project, timed."""

import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Final

from nearl_core import demo
from nearl_core.control import RunControl
from nearl_core.errors import ProjectError
from nearl_core.export.exporter import export
from nearl_core.scans.guard import ScanReader
from nearl_core.store.project import Project
from nearl_core.types import FROZEN, Ranking, Scan

if TYPE_CHECKING:
    from nearl_core.engine import Engine

CLAIM: Final = (
    "This shows that the loop runs. It claims nothing about learning: the scans are few, and "
    "their labels are image types that the headers tell anyway."
)


@dataclass(frozen=True)
class DemoStep:
    """What one step did.

    Attributes:
        name: Such as "rank before".
        seconds: Wall time.
        text: What it did, with its figures, in a sentence.
        figures: The same figures by name.
    """

    name: str
    seconds: float
    text: str
    figures: Mapping[str, object]


@dataclass
class _Notes:
    """What a step fills in while it runs."""

    text: str = ""
    figures: dict[str, object] = field(default_factory=dict)

    def say(self, text: str, **figures: object) -> None:
        self.text = text
        self.figures = figures


class DemoRun:
    """One run of the demo.

    Attributes:
        folder: A new or empty folder; the project and the exports are made inside it.
        control: Progress and cancellation.
        report: Called with each step as it ends.
        train_seconds: The longest that training may take.
        device: As the engine names it; None chooses by itself.
        seed: Of the training.
    """

    def __init__(
        self,
        folder: Path,
        *,
        control: RunControl,
        report: Callable[[DemoStep], None],
        train_seconds: float = 30.0,
        device: str | None = None,
        seed: int = 0,
    ) -> None:
        self.folder = folder
        self.control = control
        self.report = report
        self.train_seconds = train_seconds
        self.device = device
        self.seed = seed

    def run(self) -> None:
        """Create, add, rank, decide, learn, rank, train, rank, export.

        Raises:
            NearlError: If a step can't be done.
            Cancelled: If asked to stop.
        """
        if self.folder.exists() and any(self.folder.iterdir()):
            raise ProjectError(
                "The demo's folder is not empty.", "Name a new one, or leave it out."
            )
        with ScanReader() as reader:
            with self._step("read") as notes:
                found = demo.demo_scans(reader, self.control)
                notes.say(
                    f"{len(found)} scans that the pydicom package ships, equal pictures once",
                    scans=len(found),
                )
            label_of = {scan.path: scan.label_id for scan in found}
            with Project.create(self.folder / "demo.nearl", demo.demo_label_set()) as project:
                self._add(project, found)
                engine = self._load(project, reader)
                self._loop(project, engine, label_of)
                self._export(project, reader)

    @contextmanager
    def _step(self, name: str) -> Iterator[_Notes]:
        notes = _Notes()
        start = time.perf_counter()
        yield notes
        seconds = time.perf_counter() - start
        self.report(DemoStep(name, seconds, notes.text, notes.figures))

    def _add(self, project: Project, found: Iterable[demo.DemoScan]) -> None:
        with self._step("add") as notes:
            added = demo.add_demo_scans(project, found)
            scans = project.scans()
            patients = len({scan.patient for scan in scans})
            frames = sum(scan.frames for scan in scans)
            notes.say(
                f"{added} scans with {frames} frames of {patients} patients in the project",
                added=added,
                frames=frames,
                patients=patients,
            )

    def _load(self, project: Project, reader: ScanReader) -> "Engine":
        from nearl_core.engine import Engine

        with self._step("load") as notes:
            engine = Engine(
                backbone=project.backbone,
                label_set=project.label_set(),
                reader=reader,
                adapters_folder=project.adapters_folder,
                cache_folder=project.cache_folder,
                device=self.device,
            )
            info = engine.load(self.control)
            notes.say(
                f"backbone {info.backbone}, {info.parameters:,} weights, on {info.device_text}",
                backbone=info.backbone,
                parameters=info.parameters,
                device=info.device,
            )
        return engine

    def _loop(self, project: Project, engine: "Engine", label_of: Mapping[Path, str]) -> None:
        scans = {scan.id: scan for scan in project.scans()}
        new, left = demo.demo_decisions(list(scans.values()), label_of)
        with self._step("rank before") as notes:
            _tell_ranking(notes, engine.rank(list(scans.values()), self.control), left, label_of)
        with self._step("decide") as notes:
            for decision in new:
                project.record(decision)
            notes.say(
                f"{len(new)} decisions from the headers, each on disk; {len(left)} scans left",
                decisions=len(new),
                left=len(left),
            )
        with self._step("learn") as notes:
            used = engine.learn(scans, project.standing())
            notes.say(f"the instant learner fitted to {used} decisions", used=used)
        with self._step("rank after") as notes:
            _tell_ranking(notes, engine.rerank([scan.id for scan in left]), left, label_of)
        self._train(project, engine, scans)
        with self._step("rank again") as notes:
            _tell_ranking(notes, engine.rank(left, self.control), left, label_of)

    def _train(self, project: Project, engine: "Engine", scans: Mapping[int, Scan]) -> None:
        with self._step("train") as notes:
            result = engine.train(
                scans,
                project.standing(),
                version_id="v1",
                seed=self.seed,
                max_seconds=self.train_seconds,
                control=self.control,
            )
            version, losses = result.version, result.losses
            project.add_version(version)
            if version.promoted:
                project.activate(version.id)
                engine.activate(version)
                engine.learn(scans, project.standing())
            course = f"loss {losses[0]:.3f} to {losses[-1]:.3f}" if losses else "no step"
            notes.say(
                f"{len(losses)} steps, {course}; the gate: {version.reason}",
                steps=len(losses),
                first_loss=losses[0] if losses else None,
                last_loss=losses[-1] if losses else None,
                promoted=version.promoted,
                reason=version.reason,
            )

    def _export(self, project: Project, reader: ScanReader) -> None:
        for name in ("csv", "imagefolder"):
            with self._step(f"export {name}") as notes:
                out = self.folder / name
                report = export(
                    project,
                    out,
                    format=name,
                    pixels_checked=True,  # public files, looked at by those who published them
                    reader=reader,
                    control=self.control,
                )
                splits = ", ".join(f"{split} {count}" for split, count in report.splits)
                notes.say(
                    f"{report.scans} scans of {report.patients} patients, {report.images} "
                    f"pictures; {splits}; read again and verified",
                    scans=report.scans,
                    patients=report.patients,
                    images=report.images,
                    splits=dict(report.splits),
                )


def _tell_ranking(
    notes: _Notes, rankings: Sequence[Ranking], left: Sequence[Scan], label_of: Mapping[Path, str]
) -> None:
    """Note how many scans got a ranking, and how often its first label is the header's.

    Only the scans that were left undecided are compared with their headers.
    """
    ranked = [ranking for ranking in rankings if ranking.labels]
    truth = {scan.id: label_of[scan.path] for scan in left}
    compared = [ranking for ranking in ranked if ranking.scan_id in truth]
    agreed = sum(truth[r.scan_id] == r.labels[0].label_id for r in compared)
    version = next((ranking.version for ranking in ranked), "")
    text = f"{len(ranked)} of {len(rankings)} scans ranked"
    if version:
        text += " by the frozen backbone" if version == FROZEN else f" by {version}"
    if compared:
        text += f"; {agreed} of {len(compared)} undecided ones have the header's label first"
    reasons = {ranking.notice for ranking in rankings if ranking.notice and not ranking.labels}
    notes.say(
        " ".join([text + ("." if reasons else ""), *sorted(reasons)]),
        ranked=len(ranked),
        of=len(rankings),
        compared=len(compared),
        agreed=agreed,
        version=version,
    )
