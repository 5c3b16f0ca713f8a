"""Pictures of exported scans, with no word of the file's; and what tells twins among them."""

import hashlib
from collections.abc import Callable, Generator, Iterable, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final, Protocol, TypeVar

import numpy as np
from numpy.typing import NDArray

from nearl_core.control import RunControl
from nearl_core.errors import ExportError, NotWrittenError, ScanError
from nearl_core.export.names import picture_name, scan_name
from nearl_core.export.rows import Row
from nearl_core.scans.display import to_grey
from nearl_core.types import Disguise, Frame, Scan, ScanInfo

SIDE: Final = 24
"""Rows and columns of the miniature that nearly identical pictures share."""

SMALL: Final = 100
"""Pictures whose shorter side has fewer pixels: cutting one of them off moves every cell."""
_LEAST: Final = 8
_CUTS: Final = ((1, 0, 1, 0), (1, 0, 0, 1), (0, 1, 1, 0), (0, 1, 0, 1), (1, 1, 1, 1))
"""Pixels cut off above, below, left, right: at each corner, and all around."""

S = TypeVar("S")
T = TypeVar("T")


class FrameReader(Protocol):
    """The part of ScanReader that is needed here."""

    def frame(self, path: Path, frame: int = 0) -> tuple[Frame, ScanInfo]:
        """One frame; raises ScanError."""
        ...

    def stored(self, path: Path, *, rgb: bool = False) -> NDArray[np.generic]:
        """The stored values of all frames, colours as RGB if asked for; raises ScanError."""
        ...

    def copy(self, path: Path, out: Path, disguise: Disguise) -> None:
        """Write a de-identified DICOM copy; raises ScanError."""
        ...

    def each(
        self, scans: Iterable[S], read: Callable[[S], T]
    ) -> Generator[tuple[S, T | ScanError], None, None]:
        """Read many, some at a time, answered in their order; nothing is read once it is closed."""
        ...


class BurnedInError(ScanError):
    """Text that names someone may stand in the pixels; the sentence is this program's own."""


@dataclass(frozen=True)
class LeftOut:
    """A scan that is not in the export, with the reason."""

    scan_id: int
    reason: str


@dataclass(frozen=True, eq=False)
class Seen:
    """What tells whether two pictures are the same.

    Attributes:
        scan_id: Of which scan.
        digest: SHA-256 over shape and pixels as shown.
        miniature: SIDE x SIDE, uint8: the picture as shown, made small.
        cuts: Of a small picture, how its miniature is once a pixel is cut off: at each corner and
            all around, 5 x SIDE x SIDE, uint8; else None.
    """

    scan_id: int
    digest: str
    miniature: NDArray[np.uint8]
    cuts: NDArray[np.uint8] | None = None


@dataclass(frozen=True, eq=False)
class Shot:
    """One picture, read and not yet written.

    Attributes:
        frame: As read.
        seen: Its likeness.
        values: The stored values, where they are wanted.
        ending: Of the file, where reading has written it already.
    """

    frame: Frame
    seen: Seen
    values: NDArray[np.generic] | None = None
    ending: str = ""


@dataclass(frozen=True)
class Wanted:
    """A picture to be written.

    Attributes:
        scan: Of which scan.
        frame: Its number, from 0.
        folder: Relative to the export.
    """

    scan: Scan
    frame: int
    folder: str

    @property
    def stem(self) -> str:
        """The file's name without an ending, relative to the export."""
        return f"{self.folder}/{picture_name(self.scan.id, self.frame)}"

    @property
    def whole_stem(self) -> str:
        """The same for the whole scan, whichever frame was named."""
        return f"{self.folder}/{scan_name(self.scan.id)}"


@dataclass(frozen=True)
class Kind:
    """How pictures of one kind are made.

    Attributes:
        read: Called in several threads; raises ScanError.
        write: Puts a picture beside a stem, which has no ending yet; returns the ending. Raises
            ScanError where its values have no place in a file of this kind.
        whole: Whether a scan has one file, whichever of its frames a decision names.
        recipe: What a reader of the export must know of them.
    """

    read: Callable[[Wanted], Shot]
    write: Callable[[Path, Shot], str]
    whole: bool
    recipe: str


@dataclass(frozen=True)
class Taken:
    """What writing pictures came to.

    Attributes:
        rows: Those given, with the names of their pictures; "" where there is none.
        left_out: Scans without a picture, with reasons.
        seen: The likenesses.
        recipe: How the pictures were made; "" where there are none.
    """

    rows: list[Row]
    left_out: list[LeftOut]
    seen: list[Seen]
    recipe: str


