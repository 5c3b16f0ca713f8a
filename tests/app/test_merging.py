"""A copy of the project, in which somebody else decided at the same time, merged on the desk."""

import shutil
import threading
from pathlib import Path
from typing import Any

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QFileDialog

from app.controllers import merging as controller
from app.models.commands import Command
from app.strings import reading_words
from app.views.dialogs.merge import MergeDialog
from nearl_core.errors import ProjectError
from nearl_core.store import bulk, merging, whole_copy
from nearl_core.store.project import Project
from tests.app.driving import WAIT_MS, Driver, decide_while_it_is_read, history
from tests.support.projects import LABELS, decide


def _copied(project: Path, folder: Path) -> Path:
    """A copy in which another reader decided two scans."""
    copy = folder / "copy.nearl"
    shutil.copytree(project, copy, ignore=shutil.ignore_patterns("project.lock", "cache"))
    with Project.open(copy) as other:
        for scan in other.scans()[:2]:
            decide(other, scan.id, other.label_set().ids[0], reader="bo")
    return copy


def _asked(desk: Driver, monkeypatch: pytest.MonkeyPatch, copy: Path) -> MergeDialog:
    monkeypatch.setattr(QFileDialog, "getExistingDirectory", lambda *_: str(copy))
    desk.desk.actions.asked.emit(Command.MERGE)
    (dialog,) = desk.desk.window.findChildren(MergeDialog)
    assert isinstance(dialog, MergeDialog)
    return dialog


