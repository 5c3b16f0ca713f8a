"""Dialogs: asked here, answered by the reader, handed on to the controllers."""

from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from unicodedata import normalize

from PySide6.QtCore import QObject
from PySide6.QtWidgets import QDialog

from app import strings
from app.asking_first import session_to_change
from app.controllers.library import ENDING, Library, NewProject
from app.errors import Reporter, TroubleReport
from app.models.commands import Command
from app.preferences import Keeper, of, put
from app.strings import command_words
from app.views.dialogs.about import AboutDialog
from app.views.dialogs.guide import GUIDE, GuideDialog
from app.views.dialogs.keys import KeysDialog
from app.views.dialogs.new_project import NewProjectDialog
from app.views.dialogs.parts import ask_folder
from app.views.dialogs.preferences import PreferencesDialog
from app.views.dialogs.trouble import TroubleDialog
from app.views.main_window import MainWindow
from nearl_core import bugs, labels_file
from nearl_core.errors import NearlError
from nearl_core.readers import is_among
from nearl_core.settings import DEVICES, is_pseudonym
from nearl_core.types import AddReport


class Asking(QObject):
    """Opens each dialog and says what was answered."""

    def __init__(
        self,
        window: MainWindow,
        library: Library,
        keeper: Keeper,
        reporter: Reporter,
    ) -> None:
        super().__init__(window)
        self._window = window
        self._library = library
        self._keeper = keeper
        self._reporter = reporter
        self._trouble: TroubleDialog | None = None
        self._guide: GuideDialog | None = None
        self._backbones: tuple[str, ...] = ("starter",)
        reporter.reported.connect(self.report)

    def commands(self) -> dict[Command, Callable[[], object]]:
        """What each command does."""
        return {
            Command.NEW_PROJECT: self.new_project,
            Command.OPEN_PROJECT: self.open_project,
            Command.ADD_SCANS: self.add_scans,
            Command.PREFERENCES: self.preferences,
            Command.KEYS: self.keys,
            Command.GUIDE: self.guide,
            Command.ABOUT: self.about,
        }

    def report(self, report: TroubleReport) -> None:
        """Show a trouble once; while one is shown, others go to the log alone."""
        if self._trouble is not None or not self._window.isVisible():
            return
        dialog = TroubleDialog(report.sentence, report.remedy, report.details, self._window)
        dialog.finished.connect(self._trouble_closed)
        self._trouble = dialog
        dialog.open()

    def _trouble_closed(self) -> None:
        self._trouble = None

    def know_backbones(self, names: tuple[str, ...]) -> None:
        """Offer these backbones for new projects."""
        if names:
            self._backbones = names

    def new_project(self, scans: Path | None = None) -> None:
        """Ask for a new project."""
        templates = []
        for name in labels_file.template_names():
            template = labels_file.template(name)
            templates.append((template.title, template.label_set))
        dialog = NewProjectDialog(
            self._window,
            templates=tuple(templates),
            backbones=self._backbones,
            new_id=labels_file.new_id,
            scans=scans,
        )
        ahead = self._library.ahead
        dialog.scans_changed.connect(ahead.look)
        ahead.seen.connect(dialog.show_seen)
        dialog.finished.connect(lambda _result: ahead.look(None))
        ahead.look(scans)

        def accepted() -> None:
            self._library.create(
                NewProject(
                    dialog.folder,
                    dialog.label_set(),
                    dialog.backbone,
                    dialog.scans,
                    dialog.unit,
                    dialog.patients,
                )
            )

        self._open(dialog, accepted)

    def open_project(self) -> None:
        """Ask for a project's folder."""
        recent = self._keeper.settings.recent
        beside = recent[0].parent if recent else None
        chosen = ask_folder(self._window, command_words.COMMANDS["open-project"], beside)
        if chosen is not None:
            self.open_path(chosen)

    def open_path(self, path: Path) -> None:
        """Open a project, or begin one with a folder of scans."""
        if path.suffix == ENDING or (path / "project.db").is_file():
            self._library.open(path)
        elif path.is_dir():
            self.new_project(path.resolve())
        else:
            remedy = strings.NOT_A_PROJECT_REMEDY
            self._library.failed.emit(
                NearlError(strings.NOT_A_PROJECT.format(name=path.name), remedy)
            )

    def add_scans(self) -> None:
        """Ask for a folder of scans."""
        session = self._library.session
        if session is None or not self._can_add():
            return
        beside = session.project.folder.parent
        chosen = ask_folder(self._window, command_words.COMMANDS["add-scans"], beside)
        if chosen is not None:
            self._library.adding.add((chosen,))

    def take_dropped(self, paths: tuple[Path, ...]) -> None:
        """Open a project or a folder that was dropped; add scans to the one that is open."""
        if self._library.session is None or paths[0].suffix == ENDING:
            self.open_path(paths[0])
        elif self._can_add():
            self._library.adding.add(paths)

    def _can_add(self) -> bool:
        """Whether scans can be added now; why not is said."""
        if session_to_change(self._window, self._library) is None:
            return False
        if self._library.adding.is_adding:
            self._window.status.message(strings.ADDING_ALREADY)
        return not self._library.adding.is_adding

    def preferences(self) -> None:
        """Edit the preferences."""
        settings = self._keeper.settings
        desk = of(settings)
        dialog = PreferencesDialog(
            self._window,
            reader=settings.reader,
            auto_train=desk.auto_train,
            every=desk.auto_train_every,
            survey=desk.survey,
            device=settings.device,
            devices=DEVICES,
            problem_of=self.problem_of_reader,
        )

        def accepted() -> None:
            changed = replace(
                desk,
                auto_train=dialog.auto_train,
                auto_train_every=dialog.every,
                survey=dialog.survey,
            )
            self._keeper.change(replace(put(settings, changed), device=dialog.device))
            self.change_reader(dialog.reader)

        self._open(dialog, accepted)

    def keys(self) -> None:
        """Show the keys, and change them."""
        settings = self._keeper.settings
        dialog = KeysDialog(dict(settings.keys), self._window)

        def accepted() -> None:
            keys = tuple(sorted(dialog.changes.items()))
            self._keeper.change(replace(self._keeper.settings, keys=keys))

        self._open(dialog, accepted)

    def guide(self) -> None:
        """Show the guide beside the desk, which goes on meanwhile."""
        if self._guide is None:
            self._guide = GuideDialog(GUIDE, self._window)
        self._guide.show()
        self._guide.raise_()
        self._guide.activateWindow()

    def about(self) -> None:
        """Say what this is."""
        self._open(AboutDialog(bugs.version(), self._window), lambda: None)

    def change_reader(self, name: str) -> None:
        """Take another pseudonym; the open project is read again for this reader."""
        settings, session = self._keeper.settings, self._library.session
        name = normalize("NFC", name.strip())  # a name is the same however its marks are typed
        if name == settings.reader:
            self._window.start.show_reader(name)
            return
        problem = self.problem_of_reader(name)
        if problem:
            said = strings.READER_STAYS.format(problem=problem, reader=settings.reader)
            self._window.status.message(said)
            self._window.start.show_reader(settings.reader, problem=said)
            return
        self._keeper.change(replace(settings, reader=name))
        if session is not None:
            self._library.open(session.project.folder)

    def problem_of_reader(self, name: str) -> str:
        """Why nobody can decide under a name in the open project; "" where someone can."""
        if not name.strip():
            return strings.READER_EMPTY
        if not is_pseudonym(name):
            return strings.READER_NOT_VALID
        session = self._library.session
        if session is not None and is_among(name, session.sources):
            return strings.READER_IS_SOURCE.format(name=name.strip())
        return ""

    def say_added(self, report: AddReport) -> None:
        """Say what adding a folder came to."""
        reasons = Counter(entry.reason.rstrip(".") for entry in report.skipped).most_common(3)
        text = ", ".join(f"{count} × {reason}" for reason, count in reasons)
        said = strings.added(report.added, report.already, len(report.skipped), text)
        remarks = strings.remarks(remark.kind for _, remark in report.remarks)
        self._window.status.message(" ".join(filter(None, (said, remarks))))
        if not report.added and not report.already:
            self._reporter.trouble(NearlError(strings.NOTHING_FOUND, strings.NOTHING_FOUND_REMEDY))

    def _open(self, dialog: QDialog, accepted: Callable[[], None]) -> None:
        """Show a dialog over the window without a loop of its own."""
        dialog.accepted.connect(accepted)
        dialog.open()
