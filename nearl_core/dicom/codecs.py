"""Decoding one compressed frame; the decoders are chosen in docs/adr/0002-codecs.md.

Each decoder gives the components as they are coded, without a change of colour space, but for
JPEG 2000, whose own colour transform is a part of the code stream.
"""

import struct
from collections.abc import Callable
from enum import Enum

import imagecodecs
import numpy as np
from numpy.typing import NDArray

from nearl_core.dicom import jpeg
from nearl_core.dicom.layout import Layout
from nearl_core.errors import ScanError
from nearl_core.scans.raster import coarse_jpeg_2000

Array = NDArray[np.generic]


class Codec(Enum):
    """The families of code streams; the value is what a reader knows them as."""

    JPEG = "JPEG"
    JPEG_LOSSLESS = "JPEG lossless"
    JPEG_LS = "JPEG-LS"
    JPEG_2000 = "JPEG 2000"
    HTJ2K = "High-Throughput JPEG 2000"
    JPEG_XL = "JPEG XL"


RLE = "1.2.840.10008.1.2.5"

_EXACT = frozenset(
    f"1.2.840.10008.1.2.4.{number}" for number in (57, 70, 80, 90, 92, 110, 201, 202)
)
"""Encapsulated syntaxes whose bits are those that were written, overlays included."""

# Not decoded, and why. Everything else with encapsulated pixel data is told by its content.
_REFUSED = {
    "1.2.840.10008.1.2.4.94": "The pictures stand on a server (JPIP), not in the file.",
    "1.2.840.10008.1.2.4.95": "The pictures stand on a server (JPIP), not in the file.",
    "1.2.840.10008.1.2.4.204": "The pictures stand on a server (JPIP), not in the file.",
    "1.2.840.10008.1.2.4.205": "The pictures stand on a server (JPIP), not in the file.",
    "1.2.840.10008.1.2.8.1": "There is no decoder for frames that are deflated one by one.",
    "1.2.840.10008.1.2.7.1": "The pixel data are an SMPTE stream, which can't be shown.",
    "1.2.840.10008.1.2.7.2": "The pixel data are an SMPTE stream, which can't be shown.",
    "1.2.840.10008.1.2.7.3": "The pixel data are an SMPTE stream, which can't be shown.",
}
_VIDEO = tuple(f"1.2.840.10008.1.2.4.{number}" for number in (100, 101, 102, 103, 104, 105))
_VIDEO += tuple(f"1.2.840.10008.1.2.4.{number}" for number in (106, 107, 108))

_LARGE = 1 << 20
"""Bytes of a code stream from which on a second thread pays."""

_BARE_J2K = b"\xff\x4f\xff\x51"
_STARTS_J2K = (_BARE_J2K, b"\x00\x00\x00\x0cjP  ")
"""How JPEG 2000 begins: a bare code stream, or boxes."""
_SYCC = b"colr\1\0\0\0\0\0\x12"
"""The box of a colour space of luminance and chroma, ISO/IEC 15444-1 I.5.3.3."""

_END = b"\xff\xd9"
"""End of image in JPEG; coded data never hold these bytes."""

# What imagecodecs raises for a stream that is damaged: each codec's error is a RuntimeError.
_DAMAGED = (
    RuntimeError,
    ValueError,
    TypeError,
    IndexError,
    NotImplementedError,
    struct.error,
)


def refuse_syntax(syntax: str) -> None:
    """Refuse a transfer syntax that holds no still image or has no decoder.

    Raises:
        ScanError: With what it is.
    """
    if syntax.startswith(_VIDEO):
        raise ScanError("This is a video. Videos can't be shown.", "Export its frames as pictures.")
    if syntax in _REFUSED:
        raise ScanError(_REFUSED[syntax])


def is_exact(syntax: str) -> bool:
    """Whether the bits of a frame are those that were written, whatever they mean."""
    return syntax in _EXACT or not syntax.startswith("1.2.840.10008.1.2.4.")


