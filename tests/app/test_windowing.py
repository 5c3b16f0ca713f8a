"""Windows and greys by key and pointer, through the real window."""

import numpy as np
import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QComboBox

from app import strings
from tests.app.driving import Driver
from tests.app.viewer import drag, go_to, grey_at, texts, view_of
from tests.dicom.making import ramp


def test_a_drag_changes_the_window_and_reset_restores_it(tools: Driver) -> None:
    assert "MEDIASTINUM   C 40  W 400" in texts(tools)
    drag(tools, (20, 20), (60, 20))
    assert "MEDIASTINUM" not in texts(tools)
    tools.press(Qt.Key.Key_Backspace)
    assert "MEDIASTINUM   C 40  W 400" in texts(tools)


def test_the_files_windows_follow_each_other_by_key(tools: Driver) -> None:
    tools.press(Qt.Key.Key_W)
    assert "LUNG   C -600  W 1500" in texts(tools)
    tools.press(Qt.Key.Key_W)
    assert "MEDIASTINUM" in texts(tools)


def test_presets_and_inversion_change_the_greys(tools: Driver) -> None:
    before = grey_at(tools, (40.5, 32.5))
    tools.press(Qt.Key.Key_I)
    assert grey_at(tools, (40.5, 32.5)) == pytest.approx(255 - before, abs=2)
    presets = ("C 40  W 400", "C -600  W 1500", "C 90  W 150", "C 480  W 2500", "C 40  W 80")
    low, high = np.percentile(ramp(64, 80, "u2", 1).astype(float) - 1024, (0.5, 99.5))
    middle = f"C {(low + high) / 2:.0f}  W {high - low:.0f}"
    for place, window in enumerate((*presets, middle)):
        tools.press(Qt.Key(Qt.Key.Key_1 + place), Qt.KeyboardModifier.AltModifier)
        assert window in texts(tools)
    choice = tools.desk.window.scan.findChild(QComboBox)
    assert isinstance(choice, QComboBox)
    listed = [choice.itemText(place) for place in range(choice.count())]
    assert listed == [
        "MEDIASTINUM",
        "LUNG",
        "",
        "Soft tissue   Alt+1",
        "Lung   Alt+2",
        "Liver   Alt+3",
        "Bone   Alt+4",
        "Brain   Alt+5",
        "Middle 99 %   Alt+6",
    ]
    assert choice.currentText() == "Middle 99 %   Alt+6"


def test_window_and_zoom_stay_only_when_asked(tools: Driver) -> None:
    view = view_of(tools)
    tools.press(Qt.Key.Key_2, Qt.KeyboardModifier.AltModifier)
    tools.press(Qt.Key.Key_Plus)
    zoomed = view.percent
    go_to(tools, "b-ct.dcm")
    assert "MEDIASTINUM" in texts(tools)
    assert view.percent < zoomed
    tools.press(Qt.Key.Key_K)
    tools.press(Qt.Key.Key_2, Qt.KeyboardModifier.AltModifier)
    tools.press(Qt.Key.Key_Plus)
    tools.press(Qt.Key.Key_Left)
    tools.until(lambda: tools.desk.window.scan.name == "a-ct.dcm" and view.picture is not None)
    assert "C -600  W 1500" in texts(tools)
    assert view.percent == pytest.approx(zoomed)


def test_a_kept_window_is_not_taken_to_another_kind_of_scan(tools: Driver) -> None:
    tools.press(Qt.Key.Key_K)
    tools.press(Qt.Key.Key_2, Qt.KeyboardModifier.AltModifier)
    go_to(tools, "b-ct.dcm")
    assert "C -600  W 1500" in texts(tools)
    go_to(tools, "c-dx.dcm")
    assert "C -600" not in texts(tools)


def test_each_frame_is_named_by_its_own_window(tools: Driver) -> None:
    go_to(tools, "f-windows.dcm")
    choice = tools.desk.window.scan.findChild(QComboBox)
    assert isinstance(choice, QComboBox)
    assert choice.currentText() == "C 100  W 50"
    tools.press(Qt.Key.Key_Down)
    tools.until(lambda: choice.currentText() == "C 200  W 50")
    assert "C 200  W 50" in view_of(tools).texts()
    assert "OT" in view_of(tools).texts()  # a laterality of neither side says nothing


def test_greys_do_not_jump_from_frame_to_frame_of_a_stack_without_window(tools: Driver) -> None:
    go_to(tools, "g-automatic.dcm")
    choice = tools.desk.window.scan.findChild(QComboBox)
    assert isinstance(choice, QComboBox)
    tools.until(lambda: choice.currentText() == strings.ALL_FRAMES)
    window = "Auto, all frames   C 798  W 1596"
    assert window in view_of(tools).texts()
    assert grey_at(tools, (19.5, 19.5)) == 255
    for key in (Qt.Key.Key_Up, Qt.Key.Key_Down, Qt.Key.Key_Down):
        tools.press(key)
        assert window in view_of(tools).texts()
    tools.until(lambda: grey_at(tools, (19.5, 19.5)) == 128)
    tools.press(Qt.Key.Key_W)
    assert "Auto, this frame   C 399  W 798" in view_of(tools).texts()
    assert grey_at(tools, (19.5, 19.5)) == 255
