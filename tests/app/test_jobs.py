"""Threads that are closed while others still wait for them, or while one of them hangs."""

import threading
from collections.abc import Callable
from concurrent.futures import CancelledError
from pathlib import Path

import pytest
from PySide6.QtWidgets import QApplication

from app.jobs import Jobs, Priority, Relay
from tests.app.driving import WAIT_MS, Driver

WAIT_S = WAIT_MS / 1000


@pytest.fixture
def jobs(qapp: QApplication) -> Jobs:
    del qapp
    return Jobs(Relay())


def test_who_waits_for_work_that_came_too_late_goes_on(jobs: Jobs) -> None:
    assert jobs.close()
    late = jobs.store.submit(lambda _control: None)
    with pytest.raises(CancelledError):
        late.future.result(timeout=WAIT_S)


def test_work_whose_writing_came_too_late_is_stopped_and_no_bug(jobs: Jobs) -> None:
    said: list[object] = []
    jobs.relay.bug.connect(said.append)
    assert jobs.store.close()
    writing = jobs.background.submit(lambda _control: jobs.write(lambda: None))
    with pytest.raises(CancelledError):
        writing.future.result(timeout=WAIT_S)
    QApplication.sendPostedEvents(jobs.relay)
    assert not said
    assert jobs.close()


def test_a_disk_that_hangs_is_told_when_the_desk_closes(jobs: Jobs) -> None:
    answers = threading.Event()
    jobs.store.submit(lambda _control: answers.wait(WAIT_S))
    assert not jobs.close(timeout_s=0.05)
    answers.set()
    assert jobs.close()


def test_a_project_closed_while_its_files_are_hashed_is_no_bug(
    driver: Driver, project: Path, bugs: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    jobs, began, closes = driver.desk.jobs, threading.Event(), threading.Event()
    write = jobs.write

    def write_before_the_closing(work: Callable[[], None]) -> None:
        began.set()
        assert closes.wait(WAIT_S)
        write(work)
        behind = jobs.store.submit(lambda _control: None, priority=Priority.TRAINING)
        behind.future.result(timeout=WAIT_S)  # the project is closed now

    monkeypatch.setattr(jobs, "write", write_before_the_closing)
    driver.open(project)
    driver.until(began.is_set)
    driver.desk.library.close()
    closes.set()
    ended: list[None] = []
    jobs.background.submit(lambda _control: None, done=ended.append, priority=Priority.IDLE)
    driver.until(lambda: bool(ended))
    assert not bugs
    assert not driver.troubles
