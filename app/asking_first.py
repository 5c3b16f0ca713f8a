"""What is asked before a dialog that changes a project opens."""

from app import strings
from app.controllers.library import Library
from app.session import Session
from app.views.main_window import MainWindow


def session_to_change(window: MainWindow, library: Library) -> Session | None:
    """The open project's session; None where there is none, or it is read-only (which is said)."""
    session = library.session
    if session is None or not session.read_only:
        return session
    window.status.message(strings.READ_ONLY_REFUSED)
    return None
