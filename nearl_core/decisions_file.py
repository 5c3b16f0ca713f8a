"""Decisions from a CSV file: every row is checked before the first one is taken."""

import csv
import os
import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from nearl_core.delimited import delimiter_of, opened_with_paths, unescaped, western
from nearl_core.errors import NearlError
from nearl_core.links import followed
from nearl_core.types import (
    Confidence,
    LabelSet,
    NewDecision,
    Occasion,
    Scan,
    Shown,
    State,
    Verdict,
)

_ON_THE_DESK: Final = "unsure"
"""What the desk calls a decision that is but possible."""
COLUMNS: Final = ("path", "label", "reader", "state", "confidence", "frame", "flagged", "note")
_YES: Final = ("1", "true", "yes")
_NO: Final = ("", "0", "false", "no")
_STATES: Final = tuple(state for state in State if state is not State.UNSEEN)


class DecisionsFileError(NearlError):
    """A file of decisions that can't be used."""


@dataclass(frozen=True)
class DecisionsFile:
    """What a file says.

    Attributes:
        decisions: In the order of rows.
        unused: Columns that mean nothing here.
    """

    decisions: tuple[NewDecision, ...]
    unused: tuple[str, ...] = ()


class _BadRowError(Exception):
    """Why a row can't be used, in half a sentence."""


def read(
    path: Path,
    *,
    scans: Iterable[Scan],
    label_set: LabelSet,
    reader: str,
    disputed: Collection[int] | None = None,
) -> DecisionsFile:
    """Read `path,label[,reader,state,confidence,frame,flagged,note]`.

    A path is taken as it is given, else relative to the file. A label is a name or an id; in a
    multi-label project `a;b` names two. Cells stand between commas, semicolons or tabs, as the
    first line has it, in UTF-8, UTF-16 (with its mark) or the code page of Western Windows.

    Args:
        path: The file.
        scans: Those of the project.
        label_set: That of the project.
        reader: Who decided where no column says so.
        disputed: Where the rows are adjudications: the scans that readers disagree on.

    Raises:
        DecisionsFileError: If the file can't be read, or a row can't be used; names the row.
    """
    rows = _rows(path)
    header = [western(cell).strip().lower() for cell in rows[0]] if rows else []
    if "path" not in header or not {"label", "state"} & set(header):
        raise DecisionsFileError(
            f"{path.name} does not begin with the columns path and label.",
            f"Its first line must name columns out of {','.join(COLUMNS)}.",
        )
    _refuse_repeated(header)
    by_path = {os.path.normcase(scan.path): scan for scan in scans}
    decisions: list[NewDecision] = []
    bad: list[str] = []
    for number, cells in enumerate(rows[1:], start=2):
        if not any(cell.strip() for cell in cells):
            continue
        try:
            row = _named(header, cells)
            scan = _scan(row["path"], by_path, path.parent)
            verdict = _verdict(row, scan, label_set)
            if disputed is not None:
                _require_settling(scan, verdict, disputed)
        except _BadRowError as error:
            bad.append(f"Row {number}: {error}.")
            continue
        who = row.get("reader", "") or reader
        occasion = Occasion.SINGLE if disputed is None else Occasion.ADJUDICATION
        decisions.append(
            NewDecision(scan.id, who, verdict, shown=Shown.IMPORTED, occasion=occasion)
        )
    if bad:
        raise _refused(bad)
    unused = tuple(name for name in header if name and name not in COLUMNS)
    return DecisionsFile(tuple(decisions), unused)


def _require_settling(scan: Scan, verdict: Verdict, disputed: Collection[int]) -> None:
    if scan.id not in disputed:
        raise _BadRowError("readers do not disagree on this scan, so there is nothing to settle")
    if verdict.state is State.DEFERRED:
        raise _BadRowError("a scan that is deferred is not settled")


def _rows(path: Path) -> list[list[str]]:
    try:
        if _is_workbook(path):
            raise DecisionsFileError(f"{path.name} is a workbook.", "Save its sheet as CSV.")
        with opened_with_paths(path) as file:
            return list(csv.reader(file, delimiter=delimiter_of(file), strict=True))
    except OSError as error:
        raise DecisionsFileError(
            f"{path.name} can't be read ({error.strerror}).", "Check the path."
        ) from error
    except csv.Error as error:
        raise DecisionsFileError(
            f"{path.name} is not a CSV file.", "Save it as CSV with commas, in UTF-8."
        ) from error


def _is_workbook(path: Path) -> bool:
    with path.open("rb") as file:
        return file.read(4) == b"PK\3\4"  # a ZIP archive


