"""DICOM of every lawful and nearly lawful kind: whether each must open or be refused is known."""

import gzip
import itertools
import struct
from collections.abc import Iterable
from typing import Any

import imagecodecs
import numpy as np
import pydicom
from PIL import Image

from tests.dicom import making
from tests.hostile.making import Array, Maker, encoded, j2k

_ITEM, _END = b"\xfe\xff\x00\xe0", b"\xfe\xff\xdd\xe0\0\0\0\0"
_PIXELS = b"\xe0\x7f\x10\x00OB"
_RAMP = making.ramp(8, 8, dtype="u2", step=10)
_NO_PICTURES = (
    "1.2.840.10008.1.3.10",
    *(f"1.2.840.10008.5.1.4.1.1.{end}" for end in ("104.1", "104.3", "88.33", "88.59", "11.1")),
    *(
        f"1.2.840.10008.5.1.4.1.1.{end}"
        for end in ("9.1.1", "66", "66.1", "66.5", "481.3", "481.5")
    ),
    *("1.2.840.10008.5.1.4.38.1", "1.2.840.10008.5.1.4.39.1", "1.2.840.10008.5.1.4.1.1.4.2"),
)


def write(maker: Maker) -> None:
    """All of them."""
    for kinds in (fragments, syntaxes, layouts, windows, headers):
        kinds(maker)


def fragments(maker: Maker) -> None:
    """Frames in one fragment, in several, with tables that are empty, true, extended or wrong."""
    frames = np.stack([_RAMP * k for k in (1, 2, 3)])
    streams = [j2k(frame) for frame in frames]
    even = [stream + b"\0" * (len(stream) % 2) for stream in streams]
    starts = [0, *itertools.accumulate(len(stream) + 8 for stream in even[:-1])]
    three = making.capsule(streams, fragments=3)
    for name, content in {
        "three": three,
        "table": making.capsule(streams, fragments=3, table=True),
        "table-short": _fragment(struct.pack("<2I", 0, 100)) + three[8:],
        "table-wrong": _fragment(struct.pack("<3I", 0, 7, 9999)) + three[8:],
        "empty-between": _fragment(b"")
        + b"".join(_fragment(s) + _fragment(b"") for s in even)
        + _END,
        "delimiter-length": three[:-8] + b"\xfe\xff\xdd\xe0\x08\0\0\0",
        "trailing": three + b"\xfc\xff\xfc\xffOB\0\0\x04\0\0\0abcd",
        "odd": _fragment(b"")
        + b"".join(_fragment(s + b"\0" * (1 - len(s) % 2)) for s in streams)
        + _END,
    }.items():
        _encapsulated(maker, f"fragments-{name}.dcm", frames, content, opens=True)
    for name, table in (("true", starts), ("wrong", [5, 6, 7])):
        said = {"ExtendedOffsetTable": struct.pack("<3Q", *table)}
        said["ExtendedOffsetTableLengths"] = struct.pack("<3Q", *map(len, even))
        _encapsulated(
            maker, f"extended-{name}.dcm", frames, making.capsule(streams), opens=True, **said
        )
    _encapsulated(maker, "no-table.dcm", _RAMP, _fragment(even[0]) + _END, opens=False)
    _encapsulated(maker, "two-of-three.dcm", frames, making.capsule(streams[:2]), opens=False)
    cells = making.capsule([frame.tobytes() for frame in frames])
    for syntax, opens in ((f"{making.EXPLICIT}.98", True), (making.EXPLICIT, False)):
        path = _encapsulated(maker, "cells.dcm", frames, cells, opens=opens)
        _rename(path, syntax)


def _fragment(content: bytes) -> bytes:
    return _ITEM + struct.pack("<I", len(content)) + content


def _encapsulated(
    maker: Maker, name: str, pixels: Array, content: bytes, *, opens: bool, **said: Any
) -> Any:
    path = maker.place(name, opens=opens)
    making.dicom(path, pixels, syntax=making.JPEG_2000, frames=[b"xx"], **said)
    whole = path.read_bytes()
    path.write_bytes(whole[: whole.rindex(_PIXELS) + 12] + content)
    return path


def _rename(path: Any, syntax: str) -> None:
    """Another transfer syntax in the meta header, of any length."""
    whole = path.read_bytes()
    at = whole.index(b"\x02\0\x10\0UI")
    before = struct.unpack_from("<H", whole, at + 6)[0]
    value = syntax.encode() + b"\0" * (len(syntax) % 2)
    named = whole[: at + 6] + struct.pack("<H", len(value)) + value + whole[at + 8 + before :]
    length = struct.unpack_from("<I", whole, 140)[0] + len(value) - before
    path.write_bytes(named[:140] + struct.pack("<I", length) + named[144:])


