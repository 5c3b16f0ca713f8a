"""How frames of a series stand: their order, the name of the stack, what is said of gaps."""

import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from nearl_core.placing import order_key, plane, remarks
from nearl_core.scans.guard import ScanReader
from nearl_core.scans.stack import read_list
from nearl_core.store.project import Project
from nearl_core.types import AddReport, Remark, Scan, SlicePlace, Unit
from tests.scans.test_stacking import LABELS, add, greys, slice_at

CORONAL = (1.0, 0.0, 0.0, 0.0, 0.0, -1.0)
SAGITTAL = (0.0, 1.0, 0.0, 0.0, 0.0, -1.0)
AXIAL = (1.0, 0.0, 0.0, 0.0, 1.0, 0.0)
TILTED = (1.0, 0.0, 0.0, 0.0, np.cos(0.4), -np.sin(0.4))
OBLIQUE = (np.cos(0.7), np.sin(0.7), 0.0, 0.0, 0.0, -1.0)


@pytest.fixture(scope="module")
def reader() -> Iterator[ScanReader]:
    with ScanReader(workers=1) as shared:
        yield shared


def made(folder: Path, reader: ScanReader, unit: Unit = Unit.SERIES) -> tuple[Scan, AddReport]:
    """The first scan of a project of what stands in `in`, and what adding came to."""
    with Project.create(folder / "p.nearl", LABELS, unit=unit) as project:
        report = add(project, reader, folder / "in")
        return project.scans()[0], report


def on_line(steps: list[float], turned: tuple[float, ...] = AXIAL) -> list[SlicePlace]:
    """Places at so many mm along the normal, and shifted in their plane besides."""
    normal = np.cross(turned[:3], turned[3:])
    return [
        SlicePlace(tuple((step * normal + 7.0 * k * np.array(turned[:3])).tolist()), turned, 99 - k)  # type: ignore[arg-type]
        for k, step in enumerate(steps)
    ]


def said(places: list[SlicePlace], **more: Any) -> list[str]:
    return [one.sentence for one in remarks(places, modality="MR", **more)]


@pytest.mark.parametrize("turned", [AXIAL, CORONAL, SAGITTAL, TILTED, OBLIQUE])
def test_order_is_that_along_the_normal_whatever_the_numbers(turned: tuple[float, ...]) -> None:
    places = on_line([-12.5, -10, -7.5, -5, 0, 2.5], turned)
    shuffled = random.Random(1).sample(places, len(places))
    keys = order_key(shuffled)
    order = sorted(range(len(shuffled)), key=lambda k: keys[k])
    assert [shuffled[k] for k in order] == places


@pytest.mark.parametrize(
    ("turned", "word"),
    [
        (AXIAL, "ax"),
        (TILTED, "ax"),
        (CORONAL, "cor"),
        (SAGITTAL, "sag"),
        (OBLIQUE, "obl"),
        ((1.0, 0.0, 0.0, 1.0, 0.0, 0.0), ""),
        (None, ""),
    ],
)
def test_plane_has_the_word_that_radiologists_use(turned: Any, word: str) -> None:
    assert plane(SlicePlace(None, turned)) == word


def test_frames_at_one_place_follow_one_another_by_echo_or_time(
    tmp_path: Path, reader: ScanReader
) -> None:
    """Numbers start anew with each echo, and names say nothing."""
    names = iter(random.Random(2).sample(range(100), 9))
    for echo in range(3):
        for k in range(3):
            slice_at(
                tmp_path / "in" / f"f{next(names)}",
                10 * k + echo,
                4.0 * k + 0.0004 * (k + echo) % 0.0015,  # what is left of rounding
                Modality="MR",
                InstanceNumber=3 - k,
                EchoTime=12.0 * (echo + 1),
            )
    scan, report = made(tmp_path, reader)
    assert greys(scan, reader) == [0, 1, 2, 10, 11, 12, 20, 21, 22]
    ((path, remark),) = report.remarks
    assert (path, remark.kind) == (scan.path, Remark.SHARED)
    assert remark.sentence.startswith("At each place 3 frames follow one another")


def test_missing_frames_are_told_by_their_places(tmp_path: Path, reader: ScanReader) -> None:
    """Numbers without a gap hide nothing, and say nothing that is not so."""
    for number, k in enumerate([9, 8, 7, 6, 4, 3, 2, 0], start=1):
        slice_at(tmp_path / "in" / f"f{k}", k, -2.5 * k, InstanceNumber=number, SeriesNumber=3)
    scan, report = made(tmp_path, reader)
    sentence = (
        "Frames stand 2.5 mm apart, but 5 mm after frame 4 and wide in 1 more place: "
        "some may be missing."
    )
    assert [one.sentence for _, one in report.remarks] == [sentence]
    assert reader.frame(scan.path, 2)[1].notices == (sentence,)
    assert reader.info(scan.path)[0].notices == (sentence,)
    assert scan.path.name == "CT-se3-ax-8fr-0001.stack"


def test_nothing_is_said_where_frames_stand_as_they_should() -> None:
    assert said(on_line([2.5 * k for k in range(40)], OBLIQUE)) == []
    assert said(on_line([0, 3.0, 6.01, 8.99, 12.0])) == []
    assert said(on_line([0, 30])) == []
    assert remarks([SlicePlace(None, None, k) for k in (1, 2, 9)], modality="CR") == ()
    assert remarks([SlicePlace(None, None, 1)], modality="CT") == ()


