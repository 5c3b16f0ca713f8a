"""The DICOM header of the scan on screen, as a searchable table."""

from enum import IntEnum

from PySide6.QtCore import QAbstractTableModel, QModelIndex, QObject, QPersistentModelIndex, Qt

from app import strings
from app.models.tips import plain_tip
from nearl_core.types import TagLine

Index = QModelIndex | QPersistentModelIndex
_NO_PARENT = QModelIndex()
_INDENT = "    "


class Column(IntEnum):
    """What stands beside each other."""

    TAG = 0
    NAME = 1
    VALUE = 2


HIDDEN_ROLE = Qt.ItemDataRole.UserRole
"""Whether a value is there, and not shown."""


class TagTable(QAbstractTableModel):
    """Header lines that hold the searched text, in the order of the file."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._all: tuple[TagLine, ...] = ()
        self._shown: tuple[TagLine, ...] = ()
        self._search = ""

    @property
    def lines(self) -> tuple[TagLine, ...]:
        """What is shown."""
        return self._shown

    def fill(self, lines: tuple[TagLine, ...]) -> None:
        """Show another header; the search stays."""
        self._all = lines
        self._choose()

    def search(self, text: str) -> None:
        """Show the lines with a text in tag, name or value."""
        self._search = text.strip().casefold()
        self._choose()

    def _choose(self) -> None:
        self.beginResetModel()
        self._shown = tuple(line for line in self._all if self._matches(line))
        self.endResetModel()

    def _matches(self, line: TagLine) -> bool:
        parts = (line.tag, line.name, line.value)
        return not self._search or any(self._search in part.casefold() for part in parts)

    def rowCount(self, parent: Index = _NO_PARENT) -> int:  # noqa: N802 - Qt's name
        """Lines that are shown."""
        return 0 if parent.isValid() else len(self._shown)

    def columnCount(self, parent: Index = _NO_PARENT) -> int:  # noqa: N802 - Qt's name
        """Tag, name, value."""
        return 0 if parent.isValid() else len(Column)

    def headerData(  # noqa: N802 - Qt's name
        self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole
    ) -> object:
        """The columns' names."""
        if role != Qt.ItemDataRole.DisplayRole or orientation is not Qt.Orientation.Horizontal:
            return None
        return strings.TAG_COLUMNS[section]

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        """One cell."""
        if not index.isValid():
            return None
        line = self._shown[index.row()]
        if role == Qt.ItemDataRole.DisplayRole:
            if index.column() == Column.TAG:
                return line.tag.strip("()")
            if index.column() == Column.NAME:
                return _INDENT * line.depth + line.name
            return strings.TAG_HIDDEN if line.hidden else line.value
        if role == HIDDEN_ROLE:
            return line.hidden and index.column() == Column.VALUE
        if role == Qt.ItemDataRole.ToolTipRole:
            value = strings.TAG_HIDDEN_TIP if line.hidden else line.value
            return plain_tip(f"{line.tag} {line.vr} {line.name}\n{value}")
        return None
