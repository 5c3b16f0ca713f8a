"""Closed windows are destroyed in the GUI thread, whatever the workers do."""

import sys
import threading

from PySide6.QtWidgets import QApplication, QWidget
from pytestqt.qtbot import QtBot

from app import bootstrap
from app.collecting import Collecting
from app.jobs import Jobs, Relay


class Window(QWidget):
    """Keeps itself alive in a cycle, as windows with closures do, and notes where it ends."""

    def __init__(self, ended_in: list[str]) -> None:
        super().__init__()
        self.itself = self
        self._ended_in = ended_in

    def __del__(self) -> None:
        self._ended_in.append(threading.current_thread().name)


def allocate(_control: object) -> int:
    """Make far more objects than start a collection."""
    return len([[number] for number in range(200_000)])


def test_a_worker_that_allocates_never_destroys_a_window(qtbot: QtBot, qapp: QApplication) -> None:
    del qapp
    collecting = Collecting()
    jobs = Jobs(Relay())
    ended_in: list[str] = []
    try:
        Window(ended_in)
        jobs.engine.submit(allocate).future.result(timeout=20)
        assert ended_in == []
        kept: list[list[int]] = []

        def has_ended() -> bool:
            # What the GUI thread allocates meanwhile, however much it frees.
            kept.extend([number] for number in range(2000))
            return bool(ended_in)

        qtbot.waitUntil(has_ended, timeout=20_000)
    finally:
        jobs.close()
        collecting.close()
    assert ended_in == [threading.main_thread().name]


def test_threads_at_work_give_way_to_the_window_soon() -> None:
    """Behind Python's own 5 ms a window that asks a hundred times while it draws stands still."""
    bootstrap.application()
    assert sys.getswitchinterval() <= 0.001
