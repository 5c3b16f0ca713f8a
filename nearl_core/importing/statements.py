"""What a source says of one file, before anything is understood."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from nearl_core.errors import NearlError


class ImportLabelsError(NearlError):
    """A source of labels that can't be used."""


class ColumnsError(ImportLabelsError):
    """A table of which it is not clear which column names the file, and which its label.

    Attributes:
        columns: The names of its columns.
    """

    def __init__(self, message: str, remedy: str, columns: tuple[str, ...]) -> None:
        super().__init__(message, remedy)
        self.columns = columns


class SourceKind(StrEnum):
    """How labels are told."""

    CSV = "csv"
    JSONL = "jsonl"
    IMAGEFOLDER = "imagefolder"
    DICOM_TAGS = "dicom-tags"


class Key(StrEnum):
    """What a source knows a scan by."""

    FILE = "file"
    IMAGE = "image"
    SERIES = "series"
    STUDY = "study"
    PATIENT = "patient"


Keys = tuple[tuple[Key, str], ...]
"""Identities of one row as it writes them; they are hashed to be compared, and kept nowhere."""


@dataclass(frozen=True)
class Columns:
    """Which columns of a table are read.

    Attributes:
        file: The one that names the file, or what `match` says; "" for the first whose name says
            so.
        label: The one that names the label; "" for the first whose name says so, or, where none
            does, those that are called as the labels are.
        match: What a scan is known by; None for what the column's name says, a file where it says
            nothing.
    """

    file: str = ""
    label: str = ""
    match: Key | None = None


BY_NAME: Final = Columns()
"""Those whose names say what they are."""


@dataclass(frozen=True)
class Statement:
    """One row, file or header.

    Attributes:
        file: The file as the source names it, or as it stands; "" where only a hash is given.
        values: What it says, as written; several where it says several things.
        sha256: Of the file, in small letters; "" where the source does not say.
        scan_id: The project's scan, where the source is the project's own files.
        absent: Columns that say 0, in a table with a column a label, whose values are the columns
            that say 1; None in any other source, which names what is there and nothing else.
        unsure: Columns that say that it is not known.
        line: Of the table; 0 for other sources.
        keys: Whose scan it is, where the source says so.
    """

    file: str
    values: tuple[str, ...]
    sha256: str = ""
    scan_id: int | None = None
    absent: tuple[str, ...] | None = None
    unsure: tuple[str, ...] = ()
    line: int = 0
    keys: Keys = ()
