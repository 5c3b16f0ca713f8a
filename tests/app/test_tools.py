"""The viewer's tools by key and pointer, through the real window."""

from functools import partial

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QComboBox, QTableView, QToolButton
from pytestqt.qtbot import QtBot

from app import bootstrap, strings
from app.models.tag_table import Column
from app.strings import command_words
from app.views.fields import ElidedLabel
from app.views.tags_panel import TagsPanel
from tests.app.driving import Driver
from tests.app.viewer import SECRET, drag, go_to, grey_at, shows, texts, view_of
from tests.dicom.making import noise


def test_letters_turn_with_the_scan_on_screen(tools: Driver) -> None:
    assert view_of(tools).texts()[-4:] == ("R", "L", "A", "P")
    tools.press(Qt.Key.Key_H)
    assert view_of(tools).texts()[-4:] == ("L", "R", "A", "P")
    tools.press(Qt.Key.Key_R)
    assert view_of(tools).texts()[-4:] == ("P", "A", "L", "R")


def test_a_measured_line_is_in_millimetres_and_follows_the_scan(tools: Driver) -> None:
    tools.press(Qt.Key.Key_M)
    window = view_of(tools).viewing.window
    drag(tools, (10, 10), (50, 40))
    (shown,) = [text for text in view_of(tools).texts() if text.endswith(" mm")]
    assert float(shown.split()[0]) == pytest.approx(25.0, abs=0.3)
    assert view_of(tools).viewing.window is window
    tools.press(Qt.Key.Key_R)
    tools.press(Qt.Key.Key_Plus)
    assert shown in texts(tools)
    tools.press(Qt.Key.Key_Backspace)
    assert shown not in texts(tools)


def test_a_scan_is_panned_by_keys(tools: Driver) -> None:
    view = view_of(tools)
    tools.press(Qt.Key.Key_Plus)
    before, scan_id = view.place_of((40, 30)), tools.scan_id()
    tools.press(Qt.Key.Key_Right, Qt.KeyboardModifier.ShiftModifier)
    after = view.place_of((40, 30))
    assert after.x() == pytest.approx(before.x() - view.width() / 8, abs=2)
    assert after.y() == pytest.approx(before.y(), abs=2)
    tools.press(Qt.Key.Key_Up, Qt.KeyboardModifier.ShiftModifier)
    assert view.place_of((40, 30)).y() == pytest.approx(after.y() + view.height() / 8, abs=2)
    assert tools.scan_id() == scan_id
    tools.press(Qt.Key.Key_Equal)
    assert view.place_of((40, 32)).x() == pytest.approx(view.width() / 2, abs=2)


def test_lines_do_not_stay_for_the_next_scan(tools: Driver) -> None:
    tools.press(Qt.Key.Key_M)
    drag(tools, (10, 10), (50, 40))
    go_to(tools, "b-ct.dcm")
    assert " mm" not in texts(tools)


def test_a_radiographs_millimetres_are_the_detectors(tools: Driver) -> None:
    go_to(tools, "c-dx.dcm")
    assert "DX  L MLO" in texts(tools)
    tools.press(Qt.Key.Key_M)
    drag(tools, (5, 10), (35, 10))
    assert "mm at the detector" in texts(tools)


def test_the_value_under_the_pointer_is_in_hounsfield_units(tools: Driver) -> None:
    view = view_of(tools)
    tools.bot.mouseMove(view, view.place_of((10.5, 2.5)).toPoint())
    assert f"{2 * 80 + 10 - 1024} HU   column 11, row 3" in texts(tools)
    go_to(tools, "e-stack.dcm")
    assert "HU" not in texts(tools)  # what was under the pointer is no longer there
    tools.bot.mouseMove(view, view.place_of((1.5, 1.5)).toPoint())
    for frame, key in ((2, Qt.Key.Key_Up), (3, Qt.Key.Key_Down)):
        tools.press(key)
        value = noise((6, 20, 20), "u1")[frame, 1, 1]
        tools.until(partial(shows, tools, f"value {value}   column 2, row 2"))


def test_a_shutter_covers_until_it_is_taken_away(tools: Driver) -> None:
    go_to(tools, "d-covered.dcm")
    assert grey_at(tools, (4.5, 30.5)) == 0
    assert grey_at(tools, (20.5, 30.5)) == 200
    tools.bot.mouseMove(view_of(tools), view_of(tools).place_of((4.5, 30.5)).toPoint())
    assert "value 200" not in texts(tools)
    tools.press(Qt.Key.Key_D)
    assert grey_at(tools, (4.5, 30.5)) == 200
    tools.press(Qt.Key.Key_I)
    tools.press(Qt.Key.Key_D)
    assert grey_at(tools, (4.5, 30.5)) == 0


