"""Exports that were cancelled, killed or met a full disk leave nothing half-made."""

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from nearl_core.control import Progress, RunControl
from nearl_core.errors import Cancelled, ExportError, NotWrittenError
from nearl_core.export.beside import HERE
from nearl_core.scans.guard import ScanReader
from nearl_core.store.project import Project
from nearl_core.store.scans import NewScan
from nearl_core.types import Disguise, Frame, ScanInfo
from tests.export.running import run
from tests.store import small_disk
from tests.support.projects import LABELS, PillowReader, decide
from tests.support.scans import disc, write_dicom, write_png


@pytest.fixture
def project(tmp_path: Path) -> Iterator[Project]:
    """Twelve real pictures, all labelled."""
    with Project.create(tmp_path / "p", LABELS) as made:
        for number in range(12):
            path = write_png(tmp_path / "scans" / f"{number}.png", disc(seed=number))
            made.add_scans([NewScan(path, ScanInfo(32, 32, modality="DX"))])
            decide(made, number + 1, LABELS.ids[number % 3])
        yield made


def test_an_interrupted_export_leaves_nothing(project: Project, tmp_path: Path) -> None:
    reports: list[Progress] = []

    def cancel(progress: Progress) -> None:
        reports.append(progress)
        if progress.text == "Writing pictures" and progress.done == 5:
            control.cancel()

    control = RunControl(report=cancel)
    before = sorted(tmp_path.iterdir())
    with pytest.raises(Cancelled):
        run(project, tmp_path / "out", "imagefolder", control=control)
    assert sorted(tmp_path.iterdir()) == before
    assert reports[-1].done == 5


def test_what_a_killed_export_left_is_removed_by_the_next(project: Project, tmp_path: Path) -> None:
    with subprocess.Popen([sys.executable, "-c", ""]) as ended:
        pass
    dead = tmp_path / f"out.partial-{HERE}-{ended.pid}-0123abcd"
    other = tmp_path / "out.partial-mine"
    for folder in (dead, other):
        folder.mkdir()
    run(project, tmp_path / "out")
    assert [folder.exists() for folder in (dead, other)] == [False, True]


@pytest.mark.parametrize("host", [HERE, "elsewhere"])
def test_two_exports_to_one_place_are_refused_before_the_second_one_does_anything(
    project: Project, tmp_path: Path, host: str
) -> None:
    """On a share the other computer's process, whose number means nothing here, may be at work."""
    with subprocess.Popen([sys.executable, "-c", ""]) as ended:
        pass
    pid = os.getpid() if host == HERE else ended.pid
    running = tmp_path / f"out.partial-{host}-{pid}-0123abcd"
    running.mkdir()
    (running / "half.csv").touch()
    before = sorted(tmp_path.iterdir())
    with pytest.raises(ExportError, match=rf"under way.*{running.name}"):
        run(project, tmp_path / "out")
    assert sorted(tmp_path.iterdir()) == before
    assert (running / "half.csv").exists()


def test_a_full_disk_while_exporting(
    project: Project, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("nearl_core.export.pictures.write_png", full)
    before = sorted(tmp_path.iterdir())
    with pytest.raises(ExportError, match=r"No space left.*free space"):
        run(project, tmp_path / "out", "imagefolder")
    assert sorted(tmp_path.iterdir()) == before


class SlowReader(ScanReader):
    """Takes a while for each scan after the first ones, as large scans do."""

    def frame(self, path: Path, frame: int = 0) -> tuple[Frame, ScanInfo]:
        time.sleep(0.0 if path.stem in "012" else 0.4)
        return super().frame(path, frame)


def test_what_is_still_being_copied_does_not_come_after_the_end(
    project: Project, tmp_path: Path
) -> None:
    def cancel(progress: Progress) -> None:
        if progress.text == "Writing pictures" and progress.done == 2:
            control.cancel()

    control = RunControl(report=cancel)
    before = sorted(tmp_path.iterdir())
    with SlowReader(workers=2) as reader:
        with pytest.raises(Cancelled):
            run(project, tmp_path / "out", "dicom", reader=reader, control=control)
        time.sleep(1.0)  # as long as those take that had begun
    assert sorted(tmp_path.iterdir()) == before


class FullReader(PillowReader):
    """Its copies go to a disk that fills up."""

    def copy(self, path: Path, out: Path, disguise: Disguise) -> None:
        if path.stem != "0":
            raise NotWrittenError("The copy can't be written (No space left on device).", "Free.")
        super().copy(path, out, disguise)


def test_a_disk_that_fills_up_while_copying_ends_the_export(
    project: Project, tmp_path: Path
) -> None:
    """It is no fault of the scans: they must not be left out as if they could not be read."""
    before = sorted(tmp_path.iterdir())
    with pytest.raises(ExportError, match="No space left"):
        run(project, tmp_path / "out", "dicom", reader=FullReader())
    assert sorted(tmp_path.iterdir()) == before


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs a device that is always full")
def test_a_copy_that_the_disk_does_not_take_is_told_as_such(tmp_path: Path) -> None:
    scan, out = write_dicom(tmp_path / "ct.dcm", disc(seed=1)), tmp_path / "copy.dcm"
    out.symlink_to("/dev/full")
    with (
        ScanReader(workers=1) as reader,
        pytest.raises(NotWrittenError, match=r"can't be written \(No space left"),
    ):
        reader.copy(scan, out, Disguise(b"k" * 32, "patient-1", "scan-1"))
    assert not out.is_symlink()


@pytest.mark.skipif(not small_disk.available(), reason="needs a file system of its own")
def test_exports_to_a_small_disk_are_whole_or_not_there() -> None:
    asked = ["--scans", "20", "--format", "dicom", "--only", "full"]
    done = subprocess.run(
        [sys.executable, "-m", "tests.export.large", *asked],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.splitlines()[-1].endswith("0 left something"), done.stdout
