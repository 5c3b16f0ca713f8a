"""What a key means: bindings as plain text, conflicts found before they are kept.

Digits are labels and are read by physical key, so that a keyboard whose digit row needs Shift
(AZERTY) needs none here; scans.md, "Keys and pointer".
"""

import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

DIGITS = 10
LABEL_KEYS = 20
"""Labels with a key of their own: 1-9, 0, then the same with Shift."""

_US_SHIFTED = ")!@#$%^&*("
_MAC_DIGIT_KEYS = {18: 1, 19: 2, 20: 3, 21: 4, 23: 5, 22: 6, 26: 7, 28: 8, 25: 9, 29: 0}
_ASCII_ZERO = 0x30


@dataclass(frozen=True)
class KeyPress:
    """One key press as the window system tells it.

    Attributes:
        key: Qt.Key as a number.
        shift, control, alt: Modifiers (control is Command on macOS, as in Qt).
        scan_code: Native scan code; 0 where there is none.
        virtual_key: Native virtual key; 0 where there is none.
    """

    key: int
    shift: bool = False
    control: bool = False
    alt: bool = False
    scan_code: int = 0
    virtual_key: int = 0


def physical_digit(press: KeyPress, platform: str = sys.platform) -> int | None:
    """The digit printed on the key that was pressed, whatever the layout makes of it.

    X11 and Wayland give evdev codes plus 8 (10 is "1"), Windows set-1 scan codes (2 is "1"),
    macOS virtual keys. Where none is given (remote desktops, tests), Qt's key must do.
    """
    if platform == "darwin":
        if press.virtual_key in _MAC_DIGIT_KEYS:
            return _MAC_DIGIT_KEYS[press.virtual_key]
    else:
        first = 2 if platform == "win32" else 10
        if first <= press.scan_code < first + DIGITS:
            return (press.scan_code - first + 1) % DIGITS
    digit = press.key - _ASCII_ZERO
    if 0 <= digit < DIGITS:
        return digit
    if press.shift and not press.scan_code and 0x20 < press.key < 0x7F:
        index = _US_SHIFTED.find(chr(press.key))
        return index if index >= 0 else None
    return None


def label_index(press: KeyPress, platform: str = sys.platform) -> int | None:
    """Which label (from 0) a key press means, or None: 1-9, 0 the tenth, Shift for 11-20."""
    if press.control or press.alt:
        return None
    digit = physical_digit(press, platform)
    if digit is None:
        return None
    return (digit - 1) % DIGITS + (DIGITS if press.shift else 0)


def label_key(index: int) -> str:
    """How the key of a label is written, "" from the 21st on."""
    if not 0 <= index < LABEL_KEYS:
        return ""
    digit = str((index + 1) % DIGITS)
    return digit if index < DIGITS else f"⇧{digit}"


@dataclass(frozen=True)
class Binding:
    """An action's keys in Qt's portable text, such as "Ctrl+Shift+Z"."""

    action: str
    keys: tuple[str, ...]


@dataclass(frozen=True)
class Conflict:
    """A key that was asked for and is taken."""

    key: str
    action: str


class Keymap:
    """Keys of every action: the defaults, with the reader's changes on top."""

    def __init__(self, defaults: Iterable[Binding], changes: Mapping[str, str]) -> None:
        self._keys: dict[str, tuple[str, ...]] = {b.action: b.keys for b in defaults}
        for action, key in changes.items():
            if action in self._keys and key and self.conflict(action, key) is None:
                self._keys[action] = (key,)
        self._actions = {key: action for action, keys in self._keys.items() for key in keys}

    def action(self, key: str) -> str | None:
        """The action of a key, or None."""
        return self._actions.get(key)

    def keys(self, action: str) -> tuple[str, ...]:
        """The keys of an action, the one to show first."""
        return self._keys.get(action, ())

    def conflict(self, action: str, key: str) -> Conflict | None:
        """Who has a key already: another action, or the labels (digits)."""
        plain = key.removeprefix("Shift+")
        if plain.isdigit() and len(plain) == 1:
            return Conflict(key, "label")
        for other, keys in self._keys.items():
            if other != action and key in keys:
                return Conflict(key, other)
        return None
