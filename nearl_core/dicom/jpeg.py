"""The markers of JPEG, ITU-T T.81 annex B: what a stream says of itself, and its scans apart."""

import re
import struct
from collections.abc import Iterator

DCT = (0xC0, 0xC1, 0xC2, 0xC9, 0xCA)
"""Frame headers of lossy JPEG; lossless ones name a colour space that they do not have."""
LOSSLESS, LS = 0xC3, 0xF7
_NO_FRAME = (0xC4, 0xC8, 0xCC)
"""Tables whose markers stand among those of frame headers."""
_TABLES, _SCAN, _RESTARTS, _END = 0xC4, 0xDA, 0xDD, 0xD9
_NEXT = re.compile(rb"\xff[^\x00\xff\xd0-\xd7]")
"""A marker that coded data do not hold."""
_RESTART = re.compile(rb"\xff[\xd0-\xd7]")


def segments(stream: bytes) -> Iterator[tuple[int, int]]:
    """The second byte of each marker and where it stands, the first scan the last."""
    at = 2
    while at + 4 <= len(stream) and stream[at] == 0xFF:
        marker = stream[at + 1]
        if marker == 0xFF:
            at += 1
            continue
        yield marker, at
        if marker == _SCAN:
            return
        at += 2 + _word(stream, at + 2)


def frame_header(stream: bytes) -> int:
    """Where the start-of-frame marker stands, or 0."""
    for marker, at in segments(stream):
        if marker == LS or (0xC0 <= marker <= 0xCF and marker not in _NO_FRAME):
            return at
    return 0


def frame_marker(stream: bytes) -> int:
    """The second byte of the start-of-frame marker, or 0."""
    at = frame_header(stream)
    return stream[at + 1] if at else 0


def components(stream: bytes) -> int:
    """Their number in the frame header."""
    at = frame_header(stream)
    return stream[at + 9] if at and at + 10 <= len(stream) else 0


def coded_as(stream: bytes) -> str:
    """What three components are by the stream's own word: "RGB", "YBR_FULL" or "".

    JPEG can name its components R, G and B; its JFIF and Adobe segments say that they are YCbCr
    (ISO/IEC 10918-5, 6.1 and 6.5.3). A plain photograph wrapped into DICOM is often called RGB.
    """
    at = frame_header(stream)
    if at and stream[at + 10 : at + 19 : 3].upper() == b"RGB":
        return "RGB"
    if not at or stream[at + 1] not in DCT:
        return ""
    found = [stream[place + 1 : place + 16] for _, place in segments(stream)]
    adobe = [one[-1] for one in found if one[0] == 0xEE and one[3:8] == b"Adobe"]
    jfif = any(one.startswith(b"\xe0") and one[3:8] == b"JFIF\0" for one in found)
    # 1 is YCbCr, 0 no transform.
    return "YBR_FULL" if 1 in adobe or (jfif and 0 not in adobe) else ""


def low_bits(stream: bytes) -> int:
    """How many low bits the first scan leaves out: the point transform, T.81 H.1.2.1."""
    scan = next((at for marker, at in segments(stream) if marker == _SCAN), 0)
    last = scan + 1 + _word(stream, scan + 2) if scan else 0
    return stream[last] & 0x0F if 0 < last < len(stream) else 0


def is_plain(stream: bytes) -> bool:
    """Whether one scan holds all components, by one table and without restarts."""
    scan, tables = 0, 0
    for marker, at in segments(stream):
        if marker == _RESTARTS and _word(stream, at + 4):
            return False
        if marker == _TABLES:
            tables += len(_tables(stream[at : at + 2 + _word(stream, at + 2)]))
        scan = at
    return tables < 2 and (scan + 5 > len(stream) or stream[scan + 4] >= components(stream))


def plain_scans(stream: bytes) -> list[list[bytes]]:
    """A lossless stream as whole streams without restarts, a table for each component.

    Returns:
        For each scan, in the order of its components, its rows from above.

    Raises:
        ValueError: If its restarts do not stand at the ends of rows, or it is damaged.
        struct.error: If it is cut short.
    """
    tables: dict[int, bytes] = {}
    found: list[tuple[int, list[bytes]]] = []
    frame, interval, at = b"", 0, 2
    while (mark := _NEXT.search(stream, at)) and stream[mark.start() + 1] != _END:
        start = mark.start()
        at = start + 2 + _word(stream, start + 2)
        marker, segment = stream[start + 1], stream[start:at]
        if marker == _TABLES:
            tables |= _tables(segment)
        elif marker == _RESTARTS:
            interval = _word(segment, 4)
        elif marker == LOSSLESS:
            frame = segment
        elif marker == _SCAN:
            following = _NEXT.search(stream, at)
            data = stream[at : following.start() if following else len(stream)]
            order = frame[10::3].index(segment[5])
            found.append((order, list(_rows(frame, tables, segment, data, interval))))
    return [parts for _, parts in sorted(found)]


def _tables(segment: bytes) -> dict[int, bytes]:
    """The Huffman tables of a segment by class and number, T.81 B.2.4.2."""
    found, at = {}, 4
    while at + 17 <= len(segment):
        end = at + 17 + sum(segment[at + 1 : at + 17])
        found[segment[at]] = segment[at + 1 : end]
        at = end
    return found


def _rows(
    frame: bytes, tables: dict[int, bytes], scan: bytes, data: bytes, interval: int
) -> Iterator[bytes]:
    """One scan as streams of so many rows as stand between two restarts."""
    named, chosen = scan[5 : 5 + 2 * scan[4] : 2], scan[6 : 6 + 2 * scan[4] : 2]
    kept = [frame[at : at + 3] for at in range(10, len(frame) - 2, 3) if frame[at] in named]
    rows, columns = struct.unpack_from(">HH", frame, 5)
    # T.81 H.1.1 wants whole rows; samples of several sizes would have to be counted otherwise.
    rowwise = columns and not interval % columns and all(one[1] == 0x11 for one in kept)
    if interval and not rowwise:
        raise ValueError
    head, tail = b"", scan[:5]
    for index, (name, choice) in enumerate(zip(named, chosen, strict=True)):
        table = tables.get(choice >> 4, b"")
        head += b"\xff\xc4" + struct.pack(">HB", 3 + len(table), index) + table
        tail += bytes([name, index << 4])
    tail += scan[5 + 2 * len(named) :]
    high = interval // columns if interval else rows
    for index, part in enumerate(_RESTART.split(data) if interval else (data,)):
        held = min(high, rows - high * index)
        if held < 1:
            raise ValueError
        size = struct.pack(">HBHHB", 8 + 3 * len(kept), frame[4], held, columns, len(kept))
        begin = b"\xff\xd8\xff\xc3" + size + b"".join(kept) + head
        yield begin + tail + part + b"\xff\xd9"


def _word(data: bytes, at: int) -> int:
    return int(struct.unpack_from(">H", data, at)[0])
