"""What the export dialog asks for, by what is wanted."""

from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QCheckBox, QComboBox, QLabel, QSpinBox
from pytestqt.qtbot import QtBot

from app import bootstrap
from app.strings import dialog_words
from app.views.dialogs.export import ExportDialog


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