def test_every_other_frame_gone_in_a_half_is_seen() -> None:
    (sentence,) = said(on_line([0, 1, 2, 3, 4, 6, 8, 10]))
    assert sentence.startswith("Frames stand 1 mm apart, but 2 mm after frame 5 and wide in 2 more")


def test_of_three_frames_the_narrow_step_counts() -> None:
    (sentence,) = said(on_line([0, 5, 15]), before=20)
    assert sentence == "Frames stand 5 mm apart, but 10 mm after frame 22: some may be missing."


def test_some_frames_at_one_place_are_counted() -> None:
    assert said(on_line([0, 1, 2, 2, 3, 3, 3])) == [
        "3 frames stand where another one does, the first of them frame 4."
    ]


def test_frames_at_one_place_alone_are_said_to_be() -> None:
    assert said(on_line([4, 4, 4])) == ["All 3 frames stand at one place."]


def test_order_that_rests_on_numbers_alone_is_said() -> None:
    places = [SlicePlace(None, None, k) for k in range(5)]
    assert [one.kind for one in remarks(places, modality="CT")] == [Remark.UNPLACED]


def test_numbers_of_any_size_harm_nothing() -> None:
    wild = [SlicePlace((0.0, 0.0, z), (1e300, 0, 0, 0, 1e300, 0), 1) for z in (1e308, -1e308)]
    assert [one[0] for one in order_key(wild)] == [0, 0]
    wild = [SlicePlace((1.7e308, 1.7e308, z), AXIAL, 1) for z in (1e308, -1e308)]
    assert len(order_key(wild)) == 2


def test_without_places_the_number_goes_before_the_echo() -> None:
    places = [SlicePlace(None, None, k, turn=(float(9 - k),)) for k in range(4)]
    keys = order_key(places)
    assert sorted(range(4), key=lambda k: keys[k]) == [0, 1, 2, 3]


def test_copies_are_told_from_echoes() -> None:
    twice = [place for place in on_line([0, 1, 2]) for _ in range(2)]
    assert said(twice) == ["3 frames have place and number of another one, as copies do."]


@pytest.mark.parametrize("unit", [Unit.SERIES, Unit.STUDY])
def test_files_that_come_late_or_twice_are_said_to_be_of_what_is_there(
    tmp_path: Path, reader: ScanReader, unit: Unit
) -> None:
    for k in range(3):
        slice_at(tmp_path / "in" / f"f{k}", k, k)
        slice_at(tmp_path / "moved" / f"f{k}", k, k)
        slice_at(tmp_path / "other" / f"f{k}", k, k, series="1.8", StudyInstanceUID="2")
    with Project.create(tmp_path / "p.nearl", LABELS, unit=unit) as project:
        assert add(project, reader, tmp_path / "in").remarks == ()
        assert add(project, reader, tmp_path / "in").remarks == ()
        again = add(project, reader, tmp_path / "moved", tmp_path / "other")
        scans = project.scans()
    assert (again.added, len(scans)) == (2, 3)
    ((path, remark),) = again.remarks
    assert (path, remark.kind) == (scans[1].path, Remark.LATE)
    (notice,) = reader.info(path)[0].notices
    assert "a scan of the project already" in notice


def test_localisers_are_counted_and_said(tmp_path: Path, reader: ScanReader) -> None:
    for k in range(4):
        slice_at(tmp_path / "in" / f"a{k}", k, k, Modality="MR", SeriesNumber=1)
    turned = [str(part) for part in CORONAL]
    for k in range(2):
        back: dict[str, Any] = {
            "ImagePositionPatient": ["0", str(k), "0"],
            "ImageOrientationPatient": turned,
        }
        slice_at(tmp_path / "in" / f"c{k}", k, 0, Modality="MR", **back)
    alone = [str(part) for part in SAGITTAL]
    slice_at(tmp_path / "in" / "s", 1, 1, Modality="MR", ImageOrientationPatient=alone)
    scan, report = made(tmp_path, reader)
    assert [one.kind for _, one in report.remarks] == [Remark.APART] * 3
    assert read_list(scan.path).notices == (
        "Its series has frames of other sizes or orientations, too: scans of their own.",
    )


def test_study_takes_series_by_number_and_sums_up(tmp_path: Path, reader: ScanReader) -> None:
    """Their UIDs, which say nothing of time, are in the other order."""
    for series, uid in ((2, "1.9"), (10, "1.3")):
        for k in (0, 1, 2, 4):
            slice_at(
                tmp_path / "in" / f"{uid}-{k}",
                10 * series + k,
                k,
                series=uid,
                SeriesNumber=series,
            )
    scan, report = made(tmp_path, reader, Unit.STUDY)
    assert greys(scan, reader) == [20, 21, 22, 24, 100, 101, 102, 104]
    assert [one.sentence for _, one in report.remarks] == [
        "In 2 series frames stand unevenly: some may be missing."
    ]
    assert scan.path.name == "CT-study-2se-8fr-0001.stack"


def test_a_name_holds_nothing_that_names_anyone(tmp_path: Path, reader: ScanReader) -> None:
    for k in range(2):
        slice_at(
            tmp_path / "in" / f"f{k}",
            k,
            k,
            SeriesNumber=20261128,  # a clock, or somebody's number
            SeriesDescription="Erika Mustermann",
            BodyPartExamined="MUSTERMANN",
        )
    scan, _ = made(tmp_path, reader)
    assert scan.path.name == "CT-ax-2fr-0001.stack"
