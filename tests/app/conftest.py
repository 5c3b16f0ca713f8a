"""The desk as a test drives it: the real window, store and scan reader, a fake engine."""

import gc
import logging
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from pytestqt.qtbot import QtBot

from app import bootstrap
from app.collecting import Collecting
from app.controllers import looking_again
from app.desk import Desk
from app.engine_port import EngineRequest
from app.models.commands import Command
from nearl_core import bugs as bug_reports
from nearl_core import labels_file
from nearl_core.learn import evaluate
from nearl_core.types import LabelSet
from tests.app.driving import Driver, as_added, delete, make_project, stop
from tests.app.fakes import FakeEngine
from tests.app.viewer import view_of, write_scans
from tests.support.scans import write_folder

ROOM = (1280, 800)
"""What the window has on most screens; the one that Qt makes up for tests is smaller."""


@pytest.fixture(scope="session")
def label_set() -> LabelSet:
    return labels_file.from_names(["Disc", "Stripes", "Other"])


@pytest.fixture(scope="session")
def made_once(tmp_path_factory: pytest.TempPathFactory, label_set: LabelSet) -> Path:
    """The project that each test gets a copy of: taking scans in starts a decoding process."""
    folder = tmp_path_factory.mktemp("made-once")
    return make_project(folder / "tiny.nearl", write_folder(folder / "scans"), label_set)


@pytest.fixture
def scan_folder(tmp_path: Path, made_once: Path) -> Path:
    """The nine tiny scans, as old as the project knows them."""
    return shutil.copytree(made_once.with_name("scans"), tmp_path / "scans")


@pytest.fixture
def project(tmp_path: Path, scan_folder: Path, made_once: Path) -> Path:
    """A project over them, which stand beside it."""
    del scan_folder
    return shutil.copytree(made_once, tmp_path / "tiny.nearl")


@pytest.fixture(autouse=True)
def _children_handed_on(children_handed_on: None) -> None:
    """Desks borrow their decoding processes."""


@pytest.fixture
def start(qtbot: QtBot) -> Iterator[Callable[[], Driver]]:
    """Start desks; each is shut down at the end, and every thread of it must be gone."""
    running: list[Driver] = []
    collecting = Collecting()

    def make() -> Driver:
        bootstrap.application()
        engines: list[FakeEngine] = []

        def factory(request: EngineRequest) -> FakeEngine:
            engines.append(FakeEngine(request))
            return engines[-1]

        desk = bootstrap.build(factory=factory)
        if not running:  # another start finds what the first one kept
            as_added(desk)
            desk.window.resize(*ROOM)
        driver = Driver(desk, qtbot, engines)
        desk.reporter.reported.connect(driver.troubles.append)
        desk.window.show()
        running.append(driver)
        return driver

    yield make
    for driver in running:
        stop(driver)
    collecting.close()
    logging.getLogger("nearl.desk").handlers.clear()


@pytest.fixture
def driver(start: Callable[[], Driver]) -> Driver:
    """A desk on its start page."""
    return start()


@pytest.fixture
def desk(driver: Driver, project: Path) -> Driver:
    """A desk with the project of tiny scans open."""
    driver.open(project)
    return driver


@pytest.fixture(scope="module")
def viewing_desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Desk, Path]]:
    """One desk for all tests of a module: starting one takes longer than any of them."""
    folder = tmp_path_factory.mktemp("tools")
    names = labels_file.from_names(["Disc", "Other"])
    project = make_project(folder / "t.nearl", write_scans(folder / "in"), names)
    bootstrap.application()
    collecting = Collecting()
    desk = as_added(bootstrap.build(factory=FakeEngine))
    desk.window.resize(*ROOM)
    desk.window.show()
    yield desk, project
    desk.window.close()
    assert desk.shut_down(), "a thread of the desk did not end"
    delete(desk.window)
    collecting.close()


@pytest.fixture
def tools(viewing_desk: tuple[Desk, Path], qtbot: QtBot) -> Driver:
    """The shared desk on its first scan, nothing switched on, nothing changed."""
    desk, project = viewing_desk
    driver = Driver(desk, qtbot)
    if desk.library.session is None:
        driver.open(project)
    for command in (Command.MEASURE, Command.KEEP_VIEW, Command.TAGS, Command.COMPARE):
        if desk.actions.action(command).isChecked():
            desk.actions.action(command).trigger()
    desk.window.scan.tags.search("")
    desk.review.show(desk.table.id_at(0))
    driver.until(lambda: view_of(driver).picture is not None)
    driver.press(Qt.Key.Key_Backspace)
    return driver


@pytest.fixture(scope="module", autouse=True)
def _no_widgets_left() -> Iterator[None]:
    """Collect closed windows here, not in a worker thread of some later test, which would crash.

    What is left by then is modules and what they hold; no later search goes through them again.
    """
    gc.collect()
    gc.freeze()
    yield
    gc.collect()


@pytest.fixture(autouse=True)
def bugs(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """What bugs were reported; a test that meets one it does not expect fails."""
    seen: list[str] = []
    report = bug_reports.report

    def remember(error: BaseException) -> str:
        seen.append(report(error))
        return seen[-1]

    monkeypatch.setattr(bug_reports, "report", remember)
    yield seen
    assert not seen, seen


@pytest.fixture
def few(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let a handful of decisions be enough: the tiny project has nine scans."""
    monkeypatch.setattr(evaluate, "ENOUGH", 4)
    monkeypatch.setattr(looking_again, "ENOUGH", 4)
