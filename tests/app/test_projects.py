"""Projects, bad input, and the window around them."""

import sqlite3
from collections.abc import Callable
from copy import copy
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QComboBox, QFileDialog, QLabel

from app import strings
from app.controllers.library import NewProject
from app.controllers.pictures import Place
from app.jobs import Job, Priority
from app.models.commands import Command
from app.models.scan_table import ScanTable, Show
from app.strings import command_words, dialog_words
from app.views.dialogs.about import AboutDialog
from app.views.dialogs.new_project import NewProjectDialog
from nearl_core import bugs as bug_reports
from nearl_core import labels_file
from nearl_core.control import RunControl
from nearl_core.errors import ProjectError
from nearl_core.scan_list import ScanList
from nearl_core.store.copies import copies
from nearl_core.store.project import Project
from nearl_core.types import LabelSet, Scan, State, Unit, Verdict
from tests.app.driving import WAIT_MS, Driver, dialog_of
from tests.support.scans import write_dicom


def test_the_start_page_says_what_this_is_not(driver: Driver) -> None:
    words = [label.text() for label in driver.desk.window.start.findChildren(QLabel)]
    assert strings.NOT_A_DEVICE in words
    driver.desk.asking.about()
    about = dialog_of(driver, AboutDialog)
    assert about is not None
    told = {label.text() for label in about.findChildren(QLabel)}
    assert {
        strings.NOT_A_DEVICE,
        strings.ABOUT_VERSION.format(version=bug_reports.version()),
    } <= told
    about.close()