def syntaxes(maker: Maker) -> None:
    """Code streams of every family under their own syntax; video and frames on a server."""
    deep, grey, colour = (
        making.noise((16, 16), "u2", below=4096),
        making.noise((16, 16)),
        making.noise((16, 16, 3)),
    )
    twelve: dict[str, Any] = {"BitsStored": 12, "HighBit": 11}
    progressive = encoded(Image.fromarray(grey), "JPEG", progressive=True)
    tried: Iterable[tuple[str, Array, bytes | bytearray, dict[str, Any]]] = (
        ("51", deep, imagecodecs.jpeg8_encode(deep, level=99, bitspersample=12), twelve),
        ("55", grey, progressive, {}),
        ("57", deep, imagecodecs.ljpeg_encode(deep, bitspersample=16), twelve),
        ("81", deep, imagecodecs.jpegls_encode(deep, level=3), twelve),
        ("91", grey, imagecodecs.jpeg2k_encode(grey, level=40, codecformat="j2k"), {}),
        ("110", grey, imagecodecs.jpegxl_encode(grey, lossless=True), {}),
        ("112", colour, imagecodecs.jpegxl_encode(colour, level=90), {"samples": 3}),
        ("201", deep, imagecodecs.htj2k_encode(deep, reversible=True), twelve),
        ("203", grey, imagecodecs.htj2k_encode(grey, reversible=False), {}),
    )
    for end, pixels, stream, said in tried:
        path = maker.place(f"syntax-{end}.dcm", opens=True)
        making.dicom(path, pixels, syntax=making.JPEG_2000, frames=[bytes(stream)], **said)
        _rename(path, f"1.2.840.10008.1.2.4.{end}")
    for end in ("94", "95", *map(str, range(100, 109)), "204", "205", "102.1"):
        path = maker.place(f"video-{end}.dcm", opens=False)
        making.dicom(path, grey, syntax=making.JPEG_2000, frames=[b"\0\0\1\xb3" + b"\0" * 60])
        _rename(path, f"1.2.840.10008.1.2.4.{end}")


def layouts(maker: Maker) -> None:
    """Bits, planes and samples as headers can name them."""
    colour, wide = making.noise((8, 8, 3)), making.noise((8, 8), "u4", below=1 << 32)
    single = (making.noise((6, 20)) > 99).astype("u1")
    packed = np.packbits(single.reshape(-1), bitorder="little").tobytes()
    real: dict[str, Any] = {"PixelData": None, "FloatPixelData": _RAMP.astype("<f4").tobytes()}
    half = np.zeros((2, 4, 3), "u1")
    argb, grey, palette = (
        {"PhotometricInterpretation": name} for name in ("ARGB", "MONOCHROME2", "PALETTE COLOR")
    )
    shared: dict[str, Any] = {"samples": 3, "PhotometricInterpretation": "YBR_FULL_422"}
    kinds: Iterable[tuple[str, Array, dict[str, Any], bool]] = (
        ("high-bit-15", _RAMP << 4, {"BitsStored": 12, "HighBit": 15}, True),
        ("overlay-bits", _RAMP | 0x8000, {"BitsStored": 12, "HighBit": 11}, True),
        ("planes", colour, {"samples": 3, "PlanarConfiguration": 1}, True),
        ("planes-shared", half, {**shared, "PlanarConfiguration": 1}, True),
        ("shared-chroma", half, {**shared, "PixelData": b"\x10\x80" * 8}, True),
        ("32", wide, {}, True),
        ("64", wide.astype("u8"), {"BitsAllocated": 64}, True),
        ("real", _RAMP.astype("f4"), real, True),
        ("1-bit", single, {"BitsAllocated": 1, "BitsStored": 1, "PixelData": packed}, True),
        ("stored-17", _RAMP, {"BitsStored": 17, "HighBit": 16}, True),
        ("stored-0", _RAMP, {"BitsStored": 0, "HighBit": 0}, True),
        ("high-bit-low", _RAMP, {"BitsStored": 12, "HighBit": 3}, True),
        ("frames-0", _RAMP, {"NumberOfFrames": "0"}, True),
        ("frames-blank", _RAMP, {"NumberOfFrames": "1 "}, True),
        ("frames-2", _RAMP, {"NumberOfFrames": "2"}, False),
        ("no-sign", _RAMP, {"PixelRepresentation": None}, True),
        ("no-samples", _RAMP, {"SamplesPerPixel": None}, True),
        ("no-photometric", _RAMP, {"PhotometricInterpretation": None}, True),
        ("12-packed", _RAMP, {"BitsAllocated": 12, "BitsStored": 12, "HighBit": 11}, False),
        ("24", _RAMP, {"BitsAllocated": 24, "BitsStored": 24, "HighBit": 23}, False),
        ("rows-0", _RAMP, {"Rows": 0}, False),
        ("2-samples", making.noise((8, 8, 2)), {"samples": 2}, False),
        ("argb", making.noise((8, 8, 4)), {"samples": 4, **argb}, False),
        ("grey-of-three", colour, {"samples": 3, **grey}, False),
        ("palette-none", making.ramp(8, 8), palette, False),
        ("short", _RAMP, {"PixelData": _RAMP.tobytes()[:-2]}, False),
        ("longer", _RAMP, {"PixelData": _RAMP.tobytes() + b"\0" * 20}, True),
    )
    for name, pixels, said, opens in kinds:
        making.dicom(maker.place(f"layout-{name}.dcm", opens=opens), pixels, **said)


