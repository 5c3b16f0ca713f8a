"""Opening a DICOM file: its header, and where the pixel data stand."""

import gzip
import io
import os
import struct
import warnings
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from pydicom import dcmread
from pydicom.dataset import Dataset
from pydicom.filereader import read_dataset
from pydicom.tag import BaseTag

from nearl_core.dicom.tags import BROKEN, text
from nearl_core.errors import ScanError

MAX_INFLATED_BYTES = 1 << 30
"""The most that a deflated data set may hold; a bomb of 3 MB inflates to 3 GB."""

_DEFLATED = "1.2.840.10008.1.2.1.99"
_IMPLICIT = "1.2.840.10008.1.2"
_EXPLICIT = "1.2.840.10008.1.2.1"
_BIG_ENDIAN = "1.2.840.10008.1.2.2"
_LARGE = 1 << 16
_UNDEFINED = 0xFFFFFFFF
_LONG = (b"OB", b"OW", b"UN", b"OF", b"OD", b"OL", b"OV")
"""Value representations of pixel data; all have lengths of four bytes."""
_SHORT = (b"US", b"SS", b"UL", b"SL", b"AT", b"FL", b"FD")
_PIXEL_TAGS = {0x7FE00010: "PixelData", 0x7FE00008: "FloatPixelData", 0x7FE00009: "DoubleFloat"}


@dataclass(frozen=True, eq=False)
class PixelElement:
    """Where the pixel data stand.

    Attributes:
        stream: Holds them; the file itself, or the inflated data set.
        kind: "PixelData", "FloatPixelData" or "DoubleFloat".
        offset: Of the first byte of the value.
        length: In bytes, or None where they are encapsulated (undefined length).
        available: Bytes from the offset to the end of the stream.
        words: Whether the value is a list of 16-bit words (OW), which big endian files swap.
    """

    stream: BinaryIO
    kind: str
    offset: int
    length: int | None
    available: int
    words: bool = False


@dataclass(frozen=True, eq=False)
class Source:
    """An open DICOM file.

    Attributes:
        dataset: Everything before the pixel data; never written to.
        syntax: Transfer syntax UID; what the data set itself shows where the file says nothing.
        little_endian: Byte order of the data set.
        pixels: Where the pixel data stand, or None where there are none.
    """

    dataset: Dataset
    syntax: str
    little_endian: bool
    pixels: PixelElement | None


@contextmanager
def opened(path: Path) -> Iterator[Source]:
    """Open a DICOM file, with or without preamble and meta header.

    Raises:
        ScanError: If the file can't be opened or is no DICOM file.
    """
    try:
        # pydicom warns of each oddity; what matters to a reader is said by ScanError.
        with warnings.catch_warnings(), _Bounded(path.open("rb", buffering=0)) as stream:
            warnings.simplefilter("ignore")
            packed = stream.read(2) == b"\x1f\x8b"
            stream.seek(0)
            yield _read(_unpacked(stream) if packed else stream)
    except OSError as error:
        raise ScanError(f"The file can't be read ({error.strerror or 'input error'}).") from error


class _Bounded(io.BufferedReader):
    """Reads no further than the file reaches.

    A length in a damaged header says up to 4 GB, and a plain read takes the memory first.
    """

    def __init__(self, raw: io.FileIO) -> None:
        super().__init__(raw)
        self._length = os.fstat(raw.fileno()).st_size

    def read(self, size: int | None = -1, /) -> bytes:
        """Up to `size` bytes."""
        if size is not None and size > _LARGE:
            size = max(min(size, self._length - self.tell()), 0)
        return super().read(size)


def _unpacked(stream: BinaryIO) -> BinaryIO:
    """What a file that is packed by gzip holds."""
    try:
        with gzip.GzipFile(fileobj=stream) as packed:
            plain = packed.read(MAX_INFLATED_BYTES + 1)
    except (EOFError, gzip.BadGzipFile, zlib.error) as error:
        raise ScanError("The packed DICOM file is damaged or cut short.") from error
    if len(plain) > MAX_INFLATED_BYTES:
        raise ScanError("The packed DICOM file grows past 1 GB.")
    return io.BytesIO(plain)


