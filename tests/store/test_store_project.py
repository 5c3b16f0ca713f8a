"""Projects: made, opened, refused; scans and label sets in them."""

import json
import os
import sqlite3
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from nearl_core.errors import LabelSetError, ProjectError, ProjectLockedError, VersionError
from nearl_core.store import database, label_sets
from nearl_core.store.project import Project
from nearl_core.store.scans import NewScan
from nearl_core.types import Identity, Label, LabelSet, NewDecision, Revision, ScanInfo, SkippedFile
from tests.support.projects import LABELS, MULTI, decide, labelled, new_project, said


def test_a_project_gets_its_ending_and_opens_under_every_name(tmp_path: Path) -> None:
    with Project.create(tmp_path / "chest", LABELS, backbone="b16") as project:
        assert project.folder == tmp_path / "chest.nearl"
        assert (project.label_set(), project.backbone, project.name) == (LABELS, "b16", "chest")
    for name in ("chest", "chest.nearl", "chest.nearl/project.db"):
        with Project.open(tmp_path / name) as project:
            assert project.backbone == "b16"


def test_create_leaves_what_stands_there_alone(tmp_path: Path) -> None:
    (tmp_path / "p.nearl").mkdir()
    (tmp_path / "p.nearl" / "thesis.txt").write_text("mine")
    with pytest.raises(ProjectError, match=r"already exists.*another name"):
        Project.create(tmp_path / "p", LABELS)
    assert [path.name for path in tmp_path.rglob("*")] == ["p.nearl", "thesis.txt"]


def test_a_root_is_no_place_for_a_project(tmp_path: Path) -> None:
    root = Path(tmp_path.anchor)
    with pytest.raises(ProjectError) as made:
        Project.create(root, LABELS)
    with pytest.raises(ProjectError) as opened:
        Project.open(root)
    for told in (made, opened):
        assert told.value.message.startswith(f"{root} ")


def test_create_takes_an_empty_folder(tmp_path: Path) -> None:
    (tmp_path / "p.nearl").mkdir()
    Project.create(tmp_path / "p", LABELS).close()
    assert (tmp_path / "p.nearl" / "project.db").is_file()


def test_a_project_that_can_not_be_made_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(label_sets, "append", fails)
    with pytest.raises(ProjectError, match=r"full.*Free some space"):
        Project.create(tmp_path / "p", LABELS)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("read_only", [False, True])
def test_missing_and_foreign_folders_get_a_sentence(tmp_path: Path, read_only: bool) -> None:
    with pytest.raises(ProjectError, match=r"no project gone\.nearl.*create"):
        Project.open(tmp_path / "gone", read_only=read_only)
    (tmp_path / "a.nearl").mkdir()
    with pytest.raises(ProjectError, match=r"no project\.db"):
        Project.open(tmp_path / "a", read_only=read_only)
    (tmp_path / "a.nearl" / "project.db").write_bytes(b"hello " * 4000)
    with pytest.raises(ProjectError, match=r"damaged"):
        Project.open(tmp_path / "a", read_only=read_only)
    (tmp_path / "a.nearl" / "project.db").unlink()
    with sqlite3.connect(tmp_path / "a.nearl" / "project.db") as other:
        other.execute("CREATE TABLE recipes (name TEXT)")
    other.close()
    with pytest.raises(ProjectError, match=r"not one of a NEARL Desk project"):
        Project.open(tmp_path / "a", read_only=read_only)


def test_a_corrupt_page_is_told_in_a_sentence(tmp_path: Path) -> None:
    with new_project(tmp_path, scans=3000):
        pass
    file = tmp_path / "p.nearl" / "project.db"
    data = bytearray(file.read_bytes())
    data[4096 * 20 : 4096 * 60] = b"\xa5" * 4096 * 40
    file.write_bytes(data)
    with (
        pytest.raises(ProjectError, match=r"database is damaged.*check PROJECT --restore"),
        Project.open(tmp_path / "p") as project,
    ):
        project.scans()


def test_a_second_instance_is_told_where_and_may_look(tmp_path: Path) -> None:
    with new_project(tmp_path) as project:
        decide(project, 1, "disc")
        with pytest.raises(ProjectLockedError, match=rf"this process \({os.getpid()}\).*read-only"):
            Project.open(tmp_path / "p")
        with Project.open(tmp_path / "p", read_only=True) as second:
            assert said(second.standing()) == {(1, "r"): ("disc",)}
            with pytest.raises(ProjectError, match=r"read-only.*Close it where"):
                decide(second, 2, "disc")
            decide(project, 2, "dots")
            assert len(second.standing()) == 2
    with Project.open(tmp_path / "p") as project:
        assert not project.read_only


