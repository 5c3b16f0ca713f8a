"""The window functions, letter by letter, against the formulas of the standard."""

import hashlib
import itertools
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nearl_core.scans.display import RECIPE, enlarged, levels, to_grey, to_rgb
from nearl_core.scans.windows import as_stored, automatic, percentiles
from nearl_core.types import Frame, VoiLut, Window, WindowShape

VALUES = st.lists(st.integers(-70000, 70000), min_size=1, max_size=20)
CENTRES = st.floats(-5000, 5000)
WIDTHS = st.floats(1, 9000)


def by_the_standard(x: float, window: Window) -> float:
    """PS3.3 C.11.2.1.2.1, C.11.2.1.3.1 and C.11.2.1.3.2, for 0 to 255."""
    c, w = window.centre, window.width
    if window.shape is WindowShape.SIGMOID:
        power = min(max(-4 * (x - c) / w, -700), 700)
        return 255 / (1 + math.exp(power))
    if window.shape is WindowShape.LINEAR:
        if x <= c - 0.5 - (w - 1) / 2:
            return 0
        if x > c - 0.5 + (w - 1) / 2:
            return 255
        return ((x - (c - 0.5)) / (w - 1) + 0.5) * 255
    if x <= c - w / 2:
        return 0
    if x > c + w / 2:
        return 255
    return ((x - c) / w + 0.5) * 255


def shown(values: list[float], window: Window, dtype: str, *, inverted: bool = False) -> list[int]:
    frame = Frame(np.array([values], dtype), windows=(window,), inverted=inverted)
    return [int(grey) for grey in to_grey(frame)[0]]


@given(VALUES, CENTRES, WIDTHS, st.sampled_from(WindowShape), st.sampled_from(["i4", "f8"]))
def test_each_value_by_the_standard(
    values: list[float], centre: float, width: float, shape: WindowShape, dtype: str
) -> None:
    window = Window(centre, width, shape)
    for found, x in zip(shown(values, window, dtype), values, strict=True):
        assert abs(found - by_the_standard(x, window)) <= 0.5 + 1e-6


@given(VALUES, CENTRES, WIDTHS, st.sampled_from(WindowShape))
def test_brighter_values_are_never_darker(
    values: list[float], centre: float, width: float, shape: WindowShape
) -> None:
    grey = shown(sorted(values), Window(centre, width, shape), "i4")
    assert grey == sorted(grey)


@given(VALUES, CENTRES, WIDTHS, st.sampled_from(WindowShape))
def test_inverted_is_the_mirror(
    values: list[float], centre: float, width: float, shape: WindowShape
) -> None:
    window = Window(centre, width, shape)
    plain, inverse = shown(values, window, "i4"), shown(values, window, "i4", inverted=True)
    assert all(abs(a + b - 255) <= 1 for a, b in zip(plain, inverse, strict=True))


@pytest.mark.parametrize("dtype", ["i2", "i4", "f8"])
def test_window_of_width_one_is_a_step(dtype: str) -> None:
    assert shown([39, 39.5, 40, 41], Window(40, 1), dtype)[2:] == [255, 255]
    assert shown([39], Window(40, 1), dtype) == [0]


def test_table_and_arithmetic_agree() -> None:
    values = np.random.default_rng(0).integers(-3000, 3000, (50, 60))
    for shape in WindowShape:
        window = Window(40.5, 401, shape)
        looked_up = to_grey(Frame(values.astype("i2"), windows=(window,)))
        computed = to_grey(Frame(values.astype("f8"), windows=(window,)))
        assert np.array_equal(looked_up, computed)


def test_wide_whole_numbers() -> None:
    values = np.array([[-(2**31), 0, 2**31 - 1]], "i4")
    window = automatic(values)
    assert to_grey(Frame(values, windows=(window,))).tolist() == [[0, 128, 255]]


def test_values_that_are_no_numbers_are_black() -> None:
    values = np.array([[np.nan, 1.0, 2.0, np.inf, -np.inf]])
    assert automatic(values) == Window(1.5, 1.0, WindowShape.LINEAR_EXACT)
    frame = Frame(values, windows=(automatic(values),), inverted=False)
    assert to_grey(frame).tolist() == [[0, 0, 255, 255, 0]]


def test_eight_bits_as_stored() -> None:
    values = np.arange(256, dtype=np.uint8).reshape(16, 16)
    assert np.array_equal(to_grey(Frame(values, windows=(as_stored(),))), values)


