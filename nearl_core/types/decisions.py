"""Rankings, and what readers decided having seen them or not."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

FROZEN = "frozen"
"""The version of a ranking that no trained adapters made: frozen backbone, instant learner."""


@dataclass(frozen=True)
class LabelProbability:
    """A label's id and its probability in [0, 1]."""

    label_id: str
    probability: float


@dataclass(frozen=True)
class Ranking:
    """Labels ordered by probability for one scan, from one version.

    Attributes:
        version: Id of the version, or "frozen" for the backbone with the instant learner alone.
        decisions: How many decisions the instant learner had seen.
        labels: Most probable first; empty where the backbone can't know yet.
        notice: Why there are no labels, or what the reader should know; "" for nothing.
        unlike: True where the scan is unlike anything decided.
        suggested: Ids of the labels that it suggests, none of them where none applies; None in a
            ranking of before this was kept. See `suggesting.py`.
        recipe: How the pictures that were ranked were made; "" in a ranking of before this was
            kept. See `display.RECIPE`.
    """

    scan_id: int
    version: str
    decisions: int
    labels: tuple[LabelProbability, ...]
    frame: int = 0
    notice: str = ""
    unlike: bool = False
    suggested: tuple[str, ...] | None = None
    recipe: str = ""

    def probability(self, label_id: str) -> float | None:
        """The probability of one label, or None where it is not ranked."""
        for entry in self.labels:
            if entry.label_id == label_id:
                return entry.probability
        return None


class State(StrEnum):
    """State of a scan for a reader."""

    UNSEEN = "unseen"
    DEFERRED = "deferred"
    UNASSESSABLE = "unassessable"
    NONE_APPLY = "none-apply"
    LABELLED = "labelled"

    @property
    def is_decided(self) -> bool:
        """Whether nothing is left to do; an unassessable scan is decided too."""
        return self not in (State.UNSEEN, State.DEFERRED)

    @property
    def says_labels(self) -> bool:
        """Whether it says which labels are there, be it none of them."""
        return self in (State.LABELLED, State.NONE_APPLY)


class Confidence(StrEnum):
    """How sure a reader was."""

    DEFINITE = "definite"
    PROBABLE = "probable"
    POSSIBLE = "possible"


class Shown(StrEnum):
    """What the reader knew of the ranking when deciding."""

    BLIND = "blind"
    VISIBLE = "visible"
    IMPORTED = "imported"


class Occasion(StrEnum):
    """On what occasion a reader decided.

    Attributes:
        SINGLE: One scan was on screen.
        REPEAT: The scan came again unannounced, to measure whether the reader agrees with what
            they said before; it never stands.
        GRID: It was accepted among others in a grid of scans.
        ADJUDICATION: It settles a disagreement of readers.
    """

    SINGLE = "single"
    REPEAT = "repeat"
    GRID = "grid"
    ADJUDICATION = "adjudication"


Call = tuple[State, tuple[str, ...]]
Said = tuple[int, str, Call]


@dataclass(frozen=True)
class Verdict:
    """What a reader says of a scan: the part of a decision that the reader chooses.

    Attributes:
        labels: Label ids; one for an exclusive label set, any number for a multi-label one.
        frame: The frame that the decision names, or None for the whole scan.
    """

    state: State
    labels: tuple[str, ...] = ()
    confidence: Confidence = Confidence.DEFINITE
    flagged: bool = False
    note: str = ""
    frame: int | None = None

    @property
    def call(self) -> Call:
        """What it says of the scan, without how sure the reader was, flag and note."""
        return self.state, self.labels


UNSEEN = Verdict(State.UNSEEN)


@dataclass(frozen=True)
class Decision:
    """What one reader said of one scan at one moment, with what was on screen then.

    Attributes:
        id: Order of commitment in the project.
        time: UTC.
        ranking: What the version on screen said, or None.
        shown: Whether the reader saw it before deciding.
        milliseconds: From the scan's appearance to the decision, or None.
        frames_shown: Frames that were on screen.
        undoes: Id of the decision that this one takes back, or None.
        redoes: Id of the undo that this one takes back, or None.
        occasion: Of an undo or redo: that of the decision that it restores.
        revision: Of the label set that its labels are of.
        unasked: Ids of the labels of that revision that the decision says nothing of: they were
            added after it was made, or its source did not ask for them.
    """

    id: int
    scan_id: int
    reader: str
    time: datetime
    verdict: Verdict
    ranking: Ranking | None = None
    shown: Shown = Shown.BLIND
    milliseconds: int | None = None
    frames_shown: tuple[int, ...] = ()
    undoes: int | None = None
    redoes: int | None = None
    occasion: Occasion = Occasion.SINGLE
    revision: int = 1
    unasked: tuple[str, ...] = ()

    @property
    def said(self) -> Said:
        """Of which scan, by whom, and what."""
        return self.scan_id, self.reader, self.verdict.call


@dataclass(frozen=True)
class NewDecision:
    """A decision before it is committed: everything but its id and time.

    Attributes:
        adds_to: Id of the reader's decision that it says again with another flag, note,
            frame or confidence, or None. Its labels were not looked at anew, so they stay as they
            were made.
        unasked: Ids of labels that it says nothing of.
    """

    scan_id: int
    reader: str
    verdict: Verdict
    ranking: Ranking | None = None
    shown: Shown = Shown.BLIND
    milliseconds: int | None = None
    frames_shown: tuple[int, ...] = ()
    occasion: Occasion = Occasion.SINGLE
    adds_to: int | None = None
    unasked: tuple[str, ...] = ()
