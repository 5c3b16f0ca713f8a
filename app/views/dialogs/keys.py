"""The key sheet: every key, and a place to change one."""

from collections.abc import Mapping

from PySide6.QtCore import QEvent, Qt
from PySide6.QtGui import QColor, QKeyEvent, QKeySequence
from PySide6.QtWidgets import (
    QHBoxLayout,
    QHeaderView,
    QKeySequenceEdit,
    QLineEdit,
    QPushButton,
    QTreeWidget,
    QTreeWidgetItem,
    QWidget,
)

from app.models.commands import COMMANDS, Command, bindings
from app.models.keymap import Keymap
from app.strings import command_words, dialog_words
from app.views import style
from app.views.actions import native_key
from app.views.dialogs.parts import DeskDialog, muted

_COMMAND = int(Qt.ItemDataRole.UserRole)
_LEADING_OUT = (Qt.Key.Key_Tab, Qt.Key.Key_Backtab, Qt.Key.Key_Escape)


class _KeyField(QKeySequenceEdit):
    """Takes the next key, but for those that lead out of it: Tab, and Escape for the dialog."""

    def __init__(self) -> None:
        super().__init__()
        self.setAccessibleName(dialog_words.KEYS_CHANGE)
        self.setMaximumSequenceLength(1)
        self.setClearButtonEnabled(True)
        self.clear()

    def clear(self) -> None:
        """Ask in the desk's words; Qt puts its own back each time."""
        super().clear()
        inner = self.findChild(QLineEdit)
        if inner is not None:
            inner.setPlaceholderText(dialog_words.KEYS_PRESS)

    def event(self, event: QEvent) -> bool:
        """Qt would take these as keys to be set, and whoever has no mouse could not leave."""
        if isinstance(event, QKeyEvent) and event.key() in _LEADING_OUT:
            return QWidget.event(self, event)
        return super().event(event)

    def keyPressEvent(self, event: QKeyEvent) -> None:  # noqa: N802 - Qt's name
        """Take it, or leave it to the dialog."""
        if event.key() in _LEADING_OUT:
            event.ignore()
        else:
            super().keyPressEvent(event)


class KeysDialog(DeskDialog):
    """Shows the keys; the reader's changes are in `changes` once it is accepted."""

    def __init__(self, changes: Mapping[str, str], parent: QWidget | None) -> None:
        super().__init__(dialog_words.KEYS_TITLE, dialog_words.SAVE, parent)
        self.resize(600, 720)
        self.changes = dict(changes)
        self._tree = QTreeWidget()
        self._tree.setAccessibleName(dialog_words.KEYS_TITLE)
        self._tree.setColumnCount(2)
        self._tree.setHeaderLabels([dialog_words.KEYS_ACTION, dialog_words.KEYS_KEY])
        self._tree.setRootIsDecorated(False)
        self._tree.setIndentation(12)
        self._tree.header().setSectionResizeMode(0, QHeaderView.ResizeMode.Stretch)
        self._tree.header().setStretchLastSection(False)
        self._tree.setColumnWidth(1, 176)
        self._tree.currentItemChanged.connect(self._chosen)
        self._edit = _KeyField()
        self._edit.editingFinished.connect(self._typed)
        self._default = QPushButton(dialog_words.KEYS_DEFAULT)
        self._default.setAutoDefault(False)
        self._default.clicked.connect(self._to_default)
        self.body.addWidget(muted(dialog_words.KEYS_LABELS))
        self.body.addWidget(self._tree, 1)
        line = QHBoxLayout()
        line.setSpacing(8)
        line.addWidget(muted(dialog_words.KEYS_CHANGE))
        line.addWidget(self._edit, 1)
        line.addWidget(self._default)
        self.body.addLayout(line)
        self.body.addWidget(muted(dialog_words.KEYS_POINTER))
        self._fill()

    def _fill(self) -> None:
        keymap = Keymap(bindings(), self.changes)
        current = self._command()
        self._tree.clear()
        groups: dict[str, QTreeWidgetItem] = {}
        for spec in COMMANDS:
            group = groups.get(spec.group)
            if group is None:
                title = command_words.MENUS[spec.group.value].replace("&", "")
                group = groups[spec.group] = QTreeWidgetItem([title])
                group.setFlags(Qt.ItemFlag.ItemIsEnabled)
                group.setFont(0, style.font(self.font(), pixels=12, bold=True))
                group.setForeground(0, QColor(style.MUTED))
                self._tree.addTopLevelItem(group)
                group.setExpanded(True)
            shown = dict.fromkeys(native_key(key) for key in keymap.keys(spec.command.value))
            keys = "   ".join(shown)
            item = QTreeWidgetItem([spec.text.rstrip("…"), keys])
            item.setData(0, _COMMAND, spec.command.value)
            group.addChild(item)
            if spec.command is (current or COMMANDS[0].command):
                self._tree.setCurrentItem(item)

    def _command(self) -> Command | None:
        item = self._tree.currentItem()
        value = None if item is None else item.data(0, _COMMAND)
        return Command(value) if value else None

    def _chosen(self) -> None:
        command = self._command()
        self._edit.setEnabled(command is not None)
        self._default.setEnabled(command is not None)
        self._edit.blockSignals(True)
        self._edit.clear()
        self._edit.blockSignals(False)

    def _typed(self) -> None:
        command = self._command()
        key = self._edit.keySequence().toString(QKeySequence.SequenceFormat.PortableText)
        if command is None or not key:
            return
        conflict = Keymap(bindings(), self.changes).conflict(command.value, key)
        if conflict is None:
            self.changes[command.value] = key
            self.show_problem("")
            self._fill()
        else:
            owner = command_words.COMMANDS.get(conflict.action, dialog_words.KEYS_OF_LABELS).rstrip(
                "…"
            )
            self._problem.setText(dialog_words.KEY_TAKEN.format(key=native_key(key), action=owner))

    def _to_default(self) -> None:
        command = self._command()
        if command is not None:
            self.changes.pop(command.value, None)
            self.show_problem("")
            self._fill()
