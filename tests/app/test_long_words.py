"""Names and sentences that are longer than their place, and places with nothing to show."""

from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QLabel, QLineEdit
from pytestqt.qtbot import QtBot

from app import bootstrap, strings
from app.models.commands import Command
from app.models.panel import LabelLine, Panel
from app.models.reader_lines import ReaderLines
from app.strings import reading_words
from app.views.actions import Actions
from app.views.dialogs.export import ExportDialog
from app.views.dialogs.merge import MergeDialog
from app.views.dialogs.preferences import PreferencesDialog
from app.views.dialogs.readers import ReadersDialog
from app.views.dialogs.trouble import TroubleDialog
from app.views.label_row import LabelRow
from app.views.ranking_panel import RankingPanel
from nearl_core.store.project import Project
from nearl_core.types import Label, LabelSet
from tests.app.driving import Driver, dialog_of, make_project
from tests.support.scans import disc, write_png

LONG = "Opacity of the lung or of the pleura, not otherwise specified"


@pytest.fixture
def twelve(driver: Driver, tmp_path: Path) -> Driver:
    """A desk where a scan can have several of twelve labels with long names."""
    write_png(tmp_path / "scans" / "1.png", disc(seed=1))
    labels = tuple(Label(f"l{number}", f"{LONG} {number}") for number in range(12))
    folder = tmp_path / "long.nearl"
    driver.open(make_project(folder, tmp_path / "scans", LabelSet(labels, multi_label=True)))
    return driver


def test_labels_whose_names_end_otherwise_look_otherwise(qtbot: QtBot) -> None:
    bootstrap.application()
    looks = []
    for side in ("left", "right"):
        row = LabelRow()
        qtbot.addWidget(row)
        row.show_line(LabelLine("l", f"{LONG} {side}", "1", probability=0.5))
        row.resize(296, 28)
        looks.append(row.grab().toImage())
    assert looks[0] != looks[1]


def test_what_enter_records_takes_two_lines_however_much_it_is(twelve: Driver) -> None:
    panel = twelve.desk.window.ranking
    (row, *_), before = panel.rows(), panel.minimumHeight()
    for key in (Qt.Key.Key_1, Qt.Key.Key_2, Qt.Key.Key_3, Qt.Key.Key_4, Qt.Key.Key_5):
        twelve.press(key)
    assert panel.panel.hint.count(LONG) == 5
    line = row.fontMetrics().lineSpacing()
    assert panel.minimumHeight() <= before + 2 * line
    (said,) = (one for one in panel.findChildren(QLabel) if one.text().endswith("…"))
    assert said.toolTip() == panel.panel.hint


def test_a_field_to_find_a_label_has_room_of_its_own(qtbot: QtBot) -> None:
    bootstrap.application()
    panel = RankingPanel(Actions({}))
    qtbot.addWidget(panel)
    lines = tuple(LabelLine(f"l{number}", LONG, "1") for number in range(12))
    panel.show_panel(Panel(lines, notice=LONG, can_decide=True))
    panel.resize(328, 400)
    panel.show()
    before = panel.minimumHeight()
    panel.find_label()
    assert panel.minimumHeight() >= before + panel.finder.sizeHint().height()
    panel.finder.leave()
    assert panel.minimumHeight() == before


def test_a_project_without_scans_has_no_state_to_show(
    driver: Driver, tmp_path: Path, label_set: LabelSet
) -> None:
    Project.create(tmp_path / "empty.nearl", label_set).close()
    driver.desk.asking.open_path(tmp_path / "empty.nearl")
    driver.until(lambda: driver.desk.library.session is not None)
    panel = driver.desk.window.ranking
    driver.until(lambda: len(panel.rows()) == 3)
    shown = [one.text() for one in panel.findChildren(QLabel) if one.isVisible()]
    assert strings.LABELS in shown
    assert not set(strings.STATE_WORDS.values()) & set(shown)


def test_a_table_of_no_readers_says_so(qtbot: QtBot) -> None:
    bootstrap.application()
    dialog = ReadersDialog(None, can_decide=True)
    qtbot.addWidget(dialog)
    dialog.show_lines(ReaderLines())
    item = dialog.readers.topLevelItem(0)
    assert item is not None
    assert item.text(0) == reading_words.NO_READERS[0]


def test_a_long_pseudonym_shows_from_its_beginning(driver: Driver) -> None:
    name = "Reader " + "x" * 57
    driver.desk.asking.change_reader(name)
    driver.desk.actions.action(Command.PREFERENCES).trigger()
    dialog = dialog_of(driver, PreferencesDialog)
    assert dialog is not None
    fields = (*dialog.findChildren(QLineEdit), *driver.desk.window.start.findChildren(QLineEdit))
    shown = [field for field in fields if field.text() == name]
    assert len(shown) == 2
    assert all(field.cursorPosition() == 0 for field in shown)
    driver.bot.keyClicks(dialog.focusWidget(), "xx")
    assert all(field.text() == name for field in shown)
    dialog.close()


def test_a_long_summary_leaves_the_buttons_on_the_screen(qtbot: QtBot, tmp_path: Path) -> None:
    bootstrap.application()
    dialog = ExportDialog(tmp_path / "out", ("csv",), None, live="")
    dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose, False)
    qtbot.addWidget(dialog)
    dialog.show()
    dialog.show_result(f"The split test has no scan of: {', '.join([LONG] * 60)}.")
    qtbot.waitUntil(lambda: dialog.result_text.visibleRegion().boundingRect().height() > 100)
    assert dialog.height() <= dialog.screen().availableSize().height() - 40
    assert dialog.ok.geometry().bottom() < dialog.height()
    assert dialog.ok.isVisible()


def test_a_long_problem_is_read_whole(qtbot: QtBot) -> None:
    bootstrap.application()
    dialog = MergeDialog(None)
    dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose, False)
    qtbot.addWidget(dialog)
    dialog.show()
    dialog.show_failure(f"{LONG}. " * 5)
    (said,) = (one for one in dialog.findChildren(QLabel) if one.text() == dialog.problem)
    qtbot.waitUntil(lambda: said.height() >= said.heightForWidth(said.width()))


def test_an_error_about_a_long_name_is_no_wider_than_the_screen(qtbot: QtBot) -> None:
    bootstrap.application()
    name = f"{'x' * 220}-{'y' * 20}.dcm"
    dialog = TroubleDialog(f"{name} can't be read.", "Choose another one.", "", None)
    dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose, False)
    qtbot.addWidget(dialog)
    dialog.show()
    assert dialog.width() <= 640
    assert f"{'y' * 20}.dcm can't be read." in dialog.sentence.text()
    assert name in dialog.sentence.toolTip()
