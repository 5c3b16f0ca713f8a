"""The action table as menus and keys: each command once, its key beside its words.

Keys are routed here and not through QAction shortcuts: plain letters, Space and the arrows must
reach the scan whatever list has the focus, stay silent in text fields, and be read by physical
key where they are digits.
"""

from collections.abc import Mapping, Sequence

from PySide6.QtCore import QKeyCombination, QObject, Qt, Signal
from PySide6.QtGui import QAction, QKeyEvent, QKeySequence
from PySide6.QtWidgets import (
    QAbstractButton,
    QAbstractSpinBox,
    QApplication,
    QCheckBox,
    QComboBox,
    QKeySequenceEdit,
    QLineEdit,
    QMenu,
    QMenuBar,
    QPlainTextEdit,
    QTextEdit,
    QWidget,
)

from app.models.commands import COMMANDS, PRESET_COMMANDS, Command, Group, Part, bindings
from app.models.keymap import Keymap, KeyPress, label_index, physical_digit
from app.strings import command_words

_TEXT_FIELDS = (QLineEdit, QTextEdit, QPlainTextEdit, QAbstractSpinBox, QKeySequenceEdit)
_KEYS_OF_BUTTONS = (Qt.Key.Key_Space, Qt.Key.Key_Return, Qt.Key.Key_Enter)
_MODIFIERS_ONLY = (
    Qt.Key.Key_Shift,
    Qt.Key.Key_Control,
    Qt.Key.Key_Alt,
    Qt.Key.Key_Meta,
    Qt.Key.Key_AltGr,
    Qt.Key.Key_CapsLock,
)


def is_text_field(widget: QWidget | None) -> bool:
    """Whether keys typed there are text."""
    if isinstance(widget, QComboBox):
        return widget.isEditable()
    return isinstance(widget, _TEXT_FIELDS)


def key_press(event: QKeyEvent) -> KeyPress:
    """The event as a plain value."""
    modifiers = event.modifiers()
    return KeyPress(
        key=int(event.key()),
        shift=bool(modifiers & Qt.KeyboardModifier.ShiftModifier),
        control=bool(modifiers & Qt.KeyboardModifier.ControlModifier),
        alt=bool(modifiers & Qt.KeyboardModifier.AltModifier),
        scan_code=int(event.nativeScanCode()),
        virtual_key=int(event.nativeVirtualKey()),
    )


def key_text(event: QKeyEvent) -> str:
    """The key in portable text; signs such as "?" without the Shift that some layouts need."""
    press = key_press(event)
    digit = physical_digit(press)
    if press.alt and digit is not None:
        return f"Alt+{digit}"
    modifiers = event.modifiers() & ~Qt.KeyboardModifier.KeypadModifier
    modifiers &= ~Qt.KeyboardModifier.GroupSwitchModifier
    if 0x20 < press.key < 0x7F and not chr(press.key).isalnum():
        modifiers &= ~Qt.KeyboardModifier.ShiftModifier
    combination = QKeyCombination(modifiers, Qt.Key(press.key))
    return QKeySequence(combination).toString(QKeySequence.SequenceFormat.PortableText)


def native_key(key: str) -> str:
    """A key as this system writes it."""
    if key in ("Return", "Enter"):
        return command_words.KEY_ENTER
    return QKeySequence(key).toString(QKeySequence.SequenceFormat.NativeText)


