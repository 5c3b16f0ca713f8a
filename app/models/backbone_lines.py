"""The backbones as the desk lists them, and what is said of them."""

from dataclasses import dataclass

from app.strings import backbone_words as words


@dataclass(frozen=True)
class BackboneLine:
    """One backbone.

    Attributes:
        here: Whether it is on this computer.
        begun: Whether fetching it was stopped on its way.
        megabytes: Of its weights, or of what would be fetched; 10^6 bytes each.
        source: Where it would be fetched from; empty where it can't be.
    """

    name: str
    here: bool
    begun: bool
    megabytes: int
    licence: str
    learned_from: str
    source: str

    @property
    def can_be_fetched(self) -> bool:
        """Whether it is to be had and not here."""
        return bool(self.source) and not self.here

    def state(self, used: str) -> str:
        """What the last column says; `used` is the open project's backbone."""
        if self.name == used:
            return words.IN_USE
        if self.here:
            return words.HERE
        return words.BEGUN if self.begun else words.ELSEWHERE

    def size(self) -> str:
        """Its size in words."""
        return (
            f"{self.megabytes} MB" if self.megabytes < 1000 else f"{self.megabytes / 1000:.1f} GB"
        )


def ask_fetch(line: BackboneLine) -> str:
    """What is fetched, and from where."""
    return words.ASK_FETCH.format(
        name=line.name, size=line.size(), licence=line.licence, source=line.source
    )
