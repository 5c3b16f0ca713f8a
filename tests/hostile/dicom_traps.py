"""DICOM files that lie, nest, balloon, or are merely odd."""

import struct
import zlib
from typing import Any

import numpy as np

from tests.dicom import making
from tests.hostile.making import Maker, j2k, patched

_SEQUENCE = b"\x08\x00\x40\x11SQ\0\0\xff\xff\xff\xff\xfe\xff\x00\xe0\xff\xff\xff\xff"
_SHORTS = {
    "rows": 0x00280010,
    "columns": 0x00280011,
    "allocated": 0x00280100,
    "stored": 0x00280101,
    "high": 0x00280102,
    "representation": 0x00280103,
    "samples": 0x00280002,
}


def lying_headers(maker: Maker, sound: dict[str, bytes]) -> None:
    """One number of the header is not what it should be."""
    for base in ("native", "rle", "j2k", "rgb"):
        for name, tag in _SHORTS.items():
            for value in (0, 1, 7, 33, 60000, 65535):
                content = patched(sound[f"{base}.dcm"], tag, struct.pack("<H", value))
                maker.write(f"{base}-{name}-{value}.dcm", content)


def lying_frames(maker: Maker, sound: dict[str, bytes]) -> None:
    """NumberOfFrames promises what is not there."""
    for base in ("native", "rle", "j2k", "jls"):
        for text in (b"0 ", b"-1", b"99", b"x\0", b"1e", b"\xff\xff", b"  "):
            content = patched(sound[f"{base}.dcm"], 0x00280008, text)
            maker.write(f"{base}-frames.dcm", content)
    one = making.ramp(8, 8)
    for frames in ("1000000", "2147483647", "999999999999", "1e30", "nan", "inf", "3\\4"):
        path = maker.place("frames-many.dcm")
        making.dicom(path, one)
        head, tail = path.read_bytes().split(b"\x28\x00\x10\x00US", 1)
        text = frames.encode().ljust(len(frames) + len(frames) % 2)
        element = b"\x28\x00\x08\x00IS" + struct.pack("<H", len(text)) + text
        path.write_bytes(head + element + b"\x28\x00\x10\x00US" + tail)
    many = np.zeros((20_000, 2, 2), "u1")
    making.dicom(maker.place("frames-20000.dcm", opens=True), many)


def lying_lengths(maker: Maker, sound: dict[str, bytes]) -> None:
    """The length of an element reaches past the file, or back."""
    content = sound["native.dcm"]
    for length in (0, 1, 3, 0x7FFFFFFF, 0xFFFFFFF0, 0xFFFFFFFE, 0xFFFFFFFF):
        at = content.rindex(b"\xe0\x7f\x10\x00OW") + 8
        spoilt = content[:at] + struct.pack("<I", length) + content[at + 4 :]
        # All pixels are there, whatever the length says: past the file, it is only odd.
        maker.write("pixel-length.dcm", spoilt, opens=False if length < 4 else None)
    for tag in (b"\x28\x00\x50\x10DS", b"\x10\x00\x10\x00PN", b"\x08\x00\x60\x00CS"):
        for length in (1, 200, 0xFFFF):
            at = content.index(tag) + 6
            spoilt = content[:at] + struct.pack("<H", length) + content[at + 2 :]
            maker.write("element-length.dcm", spoilt)
    for length in (0, 7, 10_000, 0xFFFFFFFF):
        spoilt = content[:140] + struct.pack("<I", length) + content[144:]
        maker.write("meta-length.dcm", spoilt)
    capsule = sound["j2k.dcm"]
    first = capsule.rindex(b"\xe0\x7f\x10\x00OB") + 12
    for table in (4, 8, 0xFFFFFFFE):
        for offset in (0, 1, 0xFFFFFFF0):
            entry = struct.pack("<HHI", 0xFFFE, 0xE000, table) + struct.pack("<2I", 0, offset)
            maker.write("offset-table.dcm", capsule[:first] + entry + capsule[first + 8 :])
    for length in (0, 1, 1 << 20, 0xFFFFFFFF):
        at = first + 8 + 4
        spoilt = capsule[:at] + struct.pack("<I", length) + capsule[at + 4 :]
        maker.write("fragment-length.dcm", spoilt)
    for _ in range(3):
        maker.write("no-delimiter.dcm", capsule[: capsule.rindex(b"\xfe\xff\xdd\xe0")])


