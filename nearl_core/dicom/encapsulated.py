"""Finding the frames in encapsulated pixel data, DICOM PS3.5 A.4."""

import io
import struct
from dataclasses import dataclass
from typing import BinaryIO

from nearl_core.dicom.source import PixelElement, Source
from nearl_core.dicom.tags import data
from nearl_core.errors import ScanError

_RLE = "1.2.840.10008.1.2.5"
_ITEM = 0xFFFEE000
_END = 0xFFFEE0DD
_STARTS = (b"\xff\xd8\xff", b"\xff\x4f\xff\x51", b"\x00\x00\x00\x0cjP  ", b"\xff\x0a")
"""How a JPEG (all families), a JPEG 2000 code stream, its boxes, and a JPEG XL stream begin."""


@dataclass(frozen=True)
class Fragment:
    """One item of the pixel data: where its bytes stand, and where its tag does."""

    offset: int
    length: int

    @property
    def tag_offset(self) -> int:
        """Of the item tag, from which the offset tables count."""
        return self.offset - 8


def frames_of(source: Source, frames: int, *, planes: int) -> list[list[Fragment]]:
    """The fragments of each frame; of those, too, that the header does not promise.

    Args:
        source: With pixels of undefined length.
        frames: How many the header promises.
        planes: Bytes of a pixel, by which a frame of run lengths begins.

    Raises:
        ScanError: If they can't be told apart, or some are missing.
    """
    assert source.pixels is not None
    table, fragments = _items(source.pixels)
    if len(fragments) != frames:
        # One that is empty stands for a frame only where each has one fragment.
        fragments = [fragment for fragment in fragments if fragment.length]
    if not fragments:
        raise ScanError("The pixel data are empty.")
    if len(fragments) == frames:
        return [[fragment] for fragment in fragments]
    # The header of run lengths, PS3.5 G.5: how many there are, and where the first ones stand.
    starts = (struct.pack("<2I", planes, 64),) if source.syntax == _RLE else _STARTS
    if frames == 1:
        # One frame can stand in many fragments; where each begins a code stream, it does not.
        groups = _by_start(source.pixels.stream, fragments, starts)
        return groups if len(groups) == len(fragments) else [fragments]
    base = fragments[0].tag_offset
    for offsets in (_extended(source), table):
        if len(offsets) == frames and (groups := _by_offsets(fragments, base, offsets)):
            return groups
    groups = _by_start(source.pixels.stream, fragments, starts)
    if len(groups) < frames:
        raise ScanError(f"The header promises {frames} frames; {len(groups)} were found.")
    return groups


def joined(stream: BinaryIO, fragments: list[Fragment]) -> bytes:
    """The bytes of one frame.

    Raises:
        ScanError: If the file ends before the frame does.
    """
    parts = []
    for fragment in fragments:
        stream.seek(fragment.offset)
        parts.append(stream.read(fragment.length))
        if len(parts[-1]) < fragment.length:
            raise ScanError("The file is cut short: its pixel data are incomplete.")
    return parts[0] if len(parts) == 1 else b"".join(parts)


def _items(pixels: PixelElement) -> tuple[tuple[int, ...], list[Fragment]]:
    """The Basic Offset Table and the fragments behind it."""
    stream, end = pixels.stream, pixels.offset + (pixels.length or pixels.available)
    at, table, found = pixels.offset, None, []
    # A stated length ends with the last item; any other sequence ends with a delimiter.
    while pixels.length is None or at < end:
        stream.seek(at)
        head = stream.read(8)
        group, number, length = struct.unpack("<HHI", head) if len(head) == 8 else (0, 0, 0)
        tag = group << 16 | number
        if tag == _END:
            break
        # Without its end nobody knows what else is missing: a code stream that lacks its last
        # fragments often decodes, to a coarser picture.
        if tag != _ITEM or length > end - at - 8:
            raise ScanError("The pixel data are damaged or cut short.")
        if table is None:
            raw = stream.read(length - length % 4)
            table = struct.unpack(f"<{len(raw) // 4}I", raw)
        else:
            found.append(Fragment(at + 8, length))
        at += 8 + length
    return table or (), found


def _extended(source: Source) -> tuple[int, ...]:
    """The Extended Offset Table, DICOM PS3.3 C.7.6.3.1.8."""
    raw = data(source.dataset, "ExtendedOffsetTable", little_endian=source.little_endian)
    return struct.unpack(f"<{len(raw) // 8}Q", raw[: len(raw) - len(raw) % 8])


def _by_offsets(
    fragments: list[Fragment], base: int, offsets: tuple[int, ...]
) -> list[list[Fragment]]:
    """Frames by an offset table, or [] where an offset names no fragment."""
    starts = {base + offset for offset in offsets}
    if not starts <= {fragment.tag_offset for fragment in fragments} or 0 not in offsets:
        return []
    groups: list[list[Fragment]] = []
    for fragment in fragments:
        if fragment.tag_offset in starts:
            groups.append([])
        groups[-1].append(fragment)
    return groups if len(groups) == len(offsets) else []


def _by_start(
    stream: BinaryIO, fragments: list[Fragment], starts: tuple[bytes, ...]
) -> list[list[Fragment]]:
    """Frames by how a code stream begins."""
    groups: list[list[Fragment]] = []
    for fragment in fragments:
        stream.seek(fragment.offset, io.SEEK_SET)
        if not groups or stream.read(12).startswith(starts):
            groups.append([])
        groups[-1].append(fragment)
    return groups
