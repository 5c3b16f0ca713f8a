"""What the reader has begun to say of the scan on screen, and not recorded yet."""

from dataclasses import dataclass, replace

from nearl_core.types import Confidence, State, Verdict

WHOLE = -1
"""In place of a frame: the scan as a whole."""


@dataclass(frozen=True)
class Draft:
    """It becomes a verdict with the next key that decides.

    Attributes:
        pending: Labels that wait for Enter (multi-label sets), or None where none was toggled.
        confidence: How sure the reader will be; None where nothing was said.
        flagged: Whether the scan will be flagged; None where nothing was said.
        note: The note as it is being typed; None for the one that stands.
        frame: The frame that will be named, or WHOLE; None where nothing was said.
    """

    pending: frozenset[str] | None = None
    confidence: Confidence | None = None
    flagged: bool | None = None
    note: str | None = None
    frame: int | None = None

    def verdict(self, standing: Verdict, state: State, labels: tuple[str, ...] = ()) -> Verdict:
        """The verdict of a key; flag, note and frame of the standing one stay."""
        return Verdict(
            state,
            labels,
            confidence=self.confidence or Confidence.DEFINITE,
            flagged=self.flag_on(standing),
            note=self.note_on(standing),
            frame=self.frame_on(standing),
        )

    def kept(self, standing: Verdict) -> Verdict:
        """The standing verdict with what was added; a scan that nothing was said of is deferred."""
        return replace(
            standing,
            state=State.DEFERRED if standing.state is State.UNSEEN else standing.state,
            confidence=self.confidence_on(standing),
            flagged=self.flag_on(standing),
            note=self.note_on(standing),
            frame=self.frame_on(standing),
        )

    def flag_on(self, standing: Verdict) -> bool:
        """Whether the scan is flagged, or will be."""
        return standing.flagged if self.flagged is None else self.flagged

    def note_on(self, standing: Verdict) -> str:
        """The note as it would be recorded."""
        return standing.note if self.note is None else self.note.strip()

    def frame_on(self, standing: Verdict) -> int | None:
        """The frame that is named, or will be; None for the whole scan."""
        said = standing.frame if self.frame is None else self.frame
        return None if said == WHOLE else said

    def confidence_on(self, standing: Verdict) -> Confidence:
        """How sure the next decision will be; else how sure the standing one is."""
        if self.confidence is None and self.pending is None:
            return standing.confidence
        return self.confidence or Confidence.DEFINITE
