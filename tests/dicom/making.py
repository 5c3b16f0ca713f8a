"""DICOM files of every kind, made up on the spot."""

import itertools
import struct
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from pydicom import dcmread
from pydicom.dataset import Dataset, FileDataset, FileMetaDataset
from pydicom.uid import UID, CTImageStorage, ExplicitVRLittleEndian, generate_uid

Array = NDArray[Any]
IMPLICIT, EXPLICIT, DEFLATED, BIG_ENDIAN = (
    f"1.2.840.10008.1.2{end}" for end in ("", ".1", ".1.99", ".2")
)
JPEG, JPEG_LOSSLESS, JPEG_LS, JPEG_2000, HTJ2K = (
    f"1.2.840.10008.1.2.4.{end}" for end in (50, 70, 80, 90, 201)
)
RLE = "1.2.840.10008.1.2.5"


def item(**elements: object) -> Dataset:
    """A data set of elements by keyword."""
    made = Dataset()
    for keyword, value in elements.items():
        setattr(made, keyword, value)
    return made


def dicom(
    path: Path,
    pixels: Array,
    *,
    syntax: str = str(ExplicitVRLittleEndian),
    frames: Sequence[bytes | bytearray] | None = None,
    samples: int = 1,
    **elements: Any,
) -> Path:
    """Write a file.

    Args:
        path: Where.
        pixels: [Frames x] rows x columns [x 3]; says size and dtype where `frames` has the data.
        syntax: Transfer syntax UID.
        frames: Compressed frames, each one fragment; None for native pixel data.
        samples: 3 for colour.
        elements: Further ones by keyword; None leaves one out.
    """
    meta = FileMetaDataset()
    meta.TransferSyntaxUID = UID(syntax)
    meta.MediaStorageSOPClassUID = CTImageStorage
    meta.MediaStorageSOPInstanceUID = generate_uid()
    dataset = FileDataset(
        path,
        {},
        file_meta=meta,
        preamble=b"\0" * 128,
        is_implicit_VR=syntax == IMPLICIT,
        is_little_endian=syntax != BIG_ENDIAN,
    )
    shape = pixels.shape if samples == 1 else pixels.shape[:-1]
    bits = pixels.dtype.itemsize * 8
    order: Literal["<", ">"] = ">" if syntax == BIG_ENDIAN else "<"
    native = pixels.astype(pixels.dtype.newbyteorder(order)).tobytes()
    if syntax == BIG_ENDIAN and bits == 8:
        native = np.frombuffer(native + b"\0" * (len(native) % 2), "u2").byteswap().tobytes()
    usual: dict[str, Any] = {
        "SOPClassUID": meta.MediaStorageSOPClassUID,
        "SOPInstanceUID": meta.MediaStorageSOPInstanceUID,
        "Modality": "OT",
        "Rows": shape[-2],
        "Columns": shape[-1],
        "NumberOfFrames": shape[0] if len(shape) == 3 else None,
        "SamplesPerPixel": samples,
        "PlanarConfiguration": 0 if samples == 3 else None,
        "PhotometricInterpretation": "RGB" if samples == 3 else "MONOCHROME2",
        "BitsAllocated": bits,
        "BitsStored": bits,
        "HighBit": elements.get("BitsStored", bits) - 1,
        "PixelRepresentation": int(pixels.dtype.kind == "i"),
        "PixelData": native + b"\0" * (len(native) % 2) if frames is None else capsule(frames),
    }
    for keyword, value in (usual | elements).items():
        if value is not None:
            setattr(dataset, keyword, value)
    _save(dataset, path, packed=frames is not None)
    return path


def _save(dataset: FileDataset, path: Path, *, packed: bool) -> None:
    if "PixelData" in dataset:
        dataset["PixelData"].VR = "OB" if packed else "OW"
        dataset["PixelData"].is_undefined_length = packed
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        dataset.save_as(path, enforce_file_format=True)


def add_overlay(path: Path, plane: Array, origin: Sequence[int] = (1, 1)) -> Path:
    """Give a file an overlay: rows x columns of 0 and 1, at an origin that counts from 1."""
    dataset = dcmread(path)
    bits = np.packbits(plane.reshape(-1), bitorder="little").tobytes()
    bits += b"\0" * (len(bits) % 2)
    if dataset.original_encoding[1] is False:
        bits = np.frombuffer(bits, "u2").byteswap().tobytes()
    dataset.add_new(0x60000010, "US", plane.shape[0])
    dataset.add_new(0x60000011, "US", plane.shape[1])
    dataset.add_new(0x60000050, "SS", list(origin))
    dataset.add_new(0x60000100, "US", 1)
    dataset.add_new(0x60000102, "US", 0)
    dataset.add_new(0x60003000, "OW", bits)
    dataset.save_as(path)
    return path


def capsule(
    frames: Sequence[bytes | bytearray],
    *,
    fragments: int = 1,
    table: bool = False,
    end: bool = True,
) -> bytes:
    """Encapsulated pixel data.

    Args:
        frames: Compressed frames.
        fragments: Into how many each is cut.
        table: Whether the Basic Offset Table is filled.
        end: Whether the sequence delimiter is there.
    """
    out, offsets = b"", []
    for frame in frames:
        offsets.append(len(out))
        even = frame + b"\0" * (len(frame) % 2)
        size = max(len(even) // fragments // 2 * 2, 2)
        cuts = [*range(0, size * fragments, size), len(even)]
        for start, stop in itertools.pairwise(cuts):
            out += _item(even[start:stop])
    entries = struct.pack(f"<{len(offsets)}I", *offsets) if table else b""
    return _item(entries) + out + (b"\xfe\xff\xdd\xe0\0\0\0\0" if end else b"")


def _item(content: bytes | bytearray) -> bytes:
    return struct.pack("<HHI", 0xFFFE, 0xE000, len(content)) + content


def ramp(rows: int = 16, columns: int = 20, dtype: str = "u1", step: int = 1) -> Array:
    """Rows x columns of rising values."""
    made: Array = (np.arange(rows * columns) * step).reshape(rows, columns).astype(dtype)
    return made


def noise(shape: tuple[int, ...], dtype: str = "u1", below: int = 256) -> Array:
    """Random values."""
    made: Array = np.random.default_rng(0).integers(0, below, shape).astype(dtype)
    return made


def same(found: NDArray[np.generic], expected: NDArray[np.generic]) -> bool:
    """Whether two arrays have the same type and values."""
    return found.dtype == expected.dtype and np.array_equal(found, expected)