def codec_of(stream: bytes) -> Codec:
    """Which decoder a code stream needs, told by its markers: transfer syntaxes lie.

    Raises:
        ScanError: If it is none of them.
    """
    if stream.startswith(_STARTS_J2K):
        start = max(stream.find(_BARE_J2K), 0)
        # Bit 14 of Rsiz announces Part 15, ISO/IEC 15444-15 A.2.
        capabilities = stream[start + 6 : start + 8]
        return Codec.HTJ2K if capabilities and capabilities[0] & 0x40 else Codec.JPEG_2000
    if stream.startswith((b"\xff\x0a", b"\x00\x00\x00\x0cJXL ")):
        return Codec.JPEG_XL
    if stream.startswith(b"\xff\xd8"):
        marker = jpeg.frame_marker(stream)
        if marker == jpeg.LS:
            return Codec.JPEG_LS
        if marker == jpeg.LOSSLESS:
            return Codec.JPEG_LOSSLESS
        if marker in jpeg.DCT:
            return Codec.JPEG
    raise ScanError("There is no decoder for the pixel data of this file.")


def coded_as(stream: bytes) -> str:
    """What a code stream of three components decodes to by its own word, or ""; headers lie.

    JPEG 2000 undoes the colour transform that it names (ISO/IEC 15444-1 A.6.1), so that a header
    which says YBR_FULL would have it undone twice.

    Returns:
        "RGB", "YBR_FULL", or "" where it says nothing.
    """
    if stream.startswith(_STARTS_J2K):
        start = max(stream.find(_BARE_J2K), 0)
        style = stream.find(b"\xff\x52", start)
        if 0 <= style < len(stream) - 8 and stream[style + 8] == 1:
            return "RGB"
        return "YBR_FULL" if _SYCC in stream[:start] else ""
    return jpeg.coded_as(stream) if stream.startswith(b"\xff\xd8") else ""


def decode(stream: bytes, layout: Layout, *, syntax: str) -> Array:
    """Decode one frame.

    Args:
        stream: Its bytes.
        layout: What the header says; the result agrees with its shape.
        syntax: Transfer syntax UID; decides on RLE alone, which has no markers.

    Returns:
        Whole numbers, rows x columns or rows x columns x 3, before `Layout.cleaned`.

    Raises:
        ScanError: If the stream is damaged, has no decoder, or contradicts the header.
    """
    if syntax == RLE:
        return _rle(stream, layout)
    codec = codec_of(stream)
    try:
        values = _DECODERS[codec](_bare(stream))
    except _DAMAGED as error:
        raise ScanError(f"The {codec.value} data are damaged.") from error
    except imagecodecs.DelayedImportError as error:
        raise ScanError(
            f"The decoder for {codec.value} is not installed.", "Install imagecodecs anew."
        ) from error
    return _fitted(np.asarray(values), layout)


def decode_coarse(stream: bytes, layout: Layout, *, halvings: int) -> Array | None:
    """One frame at a lower resolution, or None where its codec has none.

    Args:
        stream: Its bytes.
        layout: What the header says.
        halvings: How often its sides are halved.

    Returns:
        Values as `decode` gives them, of fewer rows and columns.
    """
    if not stream.startswith(_STARTS_J2K):
        return None
    bare = _bare(stream)
    values = coarse_jpeg_2000(bare, halvings)
    if values is None or values.ndim != len(layout.shape) or len(bare) < 43:
        return None
    # Ssiz, ISO/IEC 15444-1 A.5.1: the sign above the bits less one.
    bits, signed = (bare[42] & 0x7F) + 1, bool(bare[42] & 0x80)
    if values.dtype != np.uint8:
        values = np.right_shift(values, max(16 - bits, 0))
    if not signed:
        return values
    centred = values.astype(np.int32) - (1 << (bits - 1))
    return centred.astype(f"i{values.dtype.itemsize}")


def _bare(stream: bytes) -> bytes:
    """JPEG 2000 without boxes: decoders go by their colours and palettes, DICOM does not."""
    return stream[max(stream.find(_BARE_J2K), 0) :] if stream.startswith(_STARTS_J2K) else stream