def windows(maker: Maker) -> None:
    """Windows that are no numbers, and that stand where they may."""
    two = np.stack([_RAMP, _RAMP])
    own = [
        making.item(FrameVOILUTSequence=[making.item(WindowCenter=c, WindowWidth="9")])
        for c in "12"
    ]
    lawful: tuple[dict[str, Any], ...] = (
        {"WindowCenter": "40"},
        {"WindowWidth": "40"},
        {"WindowCenter": ["1", "2"], "WindowWidth": ["0", "3"]},
        {"WindowCenter": "", "WindowWidth": ""},
        {"WindowCenter": "1", "WindowWidth": "-4", "VOILUTFunction": "SIGMOID"},
        {"WindowCenter": "1", "WindowWidth": "2", "VOILUTFunction": "CUBIC"},
        {"RescaleSlope": "-1", "RescaleIntercept": "5"},
        {"RescaleSlope": "", "RescaleIntercept": "5"},
        {"VOILUTSequence": []},
        {"PerFrameFunctionalGroupsSequence": own},
        {"PerFrameFunctionalGroupsSequence": own[:1]},
        {"SharedFunctionalGroupsSequence": own[:1]},
    )
    for said in lawful:
        making.dicom(maker.place("window.dcm", opens=True), two, **said)
    whole = making.dicom(maker.place("text.dcm", opens=True), _RAMP).read_bytes()
    at = whole.rindex(b"\xe0\x7f\x10\x00OW")
    for text in (b"abc ", b"nan ", b"inf ", b"1,5 ", b" 40\0", b"4e9 ", b"\xff\xfe\\ "):
        for number in (0x1050, 0x1051, 0x1052, 0x1053):
            element = struct.pack("<HH2sH", 0x28, number, b"DS", 4) + text
            maker.write("value.dcm", whole[:at] + element + whole[at:], opens=True)


def headers(maker: Maker) -> None:
    """Headers as old, foreign and careless software writes them; all but the last can be read."""
    whole = making.dicom(maker.place("whole.dcm", opens=True), _RAMP).read_bytes()
    implicit = making.dicom(maker.place("implicit.dcm", opens=True), _RAMP, syntax=making.IMPLICIT)
    meta, bare = _parted(whole)
    other, words = _parted(implicit.read_bytes())
    at = whole.index(b"\x08\x00\x60\x00CS")
    rows = whole.index(b"\x28\x00\x10\x00US")
    for name, content in {
        "group-lengths": whole[:at] + b"\x08\0\0\0UL\x04\0\x99\x99\0\0" + whole[at:],
        "private": whole[:at]
        + b"\x09\0\x10\0LO\x04\0ACME\x09\0\x01\x10OB\0\0\x05\0\0\0abcde"
        + whole[at:],
        "preamble": b"x" * 128 + whole[128:],
        "no-preamble": whole[132:],
        "no-meta": bare,
        "no-meta-implicit": words,
        "says-explicit": meta + words,
        "says-implicit": other + bare,
        "meta-length": whole[:140] + b"\0\0\0\0" + whole[144:],
        "rows-long": whole[:rows]
        + struct.pack("<HH2sHI", 0x28, 16, b"UL", 4, 8)
        + whole[rows + 10 :],
        "rows-text": whole[:rows] + b"\x28\0\x10\0IS\x02\0" + b"8 " + whole[rows + 10 :],
        "rows-unknown": whole[:rows] + b"\x28\0\x10\0UN\0\0\x02\0\0\0\x08\0" + whole[rows + 10 :],
        "pixels-unknown": whole.replace(b"\xe0\x7f\x10\0OW", b"\xe0\x7f\x10\0UN"),
        "packed": gzip.compress(whole),
    }.items():
        maker.write(f"header-{name}.dcm", content, opens=True)
    maker.write("packed-twice.dcm.gz", gzip.compress(gzip.compress(whole)), opens=False)
    maker.write("packed-cut.dcm.gz", gzip.compress(whole)[:-30], opens=False)
    for charset in ("ISO 2022 IR 87", "\\ISO 2022 IR 149", "ISO_IR 192", "GB18030", "nonsense"):
        path = maker.place("charset.dcm", opens=True)
        making.dicom(path, _RAMP, SpecificCharacterSet=charset.split("\\"), PatientName="Y^Tarou")
    icon = making.item(Rows=2, Columns=2, PixelData=b"\1\2\3\4")
    icon["PixelData"].VR = "OB"
    making.dicom(maker.place("icon.dcm", opens=True), _RAMP, IconImageSequence=[icon])
    for storage in _NO_PICTURES:
        path = maker.place("no-picture.dcm", opens=False)
        making.dicom(path, _RAMP, PixelData=None, Rows=None, Columns=None, SOPClassUID=storage)
        dataset = pydicom.dcmread(path)
        dataset.file_meta.MediaStorageSOPClassUID = pydicom.uid.UID(storage)
        dataset.save_as(path, enforce_file_format=True)


def _parted(whole: bytes) -> tuple[bytes, bytes]:
    """The meta header with all before it, and the data set."""
    at = 144 + struct.unpack_from("<I", whole, 140)[0]
    return whole[:at], whole[at:]
