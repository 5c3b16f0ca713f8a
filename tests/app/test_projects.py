"""Projects, bad input, and the window around them."""

import sqlite3
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PySide6.QtCore import QObject, Qt, QUrl, Slot
from PySide6.QtGui import QDesktopServices
from PySide6.QtWidgets import QComboBox, QLabel, QLineEdit, QPushButton

import main
from app import strings
from app.controllers.library import NewProject
from app.controllers.pictures import Place
from app.jobs import Job, Priority
from app.models.commands import Command
from app.models.scan_table import ScanTable, Show
from app.strings import command_words, dialog_words
from app.views.dialogs.about import AboutDialog
from app.views.dialogs.export import ExportDialog
from app.views.dialogs.label_set import LabelSetDialog
from app.views.dialogs.new_project import NewProjectDialog
from nearl_core import bugs as bug_reports
from nearl_core import labels_file
from nearl_core.control import RunControl
from nearl_core.errors import ProjectError
from nearl_core.model import adapter_file
from nearl_core.model.nearl import Nearl, NearlConfig
from nearl_core.scan_list import ScanList
from nearl_core.store.copies import copies
from nearl_core.store.project import Project
from nearl_core.types import LabelSet, Scan, State, Unit, Verdict
from tests.app.driving import WAIT_MS, Driver, dialog_of
from tests.support.projects import version
from tests.support.scans import write_dicom

ROOT = Path(__file__).resolve().parents[2]


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


def test_the_label_editor_refuses_bad_names_in_place(desk: Driver) -> None:
    desk.desk.asking_labels.ask()
    dialog = dialog_of(desk, LabelSetDialog)
    assert isinstance(dialog, LabelSetDialog)
    dialog.editor.add()
    assert dialog.problem == dialog_words.EMPTY_NAME.format(place=4)
    assert not dialog.ok.isEnabled()
    desk.bot.keyClicks(dialog.editor.name_field, "disc")
    assert "stands twice" in dialog.problem
    desk.bot.keyClicks(dialog.editor.name_field, " two")
    assert dialog.problem == ""
    with desk.bot.waitSignal(desk.desk.asking_labels.labelling.saved, timeout=WAIT_MS):
        dialog.ok.click()
    assert [line.name for line in desk.desk.window.ranking.panel.lines][-1] == "disc two"


def test_a_rename_keeps_the_id(desk: Driver) -> None:
    first = desk.scan_id()
    desk.decide(Qt.Key.Key_1)
    desk.desk.asking_labels.ask()
    dialog = dialog_of(desk, LabelSetDialog)
    assert isinstance(dialog, LabelSetDialog)
    dialog.editor.name_field.clear()
    desk.bot.keyClicks(dialog.editor.name_field, "Circle")
    dialog.ok.click()
    desk.until(lambda: dialog.reviewing)
    with desk.bot.waitSignal(desk.desk.asking_labels.labelling.saved, timeout=WAIT_MS):
        dialog.ok.click()
    assert desk.desk.table.detail(first) == "Circle"


class Opened(QObject):
    """Stands for the file manager."""

    def __init__(self) -> None:
        super().__init__()
        self.folders: list[Path] = []

    @Slot(QUrl)
    def take(self, url: QUrl) -> None:
        """A folder is to be shown."""
        self.folders.append(Path(url.toLocalFile()))


def test_an_export_is_made_from_the_dialog(desk: Driver, monkeypatch: pytest.MonkeyPatch) -> None:
    for key in (Qt.Key.Key_1, Qt.Key.Key_2, Qt.Key.Key_1):
        desk.decide(key)
    desk.press(Qt.Key.Key_E, Qt.KeyboardModifier.ControlModifier)
    dialog = dialog_of(desk, ExportDialog)
    assert isinstance(dialog, ExportDialog)
    with desk.bot.waitSignal(desk.desk.asking_export.exporting.done, timeout=WAIT_MS):
        dialog.ok.click()
    assert "3 scans" in dialog.result_text.text()
    first = dialog.folder
    assert first.is_dir()
    opened = Opened()
    QDesktopServices.setUrlHandler("file", opened, "take")  # type: ignore[arg-type]
    (button,) = (
        one for one in dialog.findChildren(QPushButton) if one.text() == dialog_words.OPEN_FOLDER
    )
    desk.bot.mouseClick(button, Qt.MouseButton.LeftButton)
    QDesktopServices.unsetUrlHandler("file")
    assert opened.folders == [first]
    with monkeypatch.context() as without:
        without.setattr(QDesktopServices, "openUrl", lambda _url: False)
        desk.bot.mouseClick(button, Qt.MouseButton.LeftButton)
    assert str(first) in dialog.result_text.text()
    desk.bot.keyClick(dialog, Qt.Key.Key_Return)
    assert not dialog.isVisible()
    desk.press(Qt.Key.Key_E, Qt.KeyboardModifier.ControlModifier)
    desk.until(lambda: dialog_of(desk, ExportDialog) not in (None, dialog))
    again = dialog_of(desk, ExportDialog)
    assert isinstance(again, ExportDialog)
    assert again.folder == first.with_name(f"{first.name}-2")
    again.reject()