def test_a_folder_is_chosen_from_a_place_that_the_reader_knows(
    driver: Driver, project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[tuple[str, Path]] = []

    def choose(_parent: object, title: str, start: str) -> str:
        asked.append((title, Path(start)))
        return ""

    monkeypatch.setattr(QFileDialog, "getExistingDirectory", choose)
    driver.desk.actions.action(Command.OPEN_PROJECT).trigger()
    driver.open(project)
    driver.desk.actions.action(Command.ADD_SCANS).trigger()
    driver.desk.actions.action(Command.OPEN_PROJECT).trigger()
    beside = project.resolve().parent
    assert asked == [
        ("Open project", Path.home()),
        ("Add scans", beside),
        ("Open project", beside),
    ]


def test_a_new_project_takes_its_folder_in(
    driver: Driver, tmp_path: Path, scan_folder: Path, label_set: LabelSet
) -> None:
    wanted = NewProject(tmp_path / "new.nearl", label_set, "starter", scan_folder)
    with driver.bot.waitSignal(driver.desk.library.adding.added, timeout=WAIT_MS):
        driver.desk.library.create(wanted)
    assert driver.desk.table.rowCount() == 9
    driver.until(lambda: driver.desk.window.scan.view.picture is not None)
    assert "9 scans added" in driver.status()
    assert driver.desk.keeper.settings.recent == ((tmp_path / "new.nearl").resolve(),)


def test_a_series_is_one_scan_whose_frames_the_keys_turn(
    driver: Driver, tmp_path: Path, label_set: LabelSet
) -> None:
    for k in range(4):
        place = {"ImagePositionPatient": ["0", "0", str(k)], "SeriesInstanceUID": "1.2"}
        place |= {"ImageOrientationPatient": ["1", "0", "0", "0", "1", "0"]}
        write_dicom(tmp_path / "in" / f"{9 - k}.dcm", np.full((8, 8), k, np.uint16), **place)
    wanted = NewProject(tmp_path / "s.nearl", label_set, "starter", tmp_path / "in", Unit.SERIES)
    with driver.bot.waitSignal(driver.desk.library.adding.added, timeout=WAIT_MS):
        driver.desk.library.create(wanted)
    assert driver.desk.table.rowCount() == 1
    view = driver.desk.window.scan.view
    driver.until(lambda: view.picture is not None)
    first = view.picture
    driver.bot.keyClick(driver.desk.window, Qt.Key.Key_Down)
    driver.until(lambda: view.picture is not None and view.picture is not first)
    assert first is not None
    assert view.picture is not None
    assert int(view.picture.frame.values[0, 0]) == int(first.frame.values[0, 0]) + 1


def test_what_one_scan_is_can_be_chosen(driver: Driver) -> None:
    driver.desk.asking.new_project()
    dialog = dialog_of(driver, NewProjectDialog)
    assert isinstance(dialog, NewProjectDialog)
    before = dialog.unit
    box = next(
        b for b in dialog.findChildren(QComboBox) if b.findText(dialog_words.UNITS["series"]) > 0
    )
    driver.bot.keyClick(box, Qt.Key.Key_Down)
    assert [before, dialog.unit] == [Unit.IMAGE, Unit.SERIES]
    dialog.close()


def test_an_empty_folder_gets_a_sentence(desk: Driver, tmp_path: Path) -> None:
    empty = tmp_path / "empty"
    empty.mkdir()
    desk.desk.library.adding.add((empty,))
    desk.until(lambda: bool(desk.troubles))
    assert desk.troubles[0].sentence == strings.NOTHING_FOUND
    assert desk.troubles[0].remedy


def test_a_folder_that_went_away_gets_a_sentence(desk: Driver, tmp_path: Path) -> None:
    desk.desk.library.adding.add((tmp_path / "gone",))
    desk.until(lambda: bool(desk.troubles))
    assert desk.troubles[0].sentence == strings.FOLDER_GONE


def test_a_newer_project_is_refused_and_the_start_page_stays(driver: Driver, project: Path) -> None:
    with sqlite3.connect(project / "project.db") as database:
        database.execute("UPDATE alembic_version SET version_num = '0999'")
    database.close()
    driver.desk.asking.open_path(project)
    driver.until(lambda: bool(driver.troubles))
    assert driver.troubles[0].remedy
    assert not driver.desk.window.shows_desk


def test_a_full_disk_loses_nothing_and_says_so(
    desk: Driver, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = desk.scan_id()

    def full(*_: object) -> None:
        raise ProjectError("The disk is full, so the decision is not saved.", "Free some space.")

    with monkeypatch.context() as patch:
        patch.setattr(Project, "record", full)
        desk.press(Qt.Key.Key_1)
        desk.until(lambda: bool(desk.troubles))
    assert desk.troubles[0].remedy == "Free some space."
    assert desk.scan_id() == first
    assert desk.desk.table.verdict(first).state is State.UNSEEN
    desk.decide(Qt.Key.Key_1)
    assert desk.desk.table.verdict(first).state is State.LABELLED


def test_the_database_is_copied_each_day(desk: Driver, monkeypatch: pytest.MonkeyPatch) -> None:
    session = desk.desk.library.session
    assert session is not None
    folder = session.project.folder
    desk.until(lambda: len(copies(folder)) == 1)

    class Tomorrow(date):
        @classmethod
        def today(cls) -> "Tomorrow":
            return cls(2199, 1, 1)

    monkeypatch.setattr("app.controllers.copying.date", Tomorrow)
    monkeypatch.setattr("nearl_core.store.copies.date", Tomorrow)
    desk.decide(Qt.Key.Key_1)
    desk.until(lambda: len(copies(folder)) == 2)


def test_a_bug_is_told_once_and_without_names(driver: Driver, bugs: list[str]) -> None:
    driver.desk.jobs.background.submit(lambda _control: _fail())
    driver.until(lambda: bool(driver.troubles))
    assert "MUELLER" not in driver.troubles[0].details
    assert "ValueError" in driver.troubles[0].details
    bugs.clear()


def _fail() -> None:
    raise ValueError("bad file /data/MUELLER^ANNA.dcm of 'MUELLER'")


def test_a_hundred_thousand_scans_filter_fast() -> None:
    scans = [Scan(n, Path(f"/data/scan-{n}.dcm")) for n in range(1, 100_001)]
    table = ScanTable()
    table.fill(ScanList.of(scans), {5: Verdict(State.LABELLED, ("a",))}, None)
    table.set_filter(Show.TO_DO, "scan-9999")
    assert table.rowCount() == 11
    table.set_filter(Show.ALL, "")
    assert table.next_to_do(4) == 6


def test_menus_name_every_command() -> None:
    assert set(command_words.COMMANDS) == {command.value for command in Command}


def test_thumbnails_come_for_what_is_visible(desk: Driver) -> None:
    desk.until(lambda: desk.desk.table.thumbnails.get(desk.scan_id()) is not None)


def test_a_window_drag_changes_only_the_look(desk: Driver) -> None:
    view = desk.desk.window.scan.view
    before = view.viewing
    assert view.picture is not None
    shown = view.picture.levels[0].copy()
    desk.press(Qt.Key.Key_I)
    desk.press(Qt.Key.Key_R)
    assert view.viewing.inverted
    assert view.viewing != before
    desk.press(Qt.Key.Key_Backspace)
    assert view.viewing == before
    assert np.array_equal(view.picture.levels[0], shown)


def test_templates_can_start_a_label_set() -> None:
    assert labels_file.template_names()


def test_late_pictures_of_another_project_stand_for_none_of_this_one(
    desk: Driver, monkeypatch: pytest.MonkeyPatch
) -> None:
    pictures, scan, session = desk.desk.pictures, desk.desk.review.scan, desk.desk.library.session
    assert scan is not None
    assert session is not None
    place = Place(scan.id, 0)
    old = pictures.at(place)
    late: list[Callable[[object], None]] = []

    def submit(work: Callable[[RunControl], object], **more: Any) -> Job:
        late.append(more["done"])
        return Job(work, RunControl(), Priority.SCREEN)

    monkeypatch.setattr(desk.desk.jobs.pictures, "submit", submit)
    pictures.open(session)
    pictures.want(scan, 0, Priority.SCREEN)
    pictures.open(copy(session))  # whose scans have the same numbers
    pictures.want(scan, 0, Priority.SCREEN)
    late[0](old)
    assert pictures.at(place) is None
    late[1](old)
    assert pictures.at(place) is old
