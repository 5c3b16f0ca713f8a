"""What a DICOM file says of how it is to be seen: each rule of the checklist."""

from pathlib import Path
from typing import Any

import imagecodecs
import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import ImageCms

from nearl_core.dicom import read
from nearl_core.dicom.deidentify import write_copy
from nearl_core.scans.display import to_grey, to_rgb
from nearl_core.types import Disguise, VoiLut, Window, WindowShape
from tests.dicom.making import (
    BIG_ENDIAN,
    EXPLICIT,
    JPEG,
    JPEG_2000,
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


# --- colour ----------------------------------------------------------------------------------


def test_ybr_is_converted_once(tmp_path: Path) -> None:
    ybr = np.full((4, 4, 3), (76, 85, 255), "u1")  # pure red
    path = dicom(tmp_path / "a", ybr, samples=3, PhotometricInterpretation="YBR_FULL")
    assert np.abs(to_rgb(read.frame(path)[0])[0, 0].astype(int) - (255, 0, 0)).max() <= 2
    assert np.array_equal(read.stored(path), ybr)


@pytest.mark.parametrize("photometric", ["RGB", "YBR_FULL", "YBR_FULL_422", "YBR_RCT"])
@pytest.mark.parametrize("form", ["JPEG 2000", "JPEG"])
def test_colour_that_the_code_stream_names_is_not_converted_again(
    tmp_path: Path, form: str, photometric: str
) -> None:
    red = np.full((8, 8, 3), (200, 30, 30), "u1")
    if form == "JPEG":
        syntax, stream = JPEG, bytes(imagecodecs.jpeg8_encode(red, level=99, outcolorspace="RGB"))
    else:
        encoded = imagecodecs.jpeg2k_encode(red, level=0, mct=True, codecformat="j2k")
        syntax, stream = JPEG_2000, bytes(encoded)
    path = dicom(
        tmp_path / "a",
        red,
        samples=3,
        syntax=syntax,
        frames=[stream],
        PhotometricInterpretation=photometric,
    )
    assert np.abs(to_rgb(read.frame(path)[0]).astype(int) - red).max() <= 2
    write_copy(path, tmp_path / "copy", Disguise(b"key", "P1", "S1"))
    assert np.abs(to_rgb(read.frame(tmp_path / "copy")[0]).astype(int) - red).max() <= 2


@pytest.mark.parametrize(("photometric", "converted"), [("YBR_RCT", False), ("YBR_FULL", True)])
def test_colour_that_a_code_stream_leaves_as_it_is(
    tmp_path: Path, photometric: str, converted: bool
) -> None:
    stored = np.full((8, 8, 3), (76, 85, 255), "u1")  # as YBR pure red
    stream = imagecodecs.jpeg2k_encode(stored, level=0, mct=False, codecformat="j2k")
    said: dict[str, Any] = {"samples": 3, "PhotometricInterpretation": photometric}
    path = dicom(tmp_path / "a", stored, syntax=JPEG_2000, frames=[bytes(stream)], **said)
    shown = to_rgb(read.frame(path)[0])[0, 0].astype(int)
    assert np.abs(shown - ((255, 0, 0) if converted else (76, 85, 255))).max() <= 2


def test_ybr_422_shares_chroma_between_neighbours(tmp_path: Path) -> None:
    cells = np.array([[10, 20, 100, 200, 30, 40, 110, 210]], "u1")
    path = dicom(
        tmp_path / "a",
        np.zeros((1, 4, 3), "u1"),
        samples=3,
        PhotometricInterpretation="YBR_FULL_422",
        PixelData=cells.tobytes(),
    )
    expected = [[[10, 100, 200], [20, 100, 200], [30, 110, 210], [40, 110, 210]]]
    assert read.stored(path).tolist() == expected


def test_sixteen_bit_colour_shows_its_high_byte(tmp_path: Path) -> None:
    pixels = noise((4, 4, 3), "u2", below=65536)
    path = dicom(tmp_path / "a", pixels, samples=3)
    assert np.array_equal(to_grey(read.frame(path)[0]), pixels >> 8)


def palettes(red: object, bits: int, *, segmented: bool = False) -> dict[str, Any]:
    made: dict[str, Any] = {"PhotometricInterpretation": "PALETTE COLOR"}
    for name in ("Red", "Green", "Blue"):
        made[f"{name}PaletteColorLookupTableDescriptor"] = [4, 0, bits]
        prefix = "Segmented" if segmented else ""
        made[f"{prefix}{name}PaletteColorLookupTableData"] = red
    return made


def test_palette_of_sixteen_bits(tmp_path: Path) -> None:
    table = np.array([0, 0x1234, 0x8000, 0xFFFF], "<u2").tobytes()
    path = dicom(tmp_path / "a", np.array([[0, 1, 2, 3, 9]], "u1"), **palettes(table, 16))
    frame = read.frame(path)[0]
    assert not frame.windows
    assert frame.values[0, :, 0].tolist() == [0, 0x12, 0x80, 0xFF, 0xFF]


def test_palette_that_says_sixteen_bits_and_holds_eight(tmp_path: Path) -> None:
    table = np.array([0, 7, 100, 255], "<u2").tobytes()
    path = dicom(tmp_path / "a", np.array([[0, 1, 2, 3]], "u1"), **palettes(table, 16))
    assert read.frame(path)[0].values[0, :, 1].tolist() == [0, 7, 100, 255]


def test_palette_of_twelve_bits(tmp_path: Path) -> None:
    table = np.array([0, 16, 0x800, 0xFFF], "<u2").tobytes()
    path = dicom(tmp_path / "a", np.array([[0, 1, 2, 3]], "u1"), **palettes(table, 12))
    assert read.frame(path)[0].values[0, :, 0].tolist() == [0, 1, 0x80, 0xFF]


def test_segmented_palette(tmp_path: Path) -> None:
    # Two entries as they are, then a line of two up to the end point.
    table = np.array([0, 2, 0, 0x1000, 1, 2, 0x3000], "<u2").tobytes()
    made = palettes(table, 16, segmented=True)
    path = dicom(tmp_path / "a", np.array([[0, 1, 2, 3]], "u1"), **made)
    assert read.frame(path)[0].values[0, :, 2].tolist() == [0, 0x10, 0x20, 0x30]


@pytest.mark.parametrize("where", ["root", "optical path"])
@pytest.mark.parametrize("kind", ["RGB", "PALETTE COLOR"])
def test_colours_go_through_the_profile_of_the_file(tmp_path: Path, kind: str, where: str) -> None:
    # Red and green primaries swapped: what is red is shown green.
    profile = bytearray(ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes())
    red, green = profile.index(b"rXYZ"), profile.index(b"gXYZ")
    profile[red : red + 4], profile[green : green + 4] = b"gXYZ", b"rXYZ"
    held = {"ICCProfile": bytes(profile)}
    said: dict[str, Any] = held if where == "root" else {"OpticalPathSequence": [item(**held)]}
    pixels = np.full((4, 4, 3), (200, 30, 30), "u1")
    if kind == "RGB":
        path = dicom(tmp_path / "a", pixels, samples=3, **said)
    else:
        tables = palettes(bytes([30, 30, 30, 30]), 8)
        tables["RedPaletteColorLookupTableData"] = bytes([200] * 4)
        path = dicom(tmp_path / "a", pixels[..., 0] * 0, **tables, **said)
    shown = to_rgb(read.frame(path)[0])[0, 0]
    assert shown[1] > 150 > shown[0]


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