def test_the_live_versions_adapters_are_exported_from_the_dialog(
    driver: Driver, project: Path
) -> None:
    with Project.open(project) as opened:
        nearl = Nearl(NearlConfig(32, 32, 2, 2, rank=8, queries=2, blocks=1))
        weights = opened.adapters_folder / "v1.safetensors"
        adapter_file.write(weights, nearl, extra={}, provenance={"blend": {}})
        opened.add_version(version("v1"))
    driver.open(project)
    driver.desk.actions.asked.emit(Command.EXPORT)
    dialog = dialog_of(driver, ExportDialog)
    assert isinstance(dialog, ExportDialog)
    dialog.choose_format("adapters")
    assert dialog.problem == dialog_words.NO_ADAPTERS
    assert not dialog.ok.isEnabled()
    dialog.reject()
    with driver.bot.waitSignal(driver.desk.training.live_changed, timeout=WAIT_MS):
        driver.desk.training.activate("v1")
    driver.desk.actions.asked.emit(Command.EXPORT)
    driver.until(lambda: dialog_of(driver, ExportDialog) is not dialog)
    dialog = dialog_of(driver, ExportDialog)
    assert isinstance(dialog, ExportDialog)
    dialog.choose_format("adapters")
    assert dialog.problem == ""
    with driver.bot.waitSignal(driver.desk.asking_export.exporting.adapters, timeout=WAIT_MS):
        dialog.ok.click()
    assert "adapters of version v1" in dialog.result_text.text()
    assert (dialog.folder / "adapters.safetensors").read_bytes() == weights.read_bytes()
    dialog.ok.click()


def test_an_export_goes_into_a_folder_with_a_name(desk: Driver) -> None:
    desk.press(Qt.Key.Key_E, Qt.KeyboardModifier.ControlModifier)
    dialog = dialog_of(desk, ExportDialog)
    assert isinstance(dialog, ExportDialog)
    field = next(x for x in dialog.findChildren(QLineEdit) if x.text() == str(dialog.folder))
    field.selectAll()
    desk.bot.keyClicks(field, "/")
    assert dialog.problem == dialog_words.FOLDER_NEEDS_NAME
    assert not dialog.ok.isEnabled()
    desk.bot.keyClicks(field, "a")
    assert dialog.problem == ""
    dialog.reject()


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


def test_no_torch_before_the_window_is_up() -> None:
    code = (
        "import sys; from app import bootstrap; bootstrap.application(); d = bootstrap.build(); "
        "d.window.show(); print(sorted({'torch', 'open_clip', 'sqlalchemy'} & set(sys.modules)))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "[]"


def test_main_without_a_display_says_what_to_do(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in ("DISPLAY", "WAYLAND_DISPLAY", "QT_QPA_PLATFORM"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(sys, "platform", "linux")
    assert main.main([]) == 3
    assert capsys.readouterr().err.strip() == strings.NO_DISPLAY


def test_a_missing_library_gets_its_package_names(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    real = __import__

    def without_qt(name: str, *args: object, **kwargs: object) -> object:
        if name == "PySide6":
            raise ImportError("libEGL.so.1: cannot open shared object file")
        return real(name, *args, **kwargs)  # type: ignore[arg-type]

    monkeypatch.setattr("builtins.__import__", without_qt)
    assert main.main([]) == 3
    text = capsys.readouterr().err
    assert "libEGL.so.1" in text
    assert "apt install" in text
    assert "dnf install" in text


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
    pictures.open(replace(session))  # whose scans have the same numbers
    pictures.want(scan, 0, Priority.SCREEN)
    late[0](old)
    assert pictures.at(place) is None
    late[1](old)
    assert pictures.at(place) is old
