"""PNG, JPEG, TIFF, BMP, WebP and GIF as a reader would see them."""

import io
import struct
import zlib
from pathlib import Path
from typing import Any

import imagecodecs
import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image, ImageCms

from nearl_core.errors import ScanError
from nearl_core.scans import raster, written
from nearl_core.scans.display import to_grey
from tests.dicom.making import noise, ramp
from tests.hostile.making import chunk
from tests.scans import tiffs


def saved(path: Path, pixels: NDArray[Any], **options: Any) -> Path:
    Image.fromarray(pixels).save(path, **options)
    return path


def test_more_frames_than_a_file_can_hold_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.png"
    pages = [Image.new("L", (4, 4), index) for index in range(2)]
    pages[0].save(path, save_all=True, append_images=pages[1:])
    whole = path.read_bytes()
    assert raster.info(path)[0].frames == 2
    content = struct.pack(">II", 0x7FFFFFFF, 0)
    at = whole.index(b"acTL")
    tail = struct.pack(">I", zlib.crc32(b"acTL" + content))
    path.write_bytes(whole[: at + 4] + content + tail + whole[at + 16 :])
    with pytest.raises(ScanError, match="more frames"):
        raster.info(path)


@pytest.mark.parametrize("suffix", ["png", "bmp", "tif", "gif"])
def test_grey_is_exact(tmp_path: Path, suffix: str) -> None:
    path = saved(tmp_path / f"a.{suffix}", ramp())
    frame, info = raster.frame(path)
    shown = to_grey(frame)
    assert np.array_equal(shown if shown.ndim == 2 else shown[..., 0], ramp())
    assert (info.rows, info.columns, info.frames) == (16, 20, 1)


