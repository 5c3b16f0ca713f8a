"""How a project is read, and by whom which part of it."""

from dataclasses import dataclass
from typing import Final

from nearl_core.errors import UsageError

MOST_REPEATS: Final = 0.5
SHARED: Final = 0.1


@dataclass(frozen=True)
class ReadingRules:
    """The protocol of a project's readers.

    Attributes:
        blind_first: Whether a reader decides before the suggestion shows.
        repeats: Share of scans that come again unannounced, in [0, 0.5]; 0 for none.

    Raises:
        UsageError: If the share is not in its range.
    """

    blind_first: bool = False
    repeats: float = 0.05

    def __post_init__(self) -> None:
        if not 0 <= self.repeats <= MOST_REPEATS:
            raise UsageError(
                "Repeats are a share of 0 to 50 %.", "Say how many percent of scans come again."
            )


@dataclass(frozen=True)
class Division:
    """How the scans are divided among readers, so that each reads a part.

    Attributes:
        readers: Their names; with none or one nothing is divided. Who is none of them reads all.
        shared: Share of the scans that all of them read, in [0, 1].

    Raises:
        UsageError: If a name stands twice or is empty, or the share is not in its range.
    """

    readers: tuple[str, ...] = ()
    shared: float = SHARED

    def __post_init__(self) -> None:
        names = {name.strip().casefold() for name in self.readers}
        if len(names) < len(self.readers) or "" in names:
            raise UsageError(
                "Scans are divided among readers of different names.", "Name each of them once."
            )
        if not 0 <= self.shared <= 1:
            raise UsageError(
                "What all readers read is a share of 0 to 100 %.",
                "Say how many percent of the scans all of them read.",
            )
