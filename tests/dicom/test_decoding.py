"""Stored values come out as they were written, whatever the transfer syntax."""

from pathlib import Path
from typing import Any

import imagecodecs
import numpy as np
import pydicom
import pytest
from pydicom.pixels.utils import pixel_array

from nearl_core.dicom import read
from nearl_core.dicom.layout import Layout
from nearl_core.errors import ScanError
from tests.dicom.making import (
    BIG_ENDIAN,
    DEFLATED,
    EXPLICIT,
    HTJ2K,
    IMPLICIT,
    JPEG,
    JPEG_2000,
    JPEG_LOSSLESS,
    JPEG_LS,
    capsule,
    dicom,
    noise,
    ramp,
    same,
)

PACKAGED = Path(pydicom.__file__).parent / "data" / "test_files"


@pytest.mark.parametrize("syntax", [IMPLICIT, EXPLICIT, DEFLATED, BIG_ENDIAN])
@pytest.mark.parametrize("dtype", ["u1", "u2", "i2", "u4", "i4"])
def test_native_values_are_exact(tmp_path: Path, syntax: str, dtype: str) -> None:
    pixels = noise((3, 7, 5), "i8", below=1 << 31).astype(dtype)
    path = dicom(tmp_path / "a", pixels, syntax=syntax)
    assert same(read.stored(path), pixels)


@pytest.mark.parametrize("syntax", [EXPLICIT, BIG_ENDIAN])
@pytest.mark.parametrize("planar", [0, 1])
def test_native_colour_by_pixel_or_by_plane(tmp_path: Path, syntax: str, planar: int) -> None:
    pixels = noise((2, 6, 4, 3))
    written = np.moveaxis(pixels, 3, 1) if planar else pixels
    path = dicom(tmp_path / "a", pixels, samples=3, syntax=syntax, PlanarConfiguration=planar)
    if planar:
        dicom(
            path,
            pixels,
            samples=3,
            PlanarConfiguration=1,
            PixelData=np.ascontiguousarray(written).tobytes(),
        )
    assert same(read.stored(path), pixels)


def test_file_without_preamble_and_meta_header(tmp_path: Path) -> None:
    pixels = ramp(dtype="u2")
    whole = dicom(tmp_path / "a", pixels, syntax=IMPLICIT).read_bytes()
    start = whole.index(b"\x08\x00\x16\x00", 132)
    (tmp_path / "bare").write_bytes(whole[start:])
    assert same(read.stored(tmp_path / "bare"), pixels)


def test_bits_that_are_not_stored_are_cut_off(tmp_path: Path) -> None:
    pixels = ramp(dtype="u2", step=100)
    path = dicom(tmp_path / "a", pixels | 0xF000, BitsStored=12)
    assert same(read.stored(path), pixels & 0x0FFF)


def test_high_bit_above_the_stored_bits(tmp_path: Path) -> None:
    pixels = ramp(dtype="u2", step=10)
    path = dicom(tmp_path / "a", pixels << 4, BitsStored=12, HighBit=15)
    assert same(read.stored(path), pixels)


def test_sign_of_twelve_bits(tmp_path: Path) -> None:
    pixels = (ramp(dtype="i2", step=10) - 1600).astype("i2")
    path = dicom(tmp_path / "a", pixels & 0x0FFF, BitsStored=12, PixelRepresentation=1)
    assert same(read.stored(path), pixels)


def test_single_bits_run_on_over_frames(tmp_path: Path) -> None:
    pixels = noise((3, 5, 7), "u1", below=2)
    packed = np.packbits(pixels.reshape(-1), bitorder="little").tobytes()
    path = dicom(
        tmp_path / "a",
        pixels,
        BitsAllocated=1,
        BitsStored=1,
        HighBit=0,
        PixelData=packed + b"\0" * (len(packed) % 2),
    )
    assert same(read.stored(path), pixels)


def test_jpeg_ls_of_fifteen_signed_bits(tmp_path: Path) -> None:
    pixels = (noise((9, 11), "i4", below=1 << 15) - (1 << 14)).astype("i2")
    coded = imagecodecs.jpegls_encode(pixels.view("u2") & 0x7FFF)
    path = dicom(tmp_path / "a", pixels, syntax=JPEG_LS, frames=[coded], BitsStored=15)
    assert same(read.stored(path), pixels)