def test_a_copy_is_shown_and_then_taken_over(
    desk: Driver, project: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    dialog = _asked(desk, monkeypatch, _copied(project, tmp_path))
    desk.until(dialog.ok.isEnabled)
    assert "2 decisions would be taken over: bo 2." in dialog.summary.text()
    assert not history(project, 1)
    with desk.bot.waitSignal(desk.desk.asking_merge.merging.taken, timeout=WAIT_MS):
        dialog.ok.click()
    assert [one.reader for one in history(project, 1)] == ["bo"]
    desk.until(lambda: "2 decisions taken over." in desk.status())
    session = desk.desk.library.session
    assert session is not None
    assert len(session.to_learn()) == 2  # and the ranking learns from them
    assert 1 in session.read_by_others


def test_what_another_reader_said_is_echoed_by_no_suggestion_from_then_on(
    desk: Driver, project: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ranking = desk.desk.window.ranking
    dialog = _asked(desk, monkeypatch, _copied(project, tmp_path))
    desk.until(dialog.ok.isEnabled)
    with desk.bot.waitSignal(desk.desk.asking_merge.merging.taken, timeout=WAIT_MS):
        dialog.ok.click()
    desk.until(lambda: ranking.panel.notice == reading_words.ECHO)
    assert all(line.probability is None for line in ranking.panel.lines)
    desk.decide(Qt.Key.Key_1)
    own = history(project, 1)[-1]
    assert own.reader != "bo"
    assert own.ranking is None


def test_what_is_no_copy_says_why(
    desk: Driver, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    Project.create(tmp_path / "other", LABELS).close()
    dialog = _asked(desk, monkeypatch, tmp_path / "other.nearl")
    desk.until(lambda: "no copy of this project" in dialog.problem)
    assert not dialog.ok.isEnabled()
    dialog.reject()


def test_nothing_to_take_over_is_said(
    desk: Driver, project: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    copy = tmp_path / "copy.nearl"
    shutil.copytree(project, copy, ignore=shutil.ignore_patterns("project.lock", "cache"))
    dialog = _asked(desk, monkeypatch, copy)
    desk.until(lambda: "nothing to take over" in dialog.summary.text())
    assert not dialog.ok.isEnabled()
    dialog.reject()


def test_a_merge_that_is_stopped_keeps_what_came_and_says_so(
    desk: Driver, project: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bulk, "TOGETHER", 1)
    dialog = _asked(desk, monkeypatch, _copied(project, tmp_path))
    desk.until(dialog.ok.isEnabled)
    first, go_on = threading.Event(), threading.Event()
    take_over = Project.take_over

    def one_then_wait(*args: Any) -> None:
        take_over(*args)
        first.set()
        go_on.wait(20)

    monkeypatch.setattr(Project, "take_over", one_then_wait)
    with desk.bot.waitSignal(desk.desk.asking_merge.merging.taken, timeout=WAIT_MS):
        dialog.ok.click()
        assert first.wait(20)
        dialog.reject()
        go_on.set()
    desk.until(lambda: "Stopped on the way" in desk.status())
    assert history(project, 1)
    assert not history(project, 2)
    assert desk.desk.library.session is not None
    assert len(desk.desk.library.session.to_learn()) == 1


def test_a_decision_that_is_saved_while_a_copy_is_merged_stands(
    desk: Driver, project: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    dialog = _asked(desk, monkeypatch, _copied(project, tmp_path))
    desk.until(dialog.ok.isEnabled)
    with desk.bot.waitSignals(
        [desk.desk.asking_merge.merging.taken, desk.desk.review.saved], timeout=WAIT_MS
    ):
        decide_while_it_is_read(desk, monkeypatch, controller, dialog.ok.click)
    session = desk.desk.library.session
    assert session is not None
    assert (len(session.standing), len(session.others)) == (1, 2)


def test_a_copy_for_a_reader_is_made_and_taken_over_again(
    desk: Driver, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = tmp_path / "for" / "bo.nearl"
    monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *_: (str(place), ""))
    desk.desk.actions.asked.emit(Command.COPY)
    desk.until(lambda: "Copied to bo.nearl" in desk.status())
    with Project.open(place) as copy:
        decide(copy, 1, copy.label_set().ids[0], reader="bo")
    dialog = _asked(desk, monkeypatch, place)
    desk.until(dialog.ok.isEnabled)
    assert "1 decision would be taken over: bo 1." in dialog.summary.text()
    dialog.reject()
    desk.desk.actions.asked.emit(Command.COPY)  # there is one now
    desk.until(lambda: "can't be made there" in desk.status())


def test_a_merge_that_fails_on_the_way_says_so_and_keeps_what_came(
    desk: Driver, project: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bulk, "TOGETHER", 1)
    dialog = _asked(desk, monkeypatch, _copied(project, tmp_path))
    desk.until(dialog.ok.isEnabled)
    take_over = Project.take_over

    def one_then_none(*args: Any) -> None:
        take_over(*args)
        monkeypatch.setattr(Project, "take_over", _full)

    monkeypatch.setattr(Project, "take_over", one_then_none)
    dialog.ok.click()
    desk.until(lambda: "disk is full" in dialog.problem)
    session = desk.desk.library.session
    assert session is not None
    assert len(session.to_learn()) == 1
    dialog.reject()


def _full(*_args: Any) -> None:
    raise ProjectError("The disk is full.", "Free some space.")


def test_looking_at_a_copy_stops_no_copying(
    desk: Driver, project: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    other, place, asked = _copied(project, tmp_path), tmp_path / "cy.nearl", threading.Event()
    copy_whole = whole_copy.copy_whole

    def slowly(*args: Any) -> Path:
        asked.wait(20)
        return copy_whole(*args)

    monkeypatch.setattr(whole_copy, "copy_whole", slowly)
    monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *_: (str(place), ""))
    desk.desk.actions.asked.emit(Command.COPY)
    dialog = _asked(desk, monkeypatch, other)
    asked.set()
    desk.until(dialog.ok.isEnabled)
    dialog.reject()
    assert place.is_dir()
    assert "Copying" not in desk.status()


def test_what_comes_of_a_copy_once_the_project_is_closed_is_said_to_nobody(
    desk: Driver, project: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    looked, closed = threading.Event(), threading.Event()

    def slowly(*_args: Any) -> None:
        looked.set()
        closed.wait(20)
        _full()

    monkeypatch.setattr(merging, "look", slowly)
    dialog = _asked(desk, monkeypatch, _copied(project, tmp_path))
    desk.until(looked.is_set)
    desk.desk.library.close()
    closed.set()
    with desk.bot.waitSignal(desk.desk.library.opened, timeout=WAIT_MS):
        desk.desk.library.open(project)
    assert not dialog.problem
    dialog.reject()
