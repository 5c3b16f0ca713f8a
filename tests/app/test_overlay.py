"""The texts over the scan."""

from collections.abc import Callable

import numpy as np
import pytest
from PySide6.QtGui import QImage
from PySide6.QtWidgets import QWidget
from pytestqt.qtbot import QtBot

from app import bootstrap
from app.views.image_overlay import ImageOverlay, OverlayText


def _lit(overlay: ImageOverlay) -> int:
    """How many pixels of text show on a black scan."""
    picture = QImage(overlay.size(), QImage.Format.Format_Grayscale8)
    picture.fill(0)
    overlay.render(picture)
    stored = np.asarray(picture.constBits()).reshape(picture.height(), picture.bytesPerLine())
    return int(np.count_nonzero(stored > 60))


@pytest.mark.parametrize("width", [180, 400])
def test_in_a_narrow_view_no_text_covers_another(qtbot: QtBot, width: int) -> None:
    bootstrap.application()
    scan, frame = ("CT  series 12", "512 × 512"), "Frame 120 of 120"
    reading = ("C 40  W 400", ("", "", "", ""), "120 %")
    value = "1023 HU   column 511"
    fills: tuple[Callable[[ImageOverlay], None], ...] = (
        lambda one: one.set_texts(OverlayText(scan)),
        lambda one: one.set_reading(*reading),
        lambda one: one.set_value(value),
        lambda one: one.set_texts(OverlayText(frame=frame)),
    )
    ground = QWidget()
    qtbot.addWidget(ground)

    def overlay(*fills: Callable[[ImageOverlay], None]) -> ImageOverlay:
        made = ImageOverlay(ground)
        made.resize(width, 300)
        for fill in fills:
            fill(made)
        return made

    lit = [_lit(overlay(fill)) for fill in fills]
    together = overlay(*fills, lambda one: one.set_texts(OverlayText(scan, frame=frame)))
    assert min(lit) > 0
    assert _lit(together) == sum(lit)
