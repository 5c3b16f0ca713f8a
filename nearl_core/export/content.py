"""What a format writes: the chosen rows and everything that was settled before."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any, Final

from nearl_core.export.choice import Choice
from nearl_core.export.columns import Cell, Column, columns_of
from nearl_core.export.rows import Row
from nearl_core.types import LabelSet

ONE_WORD: Final = ("label", "label_id", "code")
"""Columns of which a decision says one thing at most where labels exclude each other."""


class Pictures(StrEnum):
    """What stands for a scan's pixels.

    NONE: nothing. SHOWN: the default window, 8 bits, as a reader first sees it. STORED: the values
    of the file. COPY: a de-identified DICOM file.
    """

    NONE = "none"
    SHOWN = "shown"
    STORED = "stored"
    COPY = "copy"


@dataclass(frozen=True)
class Recipe:
    """How an export is made.

    Attributes:
        format: Such as "csv".
        fractions: Share of each split.
        seed: Of the split.
        pictures: What stands for a scan's pixels.
        choice: Which decisions were taken.
        pixels_checked: Whether a reader has said that no picture names anyone.
        project: The project's random name.
        backbone: Its name.
    """

    format: str
    fractions: tuple[float, ...]
    seed: int
    pictures: Pictures
    choice: Choice
    pixels_checked: bool
    project: str
    backbone: str


@dataclass(frozen=True)
class Content:
    """What there is to write.

    Attributes:
        folder: The export's folder.
        rows: What was chosen, with splits and file names.
        recipe: How.
        label_set: The project's.
        key: Under which this export's UIDs are made; in no file of it.
    """

    folder: Path
    rows: Sequence[Row]
    recipe: Recipe
    label_set: LabelSet
    key: bytes

    @property
    def columns(self) -> tuple[Column, ...]:
        """The columns of its tables."""
        return columns_of(suggestions=self.recipe.choice.suggestions)

    def records(self, rows: Sequence[Row]) -> Iterator[dict[str, Cell]]:
        """Rows by column."""
        for row in rows:
            yield {column.name: column.value(row) for column in self.columns}

    def by_split(self) -> dict[str, list[Row]]:
        """Rows of each split that has some, in the splits' order."""
        found: dict[str, list[Row]] = {}
        for row in self.rows:
            found.setdefault(row.split, []).append(row)
        names = ("train", "validation", "test")
        return {name: found[name] for name in names if name in found}


def by_word(record: dict[str, Cell], label_set: LabelSet) -> dict[str, Cell]:
    """A record as training code takes it: where labels exclude each other a text, and no list."""
    if label_set.multi_label:
        return record
    plain = dict(record)
    for name in ONE_WORD:
        said = record[name]
        if isinstance(said, list):
            plain[name] = said[0] if said else None
    return plain


Record = Mapping[str, Any]
"""What verification reads again: at least `scan`, `patient` and `split`."""


@dataclass(frozen=True)
class Format:
    """One way to write a data set.

    Attributes:
        write: Puts the files there; pictures and copies are there already.
        read: The records again, by the file's own words.
        place: The folder of a row's picture, relative to the export.
        each: Whether several decisions on one scan can stand side by side.
        only_labelled: Whether a scan without a label has no place.
        zeros: Whether one to which none of several labels applies has a place all the same: a zero
            for each of them.
        only_assessed: Whether a scan without a label reads as one to which none applies, so that
            an unassessable one has no place.
        multi_label: Whether several labels on one scan have a place.
        pictures: What stands for pixels unless something else is asked for.
        others: What else can be asked for.
        files: The pictures that stand inside other files, by the name that the rows give them.
    """

    write: Callable[[Content], None]
    read: Callable[[Path], list[Record]]
    place: Callable[[LabelSet], Callable[[Row], str]]
    each: bool = False
    only_labelled: bool = False
    zeros: bool = False
    only_assessed: bool = False
    multi_label: bool = True
    pictures: Pictures = Pictures.SHOWN
    others: tuple[Pictures, ...] = ()
    files: Callable[[Path], Iterator[tuple[str, bytes]]] | None = None


def by_split(label_set: LabelSet) -> Callable[[Row], str]:
    """Pictures of each split in a folder of their own."""
    del label_set
    return lambda row: f"images/{row.split}"
