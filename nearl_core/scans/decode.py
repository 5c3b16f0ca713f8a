"""Which reader reads a file; called in a guarded process."""

import sys
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from nearl_core.errors import ScanError
from nearl_core.scans.find import GONE, head_of
from nearl_core.scans.kinds import Kind, half_of_pair, kind_of, without_picture
from nearl_core.scans.stack import Listed, read_list, read_stack
from nearl_core.scans.windows import common
from nearl_core.types import Disguise, Frame, Identity, ScanInfo, TagLine, Window

_MOVED = (
    "See that its drive or share is connected. If it was moved, it can be found again: Project, "
    "Check…, or `nearl check PROJECT --find FOLDER`."
)
MOST_VALUES = 1 << 25
"""Of all frames together, read for one window of them: some seconds of JPEG 2000."""

_READ = ("DICOM", "NIfTI", "PNG", "JPEG", "TIFF", "BMP", "WebP", "GIF")


def info(path: Path) -> tuple[ScanInfo, Identity]:
    """What a file says of itself and of whose it is.

    Raises:
        ScanError: If it can't be read, or holds no picture that can be shown.
    """
    kind = _kind(path)
    if kind is Kind.STACK:
        listed = read_list(path)
        found, identity = _reader(_kind(listed.files[0])).info(listed.files[0])
        return _in_stack(found, listed), identity
    return _reader(kind).info(path)


def frame(path: Path, index: int) -> tuple[Frame, ScanInfo]:
    """One frame of a file.

    Raises:
        ScanError: If it can't be read, decoded, or does not exist.
    """
    kind = _kind(path)
    if kind is Kind.STACK:
        listed, file = _member(path, index)
        shown, found = _reader(_kind(file)).frame(file)
        return shown, _in_stack(found, listed)
    return _reader(kind).frame(path, index)


