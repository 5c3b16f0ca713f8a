"""Nobody leaves: fifty invented people in every place of the input, none in any output."""

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pydicom
import pytest

from nearl_core.adding import examine
from nearl_core.dicom import profile
from nearl_core.dicom.profile import Action, action_of
from nearl_core.dicom.residue import residue
from nearl_core.export.content import Pictures
from nearl_core.export.exporter import export
from nearl_core.export.formats import FORMATS
from nearl_core.scans.guard import ScanReader
from nearl_core.store.project import Project
from nearl_core.types import Confidence, Disguise, NewDecision, State, Verdict
from tests.export.identities import PEOPLE, found_in, seed
from tests.support.projects import LABELS
from tests.support.scans import disc, write_dicom

STORED = [name for name, kind in FORMATS.items() if Pictures.STORED in kind.others]
ODD = ("Modality", "PhotometricInterpretation", "ImageType", "VOILUTFunction", "Laterality")
"""Attributes for terms of the standard, in which a file can hold anything."""

CASES: list[tuple[str, Pictures | None]] = [(name, None) for name in FORMATS]
CASES += [(name, Pictures.SHOWN) for name in ("csv", "jsonl")]
CASES += [(name, Pictures.STORED) for name in STORED]


@pytest.fixture(scope="module")
def reader() -> Iterator[ScanReader]:
    with ScanReader(workers=2) as made:
        yield made


@pytest.fixture(scope="module")
def seeded(tmp_path_factory: pytest.TempPathFactory, reader: ScanReader) -> Iterator[Project]:
    """A project of the scans, with names in the reader's notes too."""
    folder = tmp_path_factory.mktemp(PEOPLE[0].family)
    paths = seed(folder / "scans")
    with Project.create(folder / PEOPLE[1].family, LABELS) as project:
        project.add_scans(examine(paths, reader=reader))
        assert not [scan.problem for scan in project.scans() if scan.problem]
        for scan in project.scans():
            note = PEOPLE[scan.id].text
            verdict = Verdict(
                State.LABELLED, (LABELS.ids[scan.id % 3],), Confidence.DEFINITE, note=note
            )
            project.record(NewDecision(scan.id, "r", verdict))
        yield project


def test_every_one_of_the_fifty_can_be_found_in_the_input(seeded: Project) -> None:
    assert found_in(seeded.folder.parent / "scans") == {one.number for one in PEOPLE}


def test_a_project_keeps_of_headers_nothing_that_names_anyone(
    reader: ScanReader, tmp_path: Path
) -> None:
    """Files under names that say nothing: whoever is found was read out of them."""
    for number, path in enumerate(seed(tmp_path / "named")):
        shutil.copy(path, tmp_path / f"{number}{path.suffix}")
    values = disc().astype("u2")
    for number, keyword in enumerate(ODD):
        word = PEOPLE[number].family.upper()[:16]
        write_dicom(tmp_path / f"odd-{number}.dcm", values, **{keyword: word})
    files = sorted(path for path in tmp_path.iterdir() if path.is_file())
    with Project.create(tmp_path / "p", LABELS) as project:
        project.add_scans(examine(files, reader=reader))
        assert len(project.scans()) == len(files)
    assert found_in(tmp_path / "p.nearl") == set()


@pytest.mark.parametrize("checked", [False, True])
@pytest.mark.parametrize(("format", "pictures"), CASES)
def test_none_of_the_fifty_is_in_the_output(
    seeded: Project,
    reader: ScanReader,
    tmp_path: Path,
    format: str,
    pictures: Pictures | None,
    checked: bool,
) -> None:
    out = tmp_path / "out"
    report = export(
        seeded, out, format=format, pictures=pictures, pixels_checked=checked, reader=reader
    )
    assert found_in(out) == set()
    assert str(seeded.folder.parent) not in (out / "manifest.json").read_text()
    kept = FORMATS[format].pictures is not Pictures.NONE or pictures is not None
    assert report.images == (len(seeded.scans()) if kept else 0)


@pytest.mark.parametrize("folder", ["/home/quorvex/backbones/b16", r"C:\Users\quorvex\b16"])
def test_a_backbone_in_somebody_s_folder_does_not_say_whose(
    reader: ScanReader, tmp_path: Path, folder: str
) -> None:
    path = write_dicom(tmp_path / "a.dcm", disc().astype("u2"))
    with Project.create(tmp_path / "p", LABELS, backbone=folder) as project:
        project.add_scans(examine([path], reader=reader))
        project.record(NewDecision(1, "r", Verdict(State.LABELLED, ("disc",))))
        export(project, tmp_path / "out", format="csv", split=(1,), reader=reader)
    texts = [one.read_text(encoding="utf-8") for one in (tmp_path / "out").iterdir()]
    assert not [text for text in texts if "quorvex" in text]
    assert any("backbone b16" in text for text in texts)


def test_the_detector_finds_one_who_slips_through(seeded: Project, tmp_path: Path) -> None:
    out = tmp_path / "out"
    shutil.copytree(seeded.folder.parent / "scans", out)
    for path in out.rglob("*"):
        if path.is_file() and path.suffix != ".dcm":
            path.unlink()
    assert found_in(out)


