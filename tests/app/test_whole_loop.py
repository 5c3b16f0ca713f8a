"""The whole loop through the real `main()`, with the real engine and the starter backbone."""

import functools
import logging
import time
from collections.abc import Callable, Iterator
from itertools import pairwise
from pathlib import Path

import pytest
from PySide6.QtCore import Qt, QTimer
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

import main
from app import bootstrap
from app.desk import Desk
from app.models.training_state import Phase
from nearl_core.engine import Engine
from nearl_core.store.project import Project
from nearl_core.types import LabelSet
from tests.app.driving import Driver, make_project

STARTER = Path(__file__).resolve().parents[2] / "resources" / "backbones" / "starter"
LONG_MS = 240_000
TRAIN_S = 10.0
log = logging.getLogger(__name__)

LONGEST_GAP_S = 1.0
"""Loose: importing torch holds the interpreter, and shared machines hold everything."""

pytestmark = pytest.mark.skipif(
    not (STARTER / "open_clip_config.json").is_file(), reason="needs the starter backbone"
)


@pytest.fixture
def through_main(
    qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Callable[[Path, Callable[[Driver], None]], int]]:
    """Runs `main()` on a project, and a reader's part within its event loop."""
    built: list[Desk] = []
    build = bootstrap.build

    def remember(**kwargs: object) -> Desk:
        built.append(build(**kwargs))  # type: ignore[arg-type]
        return built[-1]

    monkeypatch.setattr(bootstrap, "build", remember)

    def run(project: Path, part: Callable[[Driver], None]) -> int:
        QApplication.instance() or bootstrap.application()
        failures: list[BaseException] = []

        def play() -> None:
            desk = built[-1]
            try:
                part(Driver(desk, qtbot))
            except BaseException as failure:  # noqa: BLE001 - the loop would swallow it
                failures.append(failure)
            finally:
                desk.window.close()

        QTimer.singleShot(0, play)
        status = main.main([str(project)])
        if failures:
            raise failures[0]
        return status

    yield run
    for desk in built:
        desk.window.deleteLater()


def decide_all(driver: Driver, count: int) -> None:
    """Decide by what the tiny scans are called, with the keys 1 to 3."""
    keys = {"disc": Qt.Key.Key_1, "stri": Qt.Key.Key_2, "ct.d": Qt.Key.Key_3}
    for _ in range(count):
        scan = driver.desk.review.scan
        assert scan is not None
        driver.decide(keys[scan.path.name[:4]])


def test_open_decide_undo_train_restart(
    through_main: Callable[[Path, Callable[[Driver], None]], int],
    tmp_path: Path,
    scan_folder: Path,
    label_set: LabelSet,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    project = make_project(tmp_path / "real.nearl", scan_folder, label_set)
    # A run of the usual length would take minutes here and show nothing more.
    short = functools.partialmethod(Engine.train, max_seconds=TRAIN_S)
    monkeypatch.setattr(Engine, "train", short)
    gaps: list[float] = []

    def first(driver: Driver) -> None:
        desk = driver.desk
        driver.bot.waitUntil(lambda: desk.suggestions.engine is not None, timeout=LONG_MS)
        decide_all(driver, 9)
        driver.decide(Qt.Key.Key_Z, Qt.KeyboardModifier.ControlModifier)
        assert "8 of 9 labelled" in driver.status()
        driver.bot.waitUntil(lambda: bool(desk.window.ranking.panel.source), timeout=LONG_MS)
        heart, beats = QTimer(), [time.perf_counter()]
        heart.timeout.connect(lambda: beats.append(time.perf_counter()))
        heart.start(5)
        desk.training.start()
        driver.bot.waitUntil(
            lambda: desk.training.state.phase is not Phase.WAITING, timeout=LONG_MS
        )
        driver.bot.waitUntil(lambda: desk.training.state.phase is Phase.IDLE, timeout=LONG_MS)
        heart.stop()
        gaps.extend(after - before for before, after in pairwise(beats))

    def second(driver: Driver) -> None:
        driver.bot.waitUntil(lambda: driver.desk.window.shows_desk, timeout=LONG_MS)
        assert "8 of 9 labelled" in driver.status()
        lines = driver.desk.window.training.versions.lines
        with Project.open(project, read_only=True) as other:
            assert len(lines) == len(other.versions()) + 1

    assert through_main(project, first) == 0
    log.info("the longest gap of the event loop while training: %.3f s", max(gaps))
    assert max(gaps) < LONGEST_GAP_S
    assert through_main(project, second) == 0
