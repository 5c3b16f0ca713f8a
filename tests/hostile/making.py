"""What hostile files are made of: sound ones of every kind, and small tools to spoil them."""

import gzip
import io
import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import imagecodecs
import nibabel
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from tests.dicom import making

Array = NDArray[Any]


@dataclass(frozen=True)
class Trap:
    """One path that is given to the command.

    Attributes:
        path: Where it stands, or would.
        opens: Whether it must open (True), must be refused (False), or either will do (None).
    """

    path: Path
    opens: bool | None = None


class Maker:
    """Writes files into a folder, each under a name of its own.

    Attributes:
        folder: Where.
        traps: What was written.
        rng: Seeded, so that a run can be repeated.
    """

    def __init__(self, folder: Path, seed: int) -> None:
        self.folder = folder
        self.traps: list[Trap] = []
        self.rng = np.random.default_rng(seed)
        folder.mkdir(parents=True, exist_ok=True)

    def place(self, name: str, *, opens: bool | None = None) -> Path:
        """A path that is answered for; the caller writes it."""
        path = self.folder / f"{len(self.traps):04d}-{name}"
        self.traps.append(Trap(path, opens))
        return path

    def write(self, name: str, content: bytes, *, opens: bool | None = None) -> Path:
        """A file of these bytes."""
        path = self.place(name, opens=opens)
        path.write_bytes(content)
        return path


def sound(work: Path) -> dict[str, bytes]:
    """A small sound file of each kind, by name."""
    return {**_sound_dicom(work), **_sound_pictures(), **_sound_volumes()}


def _sound_dicom(work: Path) -> dict[str, bytes]:
    grey = making.noise((2, 24, 20), "u2", below=4096)
    colour = making.noise((24, 20, 3))
    streams: dict[str, tuple[str, list[bytes]]] = {
        "rle": (making.RLE, [rle(one) for one in grey]),
        "jpegll": (making.JPEG_LOSSLESS, [_ljpeg(one) for one in grey]),
        "jls": (making.JPEG_LS, [bytes(imagecodecs.jpegls_encode(one)) for one in grey]),
        "j2k": (making.JPEG_2000, [j2k(one) for one in grey]),
        "htj2k": (making.HTJ2K, [bytes(imagecodecs.htj2k_encode(one)) for one in grey]),
    }
    out = {}

    def keep(name: str, pixels: Array, **elements: Any) -> None:
        path = making.dicom(work / name, pixels, Modality="CT", PatientName="A^B", **elements)
        out[f"{name}.dcm"] = path.read_bytes()

    keep("native", grey, WindowCenter="40", WindowWidth="400", RescaleSlope="1")
    keep("implicit", grey, syntax=making.IMPLICIT)
    keep("big", grey, syntax=making.BIG_ENDIAN)
    keep("deflated", grey, syntax=making.DEFLATED)
    keep("rgb", colour, samples=3)
    for name, (syntax, frames) in streams.items():
        keep(name, grey, syntax=syntax, frames=frames)
    jpeg = bytes(imagecodecs.jpeg8_encode(colour, level=90))
    ybr = {"PhotometricInterpretation": "YBR_FULL_422"}
    keep("jpeg", colour, samples=3, syntax=making.JPEG, frames=[jpeg], **ybr)
    palette = making.ramp(dtype="u1")
    lut = bytes(range(256))
    keep(
        "palette",
        palette,
        PhotometricInterpretation="PALETTE COLOR",
        **{f"{c}PaletteColorLookupTableDescriptor": [256, 0, 8] for c in ("Red", "Green", "Blue")},
        **{f"{c}PaletteColorLookupTableData": lut for c in ("Red", "Green", "Blue")},
    )
    out["bare.dcm"] = out["implicit.dcm"][out["implicit.dcm"].index(b"\x08\x00\x16\x00", 132) :]
    return out


def _sound_pictures() -> dict[str, bytes]:
    grey = Image.fromarray(making.noise((24, 20)))
    colour = Image.fromarray(making.noise((24, 20, 3)))
    deep = Image.fromarray(making.noise((24, 20), "u2", below=65536))
    return {
        "deep.png": encoded(deep, "PNG"),
        "rgb.jpg": encoded(colour, "JPEG"),
        "pages.tif": encoded(grey, "TIFF", save_all=True, append_images=[grey, grey]),
        "lzw.tif": encoded(colour, "TIFF", compression="tiff_lzw"),
        "grey.bmp": encoded(grey, "BMP"),
        "rgb.webp": encoded(colour, "WEBP"),
        "moving.gif": encoded(grey, "GIF", save_all=True, append_images=[colour, grey]),
    }


def _sound_volumes() -> dict[str, bytes]:
    volume = nibabel.Nifti1Image(making.noise((9, 8, 7), "i2", below=900), np.eye(4)).to_bytes()
    return {"head.nii": volume, "head.nii.gz": gzip.compress(volume)}


def encoded(picture: Image.Image, form: str, **options: Any) -> bytes:
    """A picture as a file's bytes."""
    out = io.BytesIO()
    picture.save(out, form, **options)
    return out.getvalue()


def j2k(pixels: Array) -> bytes:
    """A lossless JPEG 2000 code stream."""
    return bytes(imagecodecs.jpeg2k_encode(pixels, level=0, codecformat="j2k"))


def _ljpeg(pixels: Array) -> bytes:
    return bytes(imagecodecs.ljpeg_encode(pixels, bitspersample=16))


def rle(pixels: Array) -> bytes:
    """A DICOM RLE frame of 16-bit grey."""
    planes = [pixels.astype(">u2").view("u1").reshape(*pixels.shape, 2)[..., k] for k in (0, 1)]
    parts = [bytes(imagecodecs.packbits_encode(np.ascontiguousarray(plane))) for plane in planes]
    parts = [part + b"\0" * (len(part) % 2) for part in parts]
    header = struct.pack("<16I", 2, 64, 64 + len(parts[0]), *[0] * 13)
    return header + b"".join(parts)


def png(width: int, height: int, *, depth: int = 8, colour: int = 0, rows: bytes = b"") -> bytes:
    """A PNG whose header says what it likes.

    Args:
        width: As the header says.
        height: As the header says.
        depth: Bits.
        colour: PNG's colour type.
        rows: Filtered rows, compressed here; a bomb's are zeros.
    """
    head = struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, 0)
    body = chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(rows, 9)) + chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + body


def chunk(kind: bytes, content: bytes) -> bytes:
    """One chunk of a PNG."""
    tail = struct.pack(">I", zlib.crc32(kind + content))
    return struct.pack(">I", len(content)) + kind + content + tail


def patched(content: bytes, tag: int, value: bytes) -> bytes:
    """An explicit little endian file with another value of the same length in a root element."""
    at = _after_head(content, tag)
    return content[:at] + value + content[at + len(value) :]


def _after_head(content: bytes, tag: int) -> int:
    at = content.index(struct.pack("<HH", tag >> 16, tag & 0xFFFF), 132)
    return at + (12 if content[at + 4 : at + 6] in (b"OB", b"OW", b"SQ", b"UN", b"UT") else 8)


def depths(length: int, count: int) -> Iterator[int]:
    """Where to cut: the first bytes, the last ones, and evenly between."""
    marks = [1, 4, 132, 140, length - 1, length - 2, length - 9]
    marks += [int(part) for part in np.linspace(16, length - 16, max(count - len(marks), 1))]
    return iter(sorted({mark for mark in marks if 0 < mark < length})[:count])
