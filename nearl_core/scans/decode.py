"""Which reader reads a file; called in a guarded process."""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from nearl_core.errors import ScanError
from nearl_core.scans.find import head_of
from nearl_core.scans.kinds import Kind, kind_of, without_picture
from nearl_core.types import Frame, Identity, ScanInfo, TagLine


def info(path: Path) -> tuple[ScanInfo, Identity]:
    """What a file says of itself and of whose it is.

    Raises:
        ScanError: If it can't be read, or holds no picture that can be shown.
    """
    if _kind(path) is Kind.DICOM:
        from nearl_core.dicom import read

        return read.info(path)
    from nearl_core.scans import raster

    return raster.info(path)


def frame(path: Path, index: int) -> tuple[Frame, ScanInfo]:
    """One frame of a file.

    Raises:
        ScanError: If it can't be read, decoded, or does not exist.
    """
    if _kind(path) is Kind.DICOM:
        from nearl_core.dicom import read

        return read.frame(path, index)
    from nearl_core.scans import raster

    return raster.frame(path, index)


def preview(path: Path, index: int) -> tuple[Frame, ScanInfo] | None:
    """One frame at a lower resolution; None where the whole is as fast.

    Raises:
        ScanError: As `frame`.
    """
    if _kind(path) is not Kind.DICOM:
        return None
    from nearl_core.dicom import read

    return read.preview(path, index)


def stored(path: Path) -> NDArray[np.generic]:
    """The stored values of all frames.

    Raises:
        ScanError: If they can't be read or decoded.
    """
    if _kind(path) is Kind.DICOM:
        from nearl_core.dicom import read

        return read.stored(path)
    from nearl_core.scans import raster

    return raster.stored(path)


def tags(path: Path, *, identity: bool) -> tuple[TagLine, ...]:
    """The DICOM header of a file, line by line; () for other files.

    Raises:
        ScanError: If it can't be read.
    """
    if _kind(path) is not Kind.DICOM:
        return ()
    from nearl_core.dicom import listing

    return listing.lines(path, identity=identity)


def _kind(path: Path) -> Kind:
    head = head_of(path)
    if isinstance(head, str):
        raise ScanError(head)
    if not head:
        raise ScanError("The file is empty.")
    kind = kind_of(head)
    if kind is None:
        raise ScanError("This is no scan: neither DICOM, PNG, JPEG, TIFF, BMP, WebP nor GIF.")
    if kind is Kind.DICOM and (what := without_picture(head)):
        raise ScanError(f"This holds no picture but {what}.")
    return kind