class Actions(QObject):
    """The desk's commands as actions, and the keys that mean them.

    Attributes:
        asked: A Command that the reader asked for, by key or menu.
        label_pressed: The place (from 0) of the label whose key was pressed.
    """

    asked = Signal(object)
    label_pressed = Signal(int)

    def __init__(self, changes: Mapping[str, str], parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._project_open = False
        self._actions: dict[Command, QAction] = {}
        self._presets: dict[Command, str] = {}
        for spec in COMMANDS:
            action = QAction(spec.text, self)
            action.setCheckable(spec.checkable)
            action.setEnabled(not spec.needs_project)
            action.setData(spec.command.value)
            action.triggered.connect(self._triggered)
            self._actions[spec.command] = action
        self.keymap = Keymap(bindings(), changes)
        self.set_changes(changes)

    def set_changes(self, changes: Mapping[str, str]) -> None:
        """Take over the reader's own keys."""
        self.keymap = Keymap(bindings(), changes)
        for spec in COMMANDS:
            key, name = self.first_key(spec.command), self._presets.get(spec.command)
            words = command_words.PRESET.format(words=spec.text, name=name) if name else spec.text
            self._actions[spec.command].setText(f"{words}\t{key}" if key else words)

    def set_presets(self, names: Sequence[str]) -> None:
        """Call the window presets in the menu by their names; one without a window is not there."""
        self._presets = dict(zip(PRESET_COMMANDS, names, strict=False))
        for place, command in enumerate(PRESET_COMMANDS):
            self._actions[command].setVisible(place < len(names))

    def first_key(self, command: Command) -> str:
        """The key to show for a command, as this system writes it."""
        keys = self.keymap.keys(command.value)
        return native_key(keys[0]) if keys else ""

    def tip(self, command: Command) -> str:
        """Words and key of a command."""
        key = self.first_key(command)
        words = command_words.COMMANDS[command.value].rstrip("…")
        return f"{words}  ({key})" if key else words

    def action(self, command: Command) -> QAction:
        """The action of a command."""
        return self._actions[command]

    def set_project_open(self, is_open: bool) -> None:
        """Enable what needs a project."""
        self._project_open = is_open
        for spec in COMMANDS:
            if spec.needs_project:
                self._actions[spec.command].setEnabled(is_open)

    def set_checked(self, command: Command, checked: bool) -> None:
        """Show the state of a switch."""
        self._actions[command].setChecked(checked)

    def fill(self, bar: QMenuBar) -> None:
        """Put the menus into a menu bar."""
        menus: dict[Group | Part, QMenu] = {}
        for spec in COMMANDS:
            menu = menus.get(spec.group)
            if menu is None:
                menu = menus[spec.group] = bar.addMenu(command_words.MENUS[spec.group.value])
            if spec.within is not None:
                inner = menus.get(spec.within)
                if inner is None:
                    words = command_words.PARTS[spec.within.value]
                    inner = menus[spec.within] = menu.addMenu(words)
                menu = inner
            if spec.starts_section:
                menu.addSeparator()
            menu.addAction(self._actions[spec.command])

    def handle(self, event: QKeyEvent) -> bool:
        """Turn a key press into what it means; False where it means nothing here."""
        focus = QApplication.focusWidget()
        if event.key() in _MODIFIERS_ONLY:
            return False
        if is_text_field(focus):
            return self._from_text(event)
        if isinstance(focus, (QAbstractButton, QComboBox)) and event.key() in _KEYS_OF_BUTTONS:
            return self._of_button(focus, event)
        index = label_index(key_press(event))
        if index is not None:
            if self._project_open and not event.isAutoRepeat():
                self.label_pressed.emit(index)
            return True
        name = self.keymap.action(key_text(event))
        if name is None:
            return False
        return self._press(Command(name), repeated=event.isAutoRepeat())

    @staticmethod
    def _of_button(focus: QAbstractButton | QComboBox, event: QKeyEvent) -> bool:
        """Enter presses a button that has the keyboard; on some systems Qt knows Space alone."""
        if isinstance(focus, (QCheckBox, QComboBox)) or event.key() == Qt.Key.Key_Space:
            return False
        if not event.isAutoRepeat():
            focus.click()
        return True

    def _from_text(self, event: QKeyEvent) -> bool:
        """What is typed is text, and Control with a key may be what always can be asked for."""
        held = event.modifiers()
        if not held & Qt.KeyboardModifier.ControlModifier or held & Qt.KeyboardModifier.AltModifier:
            return False  # Windows says AltGr as both
        name = self.keymap.action(key_text(event))
        if name is None or Command(name) not in _WITHOUT_PROJECT:
            return False
        return self._press(Command(name), repeated=event.isAutoRepeat())

    def _press(self, command: Command, *, repeated: bool) -> bool:
        action = self._actions[command]
        if repeated and command not in _MAY_REPEAT:
            return True
        if action.isEnabled():
            action.trigger()
        return True

    def _triggered(self) -> None:
        action = self.sender()
        if isinstance(action, QAction):
            self.asked.emit(Command(action.data()))


_MAY_REPEAT = frozenset(
    {
        Command.PREVIOUS,
        Command.NEXT,
        Command.FRAME_UP,
        Command.FRAME_DOWN,
        Command.ZOOM_IN,
        Command.ZOOM_OUT,
        Command.PAN_LEFT,
        Command.PAN_RIGHT,
        Command.PAN_UP,
        Command.PAN_DOWN,
    }
)
"""A key held down may repeat these; a decision is one press."""

_WITHOUT_PROJECT = frozenset(spec.command for spec in COMMANDS if not spec.needs_project)
"""What can be asked for while a text is typed: none of it changes a decision."""
