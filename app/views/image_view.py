"""The scan: a picture that is windowed, measured, zoomed, panned and turned by hand.

Left-drag windows (or measures, while the reader measures), Ctrl+wheel zooms at the pointer, the
wheel scrolls frames, middle-drag pans, a double click fits.
"""

from dataclasses import replace

from PySide6.QtCore import QEvent, QPoint, QPointF, Qt, Signal
from PySide6.QtGui import QFocusEvent, QKeyEvent, QMouseEvent, QResizeEvent, QWheelEvent
from PySide6.QtWidgets import QVBoxLayout, QWidget

from app import strings
from app.models.measuring import Line, Point, length_text
from app.models.picture import Picture, kept_window
from app.models.viewing import (
    PRESETS,
    Grey,
    Turn,
    Viewing,
    as_linear,
    describe_window,
    dragged,
    edge_letters,
)
from app.views.image_canvas import ImageCanvas
from app.views.image_overlay import ImageOverlay, OverlayText
from nearl_core.types import Window

_WHEEL_NOTCH = 120
_PAN_STEP = 0.125
"""Of the view, by key."""
_ZOOM_STEP = 1.25


class ImageView(QWidget):
    """Shows one picture.

    Attributes:
        presets: Windows that every grey scan offers.
        keeps: Whether another scan keeps window and zoom.
        measures: Whether a left-drag measures instead of windowing.
        frames_wanted: Scroll by so many frames.
        viewing_changed: The reader changed how the scan is looked at.
    """

    frames_wanted = Signal(int)
    viewing_changed = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setMouseTracking(True)
        self.setMinimumSize(120, 120)
        self.setAccessibleName(strings.SCAN_AREA)
        self.presets: tuple[Window, ...] = PRESETS
        self.keeps = False
        self.measures = False
        self._picture: Picture | None = None
        self._last: Picture | None = None
        self._viewing = Viewing()
        self._wheel = 0
        self._lines: tuple[Line, ...] = ()
        self._pressed: tuple[Qt.MouseButton, QPoint, Grey | None] | None = None
        self._last_pan = QPointF()
        self._pointer: QPointF | None = None
        self._canvas = ImageCanvas(self)
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
        before = self._last
        self._picture = picture
        self._last = picture or before
        self._lines = ()
        if picture is not None and not same_scan:
            window = kept_window(self._viewing, before, picture, keeps=self.keeps)
            self._viewing = Viewing(window)
            self._canvas.fitted = self._canvas.fitted or not self.keeps
        self._canvas.show_picture(picture, self._viewing)
        self._tell()

    @property
    def percent(self) -> float:
        """The zoom, 100 where a pixel covers a point of the screen."""
        return self._canvas.percent

    def texts(self) -> tuple[str, ...]:
        """Everything that stands over the picture, the letters of the edges last."""
        return self._overlay.texts()

    def show_texts(self, texts: OverlayText) -> None:
        """Show what stands in the corners beside the picture's own read-outs."""
        self._overlay.set_texts(texts)

    def show_message(self, text: str) -> None:
        """Show a sentence in place of a picture; "" removes it."""
        self._overlay.set_message(text)

    # --- commands --------------------------------------------------------------------------

    def windows(self) -> tuple[Grey, ...]:
        """The file's own windows, the default first, then the presets, and the scan's spread."""
        picture = self._picture
        if picture is None or picture.spread is None:
            return ()
        return (*picture.frame.windows, *self.presets, picture.spread)

    def set_window(self, window: Grey | None) -> None:
        """Show through another window; None is the file's default."""
        if self._picture is None or self._picture.is_colour:
            return
        self._change(replace(self._viewing, window=window))

    def next_window(self) -> None:
        """The next of the file's own windows, and after the last one the first."""
        own = () if self._picture is None else self._picture.frame.windows
        if own:
            now = self._viewing.window or own[0]
            place = next((i for i, window in enumerate(own) if window is now), -1)
            self.set_window(own[(place + 1) % len(own)])

    def invert(self) -> None:
        """Swap black and white."""
        self._change(replace(self._viewing, inverted=not self._viewing.inverted))

    def toggle_overlay(self) -> None:
        """Show or hide the file's overlay planes."""
        self._change(replace(self._viewing, overlay=not self._viewing.overlay))

    def toggle_shutter(self) -> None:
        """Cover what the file's display shutter covers, or show it."""
        self._change(replace(self._viewing, shutter=not self._viewing.shutter))

    def turn(self, turn: Turn) -> None:
        """Flip or rotate."""
        self._change(replace(self._viewing, orientation=self._viewing.orientation.turned(turn)))

    def reset(self) -> None:
        """Show the scan as the file says, whole and without lines."""
        self._lines = ()
        self._change(Viewing())
        self.fit()

    def set_measuring(self, on: bool) -> None:
        """Let a left-drag measure, or window again; lines that were drawn stay."""
        self.measures = on
        self._show_cursor()

    def fit(self) -> None:
        """Show the whole picture."""
        self._canvas.fit()
        self._tell()

    def zoom(self, steps: float, at: QPointF | None = None) -> None:
        """Zoom in (or, negative, out) around a point of the widget, else its middle."""
        if self._picture is not None:
            self._canvas.zoom(_ZOOM_STEP**steps, at or QPointF(self.rect().center()))
            self._tell()

    def pan(self, across: int, down: int) -> None:
        """Look further to the right and down (negative: left, up) by so many steps."""
        if self._picture is not None:
            middle = QPointF(self.rect().center())
            step = QPointF(across * self.width(), down * self.height()) * _PAN_STEP
            self._canvas.pan(middle, middle - step)
            self._tell()

    # --- events ----------------------------------------------------------------------------

    def focusInEvent(self, event: QFocusEvent) -> None:  # noqa: N802 - Qt's name
        """Show it to whoever came by Tab; it is where the keyboard rests else."""
        super().focusInEvent(event)
        by_tab = (Qt.FocusReason.TabFocusReason, Qt.FocusReason.BacktabFocusReason)
        self._overlay.set_ringed(event.reason() in by_tab)

    def focusOutEvent(self, event: QFocusEvent) -> None:  # noqa: N802 - Qt's name
        """The keyboard is elsewhere."""
        super().focusOutEvent(event)
        self._overlay.set_ringed(False)

    def resizeEvent(self, event: QResizeEvent) -> None:  # noqa: N802 - Qt's name
        """Keep a fitted picture fitted."""
        super().resizeEvent(event)
        self._overlay.setGeometry(self.rect())
        if self._canvas.fitted:
            self._canvas.fit()
        else:
            self._canvas.redraw_where_needed()
        self._tell()

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
        """Begin to window or to measure (left), or to pan (middle)."""
        picture = self._picture
        if picture is not None and self.measures and event.button() is Qt.MouseButton.LeftButton:
            at = self._point(event.position())
            self._lines = (*self._lines, Line(at, at))
        window = self._viewing.window
        if window is None and picture is not None:
            window = picture.default_window()
        self._pressed = (event.button(), event.position().toPoint(), window)
        self._last_pan = event.position()
        if event.button() is Qt.MouseButton.MiddleButton:
            self.setCursor(Qt.CursorShape.ClosedHandCursor)
        self.setFocus(Qt.FocusReason.MouseFocusReason)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:  # noqa: N802 - Qt's name
        """Window, measure, pan, or read the value under the pointer."""
        if self._picture is not None and self._pressed is not None:
            button, start, window = self._pressed
            if button is Qt.MouseButton.LeftButton and self.measures:
                self._stretch(self._point(event.position()))
            elif button is Qt.MouseButton.LeftButton and window is not None:
                self._drag_window(window, event.position().toPoint() - start)
            elif button is Qt.MouseButton.MiddleButton:
                self._canvas.pan(self._last_pan, event.position())
                self._last_pan = event.position()
                self._show_lines()
        self._pointer = event.position()
        self._read_value()

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:  # noqa: N802 - Qt's name
        """End a drag."""
        del event
        self._pressed = None
        self._lines = tuple(line for line in self._lines if not line.is_point)
        self._show_lines()
        self._show_cursor()

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:  # noqa: N802 - Qt's name
        """Fit."""
        if event.button() is Qt.MouseButton.LeftButton:
            self._pressed = None
            self.fit()

    def leaveEvent(self, event: QEvent) -> None:  # noqa: N802 - Qt's name
        """No pointer, no value."""
        super().leaveEvent(event)
        self._pointer = None
        self._read_value()

    def keyPressEvent(self, event: QKeyEvent) -> None:  # noqa: N802 - Qt's name
        """Every key belongs to the window."""
        event.ignore()

    # --- inside ----------------------------------------------------------------------------

    def _change(self, viewing: Viewing) -> None:
        if self._picture is None:
            return
        self._viewing = viewing
        self._canvas.show_viewing(viewing)
        self._tell()
        self.viewing_changed.emit()

    def _drag_window(self, window: Grey, moved: QPoint) -> None:
        picture = self._picture
        if picture is None or moved.manhattanLength() < 2:
            return
        start = as_linear(window, picture.lowest, picture.highest)
        span = min(picture.highest - picture.lowest, max(4 * start.width, 1.0))
        self.set_window(dragged(start, across=moved.x(), down=moved.y(), span=span))

    def _stretch(self, end: Point) -> None:
        if self._lines:
            self._lines = (*self._lines[:-1], Line(self._lines[-1].start, end))
            self._show_lines()

    def _point(self, place: QPointF) -> Point:
        """Column and row under a point of the widget; within the picture."""
        column, row = self._canvas.to_picture(place)
        picture = self._picture
        if picture is None:
            return column, row
        return min(max(column, 0.0), picture.columns), min(max(row, 0.0), picture.rows)

    def _read_value(self) -> None:
        """The value under the pointer, also where the picture moved and the pointer did not."""
        picture, text = self._picture, ""
        if picture is not None and self._pointer is not None:
            column, row = (int(part // 1) for part in self._canvas.to_picture(self._pointer))
            text = picture.place_text(row, column, shutter=self._viewing.shutter)
        self._overlay.set_value(text)

    def _show_lines(self) -> None:
        picture = self._picture
        lines = () if picture is None else self._lines
        self._overlay.set_lines(
            tuple(
                (
                    self._canvas.from_picture(line.start),
                    self._canvas.from_picture(line.end),
                    length_text(picture.info, line),
                )
                for line in lines
                if picture is not None
            )
        )

    def _show_cursor(self) -> None:
        if self.measures:
            self.setCursor(Qt.CursorShape.CrossCursor)
        else:
            self.unsetCursor()

    def _tell(self) -> None:
        picture = self._picture
        self._show_lines()
        self._read_value()
        if picture is None:
            self._overlay.set_reading("", ("", "", "", ""), "")
            return
        window = self._viewing.window or picture.default_window()
        reading = describe_window(window) if window is not None else strings.COLOUR
        if window is not None and window.name:
            reading = f"{window.name}   {reading}" if reading != window.name else reading
        letters = edge_letters(picture.info.edges, self._viewing.orientation)
        self._overlay.set_reading(reading, letters, f"{self._canvas.percent:.0f} %")

    def place_of(self, point: Point) -> QPointF:
        """Where a column and row of the picture stand in this widget."""
        return self._canvas.from_picture(point)
