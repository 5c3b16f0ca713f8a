"""The status bar: what goes on stays said, and what was said of it goes with it."""

import threading
from collections.abc import Iterable, Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import Qt

from app import strings
from app.views import status_line
from nearl_core import adding
from nearl_core.scans.find import find
from nearl_core.types import SkippedFile
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
