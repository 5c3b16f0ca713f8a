"""Labels that exist already: which scans they mean, what they come to, what is taken in."""

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import delete

from nearl_core.control import RunControl
from nearl_core.errors import NearlError
from nearl_core.importing.matching import Matched, match
from nearl_core.importing.plan import ImportPlan, mapping_of, plan, target_of
from nearl_core.importing.statements import ImportLabelsError, SourceKind, Statement
from nearl_core.importing.taking import look, require_source_name, standing_of, take
from nearl_core.scans.guard import ScanReader
from nearl_core.store import readings
from nearl_core.store.hashes import file_sha256
from nearl_core.store.hashing import hash_files
from nearl_core.store.project import Project
from nearl_core.store.scans import NewScan
from nearl_core.store.schema import meta
from nearl_core.types import Label, LabelSet, Scan, ScanInfo, Shown, State
from tests.support.projects import LABELS, MULTI, NoHeaders, decide, new_project, said
from tests.support.scans import disc, write_dicom, write_png


def _look(project: Project, kind: SourceKind, source: Path | str) -> Matched:
    return look(project, kind, str(source), NoHeaders(), RunControl())


def _plan(project: Project, matched: Matched, *rules: str, source: str = "old") -> ImportPlan:
    return plan(
        matched,
        project.label_set(),
        source=source,
        mapping=mapping_of(rules, project.label_set()),
        standing=project.standing(),
    )


def _matched(files: list[str], scans: list[str]) -> dict[str, int | None]:
    """The scan of each file by number, by the ends of paths alone."""
    found = match(
        [Statement(file, ("x",)) for file in files],
        [Scan(number, Path(path)) for number, path in enumerate(scans)],
        folder=Path("/nowhere"),
        by_hash={},
    )
    ids: dict[str, int | None] = dict.fromkeys(files)
    return ids | {statement.file: scan_id for scan_id, statement in found.found}


@pytest.mark.parametrize(
    ("files", "scans", "expected"),
    [
        (["/s/a/1.png"], ["/s/a/1.png"], [0]),
        (["a/1.png", "b/1.png"], ["/s/a/1.png", "/s/b/1.png"], [0, 1]),
        (["1.png"], ["/s/a/1.png"], [0]),
        (["C:\\x\\a\\1.png"], ["/s/a/1.png", "/s/b/1.png"], [0]),
        (["1.png"], ["/s/a/1.png", "/s/b/1.png"], [None]),
        # The same name of another patient, whose scan is not in the project, is never taken.
        (["/d/p1/1.png", "/d/p2/1.png"], ["/s/p1/1.png"], [0, None]),
        (["/d/p1/1.png", "/d/p2/1.png"], ["/s/p3/1.png"], [None, None]),
        (["2.png", ""], ["/s/1.png"], [None, None]),
    ],
)
def test_files_are_found_by_their_paths(
    files: list[str], scans: list[str], expected: list[int | None]
) -> None:
    assert list(_matched(files, scans).values()) == expected


def test_scans_of_many_patients_may_be_called_alike() -> None:
    files = [f"set/train/patient{number}/study1/view1.jpg" for number in range(300)]
    scans = [f"/s/train/patient{number}/study1/view1.jpg" for number in range(100, 500)]
    found = _matched(files, scans)
    assert list(found.values()) == [*[None] * 100, *range(200)]
    assert _matched(["study1/view1.jpg"], scans) == {"study1/view1.jpg": None}


@given(st.lists(st.text("ab/.\\", max_size=6)), st.lists(st.text("ab/", max_size=6), max_size=4))
def test_two_files_never_mean_one_scan_by_name_alone(files: list[str], scans: list[str]) -> None:
    paths = list(dict.fromkeys(str(Path("/s") / f"x{path}") for path in scans))
    ids = [one for one in _matched(list(dict.fromkeys(files)), paths).values() if one is not None]
    assert len(ids) == len(set(ids))


