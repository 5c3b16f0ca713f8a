"""What a DICOM file says of a scan beside its values: geometry, overlays, whose it is."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from nearl_core.dicom import read
from nearl_core.scans.display import to_grey
from nearl_core.types import Window
from tests.dicom.making import (
    BIG_ENDIAN,
    EXPLICIT,
    add_overlay,
    dicom,
    item,
    noise,
    ramp,
)


def window_of(path: Path, frame: int = 0) -> Window:
    window = read.frame(path, frame)[0].windows[0]
    assert isinstance(window, Window)
    return window


# --- geometry --------------------------------------------------------------------------------

SPACINGS = {
    "PixelSpacing": ["2", "1"],
    "ImagerPixelSpacing": ["3", "1"],
    "NominalScannedPixelSpacing": ["4", "1"],
    "PixelAspectRatio": ["5", "1"],
}


@pytest.mark.parametrize("first", range(4))
def test_aspect_comes_from_the_first_that_is_there(tmp_path: Path, first: int) -> None:
    present: dict[str, Any] = dict(list(SPACINGS.items())[first:])
    _, info = read.frame(dicom(tmp_path / "a", ramp(), **present))
    assert info.aspect == first + 2
    assert info.spacing_mm == ((first + 2.0, 1.0) if first < 3 else None)


def test_ultrasound_regions_change_no_aspect(tmp_path: Path) -> None:
    region = item(PhysicalUnitsXDirection=3, PhysicalUnitsYDirection=3)
    region.PhysicalDeltaX, region.PhysicalDeltaY = 0.1, 0.2
    region.RegionLocationMinX0 = region.RegionLocationMinY0 = 0
    region.RegionLocationMaxX1 = region.RegionLocationMaxY1 = 9
    _, info = read.frame(dicom(tmp_path / "a", ramp(), SequenceOfUltrasoundRegions=[region]))
    assert (info.aspect, info.spacing_mm) == (1.0, None)
    assert info.regions[0].spacing_mm == (2.0, 1.0)


@pytest.mark.parametrize(
    ("cosines", "expected"),
    [
        ((1, 0, 0, 0, 1, 0), ("R", "L", "A", "P")),
        ((0, 1, 0, 0, 0, -1), ("A", "P", "H", "F")),
        ((0.9, 0.436, 0, 0, 0, -1), ("RA", "LP", "H", "F")),
    ],
)
def test_letters_of_the_edges(
    tmp_path: Path, cosines: tuple[float, ...], expected: tuple[str, ...]
) -> None:
    _, info = read.frame(
        dicom(tmp_path / "a", ramp(), ImageOrientationPatient=[str(c) for c in cosines])
    )
    assert info.edges == expected


def test_letters_from_patient_orientation_or_none(tmp_path: Path) -> None:
    _, info = read.frame(dicom(tmp_path / "a", ramp(), PatientOrientation=["P", "FL"]))
    assert info.edges == ("A", "P", "HR", "FL")
    _, info = read.frame(dicom(tmp_path / "b", ramp(), PatientOrientation=["X", "F"]))
    assert info.edges == ("", "", "", "")


@pytest.mark.parametrize(
    ("elements", "rate"),
    [
        ({"RecommendedDisplayFrameRate": 5, "CineRate": 6, "FrameTime": "100"}, 5),
        ({"CineRate": 6, "FrameTime": "100"}, 6),
        ({"FrameTime": "100", "FrameTimeVector": ["0", "50"]}, 10),
        ({"FrameTimeVector": ["0", "50", "50"]}, 20),
        ({"FrameTimeVector": ["400", "50", "50"]}, 20),  # the first is no time between two
        ({}, None),
    ],
)
def test_cine_rate(tmp_path: Path, elements: dict[str, Any], rate: float | None) -> None:
    info, _ = read.info(dicom(tmp_path / "a", noise((3, 4, 4)), **elements))
    assert info.frames_per_second == rate


def test_what_the_reader_is_told(tmp_path: Path) -> None:
    path = dicom(
        tmp_path / "a",
        ramp(dtype="u2"),
        Modality="CT",
        RescaleIntercept="-1024",
        RescaleSlope="1",
        ImageLaterality="L",
        ViewPosition="MLO",
    )
    info, _ = read.info(path)
    assert (info.modality, info.unit, info.laterality, info.view) == ("CT", "HU", "L", "MLO")


# --- overlays --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("origin", "corner", "count"), [([1, 1], (0, 0), 6), ([3, 2], (2, 1), 6), ([6, 6], (5, 5), 1)]
)
def test_overlay_counts_from_one_and_is_not_rendered(
    tmp_path: Path, origin: list[int], corner: tuple[int, int], count: int
) -> None:
    path = add_overlay(dicom(tmp_path / "a", ramp(6, 6)), np.ones((2, 3), np.uint8), origin)
    frame = read.frame(path)[0]
    assert frame.overlay is not None
    assert frame.overlay.sum() == count
    assert tuple(np.argwhere(frame.overlay)[0]) == corner
    assert np.array_equal(to_grey(frame), ramp(6, 6))


@pytest.mark.parametrize("syntax", [EXPLICIT, BIG_ENDIAN])
def test_an_overlay_of_either_byte_order(tmp_path: Path, syntax: str) -> None:
    """Its bits stand in words, which big endian files swap."""
    plane = noise((5, 7), "u1", below=2)
    path = add_overlay(dicom(tmp_path / "a", ramp(5, 7), syntax=syntax), plane)
    overlay = read.frame(path)[0].overlay
    assert overlay is not None
    assert np.array_equal(overlay, plane.astype(bool))


# --- robustness ------------------------------------------------------------------------------


def test_identity_is_told_apart_from_what_is_shown(tmp_path: Path) -> None:
    path = dicom(
        tmp_path / "a",
        ramp(),
        PatientID="77",
        PatientName="Doe^Jane",
        StudyInstanceUID="1.2.3",
        SeriesInstanceUID="1.2.3.4",
    )
    info, identity = read.info(path)
    assert "77" in identity.patient
    assert (identity.study, identity.series) == ("1.2.3", "1.2.3.4")
    assert "Doe" not in repr(info)


@pytest.mark.filterwarnings("ignore")
def test_absurd_values_count_as_absent(tmp_path: Path) -> None:
    path = dicom(
        tmp_path / "a", ramp(), WindowCenter="40", WindowWidth="400", PixelSpacing=["1", "1"]
    )
    whole = path.read_bytes().replace(
        b"\x28\x00\x50\x10DS\x02\x0040", b"\x28\x00\x50\x10DS\x02\x00xx"
    )
    assert whole != path.read_bytes()
    path.write_bytes(whole)
    frame, _ = read.frame(path)
    assert np.array_equal(to_grey(frame), ramp())


def test_big_endian_tables(tmp_path: Path) -> None:
    table = item(LUTDescriptor=[3, 0, 16], LUTData=[0, 500, 1000])
    table["LUTData"].VR = "US"
    pixels = np.array([[0, 1, 2]], "u2")
    path = dicom(tmp_path / "a", pixels, syntax=BIG_ENDIAN, VOILUTSequence=[table])
    assert to_grey(read.frame(path)[0]).tolist() == [[0, 128, 255]]


# --- whose it is -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("elements", "known"),
    [
        ({"PatientID": "4711"}, True),
        ({"PatientName": "Doe^Jane"}, True),
        ({"PatientID": "Anonymized", "PatientName": "Doe^Jane"}, True),
        ({"PatientID": "TEST-04"}, True),
        ({"PatientName": "Anonymized"}, False),
        ({"PatientName": "^^^^"}, False),
        ({"PatientID": "0000", "PatientName": "ANON^PATIENT"}, False),
        ({"PatientID": "Anonymous ID"}, False),
        ({"PatientName": "XXXX"}, False),
        ({"PatientID": "unknown"}, False),
        ({}, False),
    ],
)
def test_what_names_nobody_tells_no_patients_apart(
    tmp_path: Path, elements: dict[str, Any], known: bool
) -> None:
    _, identity = read.info(dicom(tmp_path / "a", ramp(), **elements))
    assert bool(identity.patient) is known


def test_segmentation_is_told_whatever_modality_it_names(tmp_path: Path) -> None:
    path = dicom(tmp_path / "a", ramp(), SOPClassUID="1.2.840.10008.5.1.4.1.1.66.4")
    assert read.info(path)[0].modality == "SEG"
