"""How the frames of a stack stand: their order, their plane, and what a reader should know of it.

Frames are told apart by where they stand along the normal of their plane (DICOM PS3.3 C.7.6.2.1.1),
not by their numbers: numbers start anew, run backwards, or count what is no frame of the series.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType
from typing import Final

import numpy as np
from numpy.typing import NDArray

from nearl_core.types import Remark, SlicePlace, StackRemark
from nearl_core.words import counted

_SAME_MM: Final = 0.01
"""Positions that differ by less are one: what is left over from rounding cosines."""
_WIDER: Final = 1.5
"""A step so many times the usual one may hold a frame that is missing."""
_PLANES: Final = ("sag", "cor", "ax")
"""By the axis of the patient that the normal follows: to the left, to the back, to the head."""
_NAMED: Final = 0.8
"""Cosine from which on a plane has the name of its nearest (37 degrees: tilted gantries too)."""
_WITH_PLACES: Final = ("CT", "MR", "PT", "NM")
"""Modalities whose files say where a frame stands: of others nobody misses it."""
_APART: Final = "Its series has frames of other sizes or orientations, too: scans of their own."
_LATE: Final = "Files of its series are a scan of the project already, which stays as it is."
_UNPLACED: Final = "The files do not say where frames stand: they follow their numbers."
_SUMMARIES: Final = MappingProxyType(
    {
        Remark.UNEVEN: "In {scans} frames stand unevenly: some may be missing.",
        Remark.SHARED: "In {scans} several frames stand at one place.",
        Remark.UNPLACED: "In {scans} frames follow their numbers, since no file says where they "
        "stand.",
        Remark.LATE: "{scans} came of series of which files are scans already: added late, or "
        "twice.",
        Remark.APART: "{scans} came of series whose frames differ in size or orientation.",
    }
)


def order_key(
    places: Sequence[SlicePlace],
) -> list[tuple[int, tuple[float, ...], float]]:
    """What each frame is sorted by: its place along the normal, its turn there, its number.

    Where no place is known, the number alone says it.

    Frames at one place (echoes, times, b-values) follow one another there, so that the middle of
    the stack, where it opens and is ranked, is the middle of what it shows.
    """
    along = along_normal(places)
    numbers = [float("inf") if place.number is None else place.number for place in places]
    if along is None:
        return [(0, (), number) for number in numbers]
    turns = (place.turn for place in places)
    return list(zip(_levels(along), turns, numbers, strict=True))


def along_normal(places: Sequence[SlicePlace]) -> NDArray[np.float64] | None:
    """How far each frame stands along the normal of the first one, in mm; N.

    None where a file does not say where its frame stands.
    """
    normal = _normal(places[0])
    positions = [place.position for place in places if place.position is not None]
    if normal is None or len(positions) < len(places):
        return None
    with np.errstate(all="ignore"):  # headers hold numbers of any size
        along: NDArray[np.float64] = np.asarray(positions, np.float64) @ normal
        sound = bool(np.isfinite(along).all() and np.isfinite(np.ptp(along)))
    return along if sound else None


def plane(place: SlicePlace) -> str:
    """Axial, coronal, sagittal or oblique, cut short; "" where the file does not say."""
    normal = _normal(place)
    if normal is None:
        return ""
    axis = int(np.argmax(np.abs(normal)))
    return _PLANES[axis] if abs(normal[axis]) >= _NAMED else "obl"


def remarks(
    places: Sequence[SlicePlace],
    *,
    modality: str,
    apart: bool = False,
    late: bool = False,
    before: int = 0,
) -> tuple[StackRemark, ...]:
    """What a reader should know of the frames of one series, size and orientation.

    Args:
        places: Of the frames, in the order in which they are shown.
        modality: Of the series.
        apart: Whether its series has other frames, which are scans of their own.
        late: Whether other frames of its series are scans already.
        before: Frames of other series that stand before these in the scan.
    """
    found: list[StackRemark | None] = []
    along = along_normal(places)
    if len(places) > 1 and along is not None:
        found = [_uneven(along, before), _repeated(places) or _shared(along, before)]
    elif len(places) > 1 and modality in _WITH_PLACES:
        found = [StackRemark(Remark.UNPLACED, _UNPLACED)]
    if apart:
        found.append(StackRemark(Remark.APART, _APART))
    if late:
        found.append(StackRemark(Remark.LATE, _LATE))
    return tuple(one for one in found if one is not None)


def of_study(each: Sequence[Sequence[StackRemark]]) -> tuple[StackRemark, ...]:
    """The remarks on a scan of several series: one a kind, counted where several series have it."""
    by_kind: dict[Remark, list[StackRemark]] = {}
    for one in (remark for series in each for remark in series):
        by_kind.setdefault(one.kind, []).append(one)
    return tuple(
        found[0] if len(found) == 1 else StackRemark(kind, _summary(kind, len(found), "series"))
        for kind, found in by_kind.items()
    )


def summaries(found: Iterable[tuple[Path, StackRemark]]) -> tuple[tuple[Remark, str], ...]:
    """A sentence for each kind of remark on scans that were added."""
    counts = Counter(remark.kind for _, remark in found)
    return tuple((kind, _summary(kind, counts[kind], "scans")) for kind in Remark if counts[kind])


def _summary(kind: Remark, count: int, of: str) -> str:
    scans = f"{count} series" if of == "series" else counted(count, "scan")
    return _SUMMARIES[kind].format(scans=scans)


def _normal(place: SlicePlace) -> NDArray[np.float64] | None:
    """Of the plane, of length 1; None where the cosines name no plane."""
    if place.orientation is None:
        return None
    cosines = np.asarray(place.orientation, np.float64)
    with np.errstate(all="ignore"):
        normal: NDArray[np.float64] = np.cross(cosines[:3], cosines[3:])
        normal = normal / np.linalg.norm(normal)
    return normal if np.isfinite(normal).all() else None


def _levels(along: NDArray[np.float64]) -> list[int]:
    """The number of each frame's place along the normal, from 0."""
    order = np.argsort(along)
    steps = np.diff(along[order], prepend=along[order[0]])
    levels = np.empty(len(along), np.int64)
    levels[order] = np.cumsum(steps > _SAME_MM)
    return levels.tolist()


