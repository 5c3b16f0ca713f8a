"""TIFF of more than 8 bits a value: grey and colour, whole and real numbers, BigTIFF.

The directory is read here, the pixels by libtiff (imagecodecs): Pillow swaps the bytes of packed
big endian values twice, and knows no colour beyond 8 bits.
"""

import io
import mmap
import struct
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import numpy as np
from numpy.typing import NDArray

from nearl_core.errors import ScanError
from nearl_core.scans.upright import flattened, turned

Array = NDArray[np.generic]

_MOST_PAGES = 1 << 16
_MOST_ENTRIES = 1 << 12
_MOST_PIXELS = 178_956_970
"""As many as Pillow takes."""
_MOST_BYTES = 1 << 30
_SIZES = {1: "B", 3: "H", 4: "I", 7: "B", 16: "Q"}
_WIDTH, _LENGTH, _BITS, _COMPRESSION, _PHOTOMETRIC = 256, 257, 258, 259, 262
_STRIPS, _ROWS_PER_STRIP, _PLANAR = 273, 278, 284
_STRIP_BYTES, _TILES, _TILE_BYTES = 279, 324, 325
_ORIENTATION, _SAMPLES, _PREDICTOR, _EXTRA, _FORMAT, _PROFILE = 274, 277, 317, 338, 339, 34675
_WHOLE, _REAL = (1, 2), 3
_PREDICTED = frozenset((5, 8, 32946, 50000, 34925))
"""Compressions that a predictor belongs to: LZW, deflate, Zstandard, LZMA."""
_ALPHA = (1, 2)

_DAMAGED = (RuntimeError, ValueError, TypeError, IndexError, NotImplementedError, struct.error)


