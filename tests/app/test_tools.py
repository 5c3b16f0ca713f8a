"""The viewer's tools by key and pointer, through the real window, on DICOM files made up here."""

from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtWidgets import QComboBox, QToolButton
from pytestqt.qtbot import QtBot

from app import bootstrap, strings
from app.collecting import Collecting
from app.desk import Desk
from app.models.commands import Command
from app.models.measuring import Line, Point, length, length_text
from app.models.placing import part_placing, placing, visible_part
from app.models.viewing import Orientation
from app.strings import command_words
from app.views.fields import ElidedLabel
from app.views.image_view import ImageView
from nearl_core import labels_file
from nearl_core.types import Region, ScanInfo, SpacingAt
from tests.app.driving import Driver, as_added, make_project
from tests.app.fakes import FakeEngine
from tests.dicom.making import add_overlay, dicom, item, noise, ramp

SECRET = "DOE^JANE"
CT: dict[str, Any] = {
    "Modality": "CT",
    "RescaleSlope": 1,
    "RescaleIntercept": -1024,
    "PixelSpacing": [0.5, 0.5],
    "WindowCenter": [40, -600],
    "WindowWidth": [400, 1500],
    "WindowCenterWidthExplanation": ["MEDIASTINUM", "LUNG"],
    "ImageOrientationPatient": [1, 0, 0, 0, 1, 0],
    "PatientName": SECRET,
    "PatientID": "P-77",
    "StudyDescription": "KNEE OF DOE",
    "Manufacturer": "ACME",
}


def write_scans(folder: Path) -> Path:
    folder.mkdir()
    dicom(folder / "a-ct.dcm", ramp(64, 80, "u2", 1), **CT)
    dicom(folder / "b-ct.dcm", ramp(64, 80, "u2", 1), **CT)
    dicom(
        folder / "c-dx.dcm",
        noise((60, 40), "u2", 4096),
        Modality="DX",
        ImagerPixelSpacing=[0.2, 0.2],
        ImageLaterality="L",
        ViewPosition="MLO",
    )
    dicom(
        folder / "d-covered.dcm",
        np.full((60, 40), 200, np.uint8),
        ShutterShape="RECTANGULAR",
        ShutterLeftVerticalEdge=11,
        ShutterRightVerticalEdge=30,
        ShutterUpperHorizontalEdge=1,
        ShutterLowerHorizontalEdge=60,
    )
    dicom(folder / "e-stack.dcm", noise((6, 20, 20), "u1"), RecommendedDisplayFrameRate=50)
    own = [
        item(FrameVOILUTSequence=[item(WindowCenter=str(100 * k), WindowWidth="50")])
        for k in range(3)
    ]
    stack = noise((3, 20, 20), "u2", 300)
    dicom(folder / "f-windows.dcm", stack, PerFrameFunctionalGroupsSequence=own, Laterality="U")
    unequal = np.stack([ramp(20, 20, "u2", step) for step in (1, 4, 2)])
    dicom(folder / "g-automatic.dcm", unequal)
    drawn = dicom(folder / "h-overlay.dcm", np.full((60, 40), 90, np.uint8))
    add_overlay(drawn, np.ones((20, 20), np.uint8), (11, 6))
    return folder


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Desk, Path]]:
    """One desk for all tests here: starting one takes longer than any of them."""
    folder = tmp_path_factory.mktemp("tools")
    names = labels_file.from_names(["Disc", "Other"])
    project = make_project(folder / "t.nearl", write_scans(folder / "in"), names)
    bootstrap.application()
    collecting = Collecting()
    desk = as_added(bootstrap.build(factory=FakeEngine))
    desk.window.show()
    yield desk, project
    desk.window.close()
    assert desk.shut_down(), "a thread of the desk did not end"
    desk.window.deleteLater()
    collecting.close()


@pytest.fixture
def tools(shared: tuple[Desk, Path], qtbot: QtBot) -> Driver:
    """The shared desk on its first scan, nothing switched on, nothing changed."""
    desk, project = shared
    driver = Driver(desk, qtbot)
    if desk.library.session is None:
        driver.open(project)
    for command in (Command.MEASURE, Command.KEEP_VIEW, Command.TAGS, Command.COMPARE):
        if desk.actions.action(command).isChecked():
            desk.actions.action(command).trigger()
    desk.window.scan.tags.search("")
    desk.review.show(desk.table.id_at(0))
    driver.until(lambda: view_of(driver).picture is not None)
    driver.press(Qt.Key.Key_Backspace)
    return driver


