"""The one place that troubles reach: expected ones as a sentence, bugs as a report to copy.

Reports and the log say what happened where in the program. What an error says in words is left
out: a name of a file, a project or a label in it can name a patient, quoted or not.
"""

import logging
import re
import sys
from collections.abc import Callable
from dataclasses import dataclass
from logging.handlers import RotatingFileHandler
from pathlib import Path
from types import TracebackType

from PySide6.QtCore import QObject, QtMsgType, Signal, Slot, qInstallMessageHandler

from app.strings import dialog_words
from nearl_core import bugs
from nearl_core.errors import NearlError

log = logging.getLogger("nearl.desk")

_QUOTED = re.compile(r"'[^']*'|\"[^\"]*\"")
_PATH = re.compile(r"\S*[/\\].*", re.DOTALL)
_NUMBER = re.compile(r"\d{4,}")


@dataclass(frozen=True)
class TroubleReport:
    """What the error dialog shows.

    Attributes:
        sentence: What is wrong.
        remedy: What the reader can do; may be empty.
        details: Text to copy into a report; empty for expected troubles.
    """

    sentence: str
    remedy: str = ""
    details: str = ""


def without_values(text: str) -> str:
    """Qt's text without what could name a person: quoted values, long numbers, all from a path on.

    A path can have blanks in it, so nobody knows where one ends.
    """
    for pattern, instead in ((_QUOTED, "'…'"), (_PATH, "…"), (_NUMBER, "#")):
        text = pattern.sub(instead, text)
    return text


class Reporter(QObject):
    """Turns troubles into one report each; it lives in the GUI thread.

    Attributes:
        reported: A TroubleReport to show.
    """

    reported = Signal(object)

    @Slot(object)
    def trouble(self, error: NearlError) -> None:
        """Report an expected trouble."""
        log.warning("%s", bugs.place(error))
        self.reported.emit(TroubleReport(error.message, error.remedy))

    @Slot(object)
    def bug(self, error: BaseException) -> None:
        """Report a bug; its text goes to the log too."""
        details = bugs.report(error)
        log.error("%s", details)
        self.reported.emit(
            TroubleReport(dialog_words.BUG_SENTENCE, dialog_words.BUG_REMEDY, details)
        )

    def excepthook(
        self,
        kind: type[BaseException],
        error: BaseException,
        trace: TracebackType | None,
    ) -> None:
        """For `sys.excepthook`: what no one caught in the GUI thread."""
        if issubclass(kind, KeyboardInterrupt):
            sys.__excepthook__(kind, error, trace)
        elif isinstance(error, NearlError):
            self.trouble(error)
        else:
            self.bug(error.with_traceback(trace))


def open_log(folder: Path) -> logging.Handler | None:
    """Log into a file of the settings folder; None (and no log) where that can't be written."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        handler = RotatingFileHandler(
            folder / "desk.log", maxBytes=1_000_000, backupCount=2, encoding="utf-8", delay=True
        )
    except OSError:
        return None
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(message)s"))
    log.addHandler(handler)
    log.setLevel(logging.INFO)
    return handler


def close_log(handler: logging.Handler | None) -> None:
    """Stop logging into the file."""
    if handler is not None:
        log.removeHandler(handler)
        handler.close()


def _log_qt_message(kind: QtMsgType, context: object, text: str) -> None:
    del context
    level = logging.INFO if kind is QtMsgType.QtInfoMsg else logging.WARNING
    log.log(level, "Qt: %s", without_values(text))


def install(reporter: Reporter) -> Callable[[], None]:
    """Send uncaught exceptions and Qt's messages here; returns what takes it back."""
    before = sys.excepthook
    sys.excepthook = reporter.excepthook
    handler_before = qInstallMessageHandler(_log_qt_message)

    def take_back() -> None:
        sys.excepthook = before
        qInstallMessageHandler(handler_before)

    return take_back
