"""Tiny made-up scans on disk."""

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from pydicom.dataset import FileDataset, FileMetaDataset
from pydicom.uid import CTImageStorage, ExplicitVRLittleEndian, generate_uid


def disc(side: int = 32, *, seed: int = 0) -> NDArray[np.uint8]:
    """Side x side uint8: a bright disc on noise."""
    away = np.hypot(*(np.indices((side, side)) - side / 2))
    return _on_noise(away < side / 4, seed)


def stripes(side: int = 32, *, seed: int = 0) -> NDArray[np.uint8]:
    """Side x side uint8: bright stripes on noise."""
    return _on_noise(np.indices((side, side))[1] % 8 < 4, seed)


def write_png(path: Path, pixels: NDArray[np.uint8]) -> Path:
    """Write 8-bit grey or RGB pixels."""
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(pixels).save(path)
    return path


def write_dicom(path: Path, pixels: NDArray[np.unsignedinteger[Any]], **tags: object) -> Path:
    """Write grey pixels (rows x columns, or frames x rows x columns) as an uncompressed CT.

    Args:
        tags: Further elements by keyword, such as PatientID="P1"; None leaves one out.
    """
    meta = FileMetaDataset()
    meta.TransferSyntaxUID = ExplicitVRLittleEndian
    meta.MediaStorageSOPClassUID = CTImageStorage
    meta.MediaStorageSOPInstanceUID = generate_uid()
    dataset = FileDataset(path, {}, file_meta=meta, preamble=b"\0" * 128)
    rows, columns = pixels.shape[-2:]
    bits = pixels.dtype.itemsize * 8
    elements: dict[str, object] = {
        "SOPClassUID": meta.MediaStorageSOPClassUID,
        "SOPInstanceUID": meta.MediaStorageSOPInstanceUID,
        "Modality": "CT",
        "Rows": rows,
        "Columns": columns,
        "SamplesPerPixel": 1,
        "PhotometricInterpretation": "MONOCHROME2",
        "BitsAllocated": bits,
        "BitsStored": bits,
        "HighBit": bits - 1,
        "PixelRepresentation": 0,
        "NumberOfFrames": pixels.shape[0] if pixels.ndim == 3 else None,
        "PixelData": pixels.tobytes(),
    }
    for keyword, value in (elements | tags).items():
        if value is not None:
            setattr(dataset, keyword, value)
    path.parent.mkdir(parents=True, exist_ok=True)
    dataset.save_as(path, enforce_file_format=True)
    return path


def write_folder(folder: Path, *, each: int = 4) -> Path:
    """Discs and stripes as PNG files, `each` of both, and one DICOM file."""
    for number in range(each):
        write_png(folder / f"disc-{number}.png", disc(seed=number))
        write_png(folder / f"stripes-{number}.png", stripes(seed=number))
    write_dicom(folder / "ct.dcm", disc().astype(np.uint16) * 8, PatientID="P1")
    return folder


def _on_noise(bright: NDArray[np.bool_], seed: int) -> NDArray[np.uint8]:
    noise = np.random.default_rng(seed).integers(0, 60, bright.shape)
    return (noise + bright * 180).astype(np.uint8)