@pytest.mark.parametrize(("suffix", "options"), [("jpg", {"quality": 95}), ("webp", {})])
def test_lossy_pictures_are_close(tmp_path: Path, suffix: str, options: dict[str, Any]) -> None:
    smooth = np.stack([ramp(64, 64) // 16 * 0 + 40 + i * 60 for i in range(3)], -1).astype("u1")
    frame, _ = raster.frame(saved(tmp_path / f"a.{suffix}", smooth, **options))
    assert np.abs(frame.values.astype(int) - smooth).max() <= 4


def test_sixteen_bit_png_from_minimum_to_maximum(tmp_path: Path) -> None:
    pixels = ramp(dtype="u2", step=50) + 3000
    path = saved(tmp_path / "a.png", pixels)
    frame, _ = raster.frame(path)
    assert np.array_equal(frame.values, pixels)
    grey = to_grey(frame)
    assert (grey.min(), grey.max()) == (0, 255)
    assert np.array_equal(raster.stored(path), pixels)


@pytest.mark.parametrize("order", ["<", ">"])
def test_sixteen_bit_tiff_of_both_byte_orders(tmp_path: Path, order: str) -> None:
    pixels = ramp(2, 3, dtype="u2", step=1000)
    data = pixels.astype(f"{order}u2").tobytes()
    entries = [(256, 3), (257, 2), (258, 16), (259, 1), (262, 1), (273, 0), (278, 2)]
    entries += [(279, len(data))]
    start = 8 + 2 + 12 * len(entries) + 4
    body = struct.pack(f"{order}H", len(entries))
    for tag, value in entries:
        long = start if tag == 273 else value
        body += struct.pack(f"{order}HHII", tag, 4, 1, long)
    head = (b"II*\0" if order == "<" else b"MM\0*") + struct.pack(f"{order}I", 8)
    (tmp_path / "a.tif").write_bytes(head + body + b"\0\0\0\0" + data)
    values = raster.stored(tmp_path / "a.tif")
    assert values.dtype == np.dtype("u2")
    assert np.array_equal(values, pixels)


def test_exif_orientation_is_applied(tmp_path: Path) -> None:
    pixels = np.zeros((8, 16), "u1")
    pixels[:, :8] = 255
    exif = Image.Exif()
    exif[0x0112] = 6
    path = saved(tmp_path / "a.jpg", pixels, exif=exif, quality=95)
    frame, info = raster.frame(path)
    assert frame.values.shape == (16, 8)
    assert (info.rows, info.columns) == (16, 8)
    assert frame.values[:8].mean() > 200
    assert frame.values[8:].mean() < 50


@pytest.mark.parametrize("place", ["before", "behind"])
def test_png_tells_its_orientation_wherever_it_stands(tmp_path: Path, place: str) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    path = saved(tmp_path / "a.png", ramp(8, 16), exif=exif)
    whole = path.read_bytes()
    start = whole.index(b"eXIf") - 4
    end = start + 12 + int.from_bytes(whole[start : start + 4], "big")
    if place == "behind":
        path.write_bytes(whole[:start] + whole[end:-12] + whole[start:end] + whole[-12:])
    info, _ = raster.info(path)
    assert (info.rows, info.columns) == raster.frame(path)[0].values.shape == (16, 8)


def test_what_a_png_says_of_itself_is_told_without_decoding(tmp_path: Path) -> None:
    path = saved(tmp_path / "a.png", noise((60, 50)))
    whole = bytearray(path.read_bytes())
    whole[whole.index(b"IDAT") + 40] ^= 0xFF
    path.write_bytes(whole)
    assert raster.info(path)[0].rows == 60
    with pytest.raises(ScanError):
        raster.frame(path)


def test_cmyk_is_shown_in_its_colours(tmp_path: Path) -> None:
    Image.new("CMYK", (8, 8), (0, 255, 255, 0)).save(tmp_path / "a.jpg", quality=95)
    red = raster.frame(tmp_path / "a.jpg")[0].values[4, 4]
    assert red[0] > 200
    assert red[1:].max() < 60


def test_pages_are_frames(tmp_path: Path) -> None:
    pages = [Image.fromarray(noise((6, 7)) // 2 + index) for index in range(3)]
    pages[0].save(tmp_path / "a.tif", save_all=True, append_images=pages[1:])
    assert raster.info(tmp_path / "a.tif")[0].frames == 3
    assert raster.stored(tmp_path / "a.tif").shape == (3, 6, 7)
    second = raster.frame(tmp_path / "a.tif", 1)[0].values
    assert np.array_equal(second, np.asarray(pages[1]))
    with pytest.raises(ScanError, match="no frame 3"):
        raster.frame(tmp_path / "a.tif", 3)


def test_many_pictures_in_a_gif(tmp_path: Path) -> None:
    pages = [Image.new("L", (4, 4), index % 250) for index in range(300)]
    pages[0].save(tmp_path / "a.gif", save_all=True, append_images=pages[1:])
    assert raster.info(tmp_path / "a.gif")[0].frames == 300
    assert to_grey(raster.frame(tmp_path / "a.gif", 200)[0]).max() == 200


def test_a_very_tall_picture_opens(tmp_path: Path) -> None:
    path = saved(tmp_path / "a.png", np.zeros((30000, 1), "u1"))
    assert raster.frame(path)[0].values.shape == (30000, 1)


def test_transparent_is_black(tmp_path: Path) -> None:
    pixels = np.full((4, 4, 4), 255, "u1")
    pixels[0, :, 3] = 0
    values = raster.frame(saved(tmp_path / "a.png", pixels))[0].values
    assert not values[0].any()
    assert values[1:].min() == 255


def test_icc_profile_is_applied_and_a_damaged_one_is_not(tmp_path: Path) -> None:
    colour = np.full((4, 4, 3), (200, 100, 50), "u1")
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    assert np.abs(raster.to_srgb(colour, profile).astype(int) - colour).max() <= 1
    # Red and green primaries swapped: the picture must change.
    red, green = profile.index(b"rXYZ"), profile.index(b"gXYZ")
    swapped = bytearray(profile)
    swapped[red : red + 4], swapped[green : green + 4] = b"gXYZ", b"rXYZ"
    assert np.abs(raster.to_srgb(colour, bytes(swapped)).astype(int) - colour).max() > 20
    assert np.array_equal(raster.to_srgb(colour, b"nonsense"), colour)
    for form in ("png", "tif"):
        path = saved(tmp_path / f"a.{form}", colour, icc_profile=bytes(swapped))
        expected = raster.to_srgb(colour, bytes(swapped))
        assert np.array_equal(raster.frame(path)[0].values, expected)
    wide = colour.astype("u2") * 257
    named = chunk(b"iCCP", b"x\0\0" + zlib.compress(bytes(swapped)))
    plain = bytes(imagecodecs.png_encode(wide))
    (tmp_path / "deep.png").write_bytes(plain[:33] + named + plain[33:])
    (tmp_path / "deep.tif").write_bytes(tiffs.tiff(wide, more={34675: (7, list(swapped))}))
    for form in ("png", "tif"):
        assert np.array_equal(raster.frame(tmp_path / f"deep.{form}")[0].values, expected)


def test_bomb_is_refused_before_it_is_inflated(tmp_path: Path) -> None:
    def chunk(kind: bytes, data: bytes) -> bytes:
        return (
            struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        )

    header = struct.pack(">IIBBBBB", 60000, 60000, 8, 0, 0, 0, 0)
    parts = (
        chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(b"\0" * 999)) + chunk(b"IEND", b"")
    )
    (tmp_path / "a.png").write_bytes(b"\x89PNG\r\n\x1a\n" + parts)
    with pytest.raises(ScanError, match="megapixels"):
        raster.frame(tmp_path / "a.png")


@pytest.mark.parametrize("suffix", ["png", "jpg", "tif", "webp", "gif", "bmp"])
def test_truncated_pictures_are_refused(tmp_path: Path, suffix: str) -> None:
    path = saved(tmp_path / f"a.{suffix}", noise((60, 60, 3)))
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 3])
    with pytest.raises(ScanError):
        raster.frame(path)


@pytest.mark.parametrize("suffix", ["png", "jpg", "webp", "gif", "bmp", "tif"])
def test_a_picture_cut_short_is_refused_as_it_is_added(tmp_path: Path, suffix: str) -> None:
    path = saved(tmp_path / f"a.{suffix}", noise((60, 60, 3)))
    whole = path.read_bytes()
    path.write_bytes(whole + b"\0\0")  # what a camera or a copy appends harms nothing
    assert raster.info(path)[0].rows == 60
    path.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(ScanError, match="cut short"):
        raster.info(path)


def test_written_png_holds_pixels_and_nothing_else(tmp_path: Path) -> None:
    pixels = noise((9, 9, 3))
    written.write_png(tmp_path / "a.png", pixels)
    assert [path.name for path in tmp_path.iterdir()] == ["a.png"]
    encoded = (tmp_path / "a.png").read_bytes()
    kinds, at = [], 8
    while at < len(encoded):
        kinds.append(encoded[at + 4 : at + 8])
        at += 12 + struct.unpack_from(">I", encoded, at)[0]
    assert set(kinds) == {b"IHDR", b"IDAT", b"IEND"}
    assert np.array_equal(np.array(Image.open(io.BytesIO(encoded))), pixels)


def test_thumbnail_fits_and_never_grows() -> None:
    assert written.thumbnail(noise((100, 50, 3)), 20).shape == (20, 10, 3)
    assert written.thumbnail(noise((5, 4)), 20).shape == (5, 4, 3)


# --- TIFF ------------------------------------------------------------------------------------


def tiff(path: Path, pixels: NDArray[Any], **tags: int) -> Path:
    """A little endian TIFF of one strip; tags by number after an underscore."""
    data = pixels.astype(pixels.dtype.newbyteorder("<")).tobytes()
    rows, columns = pixels.shape
    said = {256: columns, 257: rows, 258: pixels.dtype.itemsize * 8, 259: 1, 262: 1, 273: 0}
    said |= {278: rows, 279: len(data)} | {int(name[1:]): value for name, value in tags.items()}
    said[273] = 8 + 2 + 12 * len(said) + 4
    body = b"".join(struct.pack("<HHII", tag, 4, 1, said[tag]) for tag in sorted(said))
    path.write_bytes(b"II*\0\x08\0\0\0" + struct.pack("<H", len(said)) + body + b"\0\0\0\0" + data)
    return path


@pytest.mark.parametrize("dtype", ["i1", "u1", "i2", "u2", "i4", "u4", "f4"])
def test_tiff_of_every_kind_of_number(tmp_path: Path, dtype: str) -> None:
    pixels = noise((5, 7), "i8", below=1 << 32).astype(dtype)
    kind = {"u": 1, "i": 2, "f": 3}[dtype[0]]
    values = raster.stored(tiff(tmp_path / "a.tif", pixels, _339=kind))
    assert values.dtype.kind == np.dtype(dtype).kind
    assert np.array_equal(values, pixels)


@pytest.mark.parametrize("dtype", ["u1", "u2", "i2", "u4", "f4"])
def test_tiff_whose_low_values_are_white(tmp_path: Path, dtype: str) -> None:
    pixels = np.array([[0, 100, 255]], dtype)
    path = tiff(tmp_path / "a.tif", pixels, _262=0, _339={"f": 3, "i": 2, "u": 1}[dtype[0]])
    shown = to_grey(raster.frame(path)[0])
    assert np.abs(shown.astype(int) - [[255, 155, 0]]).max() <= 1


@pytest.mark.parametrize("turn", range(1, 9))
def test_tiff_on_its_side_stands_up_as_a_png_does(tmp_path: Path, turn: int) -> None:
    exif = Image.Exif()
    exif[0x0112] = turn
    upright = raster.frame(saved(tmp_path / "a.png", ramp(), exif=exif))[0].values
    path = tiff(tmp_path / "a.tif", ramp(), _274=turn)
    frame, info = raster.frame(path)
    assert np.array_equal(frame.values, upright)
    assert (info.rows, info.columns) == upright.shape
