"""Large exports that are cancelled, killed or meet a full disk: `python -m tests.export.large`.

Of tens of thousands of small scans, in each kind of format: cancelled and killed (kill -9) at
several places, and to file systems that are too small by different amounts (mounted where nobody
else sees them, with util-linux's `unshare`). After each the place must be as it was before, but for
what a killed export leaves, which the next one removes; and one that ends is whole and verified.
"""

import argparse
import os
import shutil
import signal
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from nearl_core.control import Progress, RunControl
from nearl_core.errors import Cancelled, NearlError
from nearl_core.export.exporter import export
from nearl_core.export.verify import verify
from nearl_core.scans.guard import ScanReader
from nearl_core.store.project import Project
from nearl_core.store.scans import NewScan
from nearl_core.types import Identity, NewDecision, ScanInfo
from tests.store.faults.ledger import forked
from tests.store.small_disk import on_a_disk_of_its_own
from tests.support.projects import LABELS, labelled
from tests.support.scans import write_png

FORMATS = ("csv", "imagefolder", "dicom")
STOPS = (
    ("Writing pictures", 0.1),
    ("Writing pictures", 0.9),
    ("Writing pictures", 0.99),
    ("Verifying files", 0.5),
    ("Reading pictures again", 0.5),
)
KILLS = (0.1, 0.5, 0.95)
_FILL_MB = 1
_TRIES = 4


@dataclass
class Outcome:
    """One kind of interruption in one format.

    Attributes:
        times, whole, told: How often; how many exports ended whole; how often a sentence came.
        left: What stood there afterwards that should not.
    """

    what: str
    times: int = 0
    whole: int = 0
    told: int = 0
    left: list[str] = field(default_factory=list)


def make(folder: Path, count: int) -> Path:
    """A project of so many small scans, each of a patient of its own, all labelled."""
    chosen = np.random.default_rng(0)
    with Project.create(folder / "p", LABELS) as project:

        def scans() -> Iterator[NewScan]:
            for number in range(count):
                path = folder / "scans" / f"{number // 1000}" / f"{number}.png"
                write_png(path, chosen.integers(0, 255, (16, 16), np.uint8))
                yield NewScan(path, ScanInfo(16, 16, modality="DX"), Identity(f"P{number}"))

        project.add_scans(scans())
        new = [
            NewDecision(one.id, "r", labelled(LABELS.ids[one.id % 3])) for one in project.scans()
        ]
        for start in range(0, count, 1000):
            project.record_all(new[start : start + 1000])
    return folder / "p.nearl"


def run(
    project: Path,
    out: Path,
    format: str,
    control: RunControl | None = None,
    *,
    reader: ScanReader | None = None,
) -> None:
    """Export as the command line does, or as the desk, whose reader stays."""
    with Project.open(project, read_only=True) as opened, ExitStack() as stack:
        own = reader or stack.enter_context(ScanReader(workers=2))
        export(opened, out, format=format, reader=own, control=control)


def cancelled(project: Path, place: Path, format: str) -> Outcome:
    """Stop it at several places, in whichever part of the work they are."""
    outcome = Outcome(f"cancelled: {format}")
    for text, share in STOPS:
        control = _stopping(text, share)
        try:
            run(project, place / "out", format, control)
            shutil.rmtree(place / "out")
            if not control.cancelled:
                continue  # a format without this part of the work
            outcome.whole += 1
        except Cancelled:
            pass
        outcome.times += 1
        _settle(outcome, place)
    return outcome


def _stopping(text: str, share: float) -> RunControl:
    """Stops at a part of one part of the work."""

    def stop(progress: Progress) -> None:
        if progress.text == text and progress.done >= share * progress.total:
            control.cancel()

    control = RunControl(report=stop)
    return control


