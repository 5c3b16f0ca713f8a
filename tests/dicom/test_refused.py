"""Files whose pixels can't be read whole are refused, and say why."""

import gzip
from pathlib import Path
from typing import Any

import imagecodecs
import numpy as np
import pytest
from numpy.typing import NDArray

from nearl_core.dicom import codecs, read, source
from nearl_core.errors import ScanError
from nearl_core.scans import decode
from nearl_core.scans.find import find
from tests.dicom.making import (
    DEFLATED,
    IMPLICIT,
    JPEG,
    JPEG_2000,
    JPEG_LS,
    RLE,
    capsule,
    dicom,
    noise,
    ramp,
    same,
)


def test_truncated_native_pixels(tmp_path: Path) -> None:
    path = dicom(tmp_path / "a", ramp())
    path.write_bytes(path.read_bytes()[:-20])
    with pytest.raises(ScanError, match="cut short"):
        read.info(path)


def test_truncated_fragment(tmp_path: Path) -> None:
    pixels = noise((30, 40), "u2", below=900)
    coded = imagecodecs.jpegls_encode(pixels)
    path = dicom(tmp_path / "a", pixels, syntax=JPEG_LS, frames=[coded])
    path.write_bytes(path.read_bytes()[:-100])
    with pytest.raises(ScanError, match="cut short"):
        read.stored(path)


