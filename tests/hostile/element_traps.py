"""DICOM elements that never end, contradict one another, or say more than a file can hold."""

import struct
from typing import Any

import numpy as np

from tests.dicom import making
from tests.hostile.making import Maker

_UNDEFINED = b"\xff\xff\xff\xff"
_ITEM, _ITEM_END, _END = (
    b"\xfe\xff\x00\xe0",
    b"\xfe\xff\x0d\xe0\0\0\0\0",
    b"\xfe\xff\xdd\xe0\0\0\0\0",
)


def elements(maker: Maker, sound: dict[str, bytes], *, many: int = 100_000) -> None:
    """Long lists, unknown kinds, sequences within unknown ones; the picture itself is sound."""
    content = sound["native.dcm"]
    at = content.index(b"\x08\x00\x60\x00CS")

    def put(name: str, element: bytes, opens: bool | None = None) -> None:
        maker.write(name, content[:at] + element + content[at:], opens=opens)

    values = b"\\".join([b"1"] * many)
    for kind in (b"DS", b"IS"):
        put("values.dcm", b"\x08\x00\x41\x11" + kind + struct.pack("<H", 65534) + values[:65534])
    put("text.dcm", b"\x08\x00\x42\x11UT\0\0" + struct.pack("<I", 50 << 20) + b"x" * (50 << 20))
    for kind in (b"ZZ", b"\0\0", b"??", b"OV", b"UV", b"SV"):
        put("kind.dcm", b"\x08\x00\x43\x11" + kind + b"\x04\0abcd")
    levels = 2000
    unknown = b"\x09\0\x10\x10UN\0\0" + _UNDEFINED + _ITEM + _UNDEFINED
    put("unknown.dcm", unknown * levels + (_ITEM_END + _END) * levels)
    put("unknown-open.dcm", unknown * levels)
    lying = b"\x08\x00\x40\x11SQ\0\0" + struct.pack("<I", 16)
    for length in (0, 3, 0x7FFFFFFF, 0xFFFFFFFE):
        put("item-length.dcm", lying + _ITEM + struct.pack("<I", length) + b"\0" * 8)
    put("delimiters.dcm", (_ITEM_END + _END) * 5000)
    put("same.dcm", b"\x08\x00\x60\x00CS\x02\0CT" * many)
    put("down.dcm", b"\x08\x00\x05\x00CS\x02\0\xff\xfe", True)
    charset = b"\x08\x00\x05\x00CS" + struct.pack("<H", 40) + b"ISO 2022 IR 87\\".ljust(40, b"\\")
    put("charset.dcm", charset, True)
    meta = content[:132] + b"\x02\0\0\0UL\x04\0" + struct.pack("<I", 1 << 30) + b"\x02\0\x10\0UI"
    maker.write("meta.dcm", meta + struct.pack("<H", 65535) + b"1.2." * 16_000)


def groups(maker: Maker, *, many: int = 20_000) -> None:
    """Functional groups, tables and overlays that promise too much."""
    one = making.ramp(8, 8, dtype="u2")
    frame = making.item(FrameVOILUTSequence=[making.item(WindowCenter="1", WindowWidth="2")])
    making.dicom(maker.place("groups.dcm"), one, PerFrameFunctionalGroupsSequence=[frame] * many)
    tables: tuple[dict[str, Any], ...] = (
        {"LUTDescriptor": [0, 0, 16], "LUTData": b"\0\0"},
        {"LUTDescriptor": [0, 0, 16], "LUTData": b"\0" * 131_072},
        {"LUTDescriptor": [1, 65535, 0], "LUTData": b"\0\0"},
        {"LUTDescriptor": [3, 0, 8], "LUTData": b"\0\0"},
        {"LUTDescriptor": [3, 0, 99], "LUTData": b"\0" * 6},
        {"LUTDescriptor": [3, 0], "LUTData": b"\0" * 6},
    )
    for table in tables:
        for sequence in ("VOILUTSequence", "ModalityLUTSequence"):
            made = making.item(**table)
            made["LUTDescriptor"].VR = "US"
            made["LUTData"].VR = "OW"
            said: dict[str, Any] = {sequence: [made]}
            making.dicom(maker.place("table.dcm", opens=True), one, **said)
    # Segments that point at themselves, at nothing, and beyond any table.
    for words in ([2, 9, 0, 0], [2, 65535, 65535, 65535], [1, 65535, 9], [0, 65535, 1], [3, 1, 1]):
        said = {"PhotometricInterpretation": "PALETTE COLOR"}
        for name in ("Red", "Green", "Blue"):
            said[f"{name}PaletteColorLookupTableDescriptor"] = [0, 0, 16]
            segments = np.array([0, 1, 7, *words * 300], "<u2").tobytes()
            said[f"Segmented{name}PaletteColorLookupTableData"] = segments
        making.dicom(maker.place("segments.dcm"), making.ramp(8, 8), **said)
    shutters: dict[str, Any] = {
        "ShutterShape": "POLYGONAL",
        "VerticesOfThePolygonalShutter": ["1", "2"] * 2000,
    }
    making.dicom(maker.place("polygon.dcm", opens=True), one, **shutters)
    making.dicom(
        maker.place("icc.dcm", opens=True),
        making.noise((8, 8, 3)),
        samples=3,
        ICCProfile=b"i" * 4000,
    )


def fragments(maker: Maker, sound: dict[str, bytes], *, many: int = 1_000_000) -> None:
    """Encapsulated pixel data of empty items, and of far more items than frames."""
    content = sound["j2k.dcm"]
    first = content.rindex(b"\xe0\x7f\x10\x00OB") + 12
    empty = _ITEM + b"\0\0\0\0"
    maker.write("fragments.dcm", content[:first] + empty * many + _END)
    maker.write("fragments-open.dcm", content[:first] + empty * many)
    maker.write("fragments-none.dcm", content[:first] + empty + _END, opens=False)
    maker.write(
        "table.dcm",
        content[:first]
        + _ITEM
        + struct.pack("<I", 1 << 24)
        + b"\0" * (1 << 24)
        + content[first + 8 :],
    )
    for planes in (0, 3, 15, 16, 0xFFFFFFFF):
        for start in (0, 63, 64, 0xFFFFFFFF):
            header = struct.pack("<16I", planes, *[start] * 15)
            path = maker.place("planes.dcm")
            pixels = making.ramp(8, 8, dtype="u2")
            making.dicom(path, pixels, syntax=making.RLE, frames=[header + b"\x07\1\2\3\4" * 40])


def other_files(maker: Maker) -> None:
    """What is no scan at all, under a scan's name."""
    heads = (
        b"%PDF-1.7\n",
        b"\x7fELF\2\1\1\0",
        b"PK\3\4",
        b"<!DOCTYPE html>",
        b"#!/bin/sh\n",
        b"\xfd7zXZ\0",
        b"MZ\x90\0",
        b"SQLite format 3\0",
        b"\x89HDF\r\n\x1a\n",
        b"\xca\xfe\xba\xbe",
    )
    for head in heads:
        maker.write("other.dcm", head + maker.rng.bytes(3000), opens=False)
        hidden = b"\0" * 128 + b"DICM" + head + maker.rng.bytes(3000)
        maker.write("other-hidden.dcm", hidden, opens=False)
    for text in (b"NEARL", b"\0" * 5000, b"\xff" * 5000, b"DICM" * 1000, b"\n" * 5000):
        maker.write("text.dcm", text, opens=False)
