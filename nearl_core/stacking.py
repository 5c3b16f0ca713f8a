"""Files of one series, or of one study, as one scan: grouped, put into order, written as a list.

Only single-frame DICOM files that name their series are joined; every other file is a scan by
itself. Frames of one series that differ in size or in orientation (a localiser among slices) make
stacks of their own, since no order holds for them together. Files that come later make a stack of
their own, too: decisions name frames, and a stack that has been decided does not change.
"""

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from nearl_core.errors import ScanError
from nearl_core.scans.stack import ENDING, FOLDER, read_stack, stacks_of, write_stack
from nearl_core.store.scans import NewScan
from nearl_core.types import ScanInfo, SkippedFile, SlicePlace, Unit

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
) -> Iterator[NewScan | SkippedFile]:
    """Join files into stacks, as a project's unit says; others pass at once.

    Args:
        entries: What was found and looked into.
        unit: What one scan of the project is.
        project: Its folder, where lists are written.
        joined: Files that are frames already, with their stacks, which are passed on for them.

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
        stacks = [ordered(part) for part in split(files)]
        stacks.sort(key=lambda stack: (stack[0].new.identity.series, _natural(stack[0].new.path)))
        if unit is Unit.STUDY:
            stacks = [[file for stack in stacks for file in stack]]
        for stack in stacks:
            yield _written(stack, project, unit, numbers)


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
    """By position along the normal of the plane, else by instance number, else by name."""
    normal = _normal(files[0].place)
    placed = normal is not None and all(file.place.position is not None for file in files)

    def key(file: _File) -> tuple[float, float, tuple[tuple[int, str], ...]]:
        along = 0.0
        if placed and normal is not None and file.place.position is not None:
            along = round(float(np.dot(normal, file.place.position)), 3)
        number = file.place.number
        return along, float("inf") if number is None else number, _natural(file.new.path)

    return sorted(files, key=key)


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


def _normal(place: SlicePlace) -> tuple[float, ...] | None:
    if place.orientation is None:
        return None
    row, column = place.orientation[:3], place.orientation[3:]
    return tuple(np.cross(row, column).tolist())


def _written(stack: list[_File], project: Path, unit: Unit, numbers: Iterator[int]) -> NewScan:
    """The scan of a stack, its list written; a single file stays what it is."""
    first = stack[0]
    if len(stack) == 1:
        return first.new
    path = project / FOLDER / f"{unit.value}-{next(numbers):05d}{ENDING}"
    files = tuple(file.new.path for file in stack)
    write_stack(path, files)
    info = replace(first.info, frames=len(stack))
    return replace(first.new, path=path, info=info, files=files)


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
