"""How a project is read."""

from dataclasses import dataclass
from typing import Final

from nearl_core.errors import UsageError

MOST_REPEATS: Final = 0.5


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
