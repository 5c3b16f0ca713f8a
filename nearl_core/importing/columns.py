"""Tables with a column for each label, as CheXpert, ISIC and others are told."""

from collections.abc import Callable, Iterable
from dataclasses import replace
from enum import Enum
from functools import lru_cache
from typing import Final

from nearl_core.importing.statements import ImportLabelsError, Statement

IsLabel = Callable[[str], bool]
"""Whether the name of a column means a label of the project, or a state."""
_WORDS: Final = {"true": 1.0, "yes": 1.0, "false": 0.0, "no": 0.0}
_UNSURE: Final = ("u", "uncertain", "?")
_EMPTY: Final = ("", "na", "n/a", "nan", "null")
_SHOWN: Final = 40


class Mark(Enum):
    """What a cell says of its column's label."""

    THERE = "1"
    ABSENT = "0"
    UNSURE = "-1"
    EMPTY = ""


@lru_cache(maxsize=4096)
def mark_of(text: str) -> Mark | None:
    """1, 0, -1 or nothing, however it is written; None for anything else."""
    word = text.strip().lower()
    if word in _EMPTY:
        return Mark.EMPTY
    if word in _UNSURE:
        return Mark.UNSURE
    try:
        number = _WORDS[word] if word in _WORDS else float(word)
    except ValueError:
        return None
    return {1.0: Mark.THERE, 0.0: Mark.ABSENT, -1.0: Mark.UNSURE}.get(number)


class LabelColumns:
    """Finds the columns of labels while the rows go by.

    A column is one where it holds a 1 or a 0 and nothing but marks; so one whose name means no
    label yet can be given a meaning.

    Attributes:
        names: The columns so far.
    """

    def __init__(self, table: str, is_label: IsLabel) -> None:
        self._table, self._is_label = table, is_label
        self._others = set[str]()
        self.names = set[str]()

    def statement(
        self, file: str, sha256: str, cells: Iterable[tuple[str, str]], line: int
    ) -> Statement:
        """What a row says, in columns that may still turn out to hold no labels.

        Raises:
            ImportLabelsError: If a column that means a label holds something else than a mark.
        """
        said: dict[Mark, list[str]] = {mark: [] for mark in Mark}
        for name, text in cells:
            if name in self._others:
                continue
            mark = mark_of(text)
            if mark is not None:
                said[mark].append(name)
                continue
            if self._is_label(name):
                raise ImportLabelsError(
                    f"Line {line} of {self._table} says {text[:_SHOWN]!r} of {name}.",
                    "Write 1 where it is there, 0 where it is not, and -1 or nothing where that "
                    "is not known.",
                )
            self._others.add(name)
            self.names.discard(name)
        self.names.update(said[Mark.THERE], said[Mark.ABSENT])
        return Statement(
            file,
            tuple(said[Mark.THERE]),
            sha256,
            absent=tuple(said[Mark.ABSENT]),
            unsure=tuple(said[Mark.UNSURE]),
            line=line,
        )

    def settled(self, statements: Iterable[Statement]) -> tuple[Statement, ...]:
        """The statements without the columns that hold no labels."""
        return tuple(
            one
            if one.absent is None
            else replace(
                one,
                values=self._kept(one.values),
                absent=self._kept(one.absent),
                unsure=self._kept(one.unsure),
            )
            for one in statements
        )

    def _kept(self, columns: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(name for name in columns if name in self.names)
