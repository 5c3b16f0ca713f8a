"""What was acknowledged, and whether it is all there."""

import os
import shutil
import sqlite3
import traceback
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path

from nearl_core.errors import NearlError
from nearl_core.store.copies import copies_before_upgrades, copy_daily
from nearl_core.store.project import Project
from nearl_core.store.scans import NewScan
from nearl_core.types import Decision, NewDecision, ScanInfo, State, Verdict
from tests.support.projects import LABELS

Row = tuple[int, str]
"""A decision's id, and what it says."""
SCANS = 12
_SCHEMA_2 = Path(__file__).parents[1] / "schema_2.sql"
OLD_LOG: list[Row] = [
    (1, "1 ('disc',) "),
    (2, "2 ('dots',) "),
    (3, "2 () "),
    (4, "3 ('stripes',) "),
]
"""The log of `old_project`: two readers, and an undo."""


@dataclass
class Tally:
    """One kind of fault.

    Attributes:
        times: How often it was brought about.
        acknowledged: Decisions that had been acknowledged, added up over all times.
        lost: Those that were not there afterwards.
        told: How often a sentence with a remedy came.
        bugs: What came out otherwise, or was found wrong afterwards.
    """

    what: str
    times: int = 0
    acknowledged: int = 0
    lost: int = 0
    told: int = 0
    bugs: list[str] = field(default_factory=list)

    @property
    def line(self) -> str:
        """The tally in one line."""
        return (
            f"{self.what:55} {self.times:6} times {self.acknowledged:8} acknowledged "
            f"{self.lost:4} lost {self.told:6} told {len(self.bugs):4} bugs"
        )

    def bug(self, where: str) -> None:
        """Note what is being handled."""
        self.bugs.append(f"{where}: {traceback.format_exc(limit=-4)}")

    def tell(self, error: NearlError, where: str) -> None:
        """Note a trouble, which must be a sentence with a remedy."""
        self.told += 1
        if not error.message.endswith(".") or not error.remedy:
            self.bugs.append(f"{where}: no sentence with a remedy: {error}")


def verdict(number: int) -> Verdict:
    """Something to say that can be told from what was said before."""
    return Verdict(State.LABELLED, (LABELS.ids[number % 3],), note=f"number {number}")


def new(number: int) -> NewDecision:
    """A decision."""
    return NewDecision(number % SCANS + 1, "r", verdict(number))


def row(decision: Decision | None) -> Row:
    """What is compared of a decision."""
    assert decision is not None
    return decision.id, f"{decision.scan_id} {decision.verdict.labels} {decision.verdict.note}"


def log(folder: Path) -> list[Row]:
    """Every decision of a project, opened as a reader opens it."""
    with Project.open(folder) as project:
        found = [one for scan in project.scans() for one in project.history(scan.id)]
    return sorted(row(one) for one in found)


def nothing(_folder: Path) -> None:
    """What is looked at first where there is nothing to look at."""


def verify(
    folder: Path,
    acknowledged: list[Row],
    tally: Tally,
    where: str,
    *,
    more: int,
    first: Callable[[Path], None] = nothing,
) -> None:
    """Open a project after a fault: all that was acknowledged, and little more, is there.

    `first` looks at what the fault left, before anything mends it.
    """
    tally.times += 1
    tally.acknowledged += len(acknowledged)
    try:
        first(folder)
        kept = log(folder)
        with closing(sqlite3.connect(folder / "project.db")) as database:
            assert database.execute("PRAGMA quick_check").fetchall() == [("ok",)], "not sound"
            assert not database.execute("PRAGMA foreign_key_check").fetchall(), "orphans"
        with Project.open(folder) as project:
            project.record(new(SCANS))
            project.undo("r")
    except Exception:  # noqa: BLE001 - whatever comes is counted
        tally.bug(f"{where}, afterwards")
        tally.lost += len(acknowledged)
        return
    lost = set(acknowledged) - set(kept)
    if lost:
        tally.bugs.append(f"{where}: lost {sorted(lost)}")
    tally.lost += len(lost)
    if len(kept) - len(acknowledged) > more:
        tally.bugs.append(f"{where}: {len(kept)} decisions, {len(acknowledged)} acknowledged")


