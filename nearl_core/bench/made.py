"""DICOM files to measure on, written by hand: pydicom stands behind the reader alone."""

import struct
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

EXPLICIT = "1.2.840.10008.1.2.1"


def image(rows: int, columns: int) -> NDArray[np.uint16]:
    """Rows x columns of 12 bits: waves under noise, which compress about as radiographs do."""
    down, across = np.mgrid[:rows, :columns]
    noise = np.random.default_rng(0).normal(0, 30, (rows, columns))
    waves = 2000 + 1500 * np.sin(across / 200) * np.cos(down / 300) + noise
    made: NDArray[np.uint16] = np.clip(waves, 0, 4095).astype(np.uint16)
    return made


def written(
    path: Path, pixels: NDArray[np.uint16], *, syntax: str = EXPLICIT, stream: bytes = b""
) -> Path:
    """A DICOM file, written by hand: pydicom stands behind the reader alone."""
    stored = "1.2.840.10008.5.1.4.1.1.7"
    meta = _element(0x0002, 0x0002, b"UI", stored) + _element(0x0002, 0x0010, b"UI", syntax)
    head = _element(0x0002, 0x0000, b"UL", struct.pack("<I", len(meta))) + meta
    numbers = (1, pixels.shape[0], pixels.shape[1], 16, 12, 11, 0)
    places = (0x0002, 0x0010, 0x0011, 0x0100, 0x0101, 0x0102, 0x0103)
    fields = {
        place: (b"US", struct.pack("<H", n)) for place, n in zip(places, numbers, strict=True)
    }
    fields[0x0004] = (b"CS", b"MONOCHROME2")
    fields |= {0x1050: (b"DS", b"2000"), 0x1051: (b"DS", b"4000")}
    body = _element(0x0008, 0x0016, b"UI", stored) + _element(0x0008, 0x0060, b"CS", "DX")
    body += b"".join(_element(0x0028, place, *fields[place]) for place in sorted(fields))
    path.write_bytes(b"\0" * 128 + b"DICM" + head + body + _pixels(pixels, stream))
    return path


def _pixels(image: NDArray[np.uint16], stream: bytes) -> bytes:
    if not stream:
        native = np.ascontiguousarray(image).astype("<u2").tobytes()
        return struct.pack("<HH2sHI", 0x7FE0, 0x0010, b"OW", 0, len(native)) + native
    even = stream + b"\0" * (len(stream) % 2)
    items = struct.pack("<HHI", 0xFFFE, 0xE000, 0) + struct.pack("<HHI", 0xFFFE, 0xE000, len(even))
    opening = struct.pack("<HH2sHI", 0x7FE0, 0x0010, b"OB", 0, 0xFFFFFFFF)
    return opening + items + even + struct.pack("<HHI", 0xFFFE, 0xE0DD, 0)


def _element(group: int, number: int, vr: bytes, value: bytes | str) -> bytes:
    plain = value.encode("ascii") if isinstance(value, str) else value
    plain += (b"\0" if vr == b"UI" else b" ") * (len(plain) % 2)
    return struct.pack("<HH2sH", group, number, vr, len(plain)) + plain
