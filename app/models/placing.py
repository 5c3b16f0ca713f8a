"""Where a picture's pixels stand on screen: aspect, flip, turn; and which of them are needed."""

import math
from dataclasses import dataclass

from PySide6.QtCore import QRectF
from PySide6.QtGui import QTransform

from app.models.viewing import Orientation

_MARGIN = 0.25
"""Of what is visible, kept ready on each side so that a short pan redraws nothing."""


@dataclass(frozen=True)
class Part:
    """A rectangle of pixels of one level: from the first row and column up to the last ones."""

    top: int
    left: int
    bottom: int
    right: int

    def holds(self, other: "Part") -> bool:
        """Whether another part lies within this one."""
        return (
            self.top <= other.top
            and self.left <= other.left
            and self.bottom >= other.bottom
            and self.right >= other.right
        )


def placing(rows: int, columns: int, aspect: float, orientation: Orientation) -> QTransform:
    """From columns and rows of the full size to the scene, whose middle is the picture's.

    Args:
        rows: Of the full size.
        columns: Of the full size.
        aspect: Height of a pixel over its width.
        orientation: Flipped first, then turned.
    """
    transform = QTransform()
    transform.rotate(90.0 * orientation.quarter_turns)
    if orientation.flipped:
        transform.scale(-1.0, 1.0)
    transform.translate(-columns / 2, -rows * aspect / 2)
    transform.scale(1.0, aspect)
    return transform


def part_placing(
    part: Part, level: tuple[int, int], full: tuple[int, int], whole: QTransform
) -> QTransform:
    """From the pixels of a part of a level to the scene.

    Args:
        part: Of the level.
        level: Rows and columns of the level.
        full: Rows and columns of the full size.
        whole: What `placing` gives.
    """
    down, across = full[0] / level[0], full[1] / level[1]
    return (
        QTransform.fromTranslate(part.left, part.top) * QTransform.fromScale(across, down) * whole
    )


def visible_part(
    seen: QRectF, level: tuple[int, int], full: tuple[int, int], *, spare: bool
) -> Part:
    """The pixels of a level that a rectangle of the full size needs; never empty.

    Args:
        seen: In columns and rows of the full size; may reach beyond the picture.
        level: Rows and columns of the level.
        full: Rows and columns of the full size.
        spare: Whether to take a margin as well.
    """
    margin = _MARGIN if spare else 0.0
    rows, columns = level
    down, across = rows / full[0], columns / full[1]
    wide, high = seen.width() * margin, seen.height() * margin
    left = min(max(math.floor((seen.left() - wide) * across), 0), columns - 1)
    top = min(max(math.floor((seen.top() - high) * down), 0), rows - 1)
    right = min(max(math.ceil((seen.right() + wide) * across), left + 1), columns)
    bottom = min(max(math.ceil((seen.bottom() + high) * down), top + 1), rows)
    return Part(top, left, bottom, right)