def nested(maker: Maker, sound: dict[str, bytes], *, depth: int = 100_000) -> None:
    """Sequences within sequences, a long list of items, and a great many elements."""
    content = sound["native.dcm"]
    at = content.index(b"\x08\x00\x60\x00CS")
    for levels in (3, 500, 5_000, depth):
        maker.write(f"nested-{levels}.dcm", content[:at] + _SEQUENCE * levels)
        closed = b"\xfe\xff\x0d\xe0\0\0\0\0\xfe\xff\xdd\xe0\0\0\0\0" * levels
        whole = content[:at] + _SEQUENCE * levels + closed + content[at:]
        maker.write(f"nested-closed-{levels}.dcm", whole, opens=True if levels == 3 else None)
    items = b"\xfe\xff\x00\xe0\0\0\0\0" * depth
    sequence = b"\x08\x00\x40\x11SQ\0\0" + struct.pack("<I", len(items)) + items
    maker.write("items.dcm", content[:at] + sequence + content[at:], opens=True)
    private = b"".join(
        struct.pack("<HH2sHI", 9, k % 60000 + 4096, b"UL", 4, k) for k in range(depth)
    )
    maker.write("elements.dcm", content[:at] + private + content[at:], opens=True)
    # The private creator's own group after the pixel data, and twice the same element.
    maker.write("trailing.dcm", content + b"\xfc\xff\xfc\xffOB\0\0\x04\0\0\0\0\0\0\0", opens=True)


def bombs(maker: Maker, sound: dict[str, bytes], *, megabytes: int = 3000) -> None:
    """Small files that want a great deal of memory or time."""
    deflated = sound["deflated.dcm"]
    start = 144 + struct.unpack_from("<I", deflated, 140)[0]
    plain = zlib.decompress(deflated[start:], -zlib.MAX_WBITS)
    pixels = plain.rindex(b"\xe0\x7f\x10\x00OW")
    for name, head in (("pixels", plain[: pixels + 8]), ("private", b"\x09\0\x10\x10OB\0\0")):
        squeezer = zlib.compressobj(9, zlib.DEFLATED, -zlib.MAX_WBITS)
        out = deflated[:start] + squeezer.compress(head + b"\xf0\xff\xff\xff")
        for _ in range(megabytes):
            out += squeezer.compress(b"\0" * (1 << 20))
        maker.write(f"bomb-{name}.dcm", out + squeezer.flush(), opens=False)
    tiny = j2k(making.noise((8, 8), "u2", below=100))
    for side in (30_000, 65_535, 0x7FFFFFFF):
        size = struct.pack(">IIIIIIII", side, side, 0, 0, side, side, 0, 0)
        stream = tiny[:8] + size + tiny[40:]
        _compressed(maker, f"bomb-j2k-{side}.dcm", stream, min(side, 65535))
    jpeg = _jpeg_of(65_500)
    _compressed(maker, "bomb-jpeg.dcm", jpeg, 65_500, syntax=making.JPEG, bits=8)
    runs = b"\x81\0" * 4_000_000
    stream = struct.pack("<16I", 1, 64, *[0] * 14) + runs
    _compressed(maker, "bomb-rle.dcm", stream, 22_000, syntax=making.RLE, bits=8)
    for name in ("rle", "native", "j2k"):
        content = patched(sound[f"{name}.dcm"], _SHORTS["rows"], b"\xff\xff")
        maker.write("huge.dcm", patched(content, _SHORTS["columns"], b"\xff\xff"), opens=False)


def _jpeg_of(side: int) -> bytes:
    import imagecodecs

    stream = bytearray(imagecodecs.jpeg8_encode(making.noise((8, 8))))
    at = stream.index(b"\xff\xc0")
    stream[at + 5 : at + 9] = struct.pack(">HH", side, side)
    return bytes(stream)


