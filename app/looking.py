"""Wires what shows the scan on screen: its picture and frames, its header, scans like it."""

from collections.abc import Callable

from PySide6.QtCore import QObject

from app import strings
from app.controllers.comparing import Alike, Comparing
from app.controllers.pictures import Pictures
from app.controllers.review import Review
from app.controllers.screen import Screen
from app.controllers.suggestions import Suggestions
from app.controllers.tags import Tags
from app.jobs import Jobs
from app.models.commands import Command
from app.models.picture import Picture
from app.session import Session
from app.views.actions import Actions
from app.views.main_window import MainWindow
from nearl_core.types import Scan


class Looking(QObject):
    """Between the controllers of the scan on screen and the panels around it.

    Attributes:
        screen: Which frame of which scan is shown.
    """

    def __init__(
        self,
        *,
        window: MainWindow,
        actions: Actions,
        jobs: Jobs,
        pictures: Pictures,
        review: Review,
        suggestions: Suggestions,
        parent: QObject,
    ) -> None:
        super().__init__(parent)
        self._window, self._actions = window, actions
        self.screen = Screen(pictures, review, self)
        self._tags = Tags(jobs, self)
        self._comparing = Comparing(jobs, suggestions, pictures, self)
        self._connect_picture()
        self._connect_beside()

    def _connect_picture(self) -> None:
        panel, screen = self._window.scan, self.screen
        panel.frames_wanted.connect(screen.step)
        screen.scan_changed.connect(self._scan_changed)
        screen.waiting.connect(panel.show_waiting)
        screen.picture.connect(self._picture)
        screen.problem.connect(panel.show_problem)
        screen.cine_changed.connect(self._cine_changed)

    def _connect_beside(self) -> None:
        panel, tags, comparing = self._window.scan, self._tags, self._comparing
        panel.tags_wanted.connect(tags.set_wanted)
        panel.tags.identity_asked.connect(tags.set_identity)
        tags.lines.connect(panel.tags.show_lines)
        tags.notice.connect(panel.tags.show_notice)
        tags.identity_changed.connect(panel.tags.show_identity)
        panel.compare.wanted.connect(comparing.set_wanted)
        comparing.shown.connect(self._alike)
        comparing.picture.connect(panel.compare.show_picture)
        comparing.notice.connect(panel.compare.show_notice)

    def commands(self) -> dict[Command, Callable[[], object]]:
        """What each command does."""
        screen, comparing = self.screen, self._comparing
        return {
            Command.FRAME_UP: lambda: screen.step(-1),
            Command.FRAME_DOWN: lambda: screen.step(1),
            Command.FIRST_FRAME: lambda: screen.go_to(0),
            Command.LAST_FRAME: screen.last,
            Command.CINE: self._toggle_cine,
            Command.MORE_ALIKE: lambda: comparing.step(1),
            Command.LESS_ALIKE: lambda: comparing.step(-1),
        }

    def open(self, session: Session) -> None:
        """Serve a project."""
        for part in (self.screen, self._tags, self._comparing):
            part.open(session)

    def close(self) -> None:
        """Serve none."""
        for part in (self.screen, self._tags, self._comparing):
            part.close()

    def _toggle_cine(self) -> None:
        self.screen.set_cine(self._actions.action(Command.CINE).isChecked())

    def _cine_changed(self, on: bool) -> None:
        self._actions.set_checked(Command.CINE, on)

    def _scan_changed(self, scan: Scan | None) -> None:
        self._window.ranking.note.clearFocus()  # the keys are for the next scan
        self._window.scan.show_scan(scan)
        self._tags.show_scan(scan)
        self._comparing.show_scan(scan)

    def _picture(self, picture: Picture, frame: int, same_scan: bool) -> None:
        self._window.scan.show_picture(picture, frame, same_scan=same_scan)

    def _alike(self, alike: Alike | None) -> None:
        panel = self._window.scan.compare
        if alike is None:
            panel.show_words("", "", "")
        else:
            place = strings.ALIKE.format(
                number=alike.number, total=alike.total, likeness=alike.likeness
            )
            panel.show_words(alike.labels, place, alike.scan.name)
