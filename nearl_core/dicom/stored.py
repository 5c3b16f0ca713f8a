"""The stored values of a DICOM file, DICOM PS3.3 C.7.6.3.1 and PS3.5 section 8."""

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from nearl_core.dicom.codecs import coded_as, decode, decode_coarse, is_exact, refuse_syntax
from nearl_core.dicom.encapsulated import Fragment, frames_of, joined
from nearl_core.dicom.layout import Layout, layout_of
from nearl_core.dicom.source import PixelElement, Source
from nearl_core.errors import ScanError

_COMPRESSED = ("1.2.840.10008.1.2.4.", "1.2.840.10008.1.2.5")
NO_YBR = frozenset(("RGB", "YBR_ICT", "YBR_RCT"))
"""What is shown without a conversion: the last two are undone by their codec."""
_NATIVE_IN_ITEMS = "1.2.840.10008.1.2.1.98"
"""Encapsulated Uncompressed, PS3.5 A.4.11: a fragment holds the cells of a frame."""
_GE = "1.2.840.113619.5.2"
"""A private syntax of GE: a little endian file whose pixel data are big endian."""


class StoredPixels:
    """Reads the frames of one open file.

    Attributes:
        layout: What the header says.
    """

    def __init__(self, source: Source) -> None:
        self.layout = layout_of(source)
        refuse_syntax(source.syntax)
        assert source.pixels is not None
        self._pixels = source.pixels
        self._syntax = source.syntax
        self._swapped = not source.little_endian or self._syntax == _GE
        self._source = source
        self._fragments: list[list[Fragment]] | None = None
        self._encapsulated = self._pixels.length is None or self._has_items()
        if not self._encapsulated:
            self._check_native()
            # Some writers name chroma that is shared, and then store all of it.
            self._subsampled = self.layout.subsampled and not self._holds(
                self._frame_bits(subsampled=False)
            )

    @property
    def holds_more(self) -> bool:
        """Whether there are frames that the header does not promise."""
        if self._encapsulated:
            return len(self._frames()) > self.layout.frames
        return self._holds(self._frame_bits(subsampled=self._subsampled), more=1)

    def raw(self, frame: int) -> NDArray[np.generic]:
        """One frame with all its bits: overlays may stand in those that are not stored.

        Raises:
            ScanError: If there is no such frame or it can't be decoded.
        """
        if not 0 <= frame < self.layout.frames:
            raise ScanError(f"There is no frame {frame}; the scan has {self.layout.frames}.")
        if not self._encapsulated:
            return self._native(frame)
        stream = self._stream(frame)
        if self._syntax != _NATIVE_IN_ITEMS:
            return decode(stream, self.layout, syntax=self._syntax)
        bits = self._frame_bits(subsampled=self.layout.subsampled)
        if len(stream) * 8 < bits:
            raise ScanError("The file is cut short: its pixel data are incomplete.")
        plain = np.frombuffer(stream, np.uint8)[: (bits + 7) // 8]
        return self._cells(plain, subsampled=self.layout.subsampled)

    def seen_layout(self, frame: int) -> Layout:
        """The layout with the colours that a code stream decodes to, whatever the header says."""
        layout = self.layout
        if not self._encapsulated or layout.samples != 3:
            return layout
        coded = coded_as(self._stream(frame))
        if coded == "RGB" or (coded and layout.photometric in NO_YBR):
            return replace(layout, photometric=coded)
        return layout

    def coarse(self, frame: int, *, most: int) -> NDArray[np.generic] | None:
        """As `frame`, of fewer rows and columns; None where that is no faster.

        Args:
            frame: Counted from 0.
            most: How many values there may be.

        Raises:
            ScanError: As `raw`.
        """
        halvings = 0
        while self.layout.values >> (2 * halvings) > most:
            halvings += 1
        if not halvings or not self._encapsulated or not 0 <= frame < self.layout.frames:
            return None
        found = decode_coarse(self._stream(frame), self.layout, halvings=halvings)
        return None if found is None else self.cleaned(found)

    def _frames(self) -> list[list[Fragment]]:
        if self._fragments is None:
            planes = self.layout.samples * self.layout.allocated // 8
            self._fragments = frames_of(self._source, self.layout.frames, planes=planes)
        return self._fragments

    def _stream(self, frame: int) -> bytes:
        return joined(self._pixels.stream, self._frames()[frame])

    def frame(self, frame: int) -> NDArray[np.generic]:
        """The stored values of one frame.

        Returns:
            Rows x columns or rows x columns x 3, of `layout.dtype`.

        Raises:
            ScanError: As `raw`.
        """
        return self.cleaned(self.raw(frame))

    def cleaned(self, raw: NDArray[np.generic]) -> NDArray[np.generic]:
        """What `frame` makes of `raw`."""
        if self._encapsulated and not is_exact(self._syntax):
            return self.layout.decoded(raw)
        return self.layout.cleaned(raw)

    def every(self) -> NDArray[np.generic]:
        """All frames: frames x rows x columns [x 3], without the first for a single frame.

        Raises:
            ScanError: As `raw`.
        """
        if self.layout.frames == 1:
            return self.frame(0)
        first = self.frame(0)
        stack = np.empty((self.layout.frames, *self.layout.shape), first.dtype)
        stack[0] = first
        for index in range(1, self.layout.frames):
            stack[index] = self.frame(index)
        return stack

    def _has_items(self) -> bool:
        """Whether pixel data of a stated length are encapsulated nevertheless."""
        if not self._syntax.startswith(_COMPRESSED):
            return False
        self._pixels.stream.seek(self._pixels.offset)
        return self._pixels.stream.read(4) == b"\xfe\xff\x00\xe0"

    def _frame_bits(self, *, subsampled: bool) -> int:
        if subsampled:
            # Two neighbours share their chroma: Y Y Cb Cr.
            return self.layout.rows * self.layout.columns * 2 * self.layout.allocated
        return self.layout.values * self.layout.allocated

    def _holds(self, bits: int, *, more: int = 0) -> bool:
        """Whether every frame can have so many bits, and some more frames."""
        held = min(self._pixels.length or 0, self._pixels.available)
        return held * 8 >= bits * (self.layout.frames + more)

    def _check_native(self) -> None:
        if self._syntax.startswith(_COMPRESSED):
            raise ScanError("The header promises a compressed picture; there is none.")
        if not self._holds(self._frame_bits(subsampled=self.layout.subsampled)):
            raise ScanError("The file is cut short: its pixel data are incomplete.")

    def _native(self, frame: int) -> NDArray[np.generic]:
        bits = self._frame_bits(subsampled=self._subsampled)
        first = bits * frame
        # 16-bit words of a big endian file are read whole, then swapped.
        start, end = first // 8, (first + bits + 7) // 8
        if self._words_swapped:
            start, end = start - start % 2, end + end % 2
        plain = np.frombuffer(_read(self._pixels, start, end), np.uint8)
        if self._words_swapped:
            plain = plain.reshape(-1, 2)[:, ::-1].reshape(-1)
        if self.layout.allocated == 1:
            return self._cells(plain, subsampled=False, skip=first - start * 8)
        return self._cells(plain[first // 8 - start :][: bits // 8], subsampled=self._subsampled)

    def _cells(
        self, plain: NDArray[np.uint8], *, subsampled: bool, skip: int = 0
    ) -> NDArray[np.generic]:
        """Bytes of one frame as rows x columns [x 3]; single bits begin after some others."""
        if self.layout.allocated == 1:
            unpacked = np.unpackbits(plain, bitorder="little")
            return unpacked[skip : skip + self.layout.values].reshape(self.layout.shape)
        order = ">" if self._swapped else "<"
        kind = "f" if self.layout.real else "u"
        cells = plain.view(f"{order}{kind}{self.layout.allocated // 8}")
        native = cells.astype(cells.dtype.newbyteorder("="), copy=False)
        return _arranged(native, self.layout, subsampled=subsampled)

    @property
    def _words_swapped(self) -> bool:
        words = self._pixels.words or self._syntax == _GE
        return self._swapped and words and self.layout.allocated <= 8


def _read(pixels: PixelElement, start: int, end: int) -> bytes:
    pixels.stream.seek(pixels.offset + start)
    found = pixels.stream.read(end - start)
    # An odd number of bytes has no partner for its last one.
    return found + b"\0" * (end - start - len(found))


def _arranged(
    cells: NDArray[np.generic], layout: Layout, *, subsampled: bool
) -> NDArray[np.generic]:
    """Native cells as rows x columns [x 3]."""
    if subsampled:
        if cells.size % 4:
            # The last pixel of an odd number has no neighbour to share with: the chroma before it.
            chroma = cells[-4:-2] if cells.size > 4 else np.full(2, 128, cells.dtype)
            cells = np.concatenate((cells, chroma))
        pairs = cells.reshape(-1, 4)
        full = np.empty((len(pairs) * 2, 3), cells.dtype)
        full[:, 0] = pairs[:, :2].reshape(-1)
        full[:, 1] = np.repeat(pairs[:, 2], 2)
        full[:, 2] = np.repeat(pairs[:, 3], 2)
        return full[: layout.rows * layout.columns].reshape(layout.shape)
    if layout.planar:
        planes = cells.reshape(layout.samples, layout.rows, layout.columns)
        return np.ascontiguousarray(planes.transpose(1, 2, 0))
    return cells.reshape(layout.shape)
