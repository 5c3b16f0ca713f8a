"""What a check found, as the lines of its dialog; the sentences are the command line's."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING

from app.strings import check_words as words
from nearl_core.errors import NearlError

if TYPE_CHECKING:  # the store loads the database library: not before the window is up
    from nearl_core.store.check import CheckReport

_NAMED = 5


@dataclass(frozen=True)
class CheckLine:
    """One thing that was found: what it is, what to do, and which scans it is about."""

    message: str
    remedy: str = ""
    names: str = ""


@dataclass(frozen=True)
class CheckLines:
    """What the dialog shows.

    Attributes:
        summary: One sentence.
        lines: What is wrong, then what was mended.
        copies: Which daily copies there are.
        damaged: Whether a copy is to be put back.
    """

    summary: str
    lines: tuple[CheckLine, ...]
    copies: str
    damaged: bool


def check_lines(report: "CheckReport", name_of: Callable[[int], str]) -> CheckLines:
    """The lines of a report; `name_of` gives a scan's file name."""
    found = [
        CheckLine(one.message, one.remedy, _names(one.scan_ids, name_of)) for one in report.findings
    ]
    mended = [CheckLine(words.MENDED.format(sentence=sentence)) for sentence in report.mended]
    return CheckLines(
        report.sentence, (*found, *mended), _copies(report.copies), damaged=report.damaged
    )


def damaged_lines(error: NearlError, days: Iterable[date]) -> CheckLines:
    """The lines of a project that can't be opened."""
    return CheckLines(error.message, (), _copies(days), damaged=True)


def _names(scan_ids: tuple[int, ...], name_of: Callable[[int], str]) -> str:
    names = [name_of(scan_id) for scan_id in scan_ids[:_NAMED]]
    more = len(scan_ids) - len(names)
    return ", ".join(names) + (words.MORE.format(count=more) if more else "")


def _copies(days: Iterable[date]) -> str:
    listed = ", ".join(map(str, days))
    return words.COPIES.format(days=listed) if listed else words.NO_COPIES