def test_one_value_everywhere_is_black() -> None:
    values = np.full((3, 3), 700, np.uint16)
    assert not to_grey(Frame(values, windows=(automatic(values),))).any()


def test_padding_is_not_seen_by_windows_and_stays_black_when_inverted() -> None:
    values = np.array([[0, 10, 20, -999]], np.int16)
    padding = values == -999
    window = automatic(values, padding)
    assert levels(window) == (0, 20)
    frame = Frame(values, padding, (window,))
    assert to_grey(frame, inverted=True).tolist() == [[255, 128, 0, 0]] or to_grey(
        frame, inverted=True
    ).tolist() == [[255, 127, 0, 0]]
    assert percentiles(values, padding, low=0, high=100) == window


def test_default_window_is_the_first_and_another_can_be_chosen() -> None:
    values = np.array([[0, 100]], np.uint16)
    frame = Frame(values, windows=(Window(50, 100, WindowShape.LINEAR_EXACT), Window(500, 100)))
    assert to_grey(frame).tolist() == [[0, 255]]
    assert to_grey(frame, frame.windows[1]).tolist() == [[0, 0]]


def test_table_of_greys_clamps_at_both_ends() -> None:
    table = VoiLut(-2, np.array([0, 100, 400], np.uint16))
    frame = Frame(np.array([[-9, -2, -1, 0, 9]], np.int16), windows=(table,))
    assert to_grey(frame).tolist() == [[0, 0, 64, 255, 255]]


def test_the_recipe_that_rankings_keep_stands_for_the_same_greys() -> None:
    """Where what the model sees changes on purpose, RECIPE gets another number with it."""
    values = np.arange(-60, 60, dtype=np.int16).reshape(10, 12)
    padding = values < -50
    windows: tuple[Window | VoiLut, ...] = (
        Window(4, 81),
        Window(-9, 33, WindowShape.LINEAR_EXACT),
        VoiLut(-20, np.arange(0, 4000, 100).astype(np.uint16)),
        automatic(values, padding),
    )
    shown = hashlib.sha256()
    for window, inverted in itertools.product(windows, (False, True)):
        covered = np.zeros(values.shape, np.bool_)
        covered[3] = True
        frame = Frame(values, padding, (window, Window(0, 9)), inverted, covered, covered)
        shown.update(to_rgb(frame).tobytes())
    assert (RECIPE, shown.hexdigest()[:16]) == ("default-window-1", "ee06b8bd5c02926f")


def test_model_sees_three_channels() -> None:
    grey = Frame(np.arange(6, dtype=np.uint8).reshape(2, 3), windows=(as_stored(),))
    assert to_rgb(grey).shape == (2, 3, 3)
    assert (to_rgb(grey)[..., 0] == to_rgb(grey)[..., 2]).all()
    colour = Frame(np.random.default_rng(0).integers(0, 255, (2, 3, 3)).astype(np.uint8))
    assert np.array_equal(to_rgb(colour), colour.values)


def test_nothing_given_is_changed() -> None:
    values = np.random.default_rng(0).normal(size=(4, 4))
    before = values.copy()
    frame = Frame(values, values > 0, (Window(0, 2),), inverted=True)
    to_grey(frame)
    colour = Frame(np.zeros((2, 2, 3), np.uint8))
    to_rgb(colour)[:] = 7
    assert np.array_equal(values, before)
    assert not colour.values.any()


@pytest.mark.parametrize("shape", WindowShape)
def test_levels_are_where_black_and_white_begin(shape: WindowShape) -> None:
    low, high = levels(Window(40, 400, shape))
    assert (low, high) == ((-160, 239) if shape is WindowShape.LINEAR else (-160, 240))


def test_enlarged_repeats_pixels_and_masks() -> None:
    values = np.array([[1, 2], [3, 4]], np.uint16)
    frame = Frame(values, padding=values == 4, windows=(Window(2, 4),))
    large = enlarged(frame, 5, 4)
    assert large.values.shape == (5, 4)
    assert large.values[:, 0].tolist() == [1, 1, 1, 3, 3]
    assert large.values[4].tolist() == [3, 3, 4, 4]
    assert large.padding is not None
    assert np.array_equal(large.padding, large.values == 4)
    assert large.windows == frame.windows
