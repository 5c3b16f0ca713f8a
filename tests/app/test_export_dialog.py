"""The export dialog: what it asks for, by what is wanted, and what it makes."""

from pathlib import Path

import pytest
from PySide6.QtCore import QObject, Qt, QUrl, Slot
from PySide6.QtGui import QDesktopServices
from PySide6.QtWidgets import QCheckBox, QComboBox, QLabel, QLineEdit, QPushButton, QSpinBox
from pytestqt.qtbot import QtBot

from app import bootstrap
from app.models.commands import Command
from app.strings import dialog_words
from app.views.dialogs.export import ExportDialog
from nearl_core.model import adapter_file
from nearl_core.model.nearl import Nearl, NearlConfig
from nearl_core.store.project import Project
from tests.app.driving import WAIT_MS, Driver, dialog_of
from tests.support.projects import version


@pytest.fixture
def dialog(qtbot: QtBot, tmp_path: Path) -> ExportDialog:
    bootstrap.application()
    formats = ("csv", "imagefolder", "dicom")
    readers = (("ann", "ann"), ("reports", "reports (source)"))
    made = ExportDialog(tmp_path / "out", formats, None, live="", readers=readers)
    qtbot.addWidget(made)
    made.show()
    return made


def _box(dialog: ExportDialog) -> QCheckBox:
    boxes = dialog.findChildren(QCheckBox)
    return next(box for box in boxes if box.text() == dialog_words.PIXELS_CHECKED)


def test_nobody_is_asked_for_pictures_that_do_not_leave(dialog: ExportDialog, qtbot: QtBot) -> None:
    images = next(box for box in dialog.findChildren(QComboBox) if box.findData("none") >= 0)
    assert (dialog.format, dialog.images) == ("csv", "none")
    assert not _box(dialog).isVisible()
    images.setCurrentIndex(images.findData("shown"))
    assert _box(dialog).isVisible()
    qtbot.mouseClick(_box(dialog), Qt.MouseButton.LeftButton, pos=_box(dialog).rect().center())
    assert dialog.pixels_checked
    images.setCurrentIndex(images.findData("none"))
    assert not dialog.pixels_checked


def test_the_format_is_chosen_with_the_first_key(dialog: ExportDialog, qtbot: QtBot) -> None:
    dialog.activateWindow()
    field = dialog.focusWidget()
    qtbot.keyClick(field, Qt.Key.Key_F)
    assert dialog.format == "imagefolder"
    assert _box(dialog).isVisible()


def _choice(dialog: ExportDialog, value: str) -> QComboBox:
    return next(box for box in dialog.findChildren(QComboBox) if box.findData(value) >= 0)


def _choose(box: QComboBox, value: str) -> None:
    box.setCurrentIndex(box.findData(value))
    box.activated.emit(box.currentIndex())


def test_what_becomes_of_several_readers_is_said_not_left_to_the_format(
    dialog: ExportDialog,
) -> None:
    assert dialog.decisions == "all"
    dialog.choose_format("imagefolder")  # one label a scan
    assert dialog.decisions == "agreed"
    dialog.choose_format("csv")
    assert dialog.decisions == "all"
    _choose(_choice(dialog, "majority"), "majority")
    dialog.choose_format("imagefolder")
    dialog.choose_format("csv")
    assert dialog.decisions == "majority"  # what was chosen by hand stays


def test_readers_are_chosen_among_those_who_decided(dialog: ExportDialog) -> None:
    names = _choice(dialog, "ann")
    assert not names.isVisible()
    _choose(_choice(dialog, "reader"), "reader")
    assert names.isVisible()
    assert [names.itemText(row) for row in range(names.count())] == ["ann", "reports (source)"]
    assert (dialog.reader, dialog.problem) == ("ann", "")
    _choose(names, "reports")
    assert dialog.reader == "reports"


def test_a_format_that_cannot_hold_the_labels_is_refused_before_it_is_tried(
    qtbot: QtBot, tmp_path: Path
) -> None:
    bootstrap.application()
    dialog = ExportDialog(
        tmp_path / "out",
        ("csv", "imagefolder"),
        None,
        live="",
        refused=frozenset({"imagefolder"}),
    )
    qtbot.addWidget(dialog)
    dialog.choose_format("imagefolder")
    assert (dialog.problem, dialog.ok.isEnabled()) == (dialog_words.ONE_LABEL_A_SCAN, False)
    dialog.choose_format("csv")
    assert (dialog.problem, dialog.ok.isEnabled()) == ("", True)


@pytest.mark.parametrize("format", ["csv", "imagefolder", "dicom"])
def test_every_row_has_the_height_that_it_needs(dialog: ExportDialog, format: str) -> None:
    dialog.choose_format(format)
    fields = [*dialog.findChildren(QComboBox), *dialog.findChildren(QSpinBox)]
    assert all(one.height() >= one.sizeHint().height() for one in fields if one.isVisible())
    notes = [one for one in dialog.findChildren(QLabel) if one.wordWrap() and one.isVisible()]
    assert all(one.height() >= one.heightForWidth(one.width()) for one in notes)


def test_what_is_being_done_is_said_and_escape_stops_it(dialog: ExportDialog, qtbot: QtBot) -> None:
    qtbot.mouseClick(dialog.ok, Qt.MouseButton.LeftButton)
    dialog.show_progress(3, 40, "Writing pictures")
    assert dialog.result_text.text() == "Writing pictures, 3 of 40"
    assert dialog.result_text.height() >= dialog.result_text.sizeHint().height()
    with qtbot.waitSignal(dialog.cancel_asked):
        qtbot.keyClick(dialog, Qt.Key.Key_Escape)
    assert dialog.isVisible()  # until it has stopped
    dialog.show_result(dialog_words.EXPORT_STOPPED, failed=True)
    assert dialog.ok.isEnabled()


def test_a_note_takes_no_more_room_than_its_lines(dialog: ExportDialog, qtbot: QtBot) -> None:
    dialog.choose_format("imagefolder")
    notes = [one for one in dialog.findChildren(QLabel) if one.wordWrap() and one.isVisible()]
    above = next(one for one in notes if one.text() == dialog_words.PIXELS_NOTE)
    qtbot.waitUntil(lambda: above.height() == above.heightForWidth(above.width()))


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
