"""The pixels of the scan on screen (pyqtgraph): placed, fitted, zoomed, drawn where visible.

Only the pixels that are visible are mapped to grey, at the size at which they are seen, so that a
window drag redraws a radiograph as fast as a small picture.
"""

import numpy as np
import pyqtgraph as pg
from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QPainter, QTransform
from PySide6.QtWidgets import QWidget

from app.models.measuring import Point
from app.models.picture import Picture
from app.models.placing import Part, part_placing, placing, visible_part
from app.models.viewing import Orientation, Viewing
from app.views import style

_SMOOTH_UP_TO = 4.0
"""Screen dots a pixel: beyond it the single pixels are shown."""
_FIT_MARGIN = 0.01


class ImageCanvas(pg.GraphicsView):  # type: ignore[misc]  # pyqtgraph has no types
    """Draws one picture; every event is left to the widget around it.

    Attributes:
        fitted: Whether the whole picture is shown, whatever the size of the widget.
    """

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent, useOpenGL=False, background=style.SCAN_GROUND)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        self.viewport().setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        self.fitted = True
        self._picture: Picture | None = None
        self._viewing = Viewing()
        self._greys = np.zeros(1, np.uint8)
        self._level = -1
        self._part = Part(0, 0, 1, 1)
        self._placing = QTransform()
        self._box = pg.ViewBox(
            lockAspect=1.0, invertY=True, enableMouse=False, enableMenu=False, defaultPadding=0
        )
        self._box.setBorder(None)
        self._item = pg.ImageItem(axisOrder="row-major")
        self._box.addItem(self._item)
        self.setCentralItem(self._box)

    # --- what is drawn ---------------------------------------------------------------------

    def show_picture(self, picture: Picture | None, viewing: Viewing) -> None:
        """Draw another picture; it is fitted where the one before was."""
        self._picture = picture
        if picture is None:
            self._item.clear()
            return
        self._viewing = viewing
        self._make_greys()
        self._place(viewing.orientation)

    def show_viewing(self, viewing: Viewing) -> None:
        """Draw the same picture in another way."""
        before, self._viewing = self._viewing, viewing
        if self._picture is None:
            return
        if (viewing.window, viewing.inverted) != (before.window, before.inverted):
            self._make_greys()
        if viewing.orientation != before.orientation:
            self._place(viewing.orientation)
        else:
            self._draw()

    def fit(self) -> None:
        """Show the whole picture."""
        self.fitted = True
        picture = self._picture
        if picture is not None:
            rect = self._placing.mapRect(QRectF(0, 0, picture.columns, picture.rows))
            self._box.setRange(rect, padding=_FIT_MARGIN, disableAutoRange=True)
            self.redraw_where_needed()

    def zoom(self, factor: float, at: QPointF) -> None:
        """Make everything so many times larger around a point of this widget."""
        self.fitted = False
        self._box.scaleBy((1 / factor, 1 / factor), center=self._to_box(at))
        self.redraw_where_needed()

    def pan(self, before: QPointF, now: QPointF) -> None:
        """Move what was under one point of this widget under another."""
        self.fitted = False
        start, end = self._to_box(before), self._to_box(now)
        self._box.translateBy(x=start.x() - end.x(), y=start.y() - end.y())
        self.redraw_where_needed()

    def redraw_where_needed(self) -> None:
        """Draw anew where the zoom asks for another level, or the part drawn is not enough."""
        picture = self._picture
        if picture is None:
            return
        width = self._pixels_per_point()
        smooth = 1.0 / width < _SMOOTH_UP_TO
        self.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform, smooth)
        level = picture.level_for(width / self.devicePixelRatioF())
        if level != self._level or not self._part.holds(self._visible(level, spare=False)):
            self._level, self._part = level, self._visible(level, spare=True)
            self._draw()

    # --- from screen to picture and back ---------------------------------------------------

    @property
    def percent(self) -> float:
        """The zoom: 100 where one pixel of the picture covers one point of the screen."""
        return 100.0 / self._pixels_per_point()

    def to_picture(self, place: QPointF) -> Point:
        """Column and row under a point of this widget; may lie beside the picture."""
        found = self._placing.inverted()[0].map(self._to_box(place))
        return found.x(), found.y()

    def from_picture(self, point: Point) -> QPointF:
        """Where a column and row of the picture stand in this widget."""
        scene = self._box.mapViewToScene(self._placing.map(QPointF(*point)))
        return QPointF(self.mapFromScene(scene))

    def _to_box(self, place: QPointF) -> QPointF:
        mapped: QPointF = self._box.mapSceneToView(self.mapToScene(place.toPoint()))
        return mapped

    def _pixels_per_point(self) -> float:
        width, _ = self._box.viewPixelSize()
        return max(float(width), 1e-9)

    # --- inside ----------------------------------------------------------------------------

    def _make_greys(self) -> None:
        picture, viewing = self._picture, self._viewing
        if picture is not None and not picture.is_colour:
            self._greys = picture.grey_table(viewing.window, inverted=viewing.inverted)

    def _place(self, orientation: Orientation) -> None:
        picture = self._picture
        if picture is None:
            return
        self._level = -1
        self._placing = placing(picture.rows, picture.columns, picture.info.aspect, orientation)
        if self.fitted:
            self.fit()
        else:
            self.redraw_where_needed()

    def _visible(self, level: int, *, spare: bool) -> Part:
        assert self._picture is not None
        seen = self._placing.inverted()[0].mapRect(self._box.viewRect())
        rows, columns = self._picture.levels[level].shape[:2]
        full = (self._picture.rows, self._picture.columns)
        return visible_part(seen, (rows, columns), full, spare=spare)

    def _draw(self) -> None:
        picture = self._picture
        if picture is None:
            return
        level, part = max(self._level, 0), self._part
        pixels = picture.rendered(level, self._greys, self._viewing, part)
        self._item.setImage(pixels, autoLevels=False, levels=None)
        rows, columns = picture.levels[level].shape[:2]
        full = (picture.rows, picture.columns)
        self._item.setTransform(part_placing(part, (rows, columns), full, self._placing))
