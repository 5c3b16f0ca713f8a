"""How a scan is looked at: window, inversion, turning; pure values and rules."""

from dataclasses import dataclass, replace
from enum import StrEnum

from nearl_core.settings import PRESETS as PRESETS
from nearl_core.types import VoiLut, Window

Grey = Window | VoiLut


class Turn(StrEnum):
    """A change of the picture's orientation, as seen on screen."""

    FLIP_HORIZONTAL = "flip-horizontal"
    FLIP_VERTICAL = "flip-vertical"
    RIGHT = "right"
    LEFT = "left"


@dataclass(frozen=True)
class Orientation:
    """The picture is flipped left-right first (if so), then turned clockwise.

    Every flip and quarter turn is one of these eight, so none is ever kept as a list of steps.
    """

    flipped: bool = False
    quarter_turns: int = 0

    def turned(self, turn: Turn) -> "Orientation":
        """What stands on screen after one more turn."""
        if turn is Turn.RIGHT:
            return replace(self, quarter_turns=(self.quarter_turns + 1) % 4)
        if turn is Turn.LEFT:
            return replace(self, quarter_turns=(self.quarter_turns - 1) % 4)
        # A flip on screen after k quarter turns is the flip before them and -k turns.
        half = 2 if turn is Turn.FLIP_VERTICAL else 0
        return Orientation(not self.flipped, (half - self.quarter_turns) % 4)


@dataclass(frozen=True)
class Viewing:
    """What the reader has set for the scan on screen.

    Attributes:
        window: None for the file's own default.
        inverted: On top of the frame's own inversion.
        overlay: Whether the file's overlay planes are drawn.
        shutter: Whether the file's display shutter covers what it should.
    """

    window: Grey | None = None
    inverted: bool = False
    overlay: bool = False
    shutter: bool = True
    orientation: Orientation = Orientation()


def edge_letters(
    edges: tuple[str, str, str, str], orientation: Orientation
) -> tuple[str, str, str, str]:
    """Letters of the left, right, top and bottom edge of the screen after turning."""
    left, right, top, bottom = edges
    if orientation.flipped:
        left, right = right, left
    for _ in range(orientation.quarter_turns):
        # Clockwise: what was at the left comes to the top.
        left, right, top, bottom = bottom, top, left, right
    return left, right, top, bottom


def dragged(window: Window, *, across: float, down: float, span: float) -> Window:
    """The linear window after a drag: across widens, down raises the centre (darker).

    `across` and `down` are in screen pixels; `span` is the width of the values' range, so that
    a drag over 500 pixels covers it whatever the modality.
    """
    step = max(span, 1e-6) / 500.0
    narrowest = 1.0 if span > 64 else span / 64.0
    return Window(window.centre + down * step, max(window.width + across * step, narrowest))


def as_linear(window: Grey, lowest: float, highest: float) -> Window:
    """The linear window that a drag starts from; a table gives way to the range it maps."""
    if isinstance(window, Window):
        return window
    first, last = float(window.first), float(window.first + len(window.entries) - 1)
    low, high = max(first, lowest), min(last, highest)
    return Window((low + high) / 2 + 0.5, max(high - low + 1.0, 1.0))


def describe_window(window: Grey) -> str:
    """The read-out: centre and width, or the table's name."""
    if isinstance(window, VoiLut):
        return window.name or "LUT"
    return f"C {_short(window.centre)}  W {_short(window.width)}"


def _short(value: float) -> str:
    return f"{value:.0f}" if abs(value) >= 10 or value == int(value) else f"{value:.3g}"
