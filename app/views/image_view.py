"""The scan: a picture that is windowed, zoomed, panned and turned by hand (pyqtgraph).

Left-drag windows, Ctrl+wheel zooms at the pointer, the wheel scrolls frames, middle-drag pans, a
double click fits; scans.md, "Keys and pointer".
"""

import numpy as np
import pyqtgraph as pg
from PySide6.QtCore import QEvent, QPoint, QPointF, QRectF, Qt, Signal
from PySide6.QtGui import QKeyEvent, QMouseEvent, QPainter, QResizeEvent, QTransform, QWheelEvent
from PySide6.QtWidgets import QVBoxLayout, QWidget

from app import strings
from app.models.picture import Picture
from app.models.viewing import (
    PRESETS,
    Grey,
    Orientation,
    Turn,
    Viewing,
    as_linear,
    describe_window,
    dragged,
    edge_letters,
)
from app.views import style
from app.views.image_overlay import ImageOverlay, OverlayText
from nearl_core.types import Window

_WHEEL_NOTCH = 120
_ZOOM_STEP = 1.25
_SMOOTH_UP_TO = 4.0
"""Screen dots a pixel: beyond it the single pixels are shown."""
_FIT_MARGIN = 0.01


class _Canvas(pg.GraphicsView):  # type: ignore[misc]  # pyqtgraph has no types
    """A graphics view that leaves every event to the widget around it."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent, useOpenGL=False, background=style.SCAN_GROUND)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        self.viewport().setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)


class ImageView(QWidget):
    """Shows one picture.

    Attributes:
        frames_wanted: Scroll by so many frames.
        viewing_changed: The reader changed how the scan is looked at.
    """

    frames_wanted = Signal(int)
    viewing_changed = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setMouseTracking(True)
        self.setMinimumSize(240, 240)
        self.setAccessibleName(strings.SCAN_AREA)
        self.presets: tuple[Window, ...] = PRESETS
        self._picture: Picture | None = None
        self._viewing = Viewing()
        self._greys = np.zeros(1, np.uint8)
        self._fitted = True
        self._level = -1
        self._wheel = 0
        self._pressed: tuple[Qt.MouseButton, QPoint, Grey | None] | None = None
        self._last_pan = QPointF()
        self._canvas = _Canvas(self)
        self._box = pg.ViewBox(
            lockAspect=1.0, invertY=True, enableMouse=False, enableMenu=False, defaultPadding=0
        )
        self._box.setBorder(None)
        self._item = pg.ImageItem(axisOrder="row-major")
        self._box.addItem(self._item)
        self._canvas.setCentralItem(self._box)
        self._overlay = ImageOverlay(self)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self._canvas)

    # --- what is shown ---------------------------------------------------------------------

    @property
    def picture(self) -> Picture | None:
        """The picture on screen."""
        return self._picture

    @property
    def viewing(self) -> Viewing:
        """How it is looked at."""
        return self._viewing

    def show_picture(self, picture: Picture | None, *, same_scan: bool = False) -> None:
        """Show a picture; another frame of the same scan keeps window, zoom and turning."""
        before = self._picture
        self._picture = picture
        if not same_scan or picture is None:
            self._viewing = Viewing()
            self._fitted = True
        self._level = -1
        if picture is None:
            self._item.clear()
        else:
            self._make_greys()
            self._redraw()
            if self._fitted or before is None:
                self.fit()
            self._level_by_zoom()
        self._tell()

    def show_texts(self, texts: OverlayText) -> None:
        """Show what stands in the corners beside the picture's own read-outs."""
        self._overlay.set_texts(texts)

    def show_message(self, text: str) -> None:
        """Show a sentence in place of a picture; "" removes it."""
        self._overlay.set_message(text)

    # --- commands --------------------------------------------------------------------------

    def windows(self) -> tuple[Grey, ...]:
        """The file's own windows, the default first, then the presets."""
        if self._picture is None or self._picture.is_colour:
            return ()
        return (*self._picture.frame.windows, *self.presets)

    def set_window(self, window: Grey | None) -> None:
        """Show through another window; None is the file's default."""
        if self._picture is None or self._picture.is_colour:
            return
        self._change(Viewing(window, *self._rest()))

    def invert(self) -> None:
        """Swap black and white."""
        viewing = self._viewing
        self._change(
            Viewing(viewing.window, not viewing.inverted, viewing.overlay, viewing.orientation)
        )

    def toggle_overlay(self) -> None:
        """Show or hide the file's overlay planes."""
        viewing = self._viewing
        self._change(
            Viewing(viewing.window, viewing.inverted, not viewing.overlay, viewing.orientation)
        )

    def turn(self, turn: Turn) -> None:
        """Flip or rotate."""
        viewing = self._viewing
        self._change(
            Viewing(
                viewing.window, viewing.inverted, viewing.overlay, viewing.orientation.turned(turn)
            )
        )
        if self._fitted:
            self.fit()

    def reset(self) -> None:
        """Show the scan as the file says, whole."""
        self._change(Viewing())
        self.fit()

    def fit(self) -> None:
        """Show the whole picture."""
        self._fitted = True
        if self._picture is not None:
            rect = self._item.mapRectToParent(self._item.boundingRect())
            self._box.setRange(rect, padding=_FIT_MARGIN, disableAutoRange=True)
            self._level_by_zoom()

    def zoom(self, steps: float, at: QPointF | None = None) -> None:
        """Zoom in (or, negative, out) around a point of the widget, else its middle."""
        if self._picture is None:
            return
        self._fitted = False
        factor = _ZOOM_STEP**-steps
        centre = self._to_box(at if at is not None else QPointF(self.rect().center()))
        self._box.scaleBy((factor, factor), center=centre)
        self._level_by_zoom()
        self._tell()

    # --- events ----------------------------------------------------------------------------

    def resizeEvent(self, event: QResizeEvent) -> None:  # noqa: N802 - Qt's name
        """Keep a fitted picture fitted."""
        super().resizeEvent(event)
        self._overlay.setGeometry(self.rect())
        if self._fitted:
            self.fit()
        else:
            self._level_by_zoom()

    def wheelEvent(self, event: QWheelEvent) -> None:  # noqa: N802 - Qt's name
        """Scroll frames, or zoom with Ctrl."""
        turned = event.angleDelta().y()
        if event.modifiers() & Qt.KeyboardModifier.ControlModifier:
            self.zoom(turned / _WHEEL_NOTCH, event.position())
        else:
            self._wheel += turned
            notches = int(self._wheel / _WHEEL_NOTCH)
            self._wheel -= notches * _WHEEL_NOTCH
            if notches:
                self.frames_wanted.emit(-notches)
        event.accept()

    def mousePressEvent(self, event: QMouseEvent) -> None:  # noqa: N802 - Qt's name
        """Begin to window (left) or to pan (middle)."""
        picture = self._picture
        window = self._viewing.window
        if window is None and picture is not None:
            window = picture.default_window()
        self._pressed = (event.button(), event.position().toPoint(), window)
        self._last_pan = event.position()
        if event.button() is Qt.MouseButton.MiddleButton:
            self.setCursor(Qt.CursorShape.ClosedHandCursor)
        self.setFocus(Qt.FocusReason.MouseFocusReason)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:  # noqa: N802 - Qt's name
        """Window, pan, or read the value under the pointer."""
        if self._picture is not None and self._pressed is not None:
            button, start, window = self._pressed
            if button is Qt.MouseButton.LeftButton and window is not None:
                self._drag_window(window, event.position().toPoint() - start)
            elif button is Qt.MouseButton.MiddleButton:
                self._pan(event.position())
        self._read_value(event.position())

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:  # noqa: N802 - Qt's name
        """End a drag."""
        del event
        self._pressed = None
        self.unsetCursor()

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:  # noqa: N802 - Qt's name
        """Fit."""
        if event.button() is Qt.MouseButton.LeftButton:
            self._pressed = None
            self.fit()
            self._tell()

    def leaveEvent(self, event: QEvent) -> None:  # noqa: N802 - Qt's name
        """No pointer, no value."""
        super().leaveEvent(event)
        self._overlay.set_value("")

    def keyPressEvent(self, event: QKeyEvent) -> None:  # noqa: N802 - Qt's name
        """Every key belongs to the window."""
        event.ignore()

    # --- inside ----------------------------------------------------------------------------

    def _rest(self) -> tuple[bool, bool, Orientation]:
        return self._viewing.inverted, self._viewing.overlay, self._viewing.orientation

    def _change(self, viewing: Viewing) -> None:
        if self._picture is None:
            return
        self._viewing = viewing
        self._make_greys()
        self._redraw()
        self._tell()
        self.viewing_changed.emit()

    def _drag_window(self, window: Grey, moved: QPoint) -> None:
        picture = self._picture
        if picture is None or moved.manhattanLength() < 2:
            return
        start = as_linear(window, picture.lowest, picture.highest)
        span = min(picture.highest - picture.lowest, max(4 * start.width, 1.0))
        self.set_window(dragged(start, across=moved.x(), down=moved.y(), span=span))

    def _pan(self, place: QPointF) -> None:
        self._fitted = False
        before, now = self._to_box(self._last_pan), self._to_box(place)
        self._last_pan = place
        self._box.translateBy(x=before.x() - now.x(), y=before.y() - now.y())

    def _to_box(self, place: QPointF) -> QPointF:
        scene = self._canvas.mapToScene(place.toPoint())
        mapped: QPointF = self._box.mapSceneToView(scene)
        return mapped

    def _read_value(self, place: QPointF) -> None:
        picture = self._picture
        if picture is None:
            return
        inside: QPointF = self._item.mapFromScene(self._canvas.mapToScene(place.toPoint()))
        step = 2 ** max(self._level, 0)
        column, row = int(inside.x() * step // 1), int(inside.y() * step // 1)
        self._overlay.set_value(picture.value_text(row, column))

    def _make_greys(self) -> None:
        picture = self._picture
        if picture is not None and not picture.is_colour:
            self._greys = picture.grey_table(self._viewing.window, inverted=self._viewing.inverted)

    def _redraw(self) -> None:
        picture = self._picture
        if picture is None:
            return
        level = max(self._level, 0)
        viewing = self._viewing
        pixels = picture.rendered(
            level, self._greys, inverted=viewing.inverted, overlay=viewing.overlay
        )
        self._item.setImage(pixels, autoLevels=False, levels=None)
        self._item.setTransform(self._transform(picture, pixels.shape))

    def _transform(self, picture: Picture, shown: tuple[int, ...]) -> QTransform:
        """From the pixels of a level to the box: aspect, then flip, then turn, in that order."""
        rows, columns = picture.levels[0].shape[:2]
        height = rows * picture.info.aspect
        transform = QTransform()
        transform.rotate(90.0 * self._viewing.orientation.quarter_turns)
        if self._viewing.orientation.flipped:
            transform.scale(-1.0, 1.0)
        transform.translate(-columns / 2, -height / 2)
        transform.scale(columns / shown[1], height / shown[0])
        return transform

    def _level_by_zoom(self) -> None:
        picture = self._picture
        if picture is None:
            return
        width, _ = self._box.viewPixelSize()
        smooth = 1.0 / max(width, 1e-9) < _SMOOTH_UP_TO
        self._canvas.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform, smooth)
        level = picture.level_for(width * self.devicePixelRatioF() ** -1)
        if level != self._level:
            self._level = level
            self._redraw()

    def _tell(self) -> None:
        picture = self._picture
        if picture is None:
            self._overlay.set_reading("", ("", "", "", ""), "")
            return
        window = self._viewing.window or picture.default_window()
        reading = describe_window(window) if window is not None else strings.COLOUR
        if window is not None and window.name:
            reading = f"{window.name}   {reading}" if reading != window.name else reading
        letters = edge_letters(picture.info.edges, self._viewing.orientation)
        width, _ = self._box.viewPixelSize()
        self._overlay.set_reading(reading, letters, f"{100.0 / max(width, 1e-9):.0f} %")

    def picture_rect(self) -> QRectF:
        """Where the picture stands in this widget."""
        scene = self._item.mapRectToScene(self._item.boundingRect())
        return QRectF(self._canvas.mapFromScene(scene).boundingRect())