def _uneven(along: NDArray[np.float64], before: int) -> StackRemark | None:
    """Where frames stand further apart than most do."""
    steps = np.diff(along)
    real = steps[steps > _SAME_MM]
    if len(real) < 2:
        return None
    # The lower of two medians: of three frames, one of which is missing, the narrow step counts.
    usual = float(np.sort(real)[(len(real) - 1) // 2])
    wide = np.flatnonzero(steps > _WIDER * usual)
    if not len(wide):
        return None
    first = f"{_mm(steps[wide[0]])} after frame {before + int(wide[0]) + 1}"
    more = f" and wide in {counted(len(wide) - 1, 'more place')}" if len(wide) > 1 else ""
    sentence = f"Frames stand {_mm(usual)} apart, but {first}{more}: some may be missing."
    return StackRemark(Remark.UNEVEN, sentence)


def _repeated(places: Sequence[SlicePlace]) -> StackRemark | None:
    """Where nothing but the file tells a frame from another one."""
    known = Counter(replace(place, series=None) for place in places if place.number is not None)
    count = sum(known.values()) - len(known)
    if not count:
        return None
    said = "frame has" if count == 1 else "frames have"
    sentence = f"{count} {said} place and number of another one, as copies do."
    return StackRemark(Remark.SHARED, sentence)


def _shared(along: NDArray[np.float64], before: int) -> StackRemark | None:
    """Where several frames stand at one place."""
    starts = np.flatnonzero(np.diff(along, prepend=-np.inf) > _SAME_MM)
    counts = np.diff(starts, append=len(along))
    most = int(counts.max())
    if most == 1:
        return None
    if len(counts) == 1:
        return StackRemark(Remark.SHARED, f"All {most} frames stand at one place.")
    if len(set(counts.tolist())) == 1:
        said = f"At each place {most} frames follow one another, such as echoes or times."
        return StackRemark(Remark.SHARED, said)
    first = before + int(starts[np.argmax(counts > 1)]) + 2
    count = int(len(along) - len(starts))
    said = "frame stands" if count == 1 else "frames stand"
    sentence = f"{count} {said} where another one does, the first of them frame {first}."
    return StackRemark(Remark.SHARED, sentence)


def _mm(value: float) -> str:
    return f"{value:.3g} mm"
