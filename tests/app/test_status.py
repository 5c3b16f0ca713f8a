"""The status bar: what goes on stays said, and what was said of it goes with it."""

import threading
from collections.abc import Iterable, Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QLabel, QWidget

from app import strings
from app.models.scan_table import QueueCounts
from app.views import status_line
from nearl_core import adding
from nearl_core.scans.find import find
from nearl_core.store.project import Project
from nearl_core.types import LabelSet, SkippedFile, State
from tests.app.driving import Driver
from tests.support.scans import disc, write_png

ADDING = strings.ADDING.format(added=0, skipped=0)


@pytest.fixture
def slow_disk(monkeypatch: pytest.MonkeyPatch) -> Iterator[threading.Event]:
    """A folder whose files come once the event is set; messages go after a millisecond."""
    go_on = threading.Event()

    def slowly(paths: Iterable[Path]) -> Iterator[Path | SkippedFile]:
        assert go_on.wait(20)
        yield from find(paths)

    monkeypatch.setattr(adding, "find", slowly)
    monkeypatch.setattr(status_line, "_MESSAGE_MS", 1)
    yield go_on
    go_on.set()


def shown(widget: QWidget) -> list[str]:
    """What the labels of a widget say."""
    return [one.text() for one in widget.findChildren(QLabel) if one.isVisible()]


def test_adding_is_said_as_long_as_it_goes_on(
    slow_disk: threading.Event, desk: Driver, tmp_path: Path
) -> None:
    write_png(tmp_path / "more" / "1.png", disc(seed=77))
    said: list[str] = []
    desk.desk.library.adding.ended.connect(lambda: said.append(desk.status()))
    desk.desk.library.adding.add((tmp_path / "more",))
    assert ADDING in desk.status()
    desk.press(Qt.Key.Key_9)
    assert strings.NO_SUCH_LABEL in desk.status()
    desk.until(lambda: strings.NO_SUCH_LABEL not in desk.status())
    assert ADDING in desk.status()
    desk.decide(Qt.Key.Key_1)
    assert ADDING in desk.status()
    with desk.bot.waitSignal(desk.desk.library.adding.added, timeout=20_000):
        slow_disk.set()
    desk.until(lambda: "dding" not in desk.status())
    assert said


def test_a_project_that_is_closed_takes_its_adding_along(
    slow_disk: threading.Event, desk: Driver, tmp_path: Path
) -> None:
    del slow_disk
    write_png(tmp_path / "more" / "1.png", disc(seed=77))
    desk.desk.library.adding.add((tmp_path / "more",))
    assert ADDING in desk.status()
    desk.desk.library.close()
    assert ADDING not in desk.status()


def test_a_folder_that_can_not_be_read_ends_its_adding(
    slow_disk: threading.Event, desk: Driver, tmp_path: Path
) -> None:
    del slow_disk
    desk.desk.library.adding.add((tmp_path / "gone",))
    desk.until(lambda: bool(desk.troubles))
    desk.until(lambda: ADDING not in desk.status())


def test_a_queue_that_is_being_filled_does_not_say_that_it_is_empty(
    slow_disk: threading.Event, driver: Driver, tmp_path: Path, label_set: LabelSet
) -> None:
    write_png(tmp_path / "more" / "1.png", disc(seed=77))
    with Project.create(tmp_path / "empty.nearl", label_set) as made:
        folder = made.folder
    driver.desk.asking.open_path(folder)
    queue = driver.desk.window.queue
    driver.until(lambda: strings.QUEUE_EMPTY in shown(queue))
    driver.desk.library.adding.add((tmp_path / "more",))
    assert strings.QUEUE_FILLS in shown(queue)
    assert strings.QUEUE_EMPTY not in shown(queue)
    with driver.bot.waitSignal(driver.desk.library.adding.added, timeout=20_000):
        slow_disk.set()
    assert strings.QUEUE_FILLS not in shown(queue)


@pytest.mark.parametrize("width", [960, 1280])
def test_a_long_message_cuts_nothing_but_itself(driver: Driver, width: int) -> None:
    window, line = driver.desk.window, driver.desk.window.status
    window.resize(width, 700)
    line.show_reader("reader-0000")
    line.show_counts(QueueCounts(900, 900, 500, tuple((state, 100) for state in State), 40))
    line.show_engine("BiomedCLIP · v12", "CPU, 16 threads, bfloat16")
    line.show_saved(strings.SAVED.format(time="23:59:59"))
    line.show_survey(120, 900)
    said = "No scan of this project was found there, and " * 5
    line.message(said)
    message = line.findChild(QLabel, "message")
    assert isinstance(message, QLabel)
    others = [one for one in line.findChildren(QLabel) if one is not message]

    def nothing_else_is_cut() -> bool:
        seen = [one for one in others if one.isVisible()]
        right = max(one.geometry().right() for one in seen)
        whole = all(one.width() >= one.sizeHint().width() for one in seen)
        return whole and right < window.width() and "…" in message.text()

    driver.until(nothing_else_is_cut)
    assert message.text().startswith("No scan of this project")
    assert said in line.texts()
    line.message("")
    assert any("40 flagged" in text for text in shown(line)) == (width == 1280)