def test_a_table_is_shown_then_taken_in_once(tmp_path: Path) -> None:
    with new_project(tmp_path) as project:
        table = tmp_path / "old.csv"
        table.write_text(
            "File_Name,Class,Name of patient\n"
            "1.png,disc,Doe\n"
            "scans/2.png,CIRCLE,Doe\n"
            "3.png,stripes,Doe\n"
            "3.png,dots,Doe\n"
            "4.png,none_apply,Doe\n"
            "5.png,blob,Doe\n"
            "99.png,disc,Doe\n"
        )
        matched = _look(project, SourceKind.CSV, table)
        first = _plan(project, matched)
        assert {line.value: line.target for line in first.values} == {
            "disc": "disc",
            "CIRCLE": "",
            "stripes": "stripes",
            "dots": "dots",
            "none_apply": "none-apply",
            "blob": "",
        }
        assert (first.scans, len(first.decisions), first.conflicts) == (
            5,
            2,
            ("3.png: stripes, dots",),
        )
        assert first.unknown == ("99.png",)
        planned = _plan(project, matched, "CIRCLE=Disc", "dots=")
        assert project.standing() == []
        assert take(project, planned, RunControl()) == 4
        standing = project.standing()
        assert said(standing) == {
            (1, "old"): ("disc",),
            (2, "old"): ("disc",),
            (3, "old"): ("stripes",),
            (4, "old"): (),
        }
        assert {one.shown for one in standing} == {Shown.IMPORTED}
        assert standing[-1].verdict.state is State.NONE_APPLY
        again = _plan(project, matched, "CIRCLE=Disc", "dots=")
        assert (again.decisions, again.already) == ((), 4)
    text = (tmp_path / "p.nearl" / "project.db").read_bytes()
    assert b"Doe" not in text
    assert b"CIRCLE" not in text


def test_a_spreadsheet_may_part_cells_by_semicolons(tmp_path: Path) -> None:
    with new_project(tmp_path) as project:
        table = tmp_path / "old.csv"
        table.write_text("file;label\n1.png;disc\n2.png;stripes\n")
        first = _plan(project, _look(project, SourceKind.CSV, table))
        assert (first.scans, len(first.decisions)) == (2, 2)


def test_json_lines_may_name_several_labels_and_a_hash(tmp_path: Path) -> None:
    path = write_png(tmp_path / "scans" / "a.png", disc())
    with Project.create(tmp_path / "p", MULTI) as project:
        project.add_scans([NewScan(path, ScanInfo(32, 32))])
        hash_files(project, RunControl())
        lines = tmp_path / "old.jsonl"
        record = {"sha256": file_sha256(path).upper(), "labels": ["Dots", "Disc"]}
        lines.write_text(json.dumps(record) + "\n\n")
        planned = _plan(project, _look(project, SourceKind.JSONL, lines))
        (decision,) = planned.decisions
        assert decision.verdict.labels == ("disc", "dots")


def test_a_folder_of_copies_is_found_by_content(tmp_path: Path) -> None:
    with Project.create(tmp_path / "p", LABELS) as project:
        for number in range(3):
            path = write_png(tmp_path / "scans" / f"{number}.png", disc(seed=number))
            project.add_scans([NewScan(path, ScanInfo(32, 32))])
        hash_files(project, RunControl())
        copies = tmp_path / "sorted" / "train"
        write_png(copies / "Disc" / "renamed.png", disc(seed=0))
        write_png(copies / "Stripes" / "1.png", disc(seed=1))
        write_png(copies / "Stripes" / "new.png", disc(seed=9))
        matched = _look(project, SourceKind.IMAGEFOLDER, tmp_path / "sorted")
        take(project, _plan(project, matched), RunControl())
        assert said(project.standing()) == {(1, "old"): ("disc",), (2, "old"): ("stripes",)}
        assert [Path(file).name for file in matched.unknown] == ["new.png"]


def test_a_tag_becomes_labels_but_never_one_that_tells_who_it_is(tmp_path: Path) -> None:
    parts = ("CHEST", "CHEST", "HEAD")
    with Project.create(tmp_path / "p", LABELS) as project, ScanReader(workers=1) as reader:
        for number, part in enumerate(parts):
            path = write_dicom(
                tmp_path / f"{number}.dcm",
                disc().astype("uint16"),
                BodyPartExamined=part,
                PatientName="Doe^Jane",
                PatientSex="F",
                StudyDescription="Doe again",
            )
            project.add_scans([NewScan(path, ScanInfo(32, 32))])
        tags = SourceKind.DICOM_TAGS
        for keyword in ("BodyPartExamined", "(0018,0015)"):
            matched = look(project, tags, keyword, reader, RunControl())
            planned = _plan(project, matched, "CHEST=Dots", "HEAD=unassessable")
            assert [(x.value, x.count, x.target) for x in planned.values] == [
                ("CHEST", 2, "dots"),
                ("HEAD", 1, "unassessable"),
            ]
        for personal in ("PatientName", "PatientSex", "StudyDescription", "SOPInstanceUID"):
            with pytest.raises(ImportLabelsError, match=r"may tell who.*BodyPartExamined"):
                look(project, tags, personal, reader, RunControl())
        assert look(project, tags, "ViewPosition", reader, RunControl()).found == ()