def window(path: Path) -> Window | None:
    """One automatic window for all frames of a scan whose file lists none, so that greys compare.

    From the least to the greatest value of all frames, those that can't be read left out; where
    they hold more than `MOST_VALUES`, of the middle frame alone.

    Returns:
        None where there is one frame only, or where frames have windows of their own.

    Raises:
        ScanError: If the scan can't be read.
    """
    found, _ = info(path)
    if found.frames < 2:
        return None
    few = found.frames * found.rows * found.columns <= MOST_VALUES
    wanted = range(found.frames) if few else range(found.frames // 2, found.frames // 2 + 1)
    return common(_readable(path, wanted))


def _readable(path: Path, indices: Iterable[int]) -> Iterator[Frame]:
    kind = _kind(path)
    if kind is Kind.DICOM:
        from nearl_core.dicom import read

        yield from read.frames(path, indices)
        return
    for index in indices:
        with suppress(ScanError):
            yield frame(path, index)[0]


def preview(path: Path, index: int) -> tuple[Frame, ScanInfo] | None:
    """One frame at a lower resolution; None where the whole is as fast.

    Raises:
        ScanError: As `frame`.
    """
    if _kind(path) is Kind.STACK:
        listed, file = _member(path, index)
        coarse = preview(file, 0)
        return coarse and (coarse[0], _in_stack(coarse[1], listed))
    if _kind(path) is not Kind.DICOM:
        return None
    from nearl_core.dicom import read

    return read.preview(path, index)


def stored(path: Path, *, rgb: bool = False) -> NDArray[np.generic]:
    """The stored values of all frames.

    Args:
        path: Of the scan.
        rgb: Whether colours that DICOM keeps as YBR or by a palette become RGB.

    Raises:
        ScanError: If they can't be read or decoded.
    """
    if _kind(path) is not Kind.STACK:
        return _stored(path, rgb=rgb)
    frames = [_stored(file, rgb=rgb) for file in read_stack(path)]
    if len({(frame.shape, frame.dtype) for frame in frames}) > 1:
        raise ScanError("The frames differ in size or kind.")
    return np.stack(frames)


def _stored(path: Path, *, rgb: bool) -> NDArray[np.generic]:
    reader = _reader(_kind(path))
    if rgb and _kind(path) is Kind.DICOM:
        from nearl_core.dicom import read

        return read.stored_rgb(path)
    return reader.stored(path)


def tags(path: Path, *, identity: bool) -> tuple[TagLine, ...]:
    """The DICOM header of a file, line by line; () for other files.

    Raises:
        ScanError: If it can't be read.
    """
    if _kind(path) is Kind.STACK:
        return tags(_member(path, 0)[1], identity=identity)
    if _kind(path) is not Kind.DICOM:
        return ()
    from nearl_core.dicom import listing

    return listing.lines(path, identity=identity)


def _in_stack(info: ScanInfo, listed: Listed) -> ScanInfo:
    """What one file of a stack says, and what is said of all."""
    return replace(info, frames=len(listed.files), notices=(*info.notices, *listed.notices))


def _member(path: Path, index: int) -> tuple[Listed, Path]:
    """A stack's list, and the file of a frame.

    Raises:
        ScanError: If there is no such frame, or it is itself no file with frames.
    """
    listed = read_list(path)
    if not 0 <= index < len(listed.files):
        raise ScanError(f"There is no frame {index}; the scan has {len(listed.files)}.")
    _reader(_kind(listed.files[index]))
    return listed, listed.files[index]


class _Reader(Protocol):
    """What each module that reads files has."""

    def info(self, path: Path) -> tuple[ScanInfo, Identity]: ...

    def frame(self, path: Path, index: int = 0) -> tuple[Frame, ScanInfo]: ...

    def stored(self, path: Path) -> NDArray[np.generic]: ...


def _reader(kind: Kind) -> _Reader:
    """The module that reads files of a kind; each library is loaded when it is needed first.

    Raises:
        ScanError: If it is a stack: none is a frame of another one.
    """
    if kind is Kind.STACK:
        raise ScanError("A stack can't be a frame of another one.")
    if kind is Kind.NIFTI:
        from nearl_core.scans import nifti

        return nifti
    if "nearl_core.scans.nifti" in sys.modules:
        from nearl_core.scans import nifti

        nifti.forget()
    if kind is Kind.DICOM:
        from nearl_core.dicom import read

        return read
    from nearl_core.scans import raster

    return raster


def copy(path: Path, out: Path, disguise: Disguise) -> None:
    """Write a de-identified DICOM copy; pictures of other kinds become Secondary Captures.

    Raises:
        ScanError: If the file can't be read or decoded, or its values have no place in DICOM.
        NotWrittenError: If the copy can't be written.
    """
    from nearl_core.dicom import deidentify

    kind = _kind(path)
    if kind is Kind.STACK:
        raise ScanError("A stack of several files has no DICOM copy of one file.")
    if kind is Kind.DICOM:
        deidentify.write_copy(path, out, disguise)
        return
    values = _reader(kind).stored(path)
    if values.dtype not in (np.uint8, np.uint16):
        raise ScanError("The values of this picture have no place in a DICOM image.")
    deidentify.write_capture(values, out, disguise)


def _kind(path: Path) -> Kind:
    head = head_of(path)
    if isinstance(head, str):
        raise ScanError(head, _MOVED if head == GONE else "")
    if not head:
        raise ScanError("The file is empty.")
    kind = kind_of(head)
    if kind is None and (what := half_of_pair(head)):
        raise ScanError(f"This is one half of {what} pair (.hdr, .img).", "Save both as one .nii.")
    if kind is None:
        raise ScanError(f"This is no scan: neither {', '.join(_READ[:-1])} nor {_READ[-1]}.")
    if kind is Kind.DICOM and (what := without_picture(head)):
        raise ScanError(f"This holds no picture but {what}.")
    return kind
