"""What says how far a project's rankings and decisions can be believed."""

from dataclasses import dataclass

from nearl_core.types.decisions import Decision


@dataclass(frozen=True)
class ReaderRecord:
    """What one reader did, without what was taken back.

    Attributes:
        firsts: The first decision of each scan that is an answer: labels, or that none applies.
            In the order they were made; the latest of very many, and none that the labels of now
            don't say.
        answered: All scans that had a first answer.
        looked_twice: Scans that were decided anew: with other labels, or the same once more.
    """

    firsts: tuple[Decision, ...] = ()
    looked_twice: frozenset[int] = frozenset()
    answered: frozenset[int] = frozenset()


@dataclass(frozen=True)
class Doubt:
    """A decision that the others speak against.

    Attributes:
        label_id: What is more likely; in a multi-label set the label that is missing or too much.
        odds: How much likelier it is than what was decided; above 1.
    """

    scan_id: int
    decision_id: int
    label_id: str
    odds: float