def test_an_import_goes_beside_readers_and_comes_again_when_it_changed(tmp_path: Path) -> None:
    with new_project(tmp_path) as project:
        decide(project, 1, "dots", reader="r")
        table = tmp_path / "old.csv"
        for label in ("disc", "stripes"):
            table.write_text(f"path,label\n1.png,{label}\n")
            take(project, _plan(project, _look(project, SourceKind.CSV, table)), RunControl())
        assert said(project.standing()) == {(1, "r"): ("dots",), (1, "old"): ("stripes",)}
        undone = project.undo("r")
        assert undone is not None
        assert said(project.standing()) == {(1, "old"): ("stripes",)}
        assert len(standing_of(project, " old ")) == 1
        decide(project, 1, "dots", reader="r")
        with pytest.raises(NearlError, match="r is a reader who decided in this project"):
            standing_of(project, "r")


def _import(project: Project, folder: Path, source: str = "old") -> None:
    """Take one label in under a source's name."""
    table = folder / "old.csv"
    table.write_text("path,label\n1.png,disc\n")
    take(
        project, _plan(project, _look(project, SourceKind.CSV, table), source=source), RunControl()
    )


def test_no_reader_has_the_name_of_a_source_and_no_source_that_of_a_reader(tmp_path: Path) -> None:
    with new_project(tmp_path) as project:
        decide(project, 1, "dots", reader="ann")
        project.undo("ann")
        decide(project, 1, "dots", reader="elsewhere", shown=Shown.IMPORTED)  # as from a table
        _import(project, tmp_path, "Old reports")
        assert readings.sources(project) == {"Old reports"}
        assert readings.readers(project) == {"ann", "elsewhere"}
        for taken in ("ann", "Ann", "elsewhere", "at work"):
            with pytest.raises(NearlError, match=f"{taken} is a reader"):
                standing_of(project, taken, reader="at work")
        assert len(standing_of(project, "Old reports", reader="at work")) == 1
        for taken in ("Old reports", "old REPORTS "):
            with pytest.raises(NearlError, match=r"is a source of labels.*under this name"):
                readings.require_reader(project, taken)
        readings.require_reader(project, "ann")


def test_sources_of_a_project_of_before_they_were_kept(tmp_path: Path) -> None:
    with new_project(tmp_path) as project:
        _import(project, tmp_path, "imported-csv")
        _import(project, tmp_path, "reports")
        decide(project, 2, "dots", reader="ann")
        with project.writing() as connection:
            connection.execute(delete(meta).where(meta.c.key == "sources"))
        assert readings.sources(project) == {"imported-csv"}
        assert readings.readers(project) == {"ann"}  # who only imports stand under may be a source
        _import(project, tmp_path, "reports")  # nothing changed, but now it is told
        assert readings.sources(project) == {"imported-csv", "reports"}


@pytest.mark.parametrize(
    ("name", "text", "words"),
    [
        ("a.csv", "a,b\n1,2\n", "does not say which file has which label"),
        ("a.csv", 'path,label\n"a', "not a CSV file"),
        ("a.jsonl", "[1]\n", "Line 1 of a.jsonl is not a JSON object"),
        ("a.jsonl", '{"file": "a"}\n', "does not say which"),
        ("a.jsonl", "[" * 5000, "not a JSON object"),
    ],
)
def test_sources_that_can_not_be_used_get_a_sentence(
    tmp_path: Path, name: str, text: str, words: str
) -> None:
    (tmp_path / name).write_text(text)
    with new_project(tmp_path) as project:
        kind = SourceKind(name.partition(".")[2])
        with pytest.raises(NearlError, match=words):
            _look(project, kind, tmp_path / name)
        with pytest.raises(NearlError, match="can't be read"):
            _look(project, kind, tmp_path / "gone")
        with pytest.raises(NearlError, match="not a folder"):
            _look(project, SourceKind.IMAGEFOLDER, tmp_path / name)


def test_words_are_understood_however_they_are_spelt() -> None:
    labels = LabelSet((Label("pe", "Pleural effusion"), Label("na", "N/A = none")))
    assert target_of("pleural_EFFUSION", labels) == "pe"
    assert target_of("pe", labels) == "pe"
    assert target_of("None apply", labels) == "none-apply"
    assert target_of("effusion", labels) == ""
    british = LabelSet(
        (Label("mn", "Melanocytic naevus"), Label("o", "Oedema"), Label("e", "Edema"))
    )
    assert target_of("melanocytic_nevus", british) == "mn"
    assert target_of("EDEMA", british) == "e"
    assert target_of("oedema", british) == "o"
    assert mapping_of(["a=b=pe", "x="], labels) == {"a=b": "pe", "x": ""}
    for bad in ("pe", "=pe", "x=cat"):
        with pytest.raises(ImportLabelsError, match="does not map"):
            mapping_of([bad], labels)
    for name in ("", "a" * 65, "a\nb"):
        with pytest.raises(NearlError, match="no name that can be kept"):
            require_source_name(name)