def write_images(
    root: Path,
    rows: Sequence[Row],
    scans: Iterable[Scan],
    *,
    place: Callable[[Row], str],
    kind: Kind,
    reader: FrameReader,
    control: RunControl,
) -> Taken:
    """Write a picture for each scan and frame.

    A scan that can't be read costs its picture only: its rows keep an empty name.

    Args:
        root: The export's folder.
        rows: What is exported.
        scans: Those of the project.
        place: The folder of a row's picture, relative to the root.
        kind: How they are made.
        reader: Decodes.
        control: Asked at each picture.

    Raises:
        Cancelled: If the control says so.
        OSError, ExportError: If a picture can't be written.
    """
    by_id = {scan.id: scan for scan in scans}
    wanted = [_wanted(row, by_id[row.scan_id], place, whole=kind.whole) for row in rows]
    different = list(dict.fromkeys(wanted))
    named: dict[Wanted, tuple[str, int, int]] = {}
    left_out: dict[int, LeftOut] = {}
    seen: list[Seen] = []
    # Closed before anything else is done: what is still being copied would come after the end.
    with closing(reader.each(different, kind.read)) as answers:
        for number, (one, shot) in enumerate(answers):
            control.step(number, len(different), "Writing pictures")
            try:
                if isinstance(shot, ScanError):
                    raise shot
                stem = one.whole_stem if kind.whole else one.stem
                (root / stem).parent.mkdir(parents=True, exist_ok=True)
                height, width = shot.frame.values.shape[:2]
                named[one] = f"{stem}{kind.write(root / stem, shot)}", height, width
                seen.append(shot.seen)
            except NotWrittenError as error:
                raise ExportError(error.message, error.remedy) from error
            except ScanError as error:
                left_out[one.scan.id] = LeftOut(one.scan.id, _reason(error, one.scan))
    return Taken(
        [_named(row, named.get(one)) for row, one in zip(rows, wanted, strict=True)],
        list(left_out.values()),
        seen,
        kind.recipe,
    )


def _wanted(row: Row, scan: Scan, place: Callable[[Row], str], *, whole: bool) -> Wanted:
    frame = row.frames // 2 if row.frame is None or whole else row.frame
    return Wanted(scan, frame, place(row))


def _named(row: Row, found: tuple[str, int, int] | None) -> Row:
    if found is None:
        return row
    name, height, width = found
    return replace(row, image=name, height=height, width=width)


def reading(reader: FrameReader, *, pixels_checked: bool) -> Callable[[Wanted], Shot]:
    """How a picture is read: one frame, unless text may be burned into it.

    Args:
        reader: Decodes.
        pixels_checked: Whether a reader has said that no picture names anyone.
    """

    def read(one: Wanted) -> Shot:
        frame, info = reader.frame(one.scan.path, one.frame)
        if info.burned_in and not pixels_checked:
            raise BurnedInError(info.burned_in)
        return Shot(frame, _likeness(one.scan.id, frame))

    return read


def _likeness(scan_id: int, frame: Frame) -> Seen:
    shown = to_grey(frame)
    digest = hashlib.sha256(repr(shown.shape).encode() + shown.tobytes())
    return Seen(scan_id, digest.hexdigest(), miniature_of(shown), cuts_of(shown))


def miniature_of(shown: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """A picture made small by means over its cells, whatever its proportions, in grey.

    Args:
        shown: Rows x columns [x 3], at least one pixel.

    Returns:
        SIDE x SIDE.
    """
    grey = shown if shown.ndim == 2 else shown.mean(axis=2)
    return np.rint(_cells(_cells(grey.astype(np.float64)).T).T).astype(np.uint8)


def cuts_of(shown: NDArray[np.uint8]) -> NDArray[np.uint8] | None:
    """Miniatures of a small picture that is cut by a pixel, for copies that were cut like that.

    Args:
        shown: Rows x columns [x 3].

    Returns:
        5 x SIDE x SIDE, or None for a picture that is not small, or of a few pixels only.
    """
    rows, columns = shown.shape[:2]
    if not _LEAST < min(rows, columns) < SMALL:
        return None
    return np.stack(
        [
            miniature_of(shown[above : rows - below, left : columns - right])
            for above, below, left, right in _CUTS
        ]
    )


def _cells(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Means over SIDE equal parts of the rows.

    A part may end within a row: with whole rows alone, a resized copy would have other means.
    """
    sums = np.concatenate([np.zeros_like(values[:1]), np.cumsum(values, axis=0)])
    ends = np.linspace(0, len(values), SIDE + 1)
    whole = np.minimum(ends.astype(np.intp), len(values) - 1)
    up_to = sums[whole] + (ends - whole)[:, np.newaxis] * values[whole]
    return np.asarray(np.diff(up_to, axis=0) / (len(values) / SIDE), dtype=np.float64)


def _reason(error: ScanError, scan: Scan) -> str:
    """The reason without the file's name, which may be a person's."""
    if isinstance(error, BurnedInError):
        return error.message
    for part in (str(scan.path), scan.path.name, scan.path.stem):
        if part and part in error.message:
            return "It can't be read."
    return error.message
