"""The status bar: progress through the queue, what was saved when, what computes."""

from collections.abc import Sequence

from PySide6.QtCore import Qt, QTimer
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QProgressBar, QStatusBar, QWidget

from app import strings
from app.models.scan_table import QueueCounts
from app.models.tips import plain_tip
from app.views.fields import ElidedLabel, PlainLabel
from nearl_core.types import State

_MESSAGE_MS = 8000
_READER_WIDTH, _BAR_WIDTH = 140, 120
_MESSAGE_WIDTH = 400
"""Of a message that others make room for; one that is longer is cut at its end."""
_GAP = 6
"""Between two parts, by Qt."""


class StatusLine(QStatusBar):
    """One quiet line; nothing in it is ever needed to go on."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setSizeGripEnabled(False)
        self._bar = QProgressBar()
        self._bar.setFixedWidth(_BAR_WIDTH)
        self._bar.setTextVisible(False)
        self._reader = PlainLabel()
        self._progress = PlainLabel()
        self._counts = PlainLabel()
        self._message = ElidedLabel(sentence=True)
        self._message.setObjectName("message")
        self._lasting = ""
        self._saved = PlainLabel()
        self._saved.setObjectName("saved")
        self._survey = PlainLabel()
        self._version = PlainLabel()
        self._device = PlainLabel()
        before = (self._reader, self._progress, self._bar, self._counts)
        after = (self._saved, self._survey, self._version, self._device)
        for widget in before:
            self.addWidget(widget)
        self.addWidget(self._message, 1)
        for widget in after:
            self.addPermanentWidget(widget)
        self._parts = (*before, *after)
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setInterval(_MESSAGE_MS)
        self._timer.timeout.connect(self._show_lasting)
        self.show_counts(QueueCounts())

    def show_reader(self, name: str) -> None:
        """Show whose decisions these are."""
        middle, metrics = Qt.TextElideMode.ElideMiddle, self._reader.fontMetrics()
        self._reader.setText(metrics.elidedText(name, middle, _READER_WIDTH))
        self._reader.setToolTip(plain_tip(strings.READER_TIP.format(name=name)))

    def show_counts(self, counts: QueueCounts) -> None:
        """Show how far the reader is."""
        visible = counts.total > 0
        self._reader.setVisible(visible)
        self._bar.setRange(0, max(counts.total, 1))
        self._bar.setValue(counts.decided)
        self._progress.setText(strings.progress(counts.decided, counts.total) if visible else "")
        parts = [
            f"{counts.of(state)} {strings.STATE_WORDS[state].lower()}"
            for state in (State.DEFERRED, State.NONE_APPLY, State.UNASSESSABLE)
            if counts.of(state)
        ]
        if counts.flagged:
            parts.append(f"{counts.flagged} {strings.FLAGGED}")
        self._counts.setText("   ".join(parts))
        self._fit()

    def show_saved(self, text: str) -> None:
        """Show when the last decision was saved."""
        self._saved.setText(text)
        self._fit()

    def show_engine(self, version: str, device: str) -> None:
        """Show backbone with version, and the device."""
        self._version.setText(version)
        self._device.setText(device)
        self._fit()

    def show_survey(self, done: int, of: int) -> None:
        """Show how many scans the engine has looked at, until it has looked at all."""
        self._survey.setText("" if done == of else strings.SURVEY.format(done=done, of=of))
        self._fit()

    def message(self, text: str) -> None:
        """Show a sentence for a few seconds, or ("") what lasts."""
        if text:
            self._show_message(text)
            self._timer.start()
        else:
            self._timer.stop()
            self._show_lasting()

    def lasting(self, text: str = "") -> None:
        """Show a sentence until it is taken off (""); a message hides it for its time only."""
        self._lasting = text
        if not self._timer.isActive():
            self._show_lasting()

    def _show_lasting(self) -> None:
        self._show_message(self._lasting)

    def _show_message(self, text: str) -> None:
        self._message.show_text(text)
        self._fit()

    def resizeEvent(self, event: QResizeEvent) -> None:  # noqa: N802 - Qt's name
        """Share the room anew."""
        super().resizeEvent(event)
        self._fit()

    def _fit(self) -> None:
        """Make room for the message: first goes what the window tells elsewhere too."""
        filled = [one for one in self._parts if not isinstance(one, PlainLabel) or one.text()]
        if not self._progress.text():
            filled.remove(self._bar)
        wanted = min(self._message.whole_width, _MESSAGE_WIDTH)
        give_way = (self._bar, self._survey, self._counts)
        for part in give_way:
            if part in filled and self._room(filled) < wanted:
                filled.remove(part)
        for part in give_way:
            part.setVisible(part in filled)

    def _room(self, shown: Sequence[QWidget]) -> int:
        """What parts that are shown leave to the message, in pixels."""
        return (
            self.width()
            - sum(max(one.sizeHint().width(), one.minimumWidth()) + _GAP for one in shown)
            - 2 * _GAP
        )

    def texts(self) -> str:
        """Everything it shows, for tests and assistive tools."""
        labels = (
            self._reader,
            self._progress,
            self._counts,
            self._saved,
            self._survey,
            self._version,
            self._device,
        )
        said = [one.text() for one in labels if one.text() and not one.isHidden()]
        return "  ".join((*said, self._message.accessibleName()))
