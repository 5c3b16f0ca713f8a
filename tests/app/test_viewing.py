"""How a scan is looked at: turning, letters, windows, tables."""

import re
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from app.models.picture import prepare
from app.models.viewing import Orientation, Turn, Viewing, as_linear, dragged, edge_letters
from app.views import style
from nearl_core.scans import display
from nearl_core.types import Frame, ScanInfo, VoiLut, Window
from tests.app.driving import Driver

EDGES = ("R", "L", "A", "P")
turns = st.lists(st.sampled_from(list(Turn)), max_size=8)


def after(*steps: Turn) -> Orientation:
    orientation = Orientation()
    for step in steps:
        orientation = orientation.turned(step)
    return orientation


@pytest.mark.parametrize(
    ("turn", "letters"),
    [
        (Turn.FLIP_HORIZONTAL, ("L", "R", "A", "P")),
        (Turn.FLIP_VERTICAL, ("R", "L", "P", "A")),
        (Turn.RIGHT, ("P", "A", "R", "L")),
        (Turn.LEFT, ("A", "P", "L", "R")),
    ],
)
def test_letters_turn_with_the_scan(turn: Turn, letters: tuple[str, ...]) -> None:
    assert edge_letters(EDGES, after(turn)) == letters


@given(turns)
def test_flips_act_on_what_is_on_screen(steps: list[Turn]) -> None:
    before = edge_letters(EDGES, after(*steps))
    left, right, top, bottom = edge_letters(EDGES, after(*steps, Turn.FLIP_HORIZONTAL))
    assert (right, left, top, bottom) == before


@given(turns)
def test_every_turn_can_be_taken_back(steps: list[Turn]) -> None:
    back = {Turn.RIGHT: Turn.LEFT, Turn.LEFT: Turn.RIGHT}
    undone = [back.get(step, step) for step in reversed(steps)]
    assert after(*steps, *undone) == Orientation()


def test_a_drag_to_the_right_widens_and_down_darkens() -> None:
    window = dragged(Window(40, 400), across=50, down=100, span=1000)
    assert window == Window(240, 500)


def test_a_drag_on_a_table_begins_with_the_range_it_maps() -> None:
    table = VoiLut(-100, np.zeros(301, np.uint16))
    assert as_linear(table, -1000, 1000) == Window(50.5, 301)
    assert as_linear(table, 0, 1000) == Window(100.5, 201)
    window = Window(1, 2)
    assert as_linear(window, 0, 1000) is window


def test_a_width_never_vanishes() -> None:
    assert dragged(Window(40, 400), across=-10_000, down=0, span=1000).width == 1.0


WINDOWS: tuple[Window | VoiLut, ...] = (
    Window(40, 400),
    Window(10.5, 1),
    Window(0, 80),
    VoiLut(-100, np.arange(0, 65535, 97, dtype=np.uint16)),
)


@pytest.mark.parametrize("window", WINDOWS, ids=lambda window: type(window).__name__)
@pytest.mark.parametrize("dtype", [np.int16, np.float64])
@pytest.mark.parametrize("inverted", [False, True])
def test_the_screen_shows_the_grey_that_render_writes(
    window: Window | VoiLut, dtype: type, inverted: bool
) -> None:
    values: NDArray[np.generic] = (
        np.random.default_rng(1).integers(-1024, 3000, (60, 70)).astype(dtype)
    )
    frame = Frame(values, windows=(window,), inverted=inverted)
    picture = prepare(frame, ScanInfo(60, 70))
    greys = picture.grey_table(None, inverted=False)
    shown = picture.rendered(0, greys, Viewing())
    assert np.array_equal(shown, display.to_grey(frame))


@pytest.mark.parametrize(
    ("dtype", "low", "high"),
    [("u1", 0, 255), ("i1", -128, 127), ("u2", 9, 65_000), ("i2", -32_768, 32_700)],
)
@pytest.mark.parametrize("padded", [False, True])
def test_every_stored_value_keeps_its_place(dtype: str, low: int, high: int, padded: bool) -> None:
    values = np.linspace(low, high, 300, dtype=dtype).reshape(15, 20)
    padding = values == low if padded else None
    picture = prepare(Frame(values, padding=padding, windows=(Window(1, 2),)), ScanInfo(15, 20))
    assert np.array_equal(picture.table[picture.levels[0]], values)
    assert picture.lowest == (values[values > low].min() if padded else low)


