"""How long a line is, and where a part of a picture stands."""

import numpy as np
import pytest
from PySide6.QtCore import QPointF, QRectF

from app.models.measuring import Line, length, length_text
from app.models.placing import part_placing, placing, visible_part
from app.models.viewing import Orientation
from nearl_core.types import Region, ScanInfo, SpacingAt

LINE = Line((0, 0), (30, 40))


def info(**changes: object) -> ScanInfo:
    return ScanInfo(100, 100, **changes)  # type: ignore[arg-type]


def test_without_spacing_a_length_is_in_pixels() -> None:
    assert length_text(info(), LINE) == "50.0 px"


def test_pixels_that_are_not_square_count_as_they_look() -> None:
    found = length(info(aspect=2.0, spacing_mm=(1.0, 0.5)), LINE)
    assert found.mm == pytest.approx(np.hypot(15, 40))
    assert length_text(info(aspect=2.0), Line((0, 0), (0, 10))) == "20.0 pixel widths"


def test_film_and_detector_are_named() -> None:
    for at, words in ((SpacingAt.DETECTOR, "at the detector"), (SpacingAt.FILM, "on the film")):
        assert words in length_text(info(spacing_mm=(1.0, 1.0), spacing_at=at), LINE)


def test_ultrasound_is_measured_within_one_region_only() -> None:
    regions = (Region(0, 0, 49, 99, (0.1, 0.1)), Region(50, 0, 99, 99, (0.2, 0.2)))
    sound = info(regions=regions, spacing_mm=(9.0, 9.0))
    assert length(sound, LINE).mm == pytest.approx(5.0)
    assert length(sound, Line((60, 0), (90, 40))).mm == pytest.approx(10.0)
    assert length(sound, Line((40, 0), (70, 40))).mm is None


def test_a_part_of_a_level_stands_where_the_whole_would() -> None:
    whole = placing(300, 200, 1.5, Orientation(flipped=True, quarter_turns=1))
    part = visible_part(QRectF(50, 60, 40, 30), (150, 100), (300, 200), spare=False)
    assert (part.top, part.left, part.bottom, part.right) == (30, 25, 45, 45)
    placed = part_placing(part, (150, 100), (300, 200), whole)
    corner, expected = placed.map(QPointF(0, 0)), whole.map(QPointF(50, 60))
    assert (corner.x(), corner.y()) == pytest.approx((expected.x(), expected.y()))
