"""A desk as a test drives it: keys pressed, what is shown read."""

import threading
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import ModuleType

import pytest
from PySide6.QtCore import QCoreApplication, QEvent, Qt
from PySide6.QtWidgets import QDialog, QWidget
from pytestqt.qtbot import QtBot
from shiboken6 import isValid

from app.desk import Desk
from app.errors import TroubleReport
from nearl_core.adding import examine
from nearl_core.scans.find import find
from nearl_core.scans.guard import ScanReader
from nearl_core.store.project import Project
from nearl_core.types import Decision, LabelSet
from tests.app.fakes import FakeEngine

WAIT_MS = 20_000


@dataclass
class Driver:
    """One running desk, and what a reader can do with it."""

    desk: Desk
    bot: QtBot
    engines: list[FakeEngine] = field(default_factory=list)
    troubles: list[TroubleReport] = field(default_factory=list)

    def open(self, project: Path) -> None:
        """Open a project and wait until its engine ranks."""
        with self.bot.waitSignal(self.desk.suggestions.loaded, timeout=WAIT_MS):
            self.desk.asking.open_path(project)
        self.until(lambda: self.desk.window.scan.view.picture is not None)

    def until(self, true: Callable[[], bool]) -> None:
        """Let the desk work until something is so."""
        self.bot.waitUntil(true, timeout=WAIT_MS)

    def press(
        self,
        key: Qt.Key,
        modifier: Qt.KeyboardModifier = Qt.KeyboardModifier.NoModifier,
    ) -> None:
        """Press a key in the window."""
        self.bot.keyClick(self.desk.window, key, modifier)

    def decide(
        self,
        key: Qt.Key,
        modifier: Qt.KeyboardModifier = Qt.KeyboardModifier.NoModifier,
    ) -> None:
        """Once the scan shows, press a key, and wait until what it says is on disk."""
        self.until(lambda: self.desk.window.scan.view.picture is not None)
        with self.bot.waitSignal(self.desk.review.saved, timeout=WAIT_MS):
            self.press(key, modifier)

    def scan_id(self) -> int:
        """The scan on screen."""
        scan = self.desk.review.scan
        assert scan is not None
        return scan.id

    def status(self) -> str:
        """What the status bar says."""
        return self.desk.window.status.texts()


def decide_some(driver: Driver) -> None:
    """Decide three scans for two labels: enough to train on."""
    for key in (Qt.Key.Key_1, Qt.Key.Key_2, Qt.Key.Key_1):
        driver.decide(key)


def train(driver: Driver) -> None:
    """Train by key, and wait for what the gate says."""
    with driver.bot.waitSignal(driver.desk.training.live_changed, timeout=WAIT_MS):
        driver.press(Qt.Key.Key_T, Qt.KeyboardModifier.ControlModifier)


def decide_while_it_is_read(
    driver: Driver, patch: pytest.MonkeyPatch, reading: ModuleType, go: Callable[[], None]
) -> None:
    """Start a taking in whose outcome is read slowly, and decide the scan on screen meanwhile.

    Args:
        driver: The desk.
        patch: Undoes it.
        reading: The module that reads what is decided, by its `decided`.
        go: Starts it.
    """
    read, saved = threading.Event(), threading.Event()
    decided = reading.decided

    def slowly(*asked: object) -> object:
        found: object = decided(*asked)
        read.set()
        saved.wait(0.5)  # a decision may be saved before the desk has what was read
        return found

    patch.setattr(reading, "decided", slowly)
    driver.desk.review.saved.connect(lambda _decision: saved.set())
    go()
    driver.until(read.is_set)
    driver.desk.review.press_label(1)


def as_added(desk: Desk) -> Desk:
    """A desk whose queue stays in the order of adding, so that a test can name scans by place."""
    desk.keeper.change_desk(replace(desk.keeper.desk, instructive=False))
    return desk


def make_project(folder: Path, scans: Path, label_set: LabelSet) -> Path:
    """Create a project and take a folder in, as the command line does."""
    with Project.create(folder, label_set) as made, ScanReader(workers=1) as reader:
        made.add_scans(examine(find([scans]), reader=reader))
        return made.folder


def history(project: Path, scan_id: int) -> list[Decision]:
    """Everything that was said of a scan, as it is on disk."""
    with Project.open(project, read_only=True) as other:
        return other.history(scan_id)


def stop(driver: Driver) -> None:
    """Close the window as a reader would, and wait for the threads."""
    if driver.desk.jobs.is_open:
        driver.desk.window.close()
        assert driver.desk.shut_down(), "a thread of the desk did not end"
    delete(driver.desk.window)


def delete(window: QWidget) -> None:
    """Take a window from Qt before Python collects its half: Qt would still ask the other one."""
    if isValid(window):
        window.deleteLater()
        QCoreApplication.sendPostedEvents(window, QEvent.Type.DeferredDelete)


def dialog_of(driver: Driver, kind: type[QDialog]) -> QDialog | None:
    """The dialog of a kind that was opened last, or None."""
    found = driver.desk.window.findChildren(kind)
    return found[-1] if found else None
