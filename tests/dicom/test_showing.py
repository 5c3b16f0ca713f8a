"""What a DICOM file says of how it is to be seen: each rule of the checklist."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from nearl_core.dicom import read
from nearl_core.scans.display import to_grey
from nearl_core.types import VoiLut, Window, WindowShape
from tests.dicom.making import (
    BIG_ENDIAN,
    EXPLICIT,
    dicom,
    item,
    ramp,
)


def window_of(path: Path, frame: int = 0) -> Window:
    window = read.frame(path, frame)[0].windows[0]
    assert isinstance(window, Window)
    return window


# --- values ----------------------------------------------------------------------------------


def test_slope_and_intercept(tmp_path: Path) -> None:
    pixels = ramp(dtype="u2", step=10)
    path = dicom(tmp_path / "a", pixels, RescaleSlope="2", RescaleIntercept="-1024")
    values = read.frame(path)[0].values
    assert values.dtype.kind == "i"
    assert np.array_equal(values, pixels.astype(int) * 2 - 1024)


def test_fractional_slope_is_float64(tmp_path: Path) -> None:
    pixels = ramp(dtype="u2", step=10)
    path = dicom(tmp_path / "a", pixels, RescaleSlope="0.37", RescaleIntercept="0.1")
    values = read.frame(path)[0].values
    assert values.dtype == np.float64
    assert np.array_equal(values, pixels.astype(np.float64) * 0.37 + 0.1)


@pytest.mark.parametrize("ends", [(60000, -32768), (65535, 0), (100, -40000)])
def test_whole_numbers_stay_exact_near_the_limits(tmp_path: Path, ends: tuple[int, int]) -> None:
    pixels = np.array([[0, ends[0]]], "u2")
    path = dicom(tmp_path / "a", pixels, RescaleSlope="1", RescaleIntercept=str(ends[1]))
    assert read.frame(path)[0].values.tolist() == [[ends[1], ends[0] + ends[1]]]


def test_rescale_written_as_unknown_vr(tmp_path: Path) -> None:
    path = dicom(tmp_path / "a", ramp(dtype="u2"), RescaleSlope="3", RescaleIntercept="7 ")
    whole = path.read_bytes()
    at = whole.index(b"\x28\x00\x52\x10DS")
    unknown = whole[at : at + 4] + b"UN\0\0\x02\0\0\0" + whole[at + 8 : at + 10]
    path.write_bytes(whole[:at] + unknown + whole[at + 10 :])
    assert read.frame(path)[0].values[0, 1] == 3 * 1 + 7


def test_modality_lut_goes_before_rescale(tmp_path: Path) -> None:
    table = item(LUTDescriptor=[4, 2, 16], LUTData=np.array([10, 20, 30, 40], "<u2").tobytes())
    table["LUTData"].VR = "OW"
    pixels = np.array([[0, 2, 3, 5, 9]], "u2")
    path = dicom(
        tmp_path / "a", pixels, ModalityLUTSequence=[table], RescaleSlope="5", RescaleIntercept="5"
    )
    assert read.frame(path)[0].values.tolist() == [[10, 10, 20, 40, 40]]


@pytest.mark.parametrize(("kind", "shown"), [("12.1", True), ("12.2", True), ("12.1.1", False)])
@pytest.mark.parametrize("how", ["table", "rescale"])
def test_what_leads_back_to_the_intensity_of_x_rays_is_not_shown(
    tmp_path: Path, kind: str, shown: bool, how: str
) -> None:
    """Stored values of angiography are windowed as they are (PS3.3 C.8.7.1.1.2)."""
    table = item(LUTDescriptor=[256, 0, 16], LUTData=np.arange(256, dtype="<u2")[::-1].tobytes())
    table["LUTData"].VR = "OW"
    said: dict[str, Any] = {"ModalityLUTSequence": [table]}
    if how == "rescale":
        said = {"RescaleSlope": "-1", "RescaleIntercept": "255", "RescaleType": "OD"}
    pixels = ramp() % 200
    uid = f"1.2.840.10008.5.1.4.1.1.{kind}"
    frame, info = read.frame(dicom(tmp_path / "a", pixels, SOPClassUID=uid, **said))
    assert np.array_equal(frame.values, pixels if shown else 255 - pixels.astype(int))
    assert info.unit == ("OD" if how == "rescale" and not shown else "")


# --- windows ---------------------------------------------------------------------------------


def test_several_windows_by_name_first_one_default(tmp_path: Path) -> None:
    path = dicom(
        tmp_path / "a",
        ramp(dtype="u2"),
        WindowCenter=["40", "600"],
        WindowWidth=["400", "1500"],
        WindowCenterWidthExplanation=["SOFT", "LUNG"],
    )
    windows = read.frame(path)[0].windows
    assert windows == (Window(40, 400, name="SOFT"), Window(600, 1500, name="LUNG"))


@pytest.mark.parametrize(("name", "shape"), [(s.value, s) for s in WindowShape])
def test_function_of_the_window(tmp_path: Path, name: str, shape: WindowShape) -> None:
    path = dicom(tmp_path / "a", ramp(), WindowCenter="40", WindowWidth="40", VOILUTFunction=name)
    assert window_of(path).shape is shape


@pytest.mark.parametrize(
    ("width", "shape"),
    [("0", "LINEAR"), ("0.5", "LINEAR"), ("-3", "SIGMOID")],
)
def test_invalid_width_gives_an_automatic_window_and_a_notice(
    tmp_path: Path, width: str, shape: str
) -> None:
    pixels = ramp(dtype="u2", step=3)
    path = dicom(tmp_path / "a", pixels, WindowCenter="40", WindowWidth=width, VOILUTFunction=shape)
    frame, info = read.frame(path)
    assert info.notices
    grey = to_grey(frame)
    assert (grey.min(), grey.max()) == (0, 255)


def test_width_below_one_is_valid_for_linear_exact(tmp_path: Path) -> None:
    path = dicom(
        tmp_path / "a", ramp(), WindowCenter="4", WindowWidth="0.5", VOILUTFunction="LINEAR_EXACT"
    )
    frame, info = read.frame(path)
    assert not info.notices
    assert frame.windows[0] == Window(4, 0.5, WindowShape.LINEAR_EXACT)


def test_eight_bits_without_window_as_they_are(tmp_path: Path) -> None:
    pixels = (ramp() % 100 + 50).astype("u1")
    assert np.array_equal(to_grey(read.frame(dicom(tmp_path / "a", pixels))[0]), pixels)


def test_eight_bits_with_rescale_from_minimum_to_maximum(tmp_path: Path) -> None:
    pixels = (ramp() % 100 + 50).astype("u1")
    path = dicom(tmp_path / "a", pixels, RescaleSlope="1", RescaleIntercept="-10")
    grey = to_grey(read.frame(path)[0])
    assert (grey.min(), grey.max()) == (0, 255)


def test_sixteen_bits_without_window_from_minimum_to_maximum(tmp_path: Path) -> None:
    pixels = ramp(dtype="u2", step=7) + 1000
    grey = to_grey(read.frame(dicom(tmp_path / "a", pixels))[0])
    assert (grey[0, 0], grey[-1, -1]) == (0, 255)


@pytest.mark.parametrize("limits", [(2000, 4000), (4000, 2000)])
@pytest.mark.parametrize("photometric", ["MONOCHROME1", "MONOCHROME2"])
def test_padding_is_left_out_of_the_automatic_window(
    tmp_path: Path, limits: tuple[int, int], photometric: str
) -> None:
    pixels = np.array([[5100, 5200, 5300, 2000, 3000, 4000]], "u2")
    path = dicom(
        tmp_path / "a",
        pixels,
        PixelPaddingValue=limits[0],
        PixelPaddingRangeLimit=limits[1],
        PhotometricInterpretation=photometric,
    )
    frame = read.frame(path)[0]
    assert frame.padding is not None
    assert frame.padding.tolist() == [[False] * 3 + [True] * 3]
    shown = to_grey(frame)[0]
    if photometric == "MONOCHROME2":
        assert (shown[0], shown[2]) == (0, 255)
        assert to_grey(frame, inverted=True)[0, 3:].tolist() == [0, 0, 0]
    else:
        assert (shown[0], shown[2]) == (255, 0)
        assert shown[3:].tolist() == [0, 0, 0]


def test_signed_padding_written_as_unsigned(tmp_path: Path) -> None:
    pixels = np.array([[-2000, 0, 50]], "i2")
    path = dicom(tmp_path / "a", pixels, PixelPaddingValue=-2000)
    signed = b"\x28\x00\x20\x01SS"
    assert signed in path.read_bytes()
    path.write_bytes(path.read_bytes().replace(signed, b"\x28\x00\x20\x01US"))
    frame = read.frame(path)[0]
    assert frame.padding is not None
    assert frame.padding.tolist() == [[True, False, False]]


@pytest.mark.parametrize(("dtype", "kind"), [("f4", "Float"), ("f8", "DoubleFloat")])
def test_real_pixel_data_and_their_padding(tmp_path: Path, dtype: str, kind: str) -> None:
    pixels = np.array([[-9.5, 0.25, 0.75, np.nan]], dtype)
    elements: dict[str, Any] = {
        f"{kind}PixelData": pixels.tobytes(),
        f"{kind}PixelPaddingValue": -9.5,
        "PixelData": None,
    }
    path = dicom(tmp_path / "a", pixels, **elements)
    assert np.array_equal(read.stored(path), pixels, equal_nan=True)
    frame = read.frame(path)[0]
    assert frame.padding is not None
    assert frame.padding.tolist() == [[True, False, False, False]]
    assert to_grey(frame).tolist() == [[0, 0, 255, 0]]


# --- tables ----------------------------------------------------------------------------------


def voi(path: Path, pixels: NDArray[Any], entries: NDArray[Any], first: int, **more: Any) -> Path:
    count = len(entries) % 65536
    table = item(LUTDescriptor=[count, first % 65536, 16], LUTExplanation="TABLE")
    table.LUTData = entries.astype("<u2").tobytes()
    table["LUTData"].VR = "OW"
    table["LUTDescriptor"].VR = "US"
    return dicom(path, pixels, VOILUTSequence=[table], **more)


def test_voi_table_clamps_and_scales_by_its_maximum(tmp_path: Path) -> None:
    pixels = np.array([[0, 10, 11, 12, 60000]], "u2")
    path = voi(tmp_path / "a", pixels, np.array([0, 500, 1000]), 10)
    frame = read.frame(path)[0]
    assert isinstance(frame.windows[0], VoiLut)
    assert frame.windows[0].name == "TABLE"
    assert to_grey(frame).tolist() == [[0, 0, 128, 255, 255]]


@pytest.mark.parametrize("syntax", [EXPLICIT, BIG_ENDIAN])
def test_table_whose_entries_are_numbers(tmp_path: Path, syntax: str) -> None:
    table = item(LUTDescriptor=[3, 10, 16], LUTData=[0, 500, 1000])
    table["LUTDescriptor"].VR = table["LUTData"].VR = "US"
    pixels = np.array([[0, 10, 11, 12, 60000]], "u2")
    path = dicom(tmp_path / "a", pixels, syntax=syntax, VOILUTSequence=[table])
    assert to_grey(read.frame(path)[0]).tolist() == [[0, 0, 128, 255, 255]]


def test_voi_table_of_65536_entries(tmp_path: Path) -> None:
    pixels = np.array([[0, 65535]], "u2")
    path = voi(tmp_path / "a", pixels, np.arange(65536)[::-1], 0)
    assert to_grey(read.frame(path)[0]).tolist() == [[255, 0]]


def test_voi_table_that_begins_below_zero(tmp_path: Path) -> None:
    pixels = np.array([[0, 1000, 1002]], "u2")
    path = voi(
        tmp_path / "a",
        pixels,
        np.array([0, 50, 100]),
        -1000,
        RescaleSlope="1",
        RescaleIntercept="-2000",
    )
    assert to_grey(read.frame(path)[0]).tolist() == [[0, 0, 255]]


def test_voi_table_begins_below_zero_on_every_frame_alike(tmp_path: Path) -> None:
    """Whether a first value is signed goes by what the file can hold, not by what a frame does."""
    pixels = np.array([[[0, 1000]], [[2000, 3000]]], "u2")
    more = {"RescaleSlope": "1", "RescaleIntercept": "-1000"}
    path = voi(tmp_path / "a", pixels, np.arange(4001), -1000, **more)
    shown = [to_grey(read.frame(path, index)[0])[0].tolist() for index in (0, 1)]
    assert shown == [[0, 64], [128, 191]]


def test_voi_table_behind_a_modality_lut_begins_above_zero(tmp_path: Path) -> None:
    """What a Modality LUT gives is not signed, even where the stored values are."""
    entries = np.array([40_000, 40_001, 40_002], "<u2")
    modality = item(LUTDescriptor=[3, 65535, 16], LUTData=entries.tobytes())
    modality["LUTData"].VR, modality["LUTDescriptor"].VR = "OW", "US"
    path = voi(
        tmp_path / "a",
        np.array([[-1, 0, 1]], "i2"),
        np.array([0, 20, 100]),
        40_000,
        ModalityLUTSequence=[modality],
    )
    assert to_grey(read.frame(path)[0]).tolist() == [[0, 51, 255]]


def test_window_goes_before_table_and_both_are_listed(tmp_path: Path) -> None:
    path = voi(
        tmp_path / "a", ramp(dtype="u2"), np.array([0, 1]), 0, WindowCenter="9", WindowWidth="8"
    )
    first, second = read.frame(path)[0].windows
    assert isinstance(first, Window)
    assert isinstance(second, VoiLut)


# --- presentation ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("photometric", "shape", "inverted"),
    [
        ("MONOCHROME1", None, True),
        ("MONOCHROME2", "INVERSE", True),
        ("MONOCHROME1", "INVERSE", True),
        ("MONOCHROME1", "IDENTITY", True),
        ("MONOCHROME2", "IDENTITY", False),
    ],
)
def test_inverted_exactly_once(
    tmp_path: Path, photometric: str, shape: str | None, inverted: bool
) -> None:
    pixels = ramp(8, 8)
    path = dicom(
        tmp_path / "a", pixels, PhotometricInterpretation=photometric, PresentationLUTShape=shape
    )
    expected = 255 - pixels if inverted else pixels
    assert np.array_equal(to_grey(read.frame(path)[0]), expected)


# --- functional groups -----------------------------------------------------------------------


def groups(centre: str, intercept: str) -> object:
    return item(
        FrameVOILUTSequence=[item(WindowCenter=centre, WindowWidth="100")],
        PixelValueTransformationSequence=[
            item(RescaleSlope="1", RescaleIntercept=intercept, RescaleType="HU")
        ],
    )


def test_per_frame_goes_before_shared_goes_before_root(tmp_path: Path) -> None:
    pixels = np.zeros((2, 4, 4), "u2")
    path = dicom(
        tmp_path / "a",
        pixels,
        WindowCenter="1",
        WindowWidth="100",
        SharedFunctionalGroupsSequence=[groups("2", "20")],
        PerFrameFunctionalGroupsSequence=[groups("3", "30"), item()],
    )
    assert (window_of(path, 0).centre, window_of(path, 1).centre) == (3, 2)
    assert [int(read.frame(path, index)[0].values[0, 0]) for index in (0, 1)] == [30, 20]


def test_a_frame_has_a_table_of_its_own(tmp_path: Path) -> None:
    table = item(LUTDescriptor=[3, 0, 16], LUTData=np.array([0, 50, 100], "<u2").tobytes())
    table["LUTData"].VR, table["LUTDescriptor"].VR = "OW", "US"
    own = item(FrameVOILUTSequence=[item(VOILUTSequence=[table])])
    pixels = np.array([[[0, 1, 2]], [[0, 1, 4]]], "u2")
    path = dicom(tmp_path / "a", pixels, PerFrameFunctionalGroupsSequence=[own, item()])
    assert isinstance(read.frame(path)[0].windows[0], VoiLut)
    assert window_of(path, 1).width == 4


def test_a_window_that_is_left_empty_is_no_invalid_one(tmp_path: Path) -> None:
    path = dicom(tmp_path / "a", ramp(dtype="u2"), WindowCenter="", WindowWidth="")
    assert read.frame(path)[1].notices == ()


def test_root_serves_where_groups_say_nothing(tmp_path: Path) -> None:
    path = dicom(
        tmp_path / "a",
        np.zeros((2, 4, 4), "u2"),
        WindowCenter="1",
        WindowWidth="100",
        SharedFunctionalGroupsSequence=[item()],
    )
    assert window_of(path, 1).centre == 1
