"""What a key means, whatever the keyboard."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.models.commands import COMMANDS, Command, bindings
from app.models.keymap import Conflict, Keymap, KeyPress, label_index, label_key

AMPERSAND, E_ACUTE, A_GRAVE = 0x26, 0xC9, 0xC0


@pytest.mark.parametrize(
    ("press", "platform", "index"),
    [
        (KeyPress(0x31), "linux", 0),
        (KeyPress(0x30), "linux", 9),
        (KeyPress(0x32, shift=True), "linux", 11),
        (KeyPress(AMPERSAND, scan_code=10), "linux", 0),  # AZERTY: "&" is the key of 1
        (KeyPress(E_ACUTE, scan_code=11), "linux", 1),
        (KeyPress(A_GRAVE, scan_code=19), "linux", 9),
        (KeyPress(0x31, shift=True, scan_code=10), "linux", 10),  # AZERTY writes 1 with Shift
        (KeyPress(AMPERSAND, scan_code=2), "win32", 0),
        (KeyPress(A_GRAVE, scan_code=11), "win32", 9),
        (KeyPress(AMPERSAND, virtual_key=18), "darwin", 0),
        (KeyPress(A_GRAVE, virtual_key=29), "darwin", 9),
        (KeyPress(0x21, shift=True), "linux", 10),  # "!" where no scan code is told
    ],
)
def test_digits_are_read_by_physical_key(press: KeyPress, platform: str, index: int) -> None:
    assert label_index(press, platform) == index


@pytest.mark.parametrize("held", [{"control": True}, {"alt": True}])
def test_a_digit_with_control_or_alt_is_no_label(held: dict[str, bool]) -> None:
    assert label_index(KeyPress(0x31, **held), "linux") is None


@given(st.integers(0, 19))
def test_each_label_key_is_written_and_read_alike(index: int) -> None:
    text = label_key(index)
    press = KeyPress(ord(text[-1]), shift=text.startswith("⇧"))
    assert label_index(press, "linux") == index


def test_no_two_commands_share_a_key() -> None:
    keys = [key for spec in COMMANDS for key in spec.keys]
    assert len(keys) == len(set(keys))


STATED = {
    "accept": "Return",
    "defer": "Space",
    "unsure": "U",
    "none-apply": "N",
    "unassessable": "X",
    "flag": "F",
    "undo": "Ctrl+Z",
    "redo": "Ctrl+Shift+Z",
    "search": "/",
    "keys": "?",
    "previous": "Left",
    "next": "Right",
    "next-to-do": "Ctrl+Right",
    "frame-up": "Up",
    "frame-down": "Down",
    "first-frame": "Home",
    "last-frame": "End",
    "invert": "I",
    "flip-horizontal": "H",
    "flip-vertical": "V",
    "rotate-right": "R",
    "rotate-left": "L",
    "cine": "C",
    "zoom-in": "+",
    "zoom-out": "-",
    "fit": "=",
    **{f"preset-{place}": f"Alt+{place}" for place in range(1, 6)},
}
"""By heart before they are looked up: readers know these from one release to the next."""


def test_the_keys_that_readers_know_by_heart_stay() -> None:
    keymap = Keymap(bindings(), {})
    assert {command: keymap.keys(command)[0] for command in STATED} == STATED
    assert [label_key(place) for place in (0, 8, 9)] == ["1", "9", "0"]


def test_a_taken_key_is_refused_and_says_whose_it_is() -> None:
    keymap = Keymap(bindings(), {})
    assert keymap.conflict("defer", "N") == Conflict("N", "none-apply")
    assert keymap.conflict("defer", "3") == Conflict("3", "label")
    assert keymap.conflict("defer", "Shift+3") == Conflict("Shift+3", "label")
    assert keymap.conflict("defer", "Z") is None


def test_a_changed_key_replaces_the_default_and_a_bad_one_is_ignored() -> None:
    keymap = Keymap(bindings(), {"defer": "Z", "flag": "N", "nonsense": "Q"})
    assert keymap.action("Z") == Command.DEFER
    assert keymap.action("Space") is None
    assert keymap.action("F") == Command.FLAG
    assert keymap.action("N") == Command.NONE_APPLY
