"""Pictures and volumes of every kind: whether each must open or be refused is known."""

import gzip
import struct
import zlib
from typing import Any

import imagecodecs
import nibabel
import numpy as np
from PIL import Image

from tests.dicom import making
from tests.hostile.making import Maker, chunk, encoded, png
from tests.scans.tiffs import tiff


def write(maker: Maker) -> None:
    """All of them."""
    pictures(maker)
    volumes(maker)


def pictures(maker: Maker) -> None:
    """PNG of every depth, JPEG that Pillow does not read, TIFF of every depth and layout."""
    for depth, colour, extra in (
        *((depth, 0, b"") for depth in (1, 2, 4, 8, 16)),
        *((depth, 3, chunk(b"PLTE", bytes(range(48)))) for depth in (1, 2, 4)),
        *((depth, colour, b"") for depth in (8, 16) for colour in (2, 4, 6)),
        (16, 0, chunk(b"tRNS", b"\0\1")),
        (16, 2, chunk(b"tRNS", b"\0\1\0\2\0\3")),
    ):
        samples = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}[colour]
        line = b"\0" + bytes(-(-depth * samples * 9 // 8))
        whole = png(9, 5, depth=depth, colour=colour, rows=line * 5)
        maker.write(f"depth-{depth}-{colour}.png", whole[:33] + extra + whole[33:], opens=True)
    grey = making.noise((9, 5))
    spoilt = bytearray(encoded(Image.fromarray(grey), "PNG"))
    spoilt[29] ^= 255
    maker.write("crc.png", bytes(spoilt), opens=False)
    for name, stream in (
        ("jls.jpg", imagecodecs.jpegls_encode(grey)),
        ("lossless.jpg", imagecodecs.ljpeg_encode(grey.astype("u2"), bitspersample=16)),
        ("12.jpg", imagecodecs.jpeg8_encode(grey.astype("u2"), level=90, bitspersample=12)),
        ("a.jp2", imagecodecs.jpeg2k_encode(grey, level=0)),
    ):
        maker.write(name, bytes(stream), opens=False)
    for kind in ("u1", "i1", "u2", "i2", "u4", "i4", "u8", "i8", "f2", "f4", "f8"):
        for big in (False, True):
            content = tiff(making.noise((20, 24), "i8", below=100).astype(kind), big=big)
            maker.write(f"{kind}.tif", content, opens=True)
    deep = making.noise((20, 24, 3), "u2", below=65536)
    for said in (
        {"planar": 2},
        {"tile": 16},
        {"tile": 16, "planar": 2},
        {"order": ">"},
        {"compression": 8},
    ):
        maker.write("deep.tif", tiff(deep, **said), opens=True)
    maker.write("predictor.tif", tiff(deep, compression=32773, predictor=2), opens=False)
    maker.write("rows.tif", tiff(deep, more={257: (4, [60_000])}), opens=False)
    maker.write("size.tif", tiff(deep, more={256: (4, [60_000]), 257: (4, [60_000])}), opens=False)
    for kind in ("c8", "f4"):
        maker.write(f"{kind}.tif", tiff(np.ones((8, 8, 3), kind)), opens=False)


def volumes(maker: Maker) -> None:
    """NIfTI of every number and dimension, halves of pairs, and other packings."""
    values = making.noise((6, 5, 4), "i2", below=900)
    eye = np.eye(4)
    colours = {
        name: np.zeros((6, 5, 4), [(letter, "u1") for letter in name]) for name in ("RGB", "RGBA")
    }
    for kind in ("u1", "i1", "u2", "i4", "u4", "f4", "f8"):
        content = nibabel.Nifti1Image(values.astype(kind), eye).to_bytes()
        maker.write(f"{kind}.nii", content, opens=True)
    for name, made in colours.items():
        maker.write(f"{name}.nii", nibabel.Nifti1Image(made, eye).to_bytes(), opens=True)
    for shape in ((6,), (6, 5), (6, 5, 4, 2), (6, 5, 4, 2, 3)):
        made = making.noise(shape, "i2")
        maker.write("shape.nii", nibabel.Nifti1Image(made, eye).to_bytes(), opens=True)
    maker.write("two.nii", nibabel.Nifti2Image(values, eye).to_bytes(), opens=True)
    maker.write(
        "complex.nii", nibabel.Nifti1Image(values.astype("c8"), eye).to_bytes(), opens=False
    )
    whole = nibabel.Nifti1Image(values, eye).to_bytes()
    for at, form, value in (
        *(
            (112, "<ff", pair)
            for pair in ((0, 0), (np.nan, 0), (np.inf, 1), (-2, 3), (1e30, -1e30))
        ),
        *((76, "<ffff", size) for size in ((1, 0, 0, 0), (1, np.nan, 1, 1), (0, -1, -1, -1))),
        (124, "<ff", (5, -5)),
        (252, "<hh", (0, 0)),
    ):
        said = whole[:at] + struct.pack(form, *value) + whole[at + struct.calcsize(form) :]
        maker.write("header.nii", said, opens=True)
    pairs: tuple[Any, ...] = (nibabel.Nifti1Pair, nibabel.AnalyzeImage)
    for pair in pairs:
        image = maker.place("pair.img", opens=False)
        pair(values, eye).to_filename(str(image))
        header = image.with_suffix(".hdr")
        maker.write("pair.hdr", header.read_bytes(), opens=False)
        header.unlink()
    maker.write("other.nii.zz", zlib.compress(whole), opens=False)
    maker.write("twice.nii.gz", gzip.compress(gzip.compress(whole)), opens=False)
