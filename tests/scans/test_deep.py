"""TIFF and PNG of more bits than Pillow reads are read whole, or refused with a reason."""

import itertools
import os
import struct
import zlib
from pathlib import Path
from typing import Any, Literal

import imagecodecs
import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from nearl_core.errors import ScanError
from nearl_core.scans import raster, written
from nearl_core.scans.display import to_grey
from tests.dicom.making import noise, same
from tests.hostile.making import chunk
from tests.scans.tiffs import tiff


def tiff_of(kind: str, **options: Any) -> tuple[bytes, NDArray[Any]]:
    """A TIFF of noise, such as "u2" or "u2x3", and its values."""
    dtype, _, samples = kind.partition("x")
    shape = (20, 24, int(samples)) if samples else (20, 24)
    values = np.random.default_rng(0).integers(0, 120, shape).astype(dtype)
    values.reshape(-1)[:2] = (0, np.iinfo(dtype).max if dtype[0] in "ui" else 6e4)
    return tiff(values, **options), values


@pytest.mark.parametrize("big", [False, True])
@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("kind", ["u1", "u2", "u8", "i8", "f2", "f8", "u2x3", "u4x3"])
def test_tiff_of_every_depth_is_read_whole(
    tmp_path: Path, kind: str, order: Literal["<", ">"], big: bool
) -> None:
    content, values = tiff_of(kind, order=order, big=big)
    (tmp_path / "a.tif").write_bytes(content)
    stored = raster.stored(tmp_path / "a.tif")
    assert (stored.dtype, stored.shape) == (values.dtype, values.shape)
    assert np.array_equal(stored, values)
    frame, info = raster.frame(tmp_path / "a.tif")
    assert (info.rows, info.columns, info.frames) == (20, 24, 1)
    assert to_grey(frame).max() == 255
    with pytest.raises(ScanError, match="no frame 1"):
        raster.frame(tmp_path / "a.tif", 1)


@pytest.mark.parametrize(
    "options",
    [{"planar": 2}, {"tile": 16}, {"tile": 16, "planar": 2}, {"compression": 8, "predictor": 2}],
    ids=str,
)
def test_deep_colour_is_read_however_it_is_laid_out(
    tmp_path: Path, options: dict[str, Any]
) -> None:
    content, values = tiff_of("u2x3", **options)
    (tmp_path / "a.tif").write_bytes(content)
    assert np.array_equal(raster.stored(tmp_path / "a.tif"), values)
    assert np.array_equal(raster.frame(tmp_path / "a.tif")[0].values, values >> 8)


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("tile", [0, 16])
@pytest.mark.parametrize("kind", ["i2", "u2", "i4", "u4", "f4", "i2 differences", "u4 differences"])
def test_packed_grey_tiff_of_both_byte_orders(
    tmp_path: Path, kind: str, tile: int, order: Literal["<", ">"]
) -> None:
    """Pillow swaps the bytes of packed big endian values twice, and refuses some kinds."""
    dtype, _, differences = kind.partition(" ")
    predictor = 2 if differences else 1
    content, values = tiff_of(dtype, order=order, tile=tile, compression=8, predictor=predictor)
    (tmp_path / "a.tif").write_bytes(content)
    assert same(raster.stored(tmp_path / "a.tif"), values)


def test_pages_of_sixteen_bits_are_frames(tmp_path: Path) -> None:
    pages = [Image.fromarray(noise((6, 7), "u2", below=60_000) + index) for index in range(3)]
    pages[0].save(tmp_path / "a.tif", save_all=True, append_images=pages[1:])
    assert same(raster.stored(tmp_path / "a.tif"), np.stack([np.asarray(page) for page in pages]))
    frame, info = raster.frame(tmp_path / "a.tif", 2)
    assert info.frames == 3
    assert np.array_equal(frame.values, np.asarray(pages[2]))


def test_a_page_of_eight_bits_behind_a_deep_one(tmp_path: Path) -> None:
    pages = [Image.fromarray(noise((6, 7), "u2", below=60_000)), Image.fromarray(noise((4, 5, 3)))]
    pages[0].save(tmp_path / "a.tif", save_all=True, append_images=pages[1:])
    for index, page in enumerate(pages):
        frame, info = raster.frame(tmp_path / "a.tif", index)
        assert (info.rows, info.columns, info.frames) == (6, 7, 2)
        assert np.array_equal(frame.values, np.asarray(page))