def _refused(bad: Sequence[str]) -> DecisionsFileError:
    more = f" {len(bad) - 1} more rows can't be used either." if len(bad) > 1 else ""
    return DecisionsFileError(
        f"{bad[0]}{more} No decision of this file was saved.", "Mend the file and try again."
    )


def _refuse_repeated(header: Sequence[str]) -> None:
    for name in COLUMNS:
        if header.count(name) > 1:
            raise DecisionsFileError(f"The column {name} stands twice.", "Remove one.")


def _named(header: Sequence[str], cells: Sequence[str]) -> dict[str, str]:
    if len(cells) > len(header):
        raise _BadRowError(f"it has {len(cells)} cells, but there are {len(header)} columns")
    row = dict.fromkeys(COLUMNS, "")
    row.update((name, cell.strip()) for name, cell in zip(header, cells, strict=False))
    return {name: cell if name == "path" else western(cell) for name, cell in row.items()}


def _scan(given: str, by_path: Mapping[str, Scan], folder: Path) -> Scan:
    if not given or "\0" in given:
        raise _BadRowError("it names no path")
    names = dict.fromkeys((given, western(given)))
    for candidate in (os.path.abspath(place) for name in names for place in (name, folder / name)):
        for form in (candidate, followed(candidate)):
            scan = by_path.get(os.path.normcase(form))
            if scan is not None:
                return scan
    raise _BadRowError(f"{western(given)} is not a scan of this project")


def _verdict(row: Mapping[str, str], scan: Scan, label_set: LabelSet) -> Verdict:
    labels = _labels(row["label"], label_set)
    state = _state(row["state"], labelled=bool(labels))
    if state is State.LABELLED and not labels:
        raise _BadRowError("it names no label")
    if state is not State.LABELLED and labels:
        raise _BadRowError(f"a scan that is {state.value} has no label")
    return Verdict(
        state=state,
        labels=labels,
        confidence=_confidence(row["confidence"]),
        flagged=_flag(row["flagged"]),
        note=row["note"],
        frame=_frame(row["frame"], scan),
    )


def _labels(text: str, label_set: LabelSet) -> tuple[str, ...]:
    if not text:
        return ()
    whole = _label_id(text, label_set)
    if whole is not None:
        return (whole,)
    if not label_set.multi_label or ";" not in text:
        raise _BadRowError(f"there is no label {text!r}; there are {', '.join(label_set.names)}")
    found, parts = set[str](), text.split(";")
    while parts:
        label_id, used = _longest_label(parts, label_set)
        if label_id is None and (part := parts[0].strip()):
            raise _BadRowError(
                f"there is no label {part!r}; there are {', '.join(label_set.names)}"
            )
        found.add(label_id or "")
        parts = parts[used:]
    return tuple(label_id for label_id in label_set.ids if label_id in found)


def _longest_label(parts: Sequence[str], label_set: LabelSet) -> tuple[str | None, int]:
    """The label that most of the first parts name together, for a name may hold a semicolon.

    Returns:
        Its id, or None where the first part names none; and how many parts it took, 1 or more.
    """
    for used in range(len(parts), 1, -1):
        text = ";".join(parts[:used]).strip()
        if text and (label_id := _label_id(text, label_set)) is not None:
            return label_id, used
    first = parts[0].strip()
    return (_label_id(first, label_set) if first else None), 1


def _label_id(text: str, label_set: LabelSet) -> str | None:
    if label := label_set.find(text):
        return label.id
    plain = unescaped(text)  # by an export of ours
    return None if plain == text else _label_id(plain, label_set)


def _state(text: str, *, labelled: bool) -> State:
    if not text:
        if not labelled:
            raise _BadRowError("it names neither a label nor a state")
        return State.LABELLED
    for state in _STATES:
        if text.lower().replace("_", "-").replace(" ", "-") == state.value:
            return state
    raise _BadRowError(
        f"there is no state {text!r}; there are {', '.join(state.value for state in _STATES)}"
    )


def _flag(text: str) -> bool:
    if text.lower() in (*_YES, *_NO):
        return text.lower() in _YES
    raise _BadRowError(f"flagged is {text!r}, not yes or no")


def _confidence(text: str) -> Confidence:
    if not text:
        return Confidence.DEFINITE
    for confidence in Confidence:
        if text.lower() == confidence.value:
            return confidence
    if text.lower() == _ON_THE_DESK:
        return Confidence.POSSIBLE
    raise _BadRowError(
        f"there is no confidence {text!r}; there are {', '.join(one.value for one in Confidence)}"
    )


def _frame(text: str, scan: Scan) -> int | None:
    if not text:
        return None
    if not re.fullmatch(r"[0-9]{1,9}", text) or int(text) >= scan.frames:
        raise _BadRowError(f"there is no frame {text}; the scan has {scan.frames}, counted from 0")
    return int(text)
