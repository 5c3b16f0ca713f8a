"""How far rankings and versions can be believed, beside the scan."""

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import (
    QComboBox,
    QFrame,
    QGridLayout,
    QLabel,
    QPushButton,
    QScrollArea,
    QVBoxLayout,
    QWidget,
)

from app import strings
from app.models.trust_lines import AgreementLines, ReliabilityLines, Table, VersionEvidence
from app.strings import trust_words as words
from app.views import rows
from app.views.dialogs.parts import heading, muted
from app.views.fields import ElidedLabel, PlainLabel
from app.views.trust_plots import CoursePlot, ReliabilityPlot


class _TableView(QWidget):
    """A few rows of texts, the figures in columns."""

    def __init__(self) -> None:
        super().__init__()
        self._grid = QGridLayout(self)
        self._grid.setContentsMargins(0, 0, 0, 0)
        self._grid.setHorizontalSpacing(12)
        self._grid.setVerticalSpacing(2)
        self._grid.setColumnStretch(0, 1)
        self.table = Table()

    def show_table(self, table: Table, tips: tuple[str, ...] = ()) -> None:
        """Show other rows."""
        self.table = table
        while self._grid.count():
            item = self._grid.takeAt(0)
            widget = item.widget() if item is not None else None
            if widget is not None:
                widget.deleteLater()
        for number, cells in enumerate((table.columns, *table.rows)):
            for column, text in enumerate(cells):
                label = _cell(text) if column else _name(text)
                if number == 0:
                    label.setProperty("role", "small")
                    if column < len(tips):
                        label.setToolTip(tips[column])
                self._grid.addWidget(label, number, column)
        self.setVisible(bool(table.rows))


def _cell(text: str) -> QLabel:
    label = PlainLabel(text)
    label.setAlignment(Qt.AlignmentFlag.AlignRight)
    return label


def _name(text: str) -> QLabel:
    label = ElidedLabel()
    label.show_text(text)
    return label


class TrustPanel(QScrollArea):
    """Agreement, reliability and the evidence of versions.

    Attributes:
        wanted: Whether the reader looks at it.
        activate_asked: Id of the version to make live.
    """

    wanted = Signal(bool)
    activate_asked = Signal(str)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWidgetResizable(True)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setObjectName("beside")
        self.setAccessibleName(words.TRUST)
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.setMinimumWidth(160)
        self._agreement, self._reliability = muted(""), muted("")
        self._course, self.plot, self._labels = CoursePlot(), ReliabilityPlot(), _TableView()
        self._versions = QComboBox()
        self._versions.setAccessibleName(words.EVIDENCE)
        self._versions.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self._versions.currentIndexChanged.connect(self._show_version)
        self._reason = muted("")
        self._tables = (_TableView(), _TableView())
        self._live = QPushButton(strings.MAKE_LIVE)
        self._live.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self._live.clicked.connect(self._ask)
        self._lines: tuple[VersionEvidence, ...] = ()
        self._can_change = False
        self._lay_out()
        self.show_agreement(AgreementLines())
        self.show_reliability(ReliabilityLines())
        self.show_versions((), can_change=False)

    def keyPressEvent(self, event: QKeyEvent) -> None:  # noqa: N802 - Qt's name
        """Scroll by the arrows once Tab came here; other keys belong to the window."""
        if rows.moves(event):
            super().keyPressEvent(event)
        else:
            event.ignore()

    def _lay_out(self) -> None:
        body = QWidget()
        body.setObjectName("panel")
        box = QVBoxLayout(body)
        box.setContentsMargins(12, 12, 12, 12)
        box.setSpacing(8)
        box.addWidget(heading(words.AGREEMENT))
        _add(box, self._course, self._agreement, self._labels)
        box.addSpacing(8)
        box.addWidget(heading(words.RELIABILITY))
        _add(box, self.plot, self._reliability)
        box.addSpacing(8)
        box.addWidget(heading(words.EVIDENCE))
        _add(box, self._versions, self._reason, *self._tables)
        box.addWidget(self._live, 0, Qt.AlignmentFlag.AlignLeft)
        box.addStretch(1)
        self.setWidget(body)

    def show_agreement(self, lines: AgreementLines) -> None:
        """Show how often suggestions were right."""
        self._agreement.setText("\n".join(lines.sentences))
        self._course.show_course(lines.course)
        self._course.setToolTip(words.COURSE.format(window=50))
        self._labels.show_table(lines.labels, ("", words.FOUND_TIP, words.RIGHT_TIP))

    def show_reliability(self, lines: ReliabilityLines) -> None:
        """Show whether probabilities hold."""
        self._reliability.setText(lines.sentence)
        self.plot.show_reliability(lines.plot)

    def show_versions(self, lines: tuple[VersionEvidence, ...], *, can_change: bool) -> None:
        """Show what stands behind the versions: the newest, unless an older one was chosen."""
        chosen = self._versions.currentData() if self._versions.currentIndex() > 0 else None
        self._lines, self._can_change = lines, can_change
        self._versions.blockSignals(True)
        self._versions.clear()
        for line in lines:
            live = f"   ● {strings.LIVE}" if line.live else ""
            self._versions.addItem(f"{line.title}{live}", line.id)
        self._versions.setCurrentIndex(max(self._versions.findData(chosen), 0) if lines else -1)
        self._versions.blockSignals(False)
        self._versions.setVisible(bool(lines))
        self._show_version()

    def _show_version(self) -> None:
        row = self._versions.currentIndex()
        line = self._lines[row] if 0 <= row < len(self._lines) else None
        sentences = (words.NO_VERSION,) if line is None else line.sentences
        self._reason.setText("\n".join(sentences))
        tables = () if line is None else line.tables
        for place, view in enumerate(self._tables):
            view.show_table(tables[place] if place < len(tables) else Table())
        self._live.setVisible(line is not None and not line.live)
        self._live.setEnabled(self._can_change)

    def _ask(self) -> None:
        self.activate_asked.emit(str(self._versions.currentData()))

    def texts(self) -> str:
        """Everything that can be read here, for tests and assistive tools."""
        tables = (view.table for view in (self._labels, *self._tables))
        rows = (" ".join(row) for table in tables for row in table.rows)
        sentences = (self._agreement, self._reliability, self._reason)
        return "\n".join((*(label.text() for label in sentences), *rows))


def _add(box: QVBoxLayout, *parts: QWidget) -> None:
    for part in parts:
        box.addWidget(part)
