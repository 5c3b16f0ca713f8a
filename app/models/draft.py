"""What the reader has begun to say of the scan on screen, and not recorded yet."""

from dataclasses import dataclass

from nearl_core.types import Confidence, State, Verdict


@dataclass(frozen=True)
class Draft:
    """It becomes a verdict with the next key that decides.

    Attributes:
        pending: Labels that wait for Enter (multi-label sets), or None where none was toggled.
        confidence: How sure the reader will be; None where nothing was said.
        note: The note as it is being typed; None for the one that stands.
    """

    pending: frozenset[str] | None = None
    confidence: Confidence | None = None
    note: str | None = None

    def verdict(self, standing: Verdict, state: State, labels: tuple[str, ...] = ()) -> Verdict:
        """The verdict; flag and note of the standing one stay."""
        return Verdict(
            state,
            labels,
            confidence=self.confidence or Confidence.DEFINITE,
            flagged=standing.flagged,
            note=self.note_on(standing),
        )

    def note_on(self, standing: Verdict) -> str:
        """The note as it would be recorded."""
        return standing.note if self.note is None else self.note.strip()

    def confidence_on(self, standing: Verdict) -> Confidence:
        """How sure the next decision will be; else how sure the standing one is."""
        if self.confidence is None and self.pending is None:
            return standing.confidence
        return self.confidence or Confidence.DEFINITE