@dataclass(frozen=True)
class Tags:
    """What one directory says of its picture, by the numbers of TIFF 6.0.

    Attributes:
        values: Of each tag that is understood.
        foreign: Whether Pillow takes the file for something else: BigTIFF that is big endian.
    """

    values: Mapping[int, tuple[int, ...]]
    foreign: bool = False

    def of(self, tag: int, default: int) -> int:
        """The first value of a tag."""
        return next(iter(self.values.get(tag, ())), default)

    @property
    def samples(self) -> int:
        """How many values a pixel has."""
        return self.of(_SAMPLES, 1)

    @property
    def bits(self) -> int:
        """Of each value."""
        return self.of(_BITS, 1)

    @property
    def is_deep(self) -> bool:
        """Whether Pillow reads less of it than there is, or reads it wrong."""
        if self.of(_PHOTOMETRIC, 1) not in (0, 1, 2):
            return False
        grey_multiplied = self.samples == 2 and self.alpha == 1
        return self.bits in (16, 32, 64) or (self.bits == 8 and (self.foreign or grey_multiplied))

    @property
    def reach(self) -> int:
        """How long the file is at least, so that its strips and tiles stand in it."""
        placed = ((_STRIPS, _STRIP_BYTES), (_TILES, _TILE_BYTES))
        starts, lengths = (
            [value for pair in placed for value in self.values.get(pair[k], ())] for k in (0, 1)
        )
        return max(map(sum, zip(starts, lengths, strict=False)), default=0)

    @property
    def lacks_rows(self) -> bool:
        """Whether there are fewer strips than its rows need: Pillow leaves the others black."""
        rows, high = self.of(_LENGTH, 0), self.of(_ROWS_PER_STRIP, 0)
        if _STRIPS not in self.values or not 0 < high < 1 << 31:
            return False
        planes = self.samples if self.of(_PLANAR, 1) == 2 else 1
        return len(self.values[_STRIPS]) < -(-rows // high) * planes

    @property
    def alpha(self) -> int:
        """Of the sample behind grey or colour: 1 alpha, multiplied already; 2 alpha; 0 none."""
        extra = self.of(_EXTRA, 0)
        return extra if extra in _ALPHA else 0


@dataclass(frozen=True)
class Page:
    """One page as it is seen.

    Attributes:
        values: Rows x columns of any real dtype, or rows x columns x 3 of unsigned ones.
        inverted: Whether the values are grey and low ones are white.
        profile: ICC, or b"".
    """

    values: Array
    inverted: bool
    profile: bytes


@dataclass(frozen=True)
class DeepTiff:
    """A file whose first page is deep.

    Attributes:
        pages: What each directory says.
        whole: Whether the file is as long as they say.
    """

    path: Path
    pages: tuple[Tags, ...]
    whole: bool

    @property
    def size(self) -> tuple[int, int]:
        """Rows and columns of the first page as it is seen."""
        tags = self.pages[0]
        rows, columns = tags.of(_LENGTH, 0), tags.of(_WIDTH, 0)
        return (columns, rows) if tags.of(_ORIENTATION, 1) in (5, 6, 7, 8) else (rows, columns)

    def page(self, index: int) -> Page:
        """Decode one page.

        Raises:
            ScanError: If it is damaged, or of a kind that can't be shown.
        """
        tags = self.pages[index]
        import imagecodecs  # only where it is needed: the desk imports this module

        _refuse(tags)
        try:
            # Mapped: a stack of pages is read page by page, and each would read the whole file.
            with (
                self.path.open("rb") as stream,
                mmap.mmap(stream.fileno(), 0, access=mmap.ACCESS_READ) as data,
            ):
                values = np.asarray(imagecodecs.tiff_decode(data, index))
        except _DAMAGED as error:
            raise ScanError("The picture is damaged or cut short.") from error
        rows, columns, samples = tags.of(_LENGTH, 0), tags.of(_WIDTH, 0), tags.samples
        if samples > 1 and values.shape == (samples, rows, columns):
            values = np.moveaxis(values, 0, -1)
        if values.shape != ((rows, columns, samples) if samples > 1 else (rows, columns)):
            raise ScanError("The picture is damaged or cut short.")
        colours = 3 if tags.of(_PHOTOMETRIC, 1) == 2 else 1
        seen = flattened(values, colours, multiplied=tags.alpha == 1, clear=tags.alpha > 0)
        return Page(
            turned(seen, tags.of(_ORIENTATION, 1)),
            inverted=tags.of(_PHOTOMETRIC, 1) == 0,
            profile=bytes(tags.values.get(_PROFILE, ())),
        )


def deep_tiff(path: Path) -> DeepTiff | None:
    """The file, or None where it is no TIFF or Pillow reads all of it.

    Raises:
        ScanError: If its pixels can mean two things, or some are missing.
        OSError: If it can't be read.
    """
    with path.open("rb") as stream:
        pages = _pages(stream)
        size = stream.seek(0, io.SEEK_END)
    if not pages:
        return None
    if pages[0].of(_PREDICTOR, 1) != 1 and pages[0].of(_COMPRESSION, 1) not in _PREDICTED:
        raise ScanError("The TIFF names a predictor that its compression does not have.")
    if pages[0].lacks_rows:
        raise ScanError("The picture is damaged or cut short.")
    whole = all(page.reach <= size for page in pages)
    return DeepTiff(path, pages, whole) if pages[0].is_deep else None


def _refuse(tags: Tags) -> None:
    """Raise where a page can't be shown."""
    rows, columns, samples = tags.of(_LENGTH, 0), tags.of(_WIDTH, 0), tags.samples
    kinds = set(tags.values.get(_FORMAT, (1,)))
    if not tags.is_deep:
        raise ScanError("The frames differ in size or kind.")
    if len(set(tags.values.get(_BITS, ()))) != 1 or len(kinds) != 1:
        raise ScanError("The TIFF has samples of different kinds in a pixel.")
    kind = kinds.pop()
    if kind not in (*_WHOLE, _REAL) or (samples > 1 and kind != 1):
        raise ScanError("The TIFF holds values that are no grey or colour.")
    if tags.of(_PHOTOMETRIC, 1) == 2 and samples < 3:
        raise ScanError("The header contradicts itself on the colours of the picture.")
    if rows < 1 or columns < 1:
        raise ScanError("The header gives no valid size of the picture.")
    if rows * columns > _MOST_PIXELS:
        raise ScanError("The picture is larger than 178 megapixels.")
    if rows * columns * samples * tags.bits // 8 > _MOST_BYTES:
        raise ScanError("The picture holds more than 1 GB.")


def _pages(stream: BinaryIO) -> tuple[Tags, ...]:
    """All directories; () where there is none that can be read."""
    head = stream.read(16)
    order = {b"II": "<", b"MM": ">"}.get(head[:2])
    if order is None or len(head) < 16:
        return ()
    version = struct.unpack_from(f"{order}H", head, 2)[0]
    if version not in (42, 43):
        return ()
    big = version == 43
    at = struct.unpack_from(f"{order}{'Q' if big else 'I'}", head, 8 if big else 4)[0]
    found: list[Tags] = []
    seen: set[int] = set()
    while at and at not in seen and len(found) < _MOST_PAGES:
        seen.add(at)
        tags, at = _directory(stream, at, order, big)
        if tags is None:
            break
        found.append(tags)
        if not found[0].is_deep:
            break  # Pillow reads it, and finds its pages itself
    return tuple(found)


def _directory(stream: BinaryIO, at: int, order: str, big: bool) -> tuple[Tags | None, int]:
    """The directory at a place, and where the next one stands."""
    try:
        stream.seek(at)
        (count,) = struct.unpack(f"{order}{'Q' if big else 'H'}", stream.read(8 if big else 2))
        if count > _MOST_ENTRIES:
            return None, 0
        size, inline = (20, 8) if big else (12, 4)
        entries = stream.read(size * count)
        (following,) = struct.unpack(f"{order}{'Q' if big else 'I'}", stream.read(inline))
        values = {}
        for place in range(0, size * count, size):
            entry = entries[place : place + size]
            tag, kind, many = struct.unpack_from(f"{order}HH{'Q' if big else 'I'}", entry)
            if tag in _READ and kind in _SIZES and many <= _READ[tag]:
                values[tag] = _values(stream, entry[-inline:], order, _SIZES[kind], many)
    except (struct.error, OSError, OverflowError, ValueError):
        return None, 0
    return Tags(values, foreign=big and order == ">"), following


_READ = dict.fromkeys((_WIDTH, _LENGTH, _COMPRESSION, _PHOTOMETRIC, _ORIENTATION, _SAMPLES), 1)
_READ |= dict.fromkeys((_BITS, _FORMAT, _EXTRA, _PREDICTOR, _PLANAR, _ROWS_PER_STRIP), 1 << 10)
_READ |= dict.fromkeys((_STRIPS, _STRIP_BYTES, _TILES, _TILE_BYTES), 1 << 20)
_READ |= {_PROFILE: 1 << 24}
"""Tags that are read, and how many values of each are believed."""


def _values(stream: BinaryIO, inline: bytes, order: str, letter: str, many: int) -> tuple[int, ...]:
    form = f"{order}{many}{letter}"
    length = struct.calcsize(form)
    if length > len(inline):
        stream.seek(struct.unpack(f"{order}{'I' if len(inline) == 4 else 'Q'}", inline)[0])
        inline = stream.read(length)
    return struct.unpack(form, inline[:length])
