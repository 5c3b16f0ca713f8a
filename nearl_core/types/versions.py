"""Versions with their evidence, and what the engine works with."""

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True)
class Figures:
    """How well something ranks decisions that it did not learn from.

    Attributes:
        n: Number of scans.
        accuracy, balanced_accuracy: In [0, 1].
        log_loss: In nats.
        ece: Expected calibration error, 15 bins, in [0, 1].
        auroc: Mean one-against-rest area, or None where it is not defined.
    """

    n: int
    accuracy: float
    balanced_accuracy: float
    log_loss: float
    ece: float
    auroc: float | None = None


@dataclass(frozen=True)
class ReliabilityBin:
    """Claims of about the same probability, and how many of them held.

    Attributes:
        low, high: Probabilities that the bin is for, from `low` on and below `high`.
        count: Claims in it; the two others are None without any.
        claimed: Their mean probability.
        held: What part of them was right.
    """

    low: float
    high: float
    count: int
    claimed: float | None
    held: float | None


@dataclass(frozen=True)
class Reliability:
    """Whether claims of a probability hold as often as they say.

    Attributes:
        bins: Equal ones over [0, 1], in order.
        n: Number of claims.
        ece: Expected calibration error over these bins.
        by_chance: The error that as many perfectly calibrated claims would show.
        enough: Whether there are enough claims to tell anything.
    """

    bins: tuple[ReliabilityBin, ...]
    n: int
    ece: float
    by_chance: float
    enough: bool


@dataclass(frozen=True)
class LabelRecall:
    """What part of a label's held-out decisions was found, before a version and by it.

    Attributes:
        n: Decisions that name the label.
        before, after: In [0, 1], or None without any.
    """

    n: int
    before: float | None
    after: float | None


@dataclass(frozen=True)
class Evidence:
    """What stands behind the gate's sentence, on the decisions that its figures are of.

    Attributes:
        labels: For each label of the version's label set, in its order.
        gained, lost: Decisions that became right, and that were right before and are wrong now.
        unseen: Of all of them, those made without a suggestion on screen.
    """

    labels: tuple[LabelRecall, ...]
    gained: int
    lost: int
    unseen: int


@dataclass(frozen=True)
class Version:
    """One trained set of adapters with its evidence; immutable but for which one is live.

    Attributes:
        id: Such as "v3".
        file: Name in the project's `adapters/` folder.
        backbone: Name of the backbone.
        backbone_hash: SHA-256 over its weights and configuration.
        label_set_revision: The revision that it is bound to.
        decision_ids: The decisions that it learned from.
        seconds: Training time.
        device: Such as "cpu".
        before, after: Held-out figures of what was live and of this version, or None.
        promoted: Whether the gate let it go live.
        reason: The gate's sentence.
        evidence: What stands behind it, or None in a version from before it was kept.
        live: Whether it ranks now.
    """

    id: str
    created: datetime
    file: str
    backbone: str
    backbone_hash: str
    label_set_revision: int
    decision_ids: tuple[int, ...]
    seconds: float
    device: str
    before: Figures | None
    after: Figures | None
    promoted: bool
    reason: str
    evidence: Evidence | None = None
    live: bool = False


@dataclass(frozen=True)
class TrainingResult:
    """A trained version, judged but not yet live.

    Attributes:
        version: With `promoted` and `reason` as the gate says.
        losses: Of each step.
    """

    version: Version
    losses: tuple[float, ...]


@dataclass(frozen=True)
class EngineInfo:
    """What the engine works with.

    Attributes:
        backbone: Its name.
        backbone_hash: SHA-256 over its weights and configuration.
        parameters: Number of its weights.
        device: "cpu", "cuda" or "mps".
        device_text: A few words for the status bar.
        notice: What the reader should know, or "".
    """

    backbone: str
    backbone_hash: str
    parameters: int
    device: str
    device_text: str
    notice: str = ""
