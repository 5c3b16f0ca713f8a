"""What the export dialog asks for, by what is wanted."""

from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QCheckBox, QComboBox
from pytestqt.qtbot import QtBot

from app import bootstrap
from app.strings import dialog_words
from app.views.dialogs.export import ExportDialog


@pytest.fixture
def dialog(qtbot: QtBot, tmp_path: Path) -> ExportDialog:
    bootstrap.application()
    made = ExportDialog(tmp_path / "out", ("csv", "imagefolder"), None, live="")
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