def view_of(driver: Driver) -> ImageView:
    return driver.desk.window.scan.view


def go_to(driver: Driver, name: str) -> None:
    """Walk the queue by key until a scan is on screen."""
    for _ in range(9):
        scan = driver.desk.review.scan
        if scan is not None and scan.path.name == name:
            break
        driver.press(Qt.Key.Key_Right)
    view = view_of(driver)
    driver.until(lambda: driver.desk.window.scan.name == name and view.picture is not None)


def drag(driver: Driver, start: Point, end: Point) -> None:
    """Left-drag from one column and row of the picture to another."""
    view = view_of(driver)
    first, last = (view.place_of(point).toPoint() for point in (start, end))
    driver.bot.mousePress(view, Qt.MouseButton.LeftButton, pos=first)
    driver.bot.mouseMove(view, last)
    driver.bot.mouseRelease(view, Qt.MouseButton.LeftButton, pos=last)


def texts(driver: Driver) -> str:
    return "\n".join(view_of(driver).texts())


def shows(driver: Driver, text: str) -> bool:
    return text in texts(driver)


def grey_at(driver: Driver, point: Point) -> int:
    """What is on screen at a column and row."""
    view = view_of(driver)
    image = view.grab().toImage()
    place = view.place_of(point) * view.devicePixelRatioF()
    return image.pixelColor(place.toPoint()).red()


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


def test_cine_runs_as_fast_as_the_file_says_and_stops_by_key(tools: Driver) -> None:
    buttons = tools.desk.window.scan.findChildren(QToolButton)
    button = next(b for b in buttons if b.accessibleName() == command_words.COMMANDS["cine"])
    assert not button.isVisible()
    go_to(tools, "e-stack.dcm")
    assert button.isVisible()
    screen = tools.desk.screen
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


# --- rules -------------------------------------------------------------------------------------


def info(**changes: object) -> ScanInfo:
    return ScanInfo(100, 100, **changes)  # type: ignore[arg-type]


LINE = Line((0, 0), (30, 40))


def test_without_spacing_a_length_is_in_pixels() -> None:
    assert length_text(info(), LINE) == "50.0 px"


def test_pixels_that_are_not_square_count_as_they_look() -> None:
    found = length(info(aspect=2.0, spacing_mm=(1.0, 0.5)), LINE)
    assert found.mm == pytest.approx(np.hypot(15, 40))
    assert length_text(info(aspect=2.0), Line((0, 0), (0, 10))) == "20.0 pixel widths"


def test_film_and_detector_are_named() -> None:
    for at, words in ((SpacingAt.DETECTOR, "at the detector"), (SpacingAt.FILM, "on the film")):
        assert words in length_text(info(spacing_mm=(1.0, 1.0), spacing_at=at), LINE)


def test_ultrasound_is_measured_within_one_region_only() -> None:
    regions = (Region(0, 0, 49, 99, (0.1, 0.1)), Region(50, 0, 99, 99, (0.2, 0.2)))
    sound = info(regions=regions, spacing_mm=(9.0, 9.0))
    assert length(sound, LINE).mm == pytest.approx(5.0)
    assert length(sound, Line((60, 0), (90, 40))).mm == pytest.approx(10.0)
    assert length(sound, Line((40, 0), (70, 40))).mm is None


def test_a_part_of_a_level_stands_where_the_whole_would() -> None:
    whole = placing(300, 200, 1.5, Orientation(flipped=True, quarter_turns=1))
    part = visible_part(QRectF(50, 60, 40, 30), (150, 100), (300, 200), spare=False)
    assert (part.top, part.left, part.bottom, part.right) == (30, 25, 45, 45)
    placed = part_placing(part, (150, 100), (300, 200), whole)
    corner, expected = placed.map(QPointF(0, 0)), whole.map(QPointF(50, 60))
    assert (corner.x(), corner.y()) == pytest.approx((expected.x(), expected.y()))


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