def test_a_copy_is_whole_and_says_how_it_was_made(reader: ScanReader, tmp_path: Path) -> None:
    pixels = disc(32).astype("u2") * 7
    path = write_dicom(
        tmp_path / "a.dcm",
        pixels,
        PatientName="Haldrim^Thorvin",
        PatientID="4711",
        StudyDate="20200101",
        StudyInstanceUID="1.2.3",
        WindowCenter="900",
        WindowWidth="1800",
        PixelSpacing=["0.7", "0.7"],
        KVP="120",
        BodyPartExamined="CHEST",
    )
    out, again = tmp_path / "b.dcm", tmp_path / "c.dcm"
    disguise = Disguise(b"k" * 32, "patient-1", "scan-1")
    reader.copy(path, out, disguise)
    reader.copy(path, again, disguise)
    assert out.read_bytes() == again.read_bytes()
    copy = pydicom.dcmread(out)
    assert (copy.pixel_array == pixels).all()
    assert (copy.PatientName, copy.PatientID) == ("patient-1", "patient-1")
    assert (copy.StudyDate, copy.KVP, copy.BodyPartExamined) == ("", 120, "CHEST")
    assert (copy.WindowCenter, list(copy.PixelSpacing)) == (900, [0.7, 0.7])
    assert copy.DeidentificationMethodCodeSequence[0].CodeValue == "113100"
    assert "PatientIdentityRemoved" not in copy
    assert "BurnedInAnnotation" not in copy
    reader.copy(path, out, Disguise(b"l" * 32, "patient-1", "scan-1", pixels_checked=True))
    other = pydicom.dcmread(out)
    assert (other.PatientIdentityRemoved, other.BurnedInAnnotation) == ("YES", "NO")
    assert other.StudyInstanceUID != copy.StudyInstanceUID
    assert str(copy.StudyInstanceUID).startswith("2.25.")


def test_one_study_stays_one_study(reader: ScanReader, tmp_path: Path) -> None:
    studies = []
    for number, study in enumerate(("1.2.3", "1.2.3", "1.2.4")):
        path = write_dicom(tmp_path / f"{number}.dcm", disc().astype("u2"), StudyInstanceUID=study)
        out = tmp_path / f"{number}-copy.dcm"
        reader.copy(path, out, Disguise(b"k" * 32, "patient-1", f"scan-{number}"))
        studies.append(pydicom.dcmread(out).StudyInstanceUID)
    assert studies[0] == studies[1] != studies[2]


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"PatientComments": "x"}, "it holds PatientComments"),
        ({"PatientName": "Haldrim"}, "it holds PatientName"),
        ({"StudyInstanceUID": "1.2.3"}, "it holds StudyInstanceUID"),
        ({"ManufacturerModelName": "x"}, "it holds ManufacturerModelName"),
    ],
)
def test_residue_finds_what_may_not_leave(
    reader: ScanReader, tmp_path: Path, change: dict[str, str], words: str
) -> None:
    path = write_dicom(tmp_path / "a.dcm", disc().astype("u2"))
    out = tmp_path / "b.dcm"
    reader.copy(path, out, Disguise(b"k" * 32, "patient-1", "scan-1"))
    assert residue(out.read_bytes()) == []
    assert residue(out.read_bytes() + b"tail") != []
    copy = pydicom.dcmread(out)
    for keyword, value in change.items():
        setattr(copy, keyword, value)
    copy.save_as(out)
    assert words in residue(out.read_bytes())


@pytest.mark.parametrize(
    ("said", "why"),
    [
        ({"Modality": "CT"}, ""),
        ({"Modality": "CT", "ImageType": ["DERIVED", "SECONDARY", "MPR"]}, ""),
        ({"Modality": "SCREENSHOT"}, "of an unknown kind"),
        ({"Modality": "QUORVEX"}, "of an unknown kind"),
        ({"Modality": "EC"}, "ultrasound"),
        ({"Modality": "DF"}, "fluoroscopy"),
        ({"Modality": "CT", "ImageType": ["DERIVED", "SECONDARY", "SCREEN SAVE"]}, "was saved"),
        ({"Modality": "SM", "ImageType": ["ORIGINAL", "PRIMARY", "LABEL", "NONE"]}, "label"),
        ({"Modality": "SM", "ImageType": ["ORIGINAL", "PRIMARY", "VOLUME", "NONE"]}, ""),
    ],
)
def test_kinds_that_may_hold_text_are_told(
    reader: ScanReader, tmp_path: Path, said: dict[str, Any], why: str
) -> None:
    info, _ = reader.info(write_dicom(tmp_path / "a.dcm", disc().astype("u2"), **said))
    assert why in info.burned_in
    assert bool(why) == bool(info.burned_in)


def test_the_table_is_that_of_the_standard() -> None:
    assert len(profile.table()) == 655
    assert action_of(0x00100010) is Action.EMPTY  # Patient's Name
    assert action_of(0x0020000D) is Action.UID  # Study Instance UID
    assert action_of(0x00104000) is Action.REMOVE  # Patient Comments
    assert action_of(0x00091001) is action_of(0x50100022) is action_of(0x60020040)
    assert action_of(0x00280010) is None  # Rows
    allowed = profile.NUMBERS | set(profile.TERMS) | profile.SEQUENCES | profile.POINTERS
    tags = [pydicom.datadict.tag_for_keyword(keyword) for keyword in allowed]
    assert None not in tags
    assert not [tag for tag in tags if tag is not None and action_of(tag) is not None]
