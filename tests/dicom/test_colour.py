"""What a DICOM file says of its colours: each rule of the checklist."""

from pathlib import Path
from typing import Any

import imagecodecs
import numpy as np
import pytest
from PIL import ImageCms

from nearl_core.dicom import read
from nearl_core.dicom.deidentify import write_copy
from nearl_core.scans.display import to_grey, to_rgb
from nearl_core.types import Disguise
from tests.dicom.making import (
    JPEG,
    JPEG_2000,
    dicom,
    item,
    noise,
    same,
)


def test_ybr_is_converted_once(tmp_path: Path) -> None:
    ybr = np.full((4, 4, 3), (76, 85, 255), "u1")  # pure red
    path = dicom(tmp_path / "a", ybr, samples=3, PhotometricInterpretation="YBR_FULL")
    assert np.abs(to_rgb(read.frame(path)[0])[0, 0].astype(int) - (255, 0, 0)).max() <= 2
    assert np.array_equal(read.stored(path), ybr)
    assert np.abs(read.stored_rgb(path)[0, 0].astype(int) - (255, 0, 0)).max() <= 2


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


JFIF = b"\xff\xe0\0\x10JFIF\0\1\1\0\0\1\0\1\0\0"


def adobe(transform: int) -> bytes:
    return b"\xff\xee\0\x0eAdobe\0\x64\0\0\0\0" + bytes([transform])


@pytest.mark.parametrize(
    ("segments", "converted"),
    [(b"", False), (JFIF, True), (adobe(1), True), (adobe(0), False), (JFIF + adobe(0), False)],
)
@pytest.mark.parametrize("photometric", ["RGB", "YBR_FULL_422"])
def test_jpeg_that_names_its_colours_where_the_header_says_rgb(
    tmp_path: Path, photometric: str, segments: bytes, converted: bool
) -> None:
    """A plain photograph that was wrapped into DICOM; YBR in the header is believed."""
    stored = np.full((8, 8, 3), (76, 85, 255), "u1")  # as YBR pure red
    stream = bytes(
        imagecodecs.jpeg8_encode(stored, level=99, colorspace="YCBCR", outcolorspace="YCBCR")
    )
    own = stream.index(b"\xff\xdb")  # behind the segments that the codec writes
    path = dicom(
        tmp_path / "a",
        stored,
        samples=3,
        syntax=JPEG,
        frames=[stream[:2] + segments + stream[own:]],
        PhotometricInterpretation=photometric,
    )
    converted = converted or photometric != "RGB"
    shown = to_rgb(read.frame(path)[0])[0, 0].astype(int)
    assert np.abs(shown - ((255, 0, 0) if converted else (76, 85, 255))).max() <= 2
    assert np.abs(read.stored(path).astype(int) - stored).max() <= 2


@pytest.mark.parametrize("photometric", ["RGB", "YBR_FULL", "YBR_RCT"])
def test_boxes_of_jpeg_2000_change_no_stored_value(tmp_path: Path, photometric: str) -> None:
    """Left to itself, the decoder converts what a box calls luminance and chroma."""
    stored = np.full((8, 8, 3), (76, 85, 255), "u1")  # as YBR pure red
    stream = bytes(imagecodecs.jpeg2k_encode(stored, level=0, mct=False, codecformat="jp2"))
    at = stream.index(b"colr\1\0\0") + 7
    stream = stream[:at] + b"\0\0\0\x12" + stream[at + 4 :]
    said: dict[str, Any] = {"samples": 3, "PhotometricInterpretation": photometric}
    path = dicom(tmp_path / "a", stored, syntax=JPEG_2000, frames=[stream], **said)
    assert np.array_equal(read.stored(path), stored)
    assert np.abs(to_rgb(read.frame(path)[0])[0, 0].astype(int) - (255, 0, 0)).max() <= 2


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


@pytest.mark.parametrize(
    ("cells", "expected"),
    [
        ([10, 20, 100, 200, 30, 0], [[10, 100, 200], [20, 100, 200], [30, 100, 200]]),
        ([30, 0], [[30, 128, 128]]),
    ],
)
def test_the_last_of_an_odd_number_of_pixels_has_no_neighbour(
    tmp_path: Path, cells: list[int], expected: list[list[int]]
) -> None:
    path = dicom(
        tmp_path / "a",
        np.zeros((1, len(expected), 3), "u1"),
        samples=3,
        PhotometricInterpretation="YBR_FULL_422",
        PixelData=bytes(cells),
    )
    assert read.stored(path).tolist() == [expected]


def test_sixteen_bit_colour_shows_its_high_byte(tmp_path: Path) -> None:
    pixels = noise((4, 4, 3), "u2", below=65536)
    path = dicom(tmp_path / "a", pixels, samples=3)
    assert np.array_equal(to_grey(read.frame(path)[0]), pixels >> 8)


@pytest.mark.parametrize("bits", [1, 4, 7])
def test_colour_of_fewer_than_eight_bits_is_white_at_its_greatest(
    tmp_path: Path, bits: int
) -> None:
    top = (1 << bits) - 1
    pixels = np.array([[[0, 0, 0], [top, top, top], [top, 0, top // 2]]], "u1")
    path = dicom(tmp_path / "a", pixels, samples=3, BitsStored=bits)
    expected = [[[0, 0, 0], [255, 255, 255], [255, 0, round(top // 2 * 255 / top)]]]
    assert to_rgb(read.frame(path)[0]).tolist() == expected


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


def test_stored_colours_as_rgb_are_those_that_show(tmp_path: Path) -> None:
    table = np.array([0, 0x1234, 0x8000, 0xFFFF], "<u2").tobytes()
    path = dicom(tmp_path / "a", np.array([[[0, 1]], [[2, 3]]], "u1"), **palettes(table, 16))
    assert read.stored_rgb(path)[..., 0].tolist() == [[[0, 0x12]], [[0x80, 0xFF]]]
    for name, values, samples in (("grey", noise((4, 5), "u2"), 1), ("rgb", noise((4, 5, 3)), 3)):
        plain = dicom(tmp_path / name, values, samples=samples)
        assert same(read.stored_rgb(plain), values)
    deep = noise((2, 4, 5, 3), "u2", 1 << 16)
    assert same(read.stored_rgb(dicom(tmp_path / "deep", deep, samples=3)), deep)


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
