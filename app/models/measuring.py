"""Measuring in a picture: lengths, in millimetres only where the file's spacing allows it."""

import math
from dataclasses import dataclass

from app import strings
from nearl_core.types import Region, ScanInfo, SpacingAt

Point = tuple[float, float]
"""Column and row in pixels of the full size; a pixel's own area begins at whole numbers."""


@dataclass(frozen=True)
class Line:
    """A line that the reader drew."""

    start: Point
    end: Point

    @property
    def is_point(self) -> bool:
        """Whether it is too short to be meant."""
        return math.dist(self.start, self.end) < 0.5


@dataclass(frozen=True)
class Length:
    """How long a line is.

    Attributes:
        pixels: In widths of a pixel, so that pixels that are not square count as they look.
        mm: In millimetres, or None where the file gives no scale there.
        at: Where those millimetres are true.
    """

    pixels: float
    mm: float | None = None
    at: SpacingAt = SpacingAt.BODY


def length(info: ScanInfo, line: Line) -> Length:
    """The length of a line on a scan.

    In ultrasound only a region that holds both ends gives a scale: beside it stand texts and
    other regions with other scales (DICOM PS3.3 C.8.5.5).
    """
    across, down = (b - a for a, b in zip(line.start, line.end, strict=True))
    pixels = math.hypot(across, down * info.aspect)
    if info.regions:
        spacing = next((r.spacing_mm for r in info.regions if _holds(r, line)), None)
        at = SpacingAt.BODY
    else:
        spacing, at = info.spacing_mm, info.spacing_at
    if spacing is None:
        return Length(pixels)
    return Length(pixels, math.hypot(across * spacing[1], down * spacing[0]), at)


def length_text(info: ScanInfo, line: Line) -> str:
    """The length as it is shown beside the line."""
    found = length(info, line)
    if found.mm is not None:
        return strings.LENGTH_MM[found.at].format(length=found.mm)
    square = math.isclose(info.aspect, 1.0, rel_tol=1e-3)
    return (strings.LENGTH_PX if square else strings.LENGTH_WIDTHS).format(length=found.pixels)


def _holds(region: Region, line: Line) -> bool:
    return all(
        region.left <= x <= region.right + 1 and region.top <= y <= region.bottom + 1
        for x, y in (line.start, line.end)
    )