def _hold(folder: Path) -> "subprocess.Popen[str]":
    code = (
        "import sys; from pathlib import Path; from nearl_core.store.project import Project\n"
        "p = Project.open(Path(sys.argv[1])); print('open', flush=True); sys.stdin.read()"
    )
    child = subprocess.Popen(
        [sys.executable, "-c", code, folder],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert child.stdout is not None
    assert child.stdout.readline() == "open\n"
    return child


def test_the_lock_of_another_process_holds_until_it_dies(tmp_path: Path) -> None:
    new_project(tmp_path).close()
    with _hold(tmp_path / "p") as child:
        try:
            with pytest.raises(ProjectLockedError, match=f"this computer in process {child.pid}"):
                Project.open(tmp_path / "p")
        finally:
            child.kill()
    Project.open(tmp_path / "p").close()  # what kill -9 left does not keep anyone out


def test_the_lock_of_another_computer_is_believed(tmp_path: Path) -> None:
    new_project(tmp_path).close()
    lock = tmp_path / "p.nearl" / "project.lock"
    lock.write_text(json.dumps({"host": "ward-7", "pid": 11, "started": 1.0}))
    with pytest.raises(ProjectLockedError, match=r"computer ward-7 in process 11.*project\.lock"):
        Project.open(tmp_path / "p")
    lock.write_text("half writt")
    Project.open(tmp_path / "p").close()


def test_a_network_share_gets_no_wal(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(database, "is_on_network", lambda _path: True)
    with new_project(tmp_path) as project, project.writing() as connection:
        assert connection.exec_driver_sql("PRAGMA journal_mode").scalar() == "delete"
    monkeypatch.undo()
    with Project.open(tmp_path / "p") as project, project.writing() as connection:
        assert connection.exec_driver_sql("PRAGMA journal_mode").scalar() == "wal"
        assert connection.exec_driver_sql("PRAGMA synchronous").scalar() == 2
        assert connection.exec_driver_sql("PRAGMA foreign_keys").scalar() == 1


# --- scans -----------------------------------------------------------------------------------


def test_scans_are_added_once_in_order(tmp_path: Path) -> None:
    with Project.create(tmp_path / "p", LABELS) as project:
        first = [NewScan(tmp_path / f"{name}.png", ScanInfo(8, 8)) for name in "ba"]
        bad = SkippedFile(tmp_path / "x.txt", "not an image")
        report = project.add_scans([*first, bad])
        assert (report.added, report.already, report.skipped) == (2, 0, (bad,))
        report = project.add_scans([first[0], NewScan(tmp_path / "c.png"), first[1], first[1]])
        assert (report.added, report.already) == (1, 3)
        assert [scan.path.name for scan in project.scans()] == ["b.png", "a.png", "c.png"]
        found = project.scan_at(tmp_path / "sub" / ".." / "a.png")
        assert found is not None
        assert found.id == 2
        assert project.scan_at(tmp_path / "d.png") is None


def test_a_mended_file_loses_its_problem_and_keeps_its_id(tmp_path: Path) -> None:
    path = tmp_path / "a.png"
    with Project.create(tmp_path / "p", LABELS) as project:
        project.add_scans([NewScan(path, problem="No codec.")])
        assert project.scans()[0].problem == "No codec."
        project.add_scans([NewScan(path)])  # seen again, not read again
        assert project.scans()[0].problem == "No codec."
        project.add_scans([NewScan(path, ScanInfo(8, 8, frames=5))])
        (scan,) = project.scans()
        assert (scan.id, scan.frames, scan.problem) == (1, 5, "")


def test_identity_is_kept_as_keyed_hashes_only(tmp_path: Path) -> None:
    secret = Identity(patient="MUELLER^ANNA", study="1.2.826.77", series="1.2.826.78")
    hashes = []
    for name in "ab":
        with Project.create(tmp_path / name, LABELS) as project:
            project.add_scans([NewScan(tmp_path / "1.dcm", ScanInfo(8, 8), secret)])
            hashes.append(project.scans()[0].patient)
    assert hashes[0] != hashes[1]  # each project has a key of its own
    for file in tmp_path.rglob("*"):
        if file.is_file():
            assert b"MUELLER" not in file.read_bytes()
            assert b"1.2.826" not in file.read_bytes()


def test_who_is_a_patient(tmp_path: Path) -> None:
    rows = [
        NewScan(tmp_path / "1", identity=Identity(patient="A")),
        NewScan(tmp_path / "2", identity=Identity(patient="other"), patient="A "),
        NewScan(tmp_path / "3", identity=Identity(study="S")),
        NewScan(tmp_path / "4", identity=Identity(study="S", series="Q")),
        NewScan(tmp_path / "5"),
        NewScan(tmp_path / "6"),
    ]
    with Project.create(tmp_path / "p", LABELS) as project:
        project.add_scans(rows)
        one, two, three, four, five, six = project.scans()
    assert one.patient == two.patient
    assert three.patient == four.patient
    assert len({scan.patient for scan in (one, three, five, six)}) == 4
    known = [scan.patient_known for scan in (one, two, three, four, five, six)]
    assert known == [True, True, False, False, False, False]


def test_a_project_and_the_scans_beside_it_move_together(tmp_path: Path) -> None:
    here, there, far = tmp_path / "here", tmp_path / "there", tmp_path / "far" / "z.png"
    with Project.create(here / "p", LABELS) as project:
        paths = [here / "scans" / "x.png", here / "p.nearl" / "y.png", far]
        project.add_scans([NewScan(path) for path in paths])
    here.rename(there)
    with Project.open(there / "p") as project:
        found = [scan.path for scan in project.scans()]
    assert found == [there / "scans" / "x.png", there / "p.nearl" / "y.png", far]


@pytest.mark.skipif(sys.platform != "linux", reason="names are bytes on Linux only")
def test_names_that_are_not_utf8_survive(tmp_path: Path) -> None:
    path = tmp_path / os.fsdecode(b"m\xfcller.png")
    path.write_bytes(b"x")
    with Project.create(tmp_path / "p", LABELS) as project:
        project.add_scans([NewScan(path)])
        assert project.scans()[0].path == path
        assert project.scans()[0].path.read_bytes() == b"x"
        assert project.scan_at(path) is not None


# --- label sets ------------------------------------------------------------------------------


def test_a_changed_label_set_is_a_new_revision_and_an_equal_one_is_not(tmp_path: Path) -> None:
    with new_project(tmp_path) as project:
        assert project.save_revision(Revision(LABELS)).revision == 1
        renamed = replace(LABELS.labels[0], name="Round", prompts=("a round thing",))
        wanted = LabelSet((renamed, *LABELS.labels[1:], Label("new", "New")))
        assert project.save_revision(Revision(wanted)).revision == 2
    with Project.open(tmp_path / "p") as project:
        assert project.label_set() == replace(wanted, revision=2)


def test_a_label_with_decisions_can_not_vanish(tmp_path: Path) -> None:
    with new_project(tmp_path, label_set=MULTI) as project:
        decide(project, 1, "disc", "dots")
        less = LabelSet(MULTI.labels[1:], multi_label=True)
        with pytest.raises(LabelSetError, match=r"'Disc' has decisions.*rename"):
            project.save_revision(Revision(less))
        with pytest.raises(LabelSetError, match="several labels"):
            project.save_revision(Revision(LABELS))
        decide(project, 1, "stripes")
        assert project.save_revision(Revision(less)).revision == 2
        # The old decision can be undone into, without the label that is gone.
        undone = project.undo("r")
        assert undone is not None
        assert undone.verdict == labelled("dots")
        assert said(project.standing()) == {(1, "r"): ("dots",)}


def test_decisions_that_the_label_set_does_not_allow_are_refused(tmp_path: Path) -> None:
    with new_project(tmp_path) as project:
        for wrong in (labelled("disc", "dots"), labelled("cat"), labelled()):
            with pytest.raises(LabelSetError):
                project.record(NewDecision(1, "r", wrong))
        with pytest.raises(ProjectError, match="no scan 99"):
            decide(project, 99, "disc")
        with pytest.raises(ProjectError, match="needs a reader"):
            decide(project, 1, "disc", reader=" ")
        assert project.history(1) == []


def test_activating_what_is_not_there(tmp_path: Path) -> None:
    with (
        new_project(tmp_path) as project,
        pytest.raises(VersionError, match=r"no version 'v9'.*listed"),
    ):
        project.activate("v9")