def _read(stream: BinaryIO) -> Source:
    try:
        deflated = _deflated_start(stream)
        stream.seek(0)
        if deflated:
            return _read_deflated(stream, deflated)
        dataset = dcmread(stream, stop_before_pixels=True, force=True)
    except BROKEN as error:
        if isinstance(error, OSError) and error.errno is not None:
            raise
        raise ScanError("The DICOM header is damaged.") from error
    except zlib.error as error:
        raise ScanError("The compressed DICOM data set is damaged.") from error
    if not len(dataset):
        raise ScanError("This is no DICOM file, or its header is damaged.")
    little_endian = dataset.original_encoding[1] is not False
    meta = getattr(dataset, "file_meta", None)
    syntax = text(meta, "TransferSyntaxUID") if meta is not None else ""
    if not syntax:
        implicit = dataset.original_encoding[0] is not False
        syntax = _IMPLICIT if implicit else _EXPLICIT if little_endian else _BIG_ENDIAN
    explicit = dataset.original_encoding[0] is False
    pixels = _pixel_element(stream, little_endian, explicit=explicit)
    return Source(dataset, syntax, little_endian, pixels)


def _deflated_start(stream: BinaryIO) -> int:
    """Where a deflated data set begins, or 0 where the file is not deflated."""
    head = stream.read(_LARGE)
    if head[128:132] != b"DICM":
        return 0
    # Element by element: the length of the meta header is left out by some, and wrong in others.
    at, deflated = 132, False
    while head[at : at + 2] == b"\2\0" and len(head) >= at + 12:
        long = head[at + 4 : at + 6] in (*_LONG, b"UT", b"UC", b"UR", b"SQ")
        length = struct.unpack_from("<I" if long else "<H", head, at + (8 if long else 6))[0]
        start = at + (12 if long else 8)
        if head[at + 2 : at + 4] == b"\x10\0":
            deflated = head[start : start + length].rstrip(b"\0 ") == _DEFLATED.encode()
        at = start + int(length)
    return at if deflated else 0


def _read_deflated(stream: BinaryIO, start: int) -> Source:
    stream.seek(start)
    inflater = zlib.decompressobj(-zlib.MAX_WBITS)
    plain = inflater.decompress(stream.read(), MAX_INFLATED_BYTES)
    if not inflater.eof and len(plain) >= MAX_INFLATED_BYTES:
        raise ScanError("The compressed DICOM data set grows past 1 GB.")
    buffer = io.BytesIO(plain)
    dataset = read_dataset(buffer, False, True, stop_when=_at_pixels)
    return Source(dataset, _DEFLATED, True, _pixel_element(buffer, True, explicit=True))


def _at_pixels(tag: BaseTag, vr: str | None, length: int) -> bool:
    del vr, length
    return int(tag) in _PIXEL_TAGS


def _pixel_element(stream: BinaryIO, little_endian: bool, *, explicit: bool) -> PixelElement | None:
    """The pixel element at which the reader of the header stopped, or None at the end."""
    head = stream.read(12)
    order = "<" if little_endian else ">"
    if len(head) < 8:
        return None
    group, number = struct.unpack_from(f"{order}HH", head)
    kind = _PIXEL_TAGS.get(group << 16 | number)
    if kind is None:
        return None
    start = stream.tell() - len(head)
    end = stream.seek(0, io.SEEK_END)
    length, offset = struct.unpack_from(f"{order}I", head, 4)[0], start + 8
    # An implicit length never looks like these: it is even, and all of them are odd numbers.
    nonsense = (
        explicit and head[4:6] not in _SHORT and length != _UNDEFINED and length > end - offset
    )
    if head[4:6] in _LONG or nonsense:
        if len(head) < 12:
            return None
        length, offset = struct.unpack_from(f"{order}I", head, 8)[0], start + 12
    available = max(end - offset, 0)
    known = None if length == _UNDEFINED else int(length)
    return PixelElement(stream, kind, offset, known, available, words=head[4:6] == b"OW")