def test_truncated_jpeg_is_refused_but_one_without_end_marker_opens(tmp_path: Path) -> None:
    pixels = noise((64, 64))
    coded = imagecodecs.jpeg8_encode(pixels, level=90)
    whole = dicom(tmp_path / "a", pixels, syntax=JPEG, frames=[coded])
    bare = dicom(tmp_path / "b", pixels, syntax=JPEG, frames=[coded[:-2]])
    assert np.array_equal(read.stored(whole), read.stored(bare))
    cut = dicom(tmp_path / "c", pixels, syntax=JPEG, frames=[coded[: len(coded) // 2]])
    with pytest.raises(ScanError, match="cut short"):
        read.stored(cut)


@pytest.mark.parametrize("fragments", [1, 3])
def test_missing_sequence_delimiter(tmp_path: Path, fragments: int) -> None:
    """Nobody knows what else is missing: fewer fragments often decode, to a coarser picture."""
    pixels = noise((30, 40), "u2", below=900)
    coded = [imagecodecs.jpeg2k_encode(pixels, level=0, codecformat="j2k")]
    data = capsule(coded, fragments=fragments, end=False)
    path = dicom(tmp_path / "a", pixels, syntax=JPEG_2000, frames=coded, PixelData=data)
    whole = path.read_bytes()
    path.write_bytes(whole[: whole.rindex(b"\xfe\xff\xdd\xe0")])
    with pytest.raises(ScanError, match="cut short"):
        read.stored(path)


def test_size_that_the_code_stream_contradicts(tmp_path: Path) -> None:
    pixels = noise((30, 40), "u2", below=900)
    coded = [imagecodecs.jpegls_encode(pixels)]
    path = dicom(tmp_path / "a", pixels, syntax=JPEG_LS, frames=coded, Rows=60000, Columns=60000)
    with pytest.raises(ScanError, match="differ in size"):
        read.stored(path)


@pytest.mark.parametrize(
    ("elements", "reason"),
    [
        ({"Rows": 0}, "size"),
        ({"Columns": None}, "size"),
        ({"BitsAllocated": 12}, "12 bits"),
        ({"BitsAllocated": None}, "how many bits"),
        ({"SamplesPerPixel": 3}, "contradicts"),
        ({"SamplesPerPixel": 4}, "4 samples"),
        ({"PixelData": None}, "no picture"),
        ({"NumberOfFrames": 2000}, "cut short"),
    ],
)
def test_headers_that_say_something_impossible(
    tmp_path: Path, elements: dict[str, Any], reason: str
) -> None:
    path = dicom(tmp_path / "a", ramp(), **elements)
    with pytest.raises(ScanError, match=reason):
        read.info(path)


@pytest.mark.parametrize(
    ("end", "reason"),
    [("4.94", "server"), ("8.1", "deflated"), ("7.1", "SMPTE")],
)
def test_syntaxes_without_still_pictures(tmp_path: Path, end: str, reason: str) -> None:
    path = dicom(tmp_path / "a", ramp(), syntax=JPEG_2000, frames=[b"\0\0"])
    named = f"1.2.840.10008.1.2.{end}".encode().ljust(len(JPEG_2000), b"\0")
    path.write_bytes(path.read_bytes().replace(JPEG_2000.encode(), named))
    with pytest.raises(ScanError, match=reason):
        read.info(path)


def test_unknown_code_stream(tmp_path: Path) -> None:
    path = dicom(tmp_path / "a", ramp(), syntax=JPEG_2000, frames=[b"nothing known"])
    with pytest.raises(ScanError, match="no decoder"):
        read.stored(path)


@pytest.mark.parametrize("stream", [b"", b"\0" * 64, b"\1\0\0\0\x40\0\0\0" + b"\0" * 56 + b"\xff"])
def test_damaged_run_lengths(tmp_path: Path, stream: bytes) -> None:
    path = dicom(tmp_path / "a", ramp(), syntax=RLE, frames=[stream])
    with pytest.raises(ScanError, match=r"RLE|empty"):
        read.stored(path)


def test_deflated_bomb(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = dicom(tmp_path / "a", np.zeros((500, 500), "u2"), syntax=DEFLATED)
    monkeypatch.setattr(source, "MAX_INFLATED_BYTES", 100_000)
    with pytest.raises(ScanError, match="grows"):
        read.info(path)


def test_packed_file_opens_and_a_bomb_or_half_of_one_does_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    plain = dicom(tmp_path / "a.dcm", noise((40, 30), "u2", below=65536))
    packed = tmp_path / "a.dcm.gz"
    whole = gzip.compress(plain.read_bytes())
    packed.write_bytes(whole)
    assert same(decode.stored(packed), decode.stored(plain))
    assert list(find([tmp_path])) == [plain, packed]
    packed.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(ScanError, match="cut short"):
        decode.stored(packed)
    packed.write_bytes(whole)
    monkeypatch.setattr(source, "MAX_INFLATED_BYTES", 2000)
    with pytest.raises(ScanError, match="grows past"):
        decode.stored(packed)


def test_length_beyond_the_file_takes_no_memory(tmp_path: Path) -> None:
    whole = dicom(tmp_path / "a", ramp(), syntax=IMPLICIT).read_bytes()
    at = whole.index(b"\x08\x00\x60\x00")
    path = tmp_path / "b"
    path.write_bytes(whole[: at + 4] + b"\xf0\xff\xff\xff" + whole[at + 8 :])
    with pytest.raises(ScanError):
        read.info(path)


def test_frame_that_does_not_exist(tmp_path: Path) -> None:
    path = dicom(tmp_path / "a", noise((2, 4, 4)))
    with pytest.raises(ScanError, match="no frame 2"):
        read.frame(path, 2)


def test_video(tmp_path: Path) -> None:
    path = dicom(tmp_path / "a", ramp(), syntax="1.2.840.10008.1.2.4.102", frames=[b"\0\0"])
    with pytest.raises(ScanError, match="video"):
        read.info(path)


def test_a_codec_that_is_missing_names_itself_and_the_scan_can_be_added(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def missing(_stream: bytes) -> NDArray[np.generic]:
        raise imagecodecs.DelayedImportError("jpegls_decode")

    pixels = noise((8, 8), "u2", below=4096)
    stream = bytes(imagecodecs.jpegls_encode(pixels))
    path = dicom(tmp_path / "a", pixels, syntax=JPEG_LS, frames=[stream])
    monkeypatch.setitem(codecs._DECODERS, codecs.Codec.JPEG_LS, missing)
    with pytest.raises(ScanError, match="decoder for JPEG-LS is not installed"):
        read.frame(path)
    assert read.info(path)[0].rows == 8
