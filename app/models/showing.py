"""How a scan came to the screen, and when its suggestion may be seen."""

from collections.abc import Iterable
from dataclasses import dataclass, field, replace

from app.models.panel import Panel
from app.strings import reading_words
from nearl_core import suggesting
from nearl_core.types import LabelSet, Occasion, Ranking, Verdict


@dataclass(frozen=True)
class Showing:
    """One scan's turn on screen.

    Attributes:
        occasion: On what occasion it is decided.
        verdict: What seems to stand of it; None for the reader's standing decision.
        ranking: What is suggested; None for what the engine says now.
        notice: A sentence to decide by, or "".
    """

    occasion: Occasion = Occasion.SINGLE
    verdict: Verdict | None = None
    ranking: Ranking | None = None
    notice: str = ""


@dataclass
class Blinds:
    """Which suggestions wait for the reader's own call, or do not show.

    Attributes:
        everywhere: Whether all of them do.
        read_by_others: Scans whose suggestion would echo what another reader said: it never shows.
        lifted: Scans whose suggestion was seen since the project was opened.
    """

    everywhere: bool = False
    read_by_others: frozenset[int] = frozenset()
    lifted: set[int] = field(default_factory=set)

    def hide(self, scan_id: int, showing: Showing, verdict: Verdict) -> bool:
        """Whether a scan's suggestion is not to be seen yet."""
        if showing.occasion is Occasion.ADJUDICATION:
            return False
        if self.echoes(scan_id, showing):
            return True
        decided = verdict.state.is_decided
        return self.everywhere and not decided and scan_id not in self.lifted

    def echoes(self, scan_id: int, showing: Showing) -> bool:
        """Whether a suggestion would tell what another reader said, and so puts nothing to test."""
        return scan_id in self.read_by_others and showing.occasion is not Occasion.ADJUDICATION

    def why(self, scan_id: int) -> str:
        """Why a suggestion is not to be seen."""
        if scan_id in self.read_by_others:
            return reading_words.ECHO
        return reading_words.BLIND_FIRST


def contradicts(ranking: Ranking | None, verdict: Verdict, label_set: LabelSet) -> bool:
    """Whether a ranking suggests something else than the reader said.

    An unassessable or deferred scan contradicts nothing.
    """
    suggested = suggesting.suggested(ranking, label_set)
    if suggested is None or not verdict.state.says_labels:
        return False
    return label_set.meant(verdict.labels) != label_set.meant(suggested)


def contrasted(panel: Panel, ranking: Ranking, verdict: Verdict, label_set: LabelSet) -> Panel:
    """A panel that makes plain what the reader said and what is suggested instead."""
    own = _names(verdict.labels, label_set)
    suggested = suggesting.suggested(ranking, label_set) or ()
    likely = _likely(ranking, suggesting.named(suggested, label_set), label_set)
    notice = reading_words.CONTRAST.format(own=own, suggested=likely)
    if panel.pending:
        return replace(panel, notice=notice)
    lines = tuple(replace(line, enter=False) for line in panel.lines)
    hint = reading_words.KEEP_HINT.format(own=own)
    return replace(panel, lines=lines, notice=notice, hint=hint, enter_none=False)


def _names(labels: Iterable[str], label_set: LabelSet) -> str:
    return ", ".join(label_set.names_of(labels)) or reading_words.NONE_OF_THEM


def _likely(ranking: Ranking, labels: Iterable[str], label_set: LabelSet) -> str:
    parts = [
        f"{label_set.by_id(one).name} ({100 * (ranking.probability(one) or 0.0):.0f} %)"
        for one in labels
    ]
    return ", ".join(parts) or reading_words.NONE_OF_THEM