PADDED = (
    np.array([[5, 5, 0, 12]], np.int16),
    np.array([[-32_768, -32_768, 0, 32_767]], np.int16),
    np.array([[900, 3, 0, 12]], np.uint16),
    np.array([[-3.4e38, 7.5, 0.25, 0.75]], np.float32),
    np.array([[-9.0, np.nan, 0.25, 12.0]]),
    np.array([[0.0, -9.0, np.inf, -np.inf]]),
)


@pytest.mark.parametrize("values", PADDED, ids=str)
@pytest.mark.parametrize("padded", [False, True])
@pytest.mark.parametrize("own", [False, True])
@pytest.mark.parametrize("inverted", [False, True])
def test_padding_looks_on_the_desk_as_in_what_render_writes(
    values: NDArray[np.generic], padded: bool, own: bool, inverted: bool
) -> None:
    wide = np.nanmin(values) < -1e30  # padding that was not told costs a float its fine greys
    padding = np.array([[True, True, False, False]]) if padded or wide else None
    frame = Frame(values, padding, (Window(6, 12),), inverted=own)
    picture = prepare(frame, ScanInfo(1, 4))
    greys = picture.grey_table(None, inverted=inverted)
    shown = picture.rendered(0, greys, Viewing(inverted=inverted))
    assert np.array_equal(shown, display.to_grey(frame, inverted=inverted))
    if padded and (own or inverted):
        assert not shown[0, :2].any()  # it stays background


def test_what_is_no_number_has_no_value_under_the_pointer() -> None:
    frame = Frame(np.array([[np.nan, np.inf, 2.0]]), windows=(Window(0, 9),))
    picture = prepare(frame, ScanInfo(1, 3))
    assert [bool(picture.value_text(0, column)) for column in range(3)] == [False, False, True]


def test_the_value_under_the_pointer_has_its_unit() -> None:
    frame = Frame(np.array([[-1000, 40]], np.int16), windows=(Window(40, 400),))
    picture = prepare(frame, ScanInfo(1, 2, unit="HU"))
    assert picture.value_text(0, 1) == "40 HU"
    assert picture.value_text(5, 0) == ""


def test_a_large_scan_is_shown_from_a_smaller_level() -> None:
    frame = Frame(np.zeros((3000, 2500), np.uint16), windows=(Window(1, 2),))
    picture = prepare(frame, ScanInfo(3000, 2500))
    level = picture.levels[picture.level_for(3.0)]
    assert level.shape == (1500, 1250)


def luminance(colour: str) -> float:
    parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    linear = [p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: str, other: str) -> float:
    light, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


@pytest.mark.parametrize(("text", "ground"), style.text_on_ground())
def test_text_stands_out_from_its_ground(text: str, ground: str) -> None:
    assert contrast(text, ground) >= 4.5


def test_the_style_sheet_has_no_colour_that_is_not_looked_at_here() -> None:
    sheet = (style.RESOURCES / "desk.qss").read_text(encoding="utf-8")
    assert not re.findall("@[A-Z_]+@", style.style_sheet())
    assert "#" not in re.sub(r"Q\w+#\w+", "", sheet)


@pytest.mark.parametrize(("shape", "ground"), style.shapes_on_ground())
def test_edges_and_bars_stand_out_from_their_ground(shape: str, ground: str) -> None:
    assert contrast(shape, ground) >= 3


def test_a_picture_that_can_not_be_read_has_no_thumbnail(
    driver: Driver, project: Path, scan_folder: Path
) -> None:
    damaged = scan_folder / "disc-1.png"
    damaged.write_bytes(damaged.read_bytes()[:60])
    driver.open(project)
    table = driver.desk.table
    names = {scan.path.name: scan.id for scan in map(table.scan, range(1, 10)) if scan is not None}
    driver.until(lambda: table.thumbnails.get(names["disc-1.png"]) is not None)
    kept = table.thumbnails.get(names["disc-1.png"])
    assert kept is not None
    assert kept.isNull()