@pytest.mark.parametrize("dtype", ["u1", "u2", "i2"])
def test_jpeg_2000_with_and_without_boxes(tmp_path: Path, dtype: str) -> None:
    pixels = noise((40, 50), "i4", below=200).astype(dtype)
    for kind in ("j2k", "jp2"):
        coded = imagecodecs.jpeg2k_encode(pixels, level=0, codecformat=kind)
        path = dicom(tmp_path / kind, pixels, syntax=JPEG_2000, frames=[coded])
        assert same(read.stored(path), pixels)


def test_unsigned_jpeg_2000_under_a_signed_header(tmp_path: Path) -> None:
    pixels = (noise((40, 50), "i4", below=4000) - 2000).astype("i2")
    coded = imagecodecs.jpeg2k_encode(pixels.view("u2"), level=0, codecformat="j2k")
    path = dicom(tmp_path / "a", pixels, syntax=JPEG_2000, frames=[coded])
    assert same(read.stored(path), pixels)


@pytest.mark.parametrize(
    ("dtype", "bits", "low"), [("u1", 8, 0), ("u2", 12, 0), ("u2", 16, 0), ("i2", 16, -9000)]
)
def test_preview_is_the_same_picture_coarser(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, dtype: str, bits: int, low: int
) -> None:
    """Pillow shifts deep values up and signed ones by half: both must be taken back."""
    monkeypatch.setattr(read, "PREVIEW_VALUES", 2000)
    down, across = np.mgrid[:120, :160]
    pixels = (low + (down + across) * ((1 << bits) - 1 - abs(low)) // 280).astype(dtype)
    coded = imagecodecs.jpeg2k_encode(pixels, level=0, codecformat="j2k", bitspersample=bits)
    path = dicom(tmp_path / "a", pixels, syntax=JPEG_2000, frames=[coded], BitsStored=bits)
    assert same(read.stored(path), pixels)
    found = read.preview(path)
    assert found is not None
    coarse, info = found
    assert (info.rows, info.columns) == (120, 160)
    assert coarse.values.shape == (30, 40)
    blocks = pixels.astype(float).reshape(30, 4, 40, 4).mean(axis=(1, 3))
    span = float(pixels.max()) - float(pixels.min())
    assert np.abs(coarse.values[2:-2, 2:-2] - blocks[2:-2, 2:-2]).mean() < 0.02 * span


def test_no_preview_where_the_whole_is_as_fast(tmp_path: Path) -> None:
    pixels = noise((40, 50), "u2", below=4000)
    assert read.preview(dicom(tmp_path / "a", pixels)) is None
    coded = imagecodecs.jpeg2k_encode(pixels, level=0, codecformat="j2k")
    path = dicom(tmp_path / "b", pixels, syntax=JPEG_2000, frames=[coded])
    assert read.preview(path) is None


def test_htj2k(tmp_path: Path) -> None:
    pixels = noise((40, 50), "u2", below=4000)
    coded = imagecodecs.htj2k_encode(pixels)
    path = dicom(tmp_path / "a", pixels, syntax=HTJ2K, frames=[coded])
    assert same(read.stored(path), pixels)


def test_jpeg_lossless(tmp_path: Path) -> None:
    pixels = noise((40, 50), "u2", below=1 << 16)
    coded = imagecodecs.ljpeg_encode(pixels, bitspersample=16)
    path = dicom(tmp_path / "a", pixels, syntax=JPEG_LOSSLESS, frames=[coded])
    assert same(read.stored(path), pixels)


@pytest.mark.parametrize(("bits", "low"), [(12, 1), (12, 2), (16, 4)])
def test_jpeg_lossless_whose_low_bits_are_not_coded(tmp_path: Path, bits: int, low: int) -> None:
    """The point transform of ITU-T T.81 H.1.2.1."""
    pixels = noise((40, 50), "u2", below=1 << bits) >> low
    coded = bytearray(imagecodecs.ljpeg_encode(pixels, bitspersample=bits - low))
    frame, scan = coded.index(b"\xff\xc3"), coded.index(b"\xff\xda")
    coded[frame + 4], coded[scan + 9] = bits, low
    path = dicom(tmp_path / "a", pixels, syntax=JPEG_LOSSLESS, frames=[coded], BitsStored=bits)
    assert same(read.stored(path), pixels << low)


def test_jpeg_is_close_and_keeps_its_components(tmp_path: Path) -> None:
    smooth = np.stack([ramp(64, 64) // 16 * 0 + shade for shade in (200, 90, 30)], -1).astype("u1")
    coded = imagecodecs.jpeg8_encode(smooth, level=95, colorspace="YCBCR", outcolorspace="YCBCR")
    path = dicom(
        tmp_path / "a",
        smooth,
        samples=3,
        syntax=JPEG,
        frames=[coded],
        PhotometricInterpretation="YBR_FULL",
    )
    assert np.abs(read.stored(path).astype(int) - smooth).max() <= 2


@pytest.mark.parametrize(("fragments", "table"), [(1, False), (3, False), (3, True), (1, True)])
def test_frames_in_fragments(tmp_path: Path, fragments: int, table: bool) -> None:
    pixels = noise((4, 30, 40), "u2", below=900)
    coded = [imagecodecs.jpeg2k_encode(one, level=0, codecformat="j2k") for one in pixels]
    data = capsule(coded, fragments=fragments, table=table)
    path = dicom(tmp_path / "a", pixels, syntax=JPEG_2000, frames=coded, PixelData=data)
    assert same(read.stored(path), pixels)
    assert np.array_equal(read.frame(path, 2)[0].values, pixels[2])


@pytest.mark.parametrize("packed", [False, True])
@pytest.mark.parametrize(("said", "shown"), [("2", 2), ("0", 1), (None, 1), ("4", 4)])
def test_frames_that_the_header_does_not_promise_are_told(
    tmp_path: Path, packed: bool, said: str | None, shown: int
) -> None:
    pixels = noise((4, 30, 40), "u2", below=900)
    elements: dict[str, Any] = {"NumberOfFrames": said}
    if packed:
        coded = [imagecodecs.jpegls_encode(one) for one in pixels]
        elements |= {"syntax": JPEG_LS, "frames": coded}
    path = dicom(tmp_path / "a", pixels, **elements)
    frame, info = read.frame(path)
    assert info.frames == shown
    assert np.array_equal(frame.values, pixels[0])
    assert any("more frames" in notice for notice in info.notices) is (shown < 4)
    assert len(read.stored(path)) == (shown if shown > 1 else 30)


def test_encapsulated_pixels_of_a_stated_length(tmp_path: Path) -> None:
    pixels = noise((2, 30, 40), "u2", below=900)
    coded = [imagecodecs.jpegls_encode(one) for one in pixels]
    path = dicom(
        tmp_path / "a",
        pixels,
        syntax=JPEG_LS,
        frames=coded,
        PixelData=capsule(coded, end=False),
    )
    whole = path.read_bytes()
    at = whole.rindex(b"\xe0\x7f\x10\x00OB") + 8
    end = whole.rindex(b"\xfe\xff\xdd\xe0")
    path.write_bytes(whole[:at] + (end - at - 4).to_bytes(4, "little") + whole[at + 4 : end])
    assert same(read.stored(path), pixels)


@pytest.mark.parametrize("frames", [1, 2])
def test_shared_chroma_that_is_stored_in_full(tmp_path: Path, frames: int) -> None:
    pixels = noise((frames, 6, 4, 3))
    pixels = pixels[0] if frames == 1 else pixels
    path = dicom(tmp_path / "a", pixels, samples=3, PhotometricInterpretation="YBR_FULL_422")
    assert same(read.stored(path), pixels)


def test_lossy_overshoot_is_not_turned_black() -> None:
    layout = Layout(1, 1, 1, 1, 16, 12, 11, False, False, "MONOCHROME2")
    assert layout.decoded(np.array([[4170]], "u2"))[0, 0] == 4170


NAMES = [
    "CT_small.dcm",
    "MR_small_RLE.dcm",
    "MR_small_bigendian.dcm",
    "SC_rgb_rle_16bit_2frame.dcm",
    "SC_rgb_rle_32bit_2frame.dcm",
    "SC_rgb_small_odd_big_endian.dcm",
    "SC_ybr_full_422_uncompressed.dcm",
    "693_J2KI.dcm",
    "J2K_pixelrep_mismatch.dcm",
    "JPEGLSNearLossless_16.dcm",
    "liver_expb_1frame.dcm",
    "rtdose_rle.dcm",
    "rtdose_expb.dcm",
    "image_dfl.dcm",
    "SC_rgb_dcmtk_+eb+cy+n1.dcm",
]


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("name", NAMES)
def test_packaged_files_agree_with_pydicom(name: str) -> None:
    dataset = pydicom.dcmread(PACKAGED / name)
    expected = pixel_array(dataset, raw=True)
    found = read.stored(PACKAGED / name)
    assert found.dtype == expected.dtype.newbyteorder("=")
    assert np.array_equal(found, expected)


def test_content_decides_where_the_syntax_lies(tmp_path: Path) -> None:
    pixels = noise((40, 50), "u2", below=4000)
    streams = {
        "jxl": imagecodecs.jpegxl_encode(pixels, lossless=True),
        "jls": imagecodecs.jpegls_encode(pixels),
    }
    for name, coded in streams.items():
        path = dicom(tmp_path / name, pixels, syntax=JPEG_2000, frames=[coded])
        assert same(read.stored(path), pixels)


def test_stored_bits_of_a_codec_with_overlay_bits(tmp_path: Path) -> None:
    pixels = noise((40, 50), "u2", below=4096)
    coded = imagecodecs.ljpeg_encode(pixels | 0x8000, bitspersample=16)
    path = dicom(tmp_path / "a", pixels, syntax=JPEG_LOSSLESS, frames=[coded], BitsStored=12)
    assert same(read.stored(path), pixels)


def test_signed_values_of_a_lossy_codec_that_knows_no_sign(tmp_path: Path) -> None:
    values = noise((16, 16), "i2", below=16_000) - 8_000
    coded = imagecodecs.jpegls_encode(values.view("u2") & 0x7FFF, level=2)
    path = dicom(
        tmp_path / "a",
        values,
        syntax="1.2.840.10008.1.2.4.81",
        frames=[bytes(coded)],
        BitsStored=15,
        HighBit=14,
    )
    assert np.abs(read.stored(path).astype(int) - values).max() <= 2


def said(path: Path, syntax: str) -> Path:
    """The same file under a syntax that pydicom does not write, not longer than JPEG 2000's."""
    field = JPEG_2000.encode()
    path.write_bytes(path.read_bytes().replace(field, syntax.encode().ljust(len(field), b"\0"), 1))
    return path


@pytest.mark.parametrize("dtype", ["u1", "i2", "u4"])
def test_cells_that_stand_in_fragments(tmp_path: Path, dtype: str) -> None:
    pixels = noise((3, 6, 8), "i8", below=1 << 31).astype(dtype)
    whole = [frame.tobytes() for frame in pixels]
    path = said(dicom(tmp_path / "a", pixels, syntax=JPEG_2000, frames=whole), f"{EXPLICIT}.98")
    assert same(read.stored(path), pixels)
    short = dicom(tmp_path / "b", pixels[0], syntax=JPEG_2000, frames=[whole[0][:-4]])
    with pytest.raises(ScanError, match="cut short"):
        read.stored(said(short, f"{EXPLICIT}.98"))


@pytest.mark.parametrize("dtype", ["u1", "u2"])
def test_little_endian_file_of_ge_with_big_endian_pixels(tmp_path: Path, dtype: str) -> None:
    pixels = noise((6, 8), dtype, below=1 << (8 * np.dtype(dtype).itemsize))
    path = dicom(tmp_path / "a", pixels, PixelData=pixels.tobytes())
    whole = path.read_bytes()
    at = whole.rindex(b"\xe0\x7f\x10\x00OW") + 12
    swapped = np.frombuffer(whole[at:], "u2").byteswap().tobytes()
    named = (whole[:at] + swapped).replace(b"1.2.840.10008.1.2.1\0", b"1.2.840.113619.5.2\0\0", 1)
    path.write_bytes(named)
    assert same(read.stored(path), pixels)
