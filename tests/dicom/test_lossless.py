"""Lossless JPEG however its scans, tables and restarts are arranged (ITU-T T.81 annexes B, H).

The streams are put together from those of single components.
"""

import itertools
import struct
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import imagecodecs
import numpy as np
import pytest
from numpy.typing import NDArray

from nearl_core.dicom import read
from nearl_core.errors import ScanError
from tests.dicom.making import JPEG_LOSSLESS, dicom, noise, same

START, END = b"\xff\xd8", b"\xff\xd9"


@dataclass(frozen=True)
class Parts:
    """One component: its precision, Huffman table without number, and coded data."""

    bits: int
    table: bytes
    data: bytes


def coded(plane: NDArray[Any], bits: int) -> Parts:
    stream = bytes(imagecodecs.ljpeg_encode(np.ascontiguousarray(plane), bitspersample=bits))
    table, scan = stream.index(b"\xff\xc4"), stream.index(b"\xff\xda")
    length = struct.unpack_from(">H", stream, table + 2)[0]
    return Parts(bits, stream[table + 5 : table + 2 + length], stream[scan + 10 : -2])


def frame(shape: tuple[int, ...], bits: int, count: int) -> bytes:
    named = b"".join(bytes([name, 0x11, 0]) for name in range(1, count + 1))
    return b"\xff\xc3" + struct.pack(">HBHHB", 8 + 3 * count, bits, *shape[:2], count) + named


def table(number: int, part: Parts) -> bytes:
    return b"\xff\xc4" + struct.pack(">HB", 3 + len(part.table), number) + part.table


def scan(name: int, number: int, part: Parts) -> bytes:
    head = struct.pack(">HBBB", 8, 1, name, number << 4) + b"\6\0\0"  # by predictor 6
    return b"\xff\xda" + head + part.data


def written(path: Path, pixels: NDArray[Any], stream: bytes, bits: int) -> Path:
    samples = 3 if pixels.ndim == 3 else 1
    said: dict[str, Any] = {"samples": samples, "BitsStored": bits}
    return dicom(path, pixels, syntax=JPEG_LOSSLESS, frames=[stream], **said)


@pytest.mark.parametrize("bits", [8, 16])
@pytest.mark.parametrize("order", list(itertools.permutations(range(3))))
def test_a_scan_for_each_component(tmp_path: Path, bits: int, order: tuple[int, ...]) -> None:
    """Three scans in any order, each by a table of its own that stands before all of them."""
    pixels = noise((30, 40, 3), f"u{bits // 8}", below=1 << bits)
    parts = [coded(pixels[..., index] // (index + 1), bits) for index in range(3)]
    pixels = pixels // np.arange(1, 4, dtype=pixels.dtype)
    stream = START + frame(pixels.shape, bits, 3)
    stream += b"".join(table(2 - index, part) for index, part in enumerate(parts))
    stream += b"".join(scan(index + 1, 2 - index, parts[index]) for index in order) + END
    assert same(read.stored(written(tmp_path / "a", pixels, stream, bits)), pixels)


def test_tables_that_are_given_anew_between_scans(tmp_path: Path) -> None:
    pixels = noise((30, 40, 3), "u2", below=4096)
    pixels[..., 1] //= 50
    stream = START + frame(pixels.shape, 12, 3)
    for index in range(3):
        part = coded(pixels[..., index], 12)
        stream += table(0, part) + scan(index + 1, 0, part)
    assert same(read.stored(written(tmp_path / "a", pixels, stream + END, 12)), pixels)


def test_grey_by_another_table_than_the_first(tmp_path: Path) -> None:
    pixels = noise((30, 40), "u2", below=4096)
    used, other = coded(pixels, 12), coded(pixels // 100, 12)
    stream = START + table(0, other) + table(1, used) + frame(pixels.shape, 12, 1)
    path = written(tmp_path / "a", pixels, stream + scan(1, 1, used) + END, 12)
    assert same(read.stored(path), pixels)


def restarting(band: NDArray[Any], interval: int) -> bytes:
    """Three times the same rows, with restarts after so many samples."""
    part = coded(band, 12)
    whole = b"".join(part.data + bytes([0xFF, 0xD0 + index]) for index in range(2)) + part.data
    head = START + table(0, part) + frame((3 * len(band), band.shape[1]), 12, 1)
    restarts = b"\xff\xdd" + struct.pack(">HH", 4, interval)
    return head + restarts + scan(1, 0, Parts(12, part.table, whole)) + END


def test_restarts_between_rows(tmp_path: Path) -> None:
    band = noise((10, 40), "u2", below=4096)
    pixels = np.concatenate([band] * 3)
    path = written(tmp_path / "a", pixels, restarting(band, band.size), 12)
    assert same(read.stored(path), pixels)


def test_restarts_within_a_row_are_refused(tmp_path: Path) -> None:
    band = noise((10, 40), "u2", below=4096)
    path = written(tmp_path / "a", np.concatenate([band] * 3), restarting(band, 399), 12)
    with pytest.raises(ScanError, match="JPEG lossless"):
        read.stored(path)
