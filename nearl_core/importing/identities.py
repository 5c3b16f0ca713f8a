"""Scans found by whose they are: a table's UIDs and patient numbers, hashed as the project does.

A project keeps identity as keyed hashes and its key, so what a table says is hashed likewise and
compared; neither is written anywhere.
"""

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Final

from nearl_core.control import RunControl
from nearl_core.errors import ScanError
from nearl_core.importing.headers import HeaderReader
from nearl_core.importing.matching import Matched
from nearl_core.importing.statements import Key, Statement
from nearl_core.portions import portions
from nearl_core.store.hashes import keyed_hash
from nearl_core.types import Scan, Unit

_TOGETHER: Final = 64
"""Headers that are asked for at once."""
Find = Callable[[Key, str], tuple[int, ...]]
"""The scans of an identity."""


def finder(scans: Iterable[Scan], of_series: Mapping[int, tuple[str, str]], *, key: str) -> Find:
    """What finds the scans of a project by an identity as its files or a table say it.

    A patient is found by PatientID, with the issuer and a colon before it where files name one, and
    by what the project's rule takes from paths.

    Args:
        scans: Of the project.
        of_series: The hashes of each one's study and series.
        key: The project's.
    """
    there: dict[tuple[Key, str], list[int]] = defaultdict(list)
    for scan in scans:
        study, series = of_series.get(scan.id, ("", ""))
        for kind, digest in (
            (Key.SERIES, series),
            (Key.STUDY, study),
            (Key.PATIENT, scan.patient if scan.patient_known else ""),
        ):
            if digest:
                there[kind, digest].append(scan.id)

    def find(kind: Key, value: str) -> tuple[int, ...]:
        forms = (value, f":{value}") if kind is Key.PATIENT else (value,)
        digests = (keyed_hash(key, kind.value, form) for form in forms)
        found = (there.get((kind, digest), []) for digest in digests)
        return next((tuple(ids) for ids in found if ids), ())

    return find


def image_finder(files: Mapping[Path, int], reader: HeaderReader, control: RunControl) -> Find:
    """What finds scans by SOPInstanceUID, for which the headers of all their files are read.

    Args:
        files: The scan of each.
        reader: Reads headers, in guarded processes.
        control: Checked at each file.
    """
    there: dict[str, dict[int, None]] = defaultdict(dict)
    done = 0
    for paths, said in reader.each(portions(list(files), _TOGETHER), reader.infos):
        control.step(done, len(files), "Reading headers")
        done += len(paths)
        if isinstance(said, ScanError):
            raise said  # reading was stopped
        for path, one in zip(paths, said, strict=True):
            if not isinstance(one, ScanError) and one[1].image:
                there[one[1].image][files[path]] = None
    return lambda _kind, value: tuple(there.get(value, ()))


def keys_to_try(
    statements: Collection[Statement], unit: Unit, chosen: Key | None = None
) -> Sequence[Key]:
    """What a source's scans are looked for by, one after the other until some are found.

    It is the finest thing that the source names, and after it only what a scan of the project holds
    as a whole: a word on a file is one on the series that it is part of, where a scan is a series,
    but never one on another file of the same patient.
    """
    if chosen is not None:
        return (chosen,)
    named = {kind for one in statements for kind, _ in one.keys}
    files = any(one.file or one.sha256 or one.scan_id is not None for one in statements)
    whole = {Unit.SERIES: Key.SERIES, Unit.STUDY: Key.STUDY}.get(unit)
    if files:  # headers last: to read them all takes minutes where files are many
        return (Key.FILE, *(kind for kind in (whole, Key.IMAGE) if kind in named))
    finest = next((kind for kind in Key if kind in named), Key.FILE)
    if unit is Unit.STUDY and finest is Key.SERIES and Key.STUDY in named:
        return (Key.STUDY,)
    return (finest,)


def match_identities(statements: Iterable[Statement], kind: Key, find: Find) -> Matched:
    """Find each statement's scans by one identity of it; rows are named by their lines."""
    known: dict[str, tuple[int, ...]] = {}
    found, unknown, several = [], [], []
    for one in statements:
        value = dict(one.keys).get(kind, "")
        if value not in known:
            known[value] = find(kind, value)
        ids = known[value]
        if len(ids) == 1:
            found.append((ids[0], one))
        elif ids:
            several.append((ids, one))
        else:
            unknown.append(f"line {one.line}")
    return Matched(tuple(found), tuple(unknown), key=kind, several=tuple(several))