def test_a_deep_tiff_cut_short_is_refused_as_it_is_added(tmp_path: Path) -> None:
    content, values = tiff_of("u2")
    path = tmp_path / "a.tif"
    path.write_bytes(content)
    assert raster.info(path)[0].rows == 20
    path.write_bytes(content[: 8 + values.nbytes // 2])
    with pytest.raises(ScanError):
        raster.info(path)
    # The directory stands before the pixels in what Pillow writes.
    Image.fromarray(values).save(path)
    path.write_bytes(path.read_bytes()[: -values.nbytes // 2])
    with pytest.raises(ScanError, match="cut short"):
        raster.info(path)


def test_deep_tiff_stands_up_and_turns_white_to_black(tmp_path: Path) -> None:
    content, values = tiff_of("u8", more={274: (3, [6]), 262: (3, [0])})
    (tmp_path / "a.tif").write_bytes(content)
    frame, info = raster.frame(tmp_path / "a.tif")
    assert np.array_equal(frame.values, np.rot90(values, -1))
    assert (info.rows, info.columns, frame.inverted) == (24, 20, True)


@pytest.mark.parametrize("kind", ["u2x4", "u2x2"])
@pytest.mark.parametrize("form", ["tif", "png"])
def test_deep_colour_that_is_transparent_is_black(tmp_path: Path, kind: str, form: str) -> None:
    content, values = tiff_of(kind)
    values[..., -1] = 0xFFFF
    values[:, :5, -1] = 0
    content = tiff(values) if form == "tif" else bytes(imagecodecs.png_encode(values))
    path = tmp_path / f"a.{form}"
    path.write_bytes(content)
    seen = raster.stored(path)
    assert not seen[:, :5].any()
    assert np.array_equal(seen[:, 5:].reshape(20, 19, -1), values[:, 5:, :-1])


def test_grey_that_was_multiplied_by_its_transparency_is_read(tmp_path: Path) -> None:
    values = np.random.default_rng(0).integers(0, 256, (20, 24, 2)).astype("u1")
    (tmp_path / "a.tif").write_bytes(tiff(values, more={338: (3, [1])}))
    assert same(raster.stored(tmp_path / "a.tif"), values[..., 0])


@pytest.mark.parametrize(("bits", "colours"), [(1, 1), (2, 1), (4, 1), (16, 1), (16, 3)])
def test_the_value_that_a_png_names_transparent_is_black(
    tmp_path: Path, bits: int, colours: int
) -> None:
    """Pillow compares 8 bits of a colour with the 16 that the file names, and forgets fewer."""
    values = noise((8, 8, colours), "u2", below=1 << bits) | 1
    values[:, 4:] = values[:, 4:] ^ 0x0100 if bits == 16 else 0
    key = values[0, 0]
    each = (values[..., :1].astype("u1") >> np.arange(min(bits, 8))[::-1]) & 1
    packed = values.astype(">u2") if bits == 16 else np.packbits(each.reshape(8, -1), axis=1)
    head = struct.pack(">IIBBBBB", 8, 8, bits, 2 if colours == 3 else 0, 0, 0, 0)
    rows = b"".join(b"\0" + row.tobytes() for row in packed)
    parts = (b"IHDR", head), (b"tRNS", key.astype(">u2").tobytes()), (b"IDAT", zlib.compress(rows))
    path = tmp_path / "a.png"
    path.write_bytes(
        b"\x89PNG\r\n\x1a\n" + b"".join(itertools.starmap(chunk, (*parts, (b"IEND", b""))))
    )
    seen = raster.stored(path).reshape(8, 8, -1)
    clear = (values == key).all(axis=2)
    assert clear.any()
    assert not seen[clear].any()
    widened = values if bits == 16 else values * (255 // ((1 << bits) - 1))
    assert (seen[~clear] == widened[~clear]).all()


def test_png_of_sixteen_bits_a_colour_is_read_whole(tmp_path: Path) -> None:
    values = noise((9, 7, 3), "u2", below=65536)
    path = tmp_path / "a.png"
    whole = bytes(imagecodecs.png_encode(values))
    path.write_bytes(whole)
    assert np.array_equal(raster.stored(path), values)
    assert np.array_equal(to_grey(raster.frame(path)[0]), values >> 8)
    assert written.write_values(tmp_path / "copy", values) == ".png"
    assert np.array_equal(raster.stored(tmp_path / "copy.png"), values)
    path.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(ScanError):
        raster.frame(path)


def test_what_follows_a_deep_png_is_not_read(tmp_path: Path) -> None:
    values = noise((9, 7), "u2", below=65536)
    path = tmp_path / "a.png"
    path.write_bytes(bytes(imagecodecs.png_encode(values)))
    os.truncate(path, 1 << 36)
    assert same(raster.stored(path), values)


@pytest.mark.parametrize("depth", ["u1", "u2", "u2x3", "u8"])
@pytest.mark.parametrize("compression", [1, 32773])
def test_a_predictor_that_the_compression_does_not_have_is_refused(
    tmp_path: Path, depth: str, compression: int
) -> None:
    content, _ = tiff_of(depth, compression=compression, predictor=2)
    (tmp_path / "a.tif").write_bytes(content)
    with pytest.raises(ScanError, match="predictor"):
        raster.frame(tmp_path / "a.tif")


@pytest.mark.parametrize("kind", ["u1", "u2", "u8", "u2x3", "u1x3"])
def test_a_tiff_that_lacks_rows_is_refused(tmp_path: Path, kind: str) -> None:
    content, _ = tiff_of(kind, more={257: (4, [4000])})
    (tmp_path / "a.tif").write_bytes(content)
    with pytest.raises(ScanError, match="cut short"):
        raster.frame(tmp_path / "a.tif")


@pytest.mark.parametrize("kind", ["c8", "f4x3", "i2x3"])
def test_a_tiff_of_no_grey_or_colour_says_so(tmp_path: Path, kind: str) -> None:
    dtype, _, samples = kind.partition("x")
    values = np.ones((8, 8, *map(int, filter(None, [samples]))), dtype)
    (tmp_path / "a.tif").write_bytes(tiff(values))
    with pytest.raises(ScanError, match="no grey or colour"):
        raster.stored(tmp_path / "a.tif")
