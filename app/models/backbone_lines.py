"""The backbones as the desk lists them, and what is said of them."""

from dataclasses import dataclass

TITLE = "Backbones"
COLUMNS = ("Backbone", "Learned from", "Size", "Licence", "State")
FETCH, ADD, USE, STOP, NOT_NOW = "Fetch…", "Add folder…", "Use in this project…", "Stop", "Not now"
FETCH_NOW, USE_NOW = "Fetch now", "Use and train anew"
NOTE = (
    "A backbone is the frozen model that everything starts from. The starter is for trying; for "
    "real work take BiomedCLIP. On a machine without a network, add a folder copied from another."
)
STOPPED = "Stopped. What came so far is kept, and fetching goes on there."
DONE = "{name} is ready."
ADDING = "Adding the folder"
FOLDER = "Folder of a backbone"


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
            return "In use"
        if self.here:
            return "On this computer"
        return "Fetched in part" if self.begun else "Can be fetched"

    def size(self) -> str:
        """Its size in words."""
        return (
            f"{self.megabytes} MB" if self.megabytes < 1000 else f"{self.megabytes / 1000:.1f} GB"
        )


def ask_fetch(line: BackboneLine) -> str:
    """What is fetched, and from where."""
    return (
        f"{line.name} ({line.size()}, licence {line.licence}) will be fetched from {line.source}. "
        "Nothing of your scans, labels or decisions is sent."
    )


def ask_use(name: str, used: str, decisions: int) -> str:
    """What choosing another backbone means."""
    return (
        f"Use {name} in place of {used}? Your {decisions} decisions stay. Versions trained on "
        f"{used} rest, scans are ranked anew, and a new version is trained in the background."
    )


def progress_text(name: str, done: int, total: int) -> str:
    """How far fetching is, from bytes."""
    return f"Fetching {name}: {done / 1e6:.0f} of {total / 1e6:.0f} MB"