def _fitted(values: Array, layout: Layout) -> Array:
    """The decoded values in the header's shape."""
    if values.ndim == 3 and values.shape[2] == 1:
        values = values[:, :, 0]
    if values.shape != layout.shape:
        raise ScanError("The header and the compressed picture differ in size.")
    if values.dtype.kind not in "iu":
        raise ScanError("The compressed picture holds no whole numbers.")
    return values


def _jpeg(stream: bytes) -> Array:
    values = _jpeg_components(stream)
    if _END not in stream:
        # libjpeg makes up what is missing. In a picture that is whole but for its end marker,
        # what follows changes nothing.
        other = _jpeg_components(stream + b"\xa5\x5a" * 512 + _END)
        if not np.array_equal(values, other):
            raise ScanError("The JPEG data are cut short.")
    return values


def _jpeg_components(stream: bytes) -> Array:
    # Naming the same colour space twice keeps the components as they are coded.
    if jpeg.components(stream) == 3:
        return imagecodecs.jpeg8_decode(stream, colorspace="YCBCR", outcolorspace="YCBCR")
    return imagecodecs.jpeg8_decode(stream)


def _jpeg_lossless(stream: bytes) -> Array:
    if jpeg.is_plain(stream):
        return _plain_lossless(stream)
    # The decoder mixes up scans of one component each and tables, and knows no restarts.
    scans = [
        np.concatenate([_plain_lossless(rows) for rows in parts])
        for parts in jpeg.plain_scans(stream)
    ]
    return np.dstack(scans)


def _plain_lossless(stream: bytes) -> Array:
    values: Array = np.ascontiguousarray(imagecodecs.jpegsof3_decode(stream))
    shift = jpeg.low_bits(stream)
    return np.left_shift(values, shift) if shift else values


def _jpeg_2000(stream: bytes) -> Array:
    # Two threads only: each reserves memory, and several scans are read at a time.
    return imagecodecs.jpeg2k_decode(stream, numthreads=2 if len(stream) > _LARGE else 1)


_DECODERS: dict[Codec, Callable[[bytes], Array]] = {
    Codec.JPEG: _jpeg,
    Codec.JPEG_LOSSLESS: _jpeg_lossless,
    Codec.JPEG_LS: imagecodecs.jpegls_decode,
    Codec.JPEG_2000: _jpeg_2000,
    # OpenJPEG, not OpenJPH: that one lets overshooting values wrap around (off by 255).
    Codec.HTJ2K: _jpeg_2000,
    Codec.JPEG_XL: imagecodecs.jpegxl_decode,
}


def _rle(stream: bytes, layout: Layout) -> Array:
    """DICOM RLE, PS3.5 annex G: a byte plane a segment, most significant byte first."""
    size = layout.allocated // 8
    if not size:
        raise ScanError("There is no decoder for run lengths of single bits.")
    planes = layout.samples * size
    header = struct.unpack("<16I", stream[:64]) if len(stream) >= 64 else (0,) * 16
    if header[0] != planes:
        raise ScanError("The RLE data are damaged, or the header contradicts them.")
    ends = (*header[2 : planes + 1], len(stream))
    count = layout.rows * layout.columns
    cells = np.empty((layout.samples, size, count), np.uint8)
    for index, (start, end) in enumerate(zip(header[1 : planes + 1], ends, strict=True)):
        if not 64 <= start <= end <= len(stream):
            raise ScanError("The RLE data are damaged.")
        try:
            plain = imagecodecs.packbits_decode(stream[start:end])
        except _DAMAGED as error:
            raise ScanError("The RLE data are damaged.") from error
        if len(plain) < count:
            raise ScanError("The RLE data are cut short.")
        cells[index // size, index % size] = np.frombuffer(plain, np.uint8, count)
    # Big endian cells, value after value, back to rows x columns [x samples].
    values = np.ascontiguousarray(cells.transpose(2, 0, 1)).view(f">u{size}")[..., 0]
    return values.astype(f"u{size}", copy=False).reshape(layout.shape)