def killed(project: Path, place: Path, format: str, *, files: int) -> Outcome:
    """Kill it once it has written a part of its files; the next export removes what is left."""
    outcome = Outcome(f"killed: {format}")
    for share in KILLS:
        child, pipe = forked(lambda _pipe: run(project, place / "out", format))
        ended = os.WEXITED | os.WNOHANG | os.WNOWAIT
        while not os.waitid(os.P_PID, child, ended):
            if sum(one.is_file() for one in place.rglob("*")) >= share * files:
                break
            time.sleep(0.01)
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
        os.close(pipe)
        outcome.times += 1
        if (place / "out").exists():
            outcome.whole += 1
            assert verify(place / "out").ok
        shutil.rmtree(place / "out", ignore_errors=True)
    time.sleep(2.0)  # the decoding processes end by themselves
    run(project, place / "out", format)
    shutil.rmtree(place / "out")
    _settle(outcome, place)
    return outcome


def full(project: Path, place: Path, format: str, *, needed: int, reader: ScanReader) -> Outcome:
    """Export to a file system with too little space, more each time, until it fits."""
    outcome = Outcome(f"disk full: {format}")
    ballast = place / "ballast"
    for tried in range(_TRIES + 1):
        free = needed * tried // _TRIES
        _fill(ballast, free)
        try:
            run(project, place / "out", format, reader=reader)
            outcome.whole += 1
            assert verify(place / "out").ok
            shutil.rmtree(place / "out")
        except NearlError as error:
            outcome.told += 1
            if "space" not in str(error).lower():
                outcome.left.append(f"{free} bytes free: {error}")
        ballast.unlink()
        outcome.times += 1
        _settle(outcome, place)
    return outcome


def _fill(ballast: Path, free: int) -> None:
    with ballast.open("wb", buffering=0) as file:
        for size in (_FILL_MB << 20, 4096):
            while shutil.disk_usage(ballast.parent).free >= free + size:
                file.write(b"\xff" * size)


def _settle(outcome: Outcome, place: Path) -> None:
    outcome.left += [str(path.relative_to(place)) for path in place.iterdir()]
    for path in place.iterdir():
        shutil.rmtree(path)


def _measured(project: Path, place: Path, format: str) -> tuple[int, int]:
    """Files and bytes of it."""
    run(project, place / "out", format)
    files = sum(one.is_file() for one in place.rglob("*"))
    before = shutil.disk_usage(place).free
    shutil.rmtree(place / "out")
    return files, shutil.disk_usage(place).free - before


def every(place: Path, count: int, *, formats: Sequence[str], only: str) -> Iterator[Outcome]:
    """Every interruption in each format."""
    with tempfile.TemporaryDirectory() as folder:
        project = make(Path(folder), count)
        for format in formats:
            files, needed = _measured(project, place, format)
            if only in ("", "cancelled"):
                yield cancelled(project, place, format)
            if only in ("", "killed"):
                yield killed(project, place, format, files=files)
            if only in ("", "full"):
                with ScanReader(workers=2) as reader:
                    yield full(project, place, format, needed=needed, reader=reader)


def main() -> int:
    """Interrupt exports; 1 where something was left."""
    parser = argparse.ArgumentParser(description="Interrupt large exports.")
    parser.add_argument("--scans", type=int, default=30_000)
    parser.add_argument("--only", choices=("", "cancelled", "killed", "full"), default="")
    parser.add_argument("--format", choices=FORMATS, help="this one only")
    parser.add_argument("--in", dest="place", type=Path, help="an empty file system of its own")
    args = parser.parse_args()
    if args.place is None:
        size_mb = 16 + args.scans * 12 // 1000
        return on_a_disk_of_its_own("tests.export.large", sys.argv[1:], size_mb=size_mb)
    outcomes = []
    formats = FORMATS if args.format is None else (args.format,)
    for one in every(args.place, args.scans, formats=formats, only=args.only):
        outcomes.append(one)
        sys.stdout.write(
            f"{one.what:25} {one.times:4} times {one.whole:4} whole {one.told:4} told "
            f"{len(one.left):4} left\n"
        )
        sys.stdout.flush()
        sys.stderr.writelines(f"{left}\n" for left in one.left[:5])
    left = sum(bool(one.left) for one in outcomes)
    sys.stdout.write(f"{sum(one.times for one in outcomes)} times, {left} left something\n")
    return 1 if left else 0


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as home:
        os.environ["NEARL_HOME"] = home
        code = main()
    sys.exit(code)
