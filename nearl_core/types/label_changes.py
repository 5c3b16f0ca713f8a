"""Changes of a label set, and what they come to for decisions."""

from dataclasses import dataclass
from enum import Enum, StrEnum

from nearl_core.types.labels import LabelSet


class ChangeKind(StrEnum):
    """What can be done to labels that have decisions."""

    RENAME = "rename"
    MERGE = "merge"
    SPLIT = "split"
    RETIRE = "retire"


@dataclass(frozen=True)
class LabelChange:
    """One change of a label set.

    Attributes:
        sources: Ids of the labels that are changed.
        into: Ids of the labels that they become; the same for a rename, none for a retired one.
    """

    kind: ChangeKind
    sources: tuple[str, ...]
    into: tuple[str, ...] = ()


@dataclass(frozen=True)
class Revision:
    """A label set with how it came about.

    Attributes:
        changes: From the one before, in order.
        restores: Number of the revision that it brings back, or None.
    """

    label_set: LabelSet
    changes: tuple[LabelChange, ...] = ()
    restores: int | None = None


class Lost(Enum):
    """Why a label of one revision has no successor in another.

    Attributes:
        ABSENT: It is not asked for there: it was retired, or came later.
        SPLIT: Only the reader can say which of its parts it is.
        MERGED: Only the reader can say which of those it was, now that their merge is undone.
    """

    ABSENT = "absent"
    SPLIT = "split"
    MERGED = "merged"


@dataclass(frozen=True)
class Effect:
    """What a change comes to for some decisions of one reader.

    Attributes:
        before: Names of labels that these decisions no longer say; empty where none stood.
        after: Names of labels that they say instead; empty where nothing takes their place.
        again: Whether their scans are to be decided again.
        decisions: How many.
    """

    reader: str
    before: tuple[str, ...]
    after: tuple[str, ...]
    again: bool
    decisions: int
