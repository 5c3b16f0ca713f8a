"""Files that deviate from the standard, and are read as they are meant."""

import struct
from pathlib import Path
from typing import Any

import imagecodecs
import numpy as np
import pytest
from pydicom import dcmread
from pydicom.dataelem import RawDataElement
from pydicom.tag import Tag

from nearl_core.dicom import read
from nearl_core.types import Window
from tests.dicom.making import (
    BIG_ENDIAN,
    DEFLATED,
    JPEG_LS,
    RLE,
    capsule,
    dicom,
    item,
    noise,
    ramp,
    same,
)

CENTRE, WIDTH, INTERCEPT, SLOPE = (0x00280000 + end for end in (0x1050, 0x1051, 0x1052, 0x1053))


def worded(path: Path, words: dict[int, str]) -> Path:
    """A file whose decimal strings are written to the letter."""
    dataset = dcmread(dicom(path, ramp(dtype="u2", step=10)))
    for number, word in words.items():
        data = (word + " " * (len(word) % 2)).encode()
        dataset._dict[Tag(number)] = RawDataElement(
            Tag(number), "DS", len(data), data, 0, False, True
        )
    dataset.save_as(path)
    return path


# --- words -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("centre", "width", "expected"),
    [
        ("40\\", "400\\", [(40, 400)]),
        ("40\\50", "400\\abc", [(40, 400)]),
        ("\\50", "400\\500", [(50, 500)]),
        ("40,5", "400,25", [(40.5, 400.25)]),
    ],
)
def test_a_window_that_is_valid_stands_beside_one_that_is_not(
    tmp_path: Path, centre: str, width: str, expected: list[tuple[float, float]]
) -> None:
    path = worded(tmp_path / "a", {CENTRE: centre, WIDTH: width})
    frame, info = read.frame(path)
    assert frame.windows == tuple(Window(*ends) for ends in expected)
    assert info.notices == ()


def test_a_comma_stands_for_the_point(tmp_path: Path) -> None:
    path = worded(tmp_path / "a", {SLOPE: "1,5", INTERCEPT: "-1024,0"})
    expected = ramp(dtype="u2", step=10).astype(float) * 1.5 - 1024
    assert np.array_equal(read.frame(path)[0].values, expected)


# --- elements --------------------------------------------------------------------------------


def test_colour_without_its_number_of_samples(tmp_path: Path) -> None:
    pixels = noise((4, 6, 3))
    path = dicom(tmp_path / "a", pixels, samples=3, SamplesPerPixel=None)
    assert same(read.stored(path), pixels)


@pytest.mark.parametrize("kind", [b"??", b"ow", b"ZZ"])
def test_pixels_of_a_value_representation_that_does_not_exist(tmp_path: Path, kind: bytes) -> None:
    pixels = ramp(dtype="u2", step=10)
    path = dicom(tmp_path / "a", pixels)
    whole = path.read_bytes()
    at = whole.rindex(b"\xe0\x7f\x10\x00OW") + 4
    path.write_bytes(whole[:at] + kind + whole[at + 2 :])
    assert same(read.stored(path), pixels)


@pytest.mark.parametrize("length", [None, 10, 9999])
def test_deflated_file_whose_meta_header_gives_no_right_length(
    tmp_path: Path, length: int | None
) -> None:
    pixels = ramp(dtype="u2", step=10)
    path = dicom(tmp_path / "a", pixels, syntax=DEFLATED)
    whole = path.read_bytes()
    said = b"" if length is None else whole[132:140] + struct.pack("<I", length)
    path.write_bytes(whole[:132] + said + whole[144:])
    assert same(read.stored(path), pixels)


@pytest.mark.parametrize("kind", ["OW", "OB"])
def test_tables_of_bytes_in_words_of_a_big_endian_file(tmp_path: Path, kind: str) -> None:
    entries = np.arange(255, dtype="u1")[::-1].tobytes() + b"\0"
    swapped = np.frombuffer(entries, "u2").byteswap().tobytes()
    table = item(LUTDescriptor=[255, 0, 8], LUTData=swapped if kind == "OW" else entries)
    table["LUTData"].VR, table["LUTDescriptor"].VR = kind, "US"
    pixels = np.arange(254, dtype="u1").reshape(2, 127)
    path = dicom(tmp_path / "a", pixels, syntax=BIG_ENDIAN, ModalityLUTSequence=[table])
    assert np.array_equal(read.frame(path)[0].values, 254 - pixels)


@pytest.mark.parametrize(
    ("promised", "bits", "held", "expected"),
    [
        (4, 16, np.array([5, 300, 700], "<u2").tobytes(), [5, 300, 700, 700]),
        (0, 16, np.array([5, 300, 700, 9, 1], "<u2").tobytes(), [5, 300, 700, 9]),
        (4, 8, bytes([5, 30]), [5, 30, 30, 30]),
        (4, 8, bytes([5, 30, 70, 9]), [5, 30, 70, 9]),
        (3, 16, bytes([5, 30, 70, 0]), [5, 30, 70, 70]),
        (1, 16, np.array([300], "<u2").tobytes(), [300] * 4),
    ],
)
def test_a_table_that_is_short_serves_as_far_as_it_goes(
    tmp_path: Path, promised: int, bits: int, held: bytes, expected: list[int]
) -> None:
    """Words are not taken for bytes, however many are missing."""
    table = item(LUTDescriptor=[promised, 0, bits], LUTData=held)
    table["LUTData"].VR, table["LUTDescriptor"].VR = "OW", "US"
    pixels = np.array([[0, 1, 2, 3]], "u1")
    path = dicom(tmp_path / "a", pixels, ModalityLUTSequence=[table])
    assert read.frame(path)[0].values.tolist() == [expected]


# --- fragments -------------------------------------------------------------------------------


def wrapped(path: Path, pixels: Any, data: bytes, syntax: str = JPEG_LS) -> Path:
    return dicom(path, pixels, syntax=syntax, frames=[b""], PixelData=data)


def fragment(content: bytes) -> bytes:
    even = content + b"\0" * (len(content) % 2)
    return struct.pack("<HHI", 0xFFFE, 0xE000, len(even)) + even


def streams(pixels: Any) -> list[bytes]:
    return [bytes(imagecodecs.jpegls_encode(frame)) for frame in pixels]


@pytest.mark.parametrize("place", [0, 1, 3])
def test_an_empty_fragment_is_no_frame(tmp_path: Path, place: int) -> None:
    pixels = noise((3, 30, 40), "u2", below=900)
    parts = [fragment(stream) for stream in streams(pixels)]
    parts.insert(place, fragment(b""))
    path = wrapped(tmp_path / "a", pixels, fragment(b"") + b"".join(parts))
    assert same(read.stored(path), pixels)


def run_lengths(frame: Any) -> bytes:
    """One frame of 16 bits by PS3.5 annex G: the high bytes, then the low ones."""
    cells = frame.astype(">u2").tobytes()
    planes = [bytes(imagecodecs.packbits_encode(cells[index::2])) for index in (0, 1)]
    return struct.pack("<16I", 2, 64, 64 + len(planes[0]), *[0] * 13) + b"".join(planes)


def test_frames_of_run_lengths_in_several_fragments(tmp_path: Path) -> None:
    pixels = noise((3, 30, 40), "u2", below=900)
    path = wrapped(
        tmp_path / "a", pixels, capsule(list(map(run_lengths, pixels)), fragments=3), RLE
    )
    assert same(read.stored(path), pixels)
