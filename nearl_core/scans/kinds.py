"""Telling what a file is by its first bytes; extensions lie."""

import struct
import zlib
from enum import Enum

from nearl_core.scans.stack import MAGIC

HEAD_BYTES = 1024
"""How much of a file `kind_of` wants to see."""


class Kind(Enum):
    """What can be read."""

    DICOM = "DICOM"
    RASTER = "raster"
    NIFTI = "NIfTI"
    STACK = "stack"


_MAGICS = (
    b"\x89PNG\r\n\x1a\n",
    b"\xff\xd8\xff",
    b"II*\0",
    b"MM\0*",
    b"II+\0",
    b"MM\0+",
    b"GIF87a",
    b"GIF89a",
)

# Storage classes that hold no picture: all that begin with these.
_WITHOUT_PICTURE = (
    ("1.2.840.10008.1.3.10", "a DICOM directory"),
    ("1.2.840.10008.5.1.4.1.1.88.59", "a key object selection"),
    ("1.2.840.10008.5.1.4.1.1.88.", "a structured report"),
    ("1.2.840.10008.5.1.4.1.1.11.", "a presentation state"),
    ("1.2.840.10008.5.1.4.1.1.9.", "a waveform"),
    ("1.2.840.10008.5.1.4.1.1.66", "raw data or a registration"),
    ("1.2.840.10008.5.1.4.1.1.104.", "a document"),
    ("1.2.840.10008.5.1.4.1.1.481.3", "a radiotherapy structure set"),
    ("1.2.840.10008.5.1.4.1.1.481.4", "a radiotherapy record"),
    ("1.2.840.10008.5.1.4.1.1.481.5", "a radiotherapy plan"),
    ("1.2.840.10008.5.1.4.1.1.481.6", "a radiotherapy record"),
    ("1.2.840.10008.5.1.4.1.1.481.7", "a radiotherapy record"),
    ("1.2.840.10008.5.1.4.1.1.481.8", "a radiotherapy plan"),
    ("1.2.840.10008.5.1.4.1.1.481.9", "a radiotherapy record"),
    ("1.2.840.10008.5.1.4.34.", "a radiotherapy instruction"),
)
# Below .66 only these two are pictures: segmentation and label map.
_WITH_PICTURE = ("1.2.840.10008.5.1.4.1.1.66.4", "1.2.840.10008.5.1.4.1.1.66.7")

_VRS = frozenset(
    b"AE AS AT CS DA DS DT FL FD IS LO LT OB OD OF OL OV OW PN SH SL SQ SS ST SV TM UC UI UL "
    b"UN UR US UT UV".split()
)


def kind_of(head: bytes) -> Kind | None:
    """What a file is, or None where it is nothing that can be read.

    Args:
        head: Its first `HEAD_BYTES`, or all of it where it is shorter.
    """
    # First, because the preamble may hold a TIFF header (dual-personality files).
    if head[128:132] == b"DICM":
        # No data set begins with zeros; a sparse file of them keeps a parser busy for long.
        return Kind.DICOM if any(head[132:140]) else None
    if head.startswith(_MAGICS) or _is_webp(head) or _is_bmp(head):
        return Kind.RASTER
    if head.startswith(MAGIC):
        return Kind.STACK
    plain = _inflated(head)
    if _is_nifti(plain):
        return Kind.NIFTI
    if plain is not head:
        return Kind.DICOM if plain[128:132] == b"DICM" and any(plain[132:140]) else None
    return Kind.DICOM if _begins_data_set(head) else None


def without_picture(head: bytes) -> str:
    """What a DICOM file is by its meta header where that holds no picture, else ""."""
    storage = _storage_class(_inflated(head))
    if not storage or storage in _WITH_PICTURE:
        return ""
    return next((name for start, name in _WITHOUT_PICTURE if storage.startswith(start)), "")


def half_of_pair(head: bytes) -> str:
    """What a file is that holds the header of an image beside it, else ""."""
    plain = _inflated(head)
    sizes = (b"\x5c\x01\0\0", b"\0\0\x01\x5c", b"\x1c\x02\0\0", b"\0\0\x02\x1c")
    if plain[:4] not in sizes or len(plain) < 348:
        return ""
    nifti = plain[344:348] == b"ni1\0" or plain[4:8] == b"ni2\0"
    return "a NIfTI" if nifti else "an ANALYZE"


def _is_webp(head: bytes) -> bool:
    return head[:4] == b"RIFF" and head[8:12] == b"WEBP"


def _is_bmp(head: bytes) -> bool:
    """Two letters are little to go by: the header's own size must be one that exists."""
    if head[:2] != b"BM" or len(head) < 18:
        return False
    return struct.unpack_from("<I", head, 14)[0] in (12, 16, 40, 52, 56, 64, 108, 124)


def _inflated(head: bytes) -> bytes:
    """What a head that is packed by gzip begins with, or the head itself."""
    if not head.startswith(b"\x1f\x8b"):
        return head
    try:
        # So much and no more: the rest may be a bomb.
        return zlib.decompressobj(zlib.MAX_WBITS | 16).decompress(head, HEAD_BYTES)
    except zlib.error:
        return b""


def _is_nifti(head: bytes) -> bool:
    """NIfTI-1 or NIfTI-2 in one file; of a pair, neither file is a scan by itself."""
    if head[4:12] == b"n+2\0\r\n\x1a\n":
        return head[:4] in (b"\x1c\x02\0\0", b"\0\0\x02\x1c")
    return head[344:348] == b"n+1\0" and head[:4] in (b"\x5c\x01\0\0", b"\0\0\x01\x5c")


def _begins_data_set(head: bytes) -> bool:
    """Whether a data set begins without preamble: its first element is of group 2 or 8."""
    if len(head) < 8:
        return False
    for order in "<>":
        group, element, implicit = struct.unpack_from(f"{order}HHI", head)
        if group not in (0x0002, 0x0008) or element > 0x0060:
            continue
        if head[4:6] in _VRS or (order == "<" and implicit <= 256):
            return True
    return False


def _storage_class(head: bytes) -> str:
    """Media Storage SOP Class UID (0002,0002)."""
    start = 132 if head[128:132] == b"DICM" else 0
    at = head.find(b"\x02\x00\x02\x00UI", start)
    if at < 0 or at + 8 > len(head):
        return ""
    length = struct.unpack_from("<H", head, at + 6)[0]
    return head[at + 8 : at + 8 + length].decode("ascii", "replace").rstrip("\0 ")