def make_template(folder: Path) -> list[Row]:
    """A project with scans, decisions, an adapters file and a copy; returns its log."""
    (folder / "scans").mkdir(parents=True)
    for number in range(SCANS):
        (folder / "scans" / f"{number}.png").write_bytes(b"x" * (number + 1))
    with Project.create(folder / "p", LABELS) as project:
        project.add_scans(
            NewScan(folder / "scans" / f"{number}.png", ScanInfo(8, 8)) for number in range(SCANS)
        )
        (project.adapters_folder / "v1.safetensors").write_bytes(b"adapters")
        said = [row(project.record(new(number))) for number in range(20)]
        copy_daily(project.folder, today=date(2026, 1, 1))
    return said


def leave_killed(folder: Path, count: int) -> list[Row]:
    """Go on in a process that ends without closing, so that the log of the database stays."""

    def work(pipe: int) -> None:
        project = Project.open(folder)
        for number in range(count):
            acknowledge(pipe, row(project.record(new(100 + number))))

    child, pipe = forked(work)
    said = acknowledged(pipe)
    os.waitpid(child, 0)
    return said


def forked(work: Callable[[int], None]) -> tuple[int, int]:
    """Work in a process of its own, with a pipe to tell; returns its id and the pipe's other end.

    It ends with 1, and what came out on stderr, where the work raised.
    """
    reading, writing = os.pipe()
    child = os.fork()
    if child:
        os.close(writing)
        return child, reading
    status = 1
    try:
        os.close(reading)
        work(writing)
        status = 0
    except BaseException:  # noqa: BLE001 - it must not unwind into what the parent cleans up
        traceback.print_exc()
    finally:
        os._exit(status)


def acknowledge(pipe: int, said: Row) -> None:
    """Tell the process that watches: this is saved."""
    os.write(pipe, f"{said[0]}|{said[1]}\n".encode())


def acknowledged(pipe: int) -> list[Row]:
    """All that was told until the other end was closed."""
    with os.fdopen(pipe, "rb") as stream:
        lines = [line.decode().rstrip("\n") for line in stream if line.endswith(b"\n")]
    return [(int(number), text) for number, _, text in (line.partition("|") for line in lines)]


def fresh(template: Path, folder: Path) -> Path:
    """A copy of a template, with the scans beside it."""
    shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(template, folder)
    return folder / "p.nearl"


def old_or_copied(folder: Path) -> None:
    """After a fault in an upgrade: an older program can open the project, or the copy of it."""
    if not _is_old(folder / "project.db"):
        (copy,) = copies_before_upgrades(folder)
        assert _is_old(copy.file), "the copy is not as it was"


def _is_old(file: Path) -> bool:
    """Whether a database has the old schema and says all that was said in it."""
    # No read-only opening: as an older program does, it brings a cut-off transaction back.
    with closing(sqlite3.connect(file)) as database:
        assert database.execute("PRAGMA quick_check").fetchall() == [("ok",)], "not sound"
        assert len(database.execute("SELECT id FROM decisions").fetchall()) >= len(OLD_LOG)
        return bool(
            database.execute("SELECT 1 FROM meta WHERE (key, value) = ('schema', '2')").fetchall()
        )


def old_project(folder: Path) -> Path:
    """A project of before Alembic in a folder; returns its database."""
    project = folder / "p.nearl"
    project.mkdir(exist_ok=True)
    database = project / "project.db"
    database.unlink(missing_ok=True)
    with closing(sqlite3.connect(database)) as old:
        old.executescript(_SCHEMA_2.read_text(encoding="utf-8"))
    return database
