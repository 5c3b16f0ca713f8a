"""Files of one series, or of one study, as one scan: grouped, put into order, written as a list.

Only single-frame DICOM files that name their series are joined; every other file is a scan by
itself. Frames of one series that differ in size or in orientation (a localiser among slices) make
stacks of their own, since no order holds for them together. Files that come later make a stack of
their own, too: decisions name frames, and a stack that has been decided does not change.
"""

import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from itertools import accumulate
from pathlib import Path

import numpy as np

from nearl_core.errors import ScanError
from nearl_core.placing import of_study, order_key, plane, remarks
from nearl_core.scans.stack import ENDING, FOLDER, read_stack, stacks_of, write_stack
from nearl_core.store.scans import NewScan
from nearl_core.types import Identity, ScanInfo, SkippedFile, SlicePlace, StackRemark, Unit

_PARALLEL = 0.999
"""Cosine from which on two directions are the same (2.5 degrees)."""


@dataclass(frozen=True)
class _File:
    """A file that is to be a frame."""

    new: NewScan
    info: ScanInfo
    place: SlicePlace


def members(project: Path, scans: Iterable[Path]) -> dict[Path, Path]:
    """The files that are frames of a project's stacks, each with its stack's path.

    Args:
        project: Its folder.
        scans: The paths of its scans; lists that are none are left from an interrupted adding.
    """
    known = frozenset(scans)
    found: dict[Path, Path] = {}
    for path in stacks_of(project):
        if path in known:
            try:
                found |= dict.fromkeys(read_stack(path), path)
            except ScanError:
                continue  # `check` tells
    return found


def stacked(
    entries: Iterable[NewScan | SkippedFile],
    *,
    unit: Unit,
    project: Path,
    joined: dict[Path, Path] | None = None,
    is_there: Callable[[Identity], bool] = lambda _identity: False,
) -> Iterator[NewScan | SkippedFile]:
    """Join files into stacks, as a project's unit says; others pass at once.

    Args:
        entries: What was found and looked into.
        unit: What one scan of the project is.
        project: Its folder, where lists are written.
        joined: Files that are frames already, with their stacks, which are passed on for them.
        is_there: Whether files of a series or study are scans already.

    Raises:
        OSError: If a list can't be written.
    """
    joined = joined or {}
    groups: dict[tuple[str, str], list[_File]] = defaultdict(list)
    for entry in entries:
        if isinstance(entry, NewScan) and entry.path in joined:
            yield NewScan(joined[entry.path])
            continue
        file = None if unit is Unit.IMAGE or isinstance(entry, SkippedFile) else _frame(entry)
        if file is None:
            yield entry
            continue
        identity = file.new.identity
        key = identity.series if unit is Unit.SERIES else identity.study or identity.series
        # The patient too: a series whose number two patients share is not one.
        groups[key, file.new.patient or identity.patient].append(file)
    numbers = _free_numbers(project)
    for files in groups.values():
        parts = sorted((ordered(part) for part in split(files)), key=_turn)
        late = is_there(files[0].new.identity)
        if unit is Unit.STUDY:
            yield _written(parts, _of_study(parts, late), project, numbers, unit=unit)
            continue
        for part in parts:
            said = _of_series(part, apart=len(parts) > 1, late=late)
            yield _written([part], said, project, numbers, unit=unit)


def _turn(part: list[_File]) -> tuple[float, str, tuple[tuple[int, str], ...]]:
    """Series follow one another by their numbers, as a console made them."""
    number = part[0].place.series
    first = part[0].new
    return float("inf") if number is None else number, first.identity.series, _natural(first.path)


def split(files: list[_File]) -> list[list[_File]]:
    """Files of one series, size and orientation each."""
    parts: list[list[_File]] = []
    for file in files:
        for part in parts:
            if _belongs(file, part[0]):
                part.append(file)
                break
        else:
            parts.append([file])
    return parts


def ordered(files: list[_File]) -> list[_File]:
    """By position along the normal, then by turn, instance number and name."""
    keys = order_key([file.place for file in files])
    order = sorted(range(len(files)), key=lambda k: (keys[k], _natural(files[k].new.path)))
    return [files[k] for k in order]


def _frame(new: NewScan) -> _File | None:
    """A file that can be a frame, or None."""
    info = new.info
    if new.problem or info is None or info.place is None or info.frames != 1:
        return None
    if not new.identity.series or info.modality == "SEG":
        return None
    return _File(new, info, info.place)


def _belongs(file: _File, other: _File) -> bool:
    same = file.new.identity.series == other.new.identity.series
    same = same and file.info.modality == other.info.modality
    size = (file.info.rows, file.info.columns) == (other.info.rows, other.info.columns)
    if not same or not size:
        return False
    here, there = file.place.orientation, other.place.orientation
    if here is None or there is None:
        return here is there
    return all(float(np.dot(here[k : k + 3], there[k : k + 3])) > _PARALLEL for k in (0, 3))


def _of_series(part: list[_File], *, apart: bool, late: bool) -> tuple[StackRemark, ...]:
    places = [file.place for file in part]
    return remarks(places, modality=part[0].info.modality, apart=apart, late=late)


def _of_study(parts: list[list[_File]], late: bool) -> tuple[StackRemark, ...]:
    starts = accumulate((len(part) for part in parts), initial=0)
    found = []
    for number, (part, start) in enumerate(zip(parts, starts, strict=False)):
        places, modality = [file.place for file in part], part[0].info.modality
        found.append(remarks(places, modality=modality, late=late and number == 0, before=start))
    return of_study(found)


def _written(
    parts: list[list[_File]],
    said: tuple[StackRemark, ...],
    project: Path,
    numbers: Iterator[int],
    *,
    unit: Unit,
) -> NewScan:
    """The scan of a stack, its list written; a single file stays what it is."""
    stack = [file for part in parts for file in part]
    first = stack[0]
    if len(stack) == 1:
        return replace(first.new, remarks=said)
    path = project / FOLDER / f"{_name(parts, unit)}-{next(numbers):04d}{ENDING}"
    files = tuple(file.new.path for file in stack)
    write_stack(path, files, notices=[one.sentence for one in said])
    info = replace(first.info, frames=len(stack))
    return replace(first.new, path=path, info=info, files=files, remarks=said)


def _name(parts: list[list[_File]], unit: Unit) -> str:
    """What a reader knows a stack by: modality, series, plane, frames; nothing that names anyone.

    Descriptions stay out: they are free text, in which names stand too. Words are cut short as
    radiologists do, since the queue is narrow.
    """
    first = parts[0][0]
    frames = f"{sum(map(len, parts))}fr"
    if unit is Unit.STUDY:
        modalities = sorted({part[0].info.modality for part in parts} - {""})
        series = len({part[0].new.identity.series for part in parts})
        return "-".join([*modalities, "study", f"{series}se", frames])
    number = "" if first.place.series is None else f"se{first.place.series}"
    words = (first.info.modality, number, plane(first.place), frames)
    return "-".join(word for word in words if word)


def _free_numbers(project: Path) -> Iterator[int]:
    """Numbers of lists that are not taken; made once, since a list is never overwritten."""
    digits = (re.findall(r"\d+", path.stem) for path in stacks_of(project))
    number = max((int(found[-1]) for found in digits if found), default=0)
    while True:
        number += 1
        yield number


def _natural(path: Path) -> tuple[tuple[int, str], ...]:
    """Sorts "IM2" before "IM10"."""
    parts = re.split(r"(\d{1,18})", str(path))
    return tuple((int(part), "") if part.isdecimal() else (-1, part) for part in parts)
