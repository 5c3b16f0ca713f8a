"""The one window: it assembles the panels and passes keys on."""

from pathlib import Path

from PySide6.QtCore import QByteArray, QMimeData, QSize, Qt, Signal
from PySide6.QtGui import QCloseEvent, QDragEnterEvent, QDropEvent, QKeyEvent, QResizeEvent
from PySide6.QtWidgets import (
    QFrame,
    QMainWindow,
    QScrollArea,
    QSplitter,
    QStackedWidget,
    QVBoxLayout,
    QWidget,
)

from app import strings
from app.models.scan_table import ScanTable
from app.views import style
from app.views.actions import Actions, is_text_field
from app.views.fields import PlainLabel
from app.views.queue_panel import QueuePanel
from app.views.ranking_panel import RankingPanel
from app.views.scan_panel import ScanPanel
from app.views.start_page import StartPage
from app.views.status_line import StatusLine
from app.views.training_panel import TrainingPanel

_LEFT, _RIGHT = 272, 336
_USUAL, _LEAST = QSize(1280, 800), QSize(836, 440)
"""The least is what a screen of 1280 x 800 has where everything on it is half as large again."""
_TRAINING = (192, 264)
"""Heights of the training panel: where the labels need the room, and where they do not."""


class MainWindow(QMainWindow):
    """The desk.

    Attributes:
        closing: The window goes; whoever holds threads and locks ends them now.
        dropped: Paths of files and folders that were dropped on it.
    """

    closing = Signal()
    dropped = Signal(object)

    def __init__(self, table: ScanTable, actions: Actions) -> None:
        super().__init__()
        self.setWindowTitle(strings.APP_NAME)
        self.setMinimumSize(_LEAST)
        self.resize(_USUAL.boundedTo(self.screen().availableSize() - style.WINDOW_FRAME))
        self.setAcceptDrops(True)
        self._actions = actions
        self._by_hand = False
        self.start = StartPage(actions)
        self.queue = QueuePanel(table, actions)
        self.scan = ScanPanel(actions)
        self.ranking = RankingPanel(actions)
        self.training = TrainingPanel(actions)
        self.status = StatusLine()
        self._banner = PlainLabel()
        self._banner.setProperty("role", "banner")
        self._banner.setWordWrap(True)
        self._banner.hide()
        # From the window inwards: what is put into another widget is styled anew with all in it.
        self._pages = QStackedWidget()
        self.setCentralWidget(self._pages)
        self._pages.addWidget(self.start)
        self._desk = QWidget()
        self._pages.addWidget(self._desk)
        self._fill_desk()
        self.setStatusBar(self.status)
        actions.fill(self.menuBar())
        self.start.setFocus()

    def _fill_desk(self) -> None:
        self._columns = QSplitter(Qt.Orientation.Horizontal)
        box = QVBoxLayout(self._desk)
        box.setContentsMargins(0, 0, 0, 0)
        box.setSpacing(0)
        box.addWidget(self._banner)
        box.addWidget(self._columns, 1)
        side = self._side = QSplitter(Qt.Orientation.Vertical)
        for widget in (self.queue, self.scan, _scrolled(side)):
            self._columns.addWidget(widget)
        self._columns.setChildrenCollapsible(False)
        self._columns.setStretchFactor(1, 1)
        self._columns.setSizes([_LEFT, _USUAL.width() - _LEFT - _RIGHT, _RIGHT])
        self.queue.setMinimumWidth(224)
        self.scan.setMinimumWidth(280)
        side.addWidget(self.ranking)
        side.addWidget(self.training)
        side.setChildrenCollapsible(False)
        side.splitterMoved.connect(self._shared_by_hand)
        self.ranking.room_wanted.connect(self._share_side)
        self.training.setMinimumHeight(_TRAINING[0])

    def _share_side(self) -> None:
        """Give the labels what they need, and training what is left or a third."""
        if self._by_hand:
            return
        total = self._side.height() - self._side.handleWidth()
        low, usual = _TRAINING
        training = min(max(total - self.ranking.full_height, low), max(total // 3, usual))
        self._side.setSizes([total - training, training])

    def _shared_by_hand(self) -> None:
        self._by_hand = True

    def resizeEvent(self, event: QResizeEvent) -> None:  # noqa: N802 - Qt's name
        """Share the room anew."""
        super().resizeEvent(event)
        self._share_side()

    @property
    def shows_desk(self) -> bool:
        """Whether a project is on screen."""
        return self._pages.currentWidget() is self._desk

    def show_desk(self, title: str) -> None:
        """A project is open."""
        self._pages.setCurrentWidget(self._desk)
        self._actions.set_project_open(True)
        self._share_side()
        self.setWindowTitle(f"{title} — {strings.APP_NAME}")
        self.scan.view.setFocus(Qt.FocusReason.OtherFocusReason)

    def show_start(self) -> None:
        """No project is open."""
        self._pages.setCurrentWidget(self.start)
        self._actions.set_project_open(False)
        self.setWindowTitle(strings.APP_NAME)
        self.start.setFocus(Qt.FocusReason.OtherFocusReason)

    def show_banner(self, text: str) -> None:
        """Show a lasting sentence above the desk; "" hides it."""
        self._banner.setText(text)
        self._banner.setVisible(bool(text))

    @property
    def banner(self) -> str:
        """The lasting sentence."""
        return self._banner.text()

    def state(self) -> str:
        """Size and place of the window, as text for the settings."""
        return bytes(self.saveGeometry().toBase64().data()).decode("ascii")

    def restore(self, state: str) -> None:
        """Take size and place from the settings."""
        if state:
            self.restoreGeometry(QByteArray.fromBase64(state.encode("ascii")))

    def keyPressEvent(self, event: QKeyEvent) -> None:  # noqa: N802 - Qt's name
        """Pass keys to the action table; Escape leaves a text field."""
        if event.key() == Qt.Key.Key_Escape and is_text_field(self.focusWidget()):
            place = self.scan.view if self.shows_desk else self.start
            place.setFocus(Qt.FocusReason.OtherFocusReason)
            return
        if not self._actions.handle(event):
            super().keyPressEvent(event)

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:  # noqa: N802 - Qt's name
        """Take what stands on this computer."""
        if _local(event.mimeData()):
            event.acceptProposedAction()

    def dropEvent(self, event: QDropEvent) -> None:  # noqa: N802 - Qt's name
        """Say what was dropped."""
        event.acceptProposedAction()
        self.dropped.emit(_local(event.mimeData()))

    def closeEvent(self, event: QCloseEvent) -> None:  # noqa: N802 - Qt's name
        """Go from the screen at once, then let everything end."""
        self.hide()
        self.closing.emit()
        event.accept()


def _scrolled(side: QSplitter) -> QScrollArea:
    """The labels and training, which a low window shows part by part."""
    area = QScrollArea()
    area.setMinimumWidth(328)
    area.setWidgetResizable(True)
    area.setFrameShape(QFrame.Shape.NoFrame)
    area.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
    area.setFocusPolicy(Qt.FocusPolicy.NoFocus)
    area.setWidget(side)
    return area


def _local(dragged: QMimeData) -> tuple[Path, ...]:
    """The files and folders of this computer among what is dragged."""
    return tuple(Path(url.toLocalFile()) for url in dragged.urls() if url.isLocalFile())
