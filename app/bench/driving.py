"""Driving the desk as a reader would, and watching whether its window answers."""

import time
from collections.abc import Callable
from pathlib import Path
from types import TracebackType

import psutil
from PySide6.QtCore import QEvent, QEventLoop, QPointF, Qt, QTimer
from PySide6.QtGui import QKeyEvent, QMouseEvent
from PySide6.QtWidgets import QApplication, QWidget

from app.desk import Desk

_BEAT_MS = 2


class Gaps:
    """The longest time for which the event loop did not come round; a context manager.

    Attributes:
        longest_ms: By the clock.
        work_ms: The most that this thread itself worked between two rounds: what is left of the
            gap where nothing else keeps the processor busy.
    """

    def __init__(self) -> None:
        self.longest_ms = self.work_ms = 0.0
        self._last = self._worked = 0.0
        self._beat = QTimer()
        self._beat.setTimerType(Qt.TimerType.PreciseTimer)
        self._beat.timeout.connect(self._tick)

    def __enter__(self) -> "Gaps":
        self._last, self._worked = time.perf_counter(), time.thread_time()
        self._beat.start(_BEAT_MS)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._tick()
        self._beat.stop()

    def _tick(self) -> None:
        now, worked = time.perf_counter(), time.thread_time()
        self.longest_ms = max(self.longest_ms, 1000 * (now - self._last))
        self.work_ms = max(self.work_ms, 1000 * (worked - self._worked))
        self._last, self._worked = now, worked


def wait_until(true: Callable[[], bool], *, longest_s: float = 600.0) -> None:
    """Let the desk work until something is so.

    Raises:
        TimeoutError: If it does not become so.
    """
    loop = QEventLoop()
    beat = QTimer()
    beat.timeout.connect(lambda: loop.quit() if true() else None)
    beat.start(_BEAT_MS)
    QTimer.singleShot(round(1000 * longest_s), loop.quit)
    loop.exec()
    beat.stop()
    if not true():
        raise TimeoutError("the desk did not get there")


def rest(seconds: float) -> None:
    """Let the desk work for a while."""
    loop = QEventLoop()
    QTimer.singleShot(round(1000 * seconds), loop.quit)
    loop.exec()


def press(desk: Desk, key: Qt.Key) -> None:
    """Press a key in the window."""
    none = Qt.KeyboardModifier.NoModifier
    QApplication.sendEvent(desk.window, QKeyEvent(QEvent.Type.KeyPress, key, none))


def point(widget: QWidget, kind: QEvent.Type, place: QPointF, *, held: bool) -> None:
    """Press, move or release the left button."""
    left, none = Qt.MouseButton.LeftButton, Qt.MouseButton.NoButton
    moved = kind is QEvent.Type.MouseMove
    event = QMouseEvent(
        kind,
        place,
        widget.mapToGlobal(place),
        none if moved else left,
        left if held else none,
        Qt.KeyboardModifier.NoModifier,
    )
    QApplication.sendEvent(widget, event)


def painted(widget: QWidget) -> None:
    """Draw a widget now, with everything in it."""
    widget.grab()


def memory_mb() -> float:
    """What this process holds."""
    return psutil.Process().memory_info().rss / 1e6


def scan_name(desk: Desk) -> str:
    """The file name of the scan whose picture is on screen, or ""."""
    return desk.window.scan.name if desk.window.scan.view.picture is not None else ""


def opened(desk: Desk, project: Path) -> None:
    """Open a project and wait until its first scan is on screen."""
    desk.asking.open_path(project)
    wait_until(lambda: desk.library.session is not None and scan_name(desk) != "")