def test_an_overlay_shows_when_asked(tools: Driver) -> None:
    go_to(tools, "h-overlay.dcm")
    assert grey_at(tools, (10.5, 15.5)) == 90
    tools.press(Qt.Key.Key_O)
    assert grey_at(tools, (10.5, 15.5)) == 255
    assert grey_at(tools, (30.5, 15.5)) == 90
    tools.press(Qt.Key.Key_O)
    assert grey_at(tools, (10.5, 15.5)) == 90


def test_cine_runs_as_fast_as_the_file_says_and_stops_by_key(tools: Driver) -> None:
    buttons = tools.desk.window.scan.findChildren(QToolButton)
    button = next(b for b in buttons if b.accessibleName() == command_words.COMMANDS["cine"])
    assert not button.isVisible()
    go_to(tools, "e-stack.dcm")
    assert button.isVisible()
    screen = tools.desk.looking.screen
    assert screen.rate == 50
    first = screen.frame
    tools.press(Qt.Key.Key_C)
    tools.until(lambda: screen.frame not in (first, first + 1))
    tools.press(Qt.Key.Key_C)
    assert not screen.runs


def test_the_header_is_searched_and_hides_who_it_is(tools: Driver) -> None:
    panel = tools.desk.window.scan.tags
    assert not panel.isVisible()
    tools.press(Qt.Key.Key_T)
    tools.until(lambda: "ACME" in panel.texts())
    assert "Patient's Name" in panel.texts()
    for secret in (SECRET, "P-77", "KNEE OF DOE"):
        assert secret not in panel.texts()
    panel.search("rescale")
    assert "ACME" not in panel.texts()
    assert "-1024" in panel.texts()


def test_a_wide_header_has_more_room_for_names_until_that_is_chosen_by_hand(
    qtbot: QtBot,
) -> None:
    bootstrap.application()
    panel = TagsPanel()
    qtbot.addWidget(panel)
    (table,) = panel.findChildren(QTableView)
    widths = []
    for width in (376, 520):
        panel.resize(width, 400)
        panel.show()
        widths.append(table.columnWidth(Column.NAME))
    assert 130 <= widths[0] < widths[1] - 60
    table.horizontalHeader().resizeSection(Column.NAME, 90)
    panel.resize(700, 400)
    assert table.columnWidth(Column.NAME) == 90


def test_identity_is_shown_for_one_scan_only(tools: Driver) -> None:
    panel = tools.desk.window.scan.tags
    tools.press(Qt.Key.Key_T)
    tools.until(lambda: "ACME" in panel.texts())
    panel.identity_asked.emit(True)
    tools.until(lambda: SECRET in panel.texts())
    go_to(tools, "b-ct.dcm")
    tools.until(lambda: "ACME" in panel.texts())
    assert SECRET not in panel.texts()
    assert not panel.shows_identity


def test_decided_scans_like_this_one_stand_beside_it_and_nothing_moves(tools: Driver) -> None:
    panel = tools.desk.window.scan.compare
    tools.press(Qt.Key.Key_S)
    assert strings.NONE_ALIKE in panel.texts()
    first = tools.scan_id()
    tools.decide(Qt.Key.Key_1)
    tools.decide(Qt.Key.Key_2)
    here = tools.scan_id()
    tools.until(lambda: "Other" in panel.texts() and panel.view.picture is not None)
    assert "1 of 2 like this, similarity 0.99" in panel.texts()
    tools.press(Qt.Key.Key_BracketRight)
    tools.until(lambda: "Disc" in panel.texts() and "a-ct.dcm" in panel.texts())
    assert tools.scan_id() == here
    assert tools.desk.window.scan.name == "c-dx.dcm"
    tools.press(Qt.Key.Key_S)
    assert not panel.isVisible()
    for _ in range(2):
        with tools.bot.waitSignal(tools.desk.review.saved):
            tools.press(Qt.Key.Key_Z, Qt.KeyboardModifier.ControlModifier)
    assert tools.scan_id() == first


def test_nothing_on_screen_tells_who_it_is_unasked(tools: Driver) -> None:
    seen = texts(tools) + tools.status() + tools.desk.window.windowTitle()
    assert SECRET not in seen
    assert "P-77" not in seen


def test_a_narrow_desk_keeps_the_scans_name_and_its_window(tools: Driver) -> None:
    panel = tools.desk.window.scan
    (window,) = (box for box in panel.findChildren(QComboBox) if box.isVisible())
    for width in (1280, 960):
        tools.desk.window.resize(width, 700)
        tools.until(lambda width=width: tools.desk.window.width() == width)  # type: ignore[misc]
        name = next(label for label in panel.findChildren(ElidedLabel) if label.toolTip())
        assert name.width() >= 90
        tools.until(lambda: window.width() >= window.minimumSizeHint().width())
    shown = _shown_tools(tools)
    assert all(button.geometry().right() <= panel.width() for button in shown)
    tools.desk.window.resize(1280, 700)
    tools.until(lambda: len(_shown_tools(tools)) > len(shown))


def _shown_tools(tools: Driver) -> list[QToolButton]:
    found = tools.desk.window.scan.findChildren(QToolButton)
    return [button for button in found if button.isVisible()]