def _compressed(
    maker: Maker,
    name: str,
    stream: bytes,
    side: int,
    *,
    syntax: str = making.JPEG_2000,
    bits: int = 16,
) -> None:
    # Run lengths of so many zeros are sound, if the limits let them through.
    path = maker.place(name, opens=None if syntax == making.RLE else False)
    pixels = making.ramp(8, 8, dtype=f"u{bits // 8}")
    making.dicom(path, pixels, syntax=syntax, frames=[stream], Rows=side, Columns=side)


def wrong_streams(maker: Maker, sound: dict[str, bytes]) -> None:
    """Code streams under the wrong name, empty ones, and noise."""
    pixels = making.ramp(8, 8, dtype="u2")
    good = j2k(pixels)
    syntaxes = [f"1.2.840.10008.1.2.4.{n}" for n in (50, 51, 57, 70, 80, 81, 90, 91, 92, 93)]
    syntaxes += [f"1.2.840.10008.1.2.4.{n}" for n in (94, 100, 102, 106, 110, 112, 201, 203, 205)]
    syntaxes += [making.RLE, "1.2.840.10008.1.2.7.1", "1.2.840.10008.1.2.8.1", "1.2.3.4.5", "x"]
    for syntax in syntaxes:
        for stream in (b"\0\0", maker.rng.bytes(600), good[: len(good) // 2]):
            path = maker.place("stream.dcm")
            making.dicom(path, pixels, syntax=making.JPEG_2000, frames=[stream])
            named = syntax.encode().ljust(len(making.JPEG_2000), b"\0")
            old = making.JPEG_2000.encode().ljust(len(named), b"\0")
            path.write_bytes(path.read_bytes().replace(old, named[: len(old)]))
    for head in (b"\xff\xd8\xff", b"\xff\x4f\xff\x51", b"\xff\x0a", b"\0\0\0\x0cjP  \r\n\x87\n"):
        path = maker.place("stream-head.dcm")
        making.dicom(path, pixels, syntax=making.JPEG_2000, frames=[head + maker.rng.bytes(900)])
    del sound


def odd_values(maker: Maker, sound: dict[str, bytes]) -> None:
    """Values that are no numbers, not finite, endless or missing; the picture is sound."""
    del sound
    odd: tuple[dict[str, Any], ...] = (
        {"WindowCenter": "1e400", "WindowWidth": "1"},
        {"WindowCenter": "1e308", "WindowWidth": "1e308"},
        {"WindowCenter": "0", "WindowWidth": "1e-300"},
        {"RescaleSlope": "1e300", "RescaleIntercept": "-1e300"},
        {"RescaleSlope": "0", "RescaleIntercept": "0"},
        {"PixelSpacing": ["0", "0"]},
        {"PixelSpacing": ["1e-300", "1e300"]},
        {"PixelAspectRatio": ["0", "1"]},
        {"ImageOrientationPatient": ["0"] * 6},
        {"FrameTime": "0"},
        {"PatientOrientation": ["XYZZY" * 3, "\u00e4"]},
        {"SmallestImagePixelValue": 65535},
        {"PixelPaddingValue": 65535, "PixelPaddingRangeLimit": 0},
        {"SOPInstanceUID": "../../../../etc/passwd"},
        {"SeriesInstanceUID": "..\\..\\x", "StudyInstanceUID": "/tmp/x"},
        {"PatientID": "../" * 15, "PatientName": "=cmd|' /C calc'!A0"},
        {"SOPInstanceUID": "1.2." + "9" * 300},
        {"Modality": "\u001b\u0000\n" * 5},
        {"SpecificCharacterSet": "nothing such"},
        {"BitsStored": 9},
    )
    for elements in odd:
        making.dicom(maker.place("odd.dcm", opens=True), making.ramp(8, 8, dtype="u2"), **elements)


def noise_files(maker: Maker, sound: dict[str, bytes], *, count: int = 12) -> None:
    """Random bytes behind a preamble, a meta header, or nothing."""
    head = sound["native.dcm"]
    meta = head[: 144 + struct.unpack_from("<I", head, 140)[0]]
    for start in (b"\0" * 128 + b"DICM", meta, b"\x08\x00\x05\x00CS", b""):
        for size in (0, 3, 100, 4000)[: max(count // 4, 1)]:
            maker.write("noise.dcm", start + maker.rng.bytes(size), opens=False)
