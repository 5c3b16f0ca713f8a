"""Wires the panels to the controllers, with `looking`, `trusting` and `reading` for their parts."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from PySide6.QtCore import QObject, QTimer

from app import engine_port, strings
from app.asking import Asking
from app.asking_backbones import AskingBackbones
from app.asking_check import AskingCheck
from app.asking_export import AskingExport
from app.asking_import import AskingImport
from app.asking_labels import AskingLabels
from app.asking_merge import AskingMerge
from app.controllers.copying import Copying
from app.controllers.library import Library
from app.controllers.ordering import Ordering
from app.controllers.pictures import Pictures
from app.controllers.review import Review
from app.controllers.suggestions import Suggestions
from app.controllers.surveying import Surveying
from app.controllers.training import Training
from app.errors import Reporter
from app.jobs import Jobs, Priority
from app.looking import Looking
from app.models.commands import PRESET_COMMANDS, Command
from app.models.scan_table import ScanTable
from app.preferences import Keeper
from app.reading import Reading
from app.session import Session
from app.trusting import Trusting
from app.views.actions import Actions
from app.views.main_window import MainWindow
from nearl_core.errors import NearlError
from nearl_core.types import Decision, EngineInfo, LabelSet, Occasion, Scan, Version

_Part = Looking | Pictures | Surveying | Training | Trusting


class Desk(QObject):
    """The running application between its views and its controllers."""

    def __init__(
        self,
        *,
        window: MainWindow,
        actions: Actions,
        table: ScanTable,
        jobs: Jobs,
        library: Library,
        suggestions: Suggestions,
        asking: Asking,
        keeper: Keeper,
        reporter: Reporter,
        demo_folder: Path,
    ) -> None:
        super().__init__()
        self.window, self.actions, self.table, self.jobs = window, actions, table, jobs
        self.library, self.suggestions = library, suggestions
        self.asking, self.keeper, self.reporter = asking, keeper, reporter
        self._demo_folder = demo_folder
        self.training = Training(jobs, suggestions, self)
        self.pictures = Pictures(jobs, self)
        self.review = Review(jobs, suggestions, self)
        self.ordering = Ordering(suggestions, self)
        self.surveying = Surveying(suggestions, self)
        self.looking = Looking(
            window=window,
            actions=actions,
            jobs=jobs,
            pictures=self.pictures,
            review=self.review,
            suggestions=suggestions,
            parent=self,
        )
        Copying(jobs, library, self.review, self)
        self.asking_backbones = AskingBackbones(window, library, jobs)
        self.asking_check = AskingCheck(window, library, jobs)
        self.asking_export = AskingExport(window, library, jobs)
        self.asking_labels = AskingLabels(window, library, jobs)
        self.asking_import = AskingImport(window, library, jobs)
        self.asking_merge = AskingMerge(window, library, jobs)
        self.trusting = Trusting(
            window=window,
            table=table,
            jobs=jobs,
            review=self.review,
            suggestions=suggestions,
            training=self.training,
            parent=self,
        )
        self.reading = Reading(window, library, self.review, suggestions, jobs)
        self._commands = self._command_table()
        self._connect_views()
        self._connect_project()
        self._connect_work()
        self._settings_changed()
        window.restore(keeper.desk.window)

    # --- wiring ----------------------------------------------------------------------------

    def _connect_views(self) -> None:
        window, review = self.window, self.review
        self.actions.asked.connect(self._asked)
        self.actions.label_pressed.connect(review.press_label)
        window.ranking.label_pressed.connect(review.press_label)
        window.queue.scan_chosen.connect(review.show)
        window.queue.filter_changed.connect(self.table.set_filter)
        window.queue.visible_changed.connect(self.pictures.want_thumbnails)
        window.training.automatic_changed.connect(self._automatic_changed)
        window.training.activate_asked.connect(self.training.activate)
        window.start.project_chosen.connect(self.asking.open_path)
        window.start.reader_changed.connect(self.asking.change_reader)
        window.dropped.connect(self.asking.take_dropped)
        self.table.counts_changed.connect(self._counts_changed)

    def _connect_project(self) -> None:
        library = self.library
        library.opened.connect(self._opened)
        library.closed.connect(self._closed)
        library.failed.connect(self.reporter.trouble)
        library.busy.connect(self.window.start.show_busy)
        library.adding.progress.connect(self._adding)
        library.adding.ended.connect(self._adding_ended)
        library.adding.added.connect(self.asking.say_added)
        library.adding.added.connect(self._first_scan)
        library.adding.added.connect(self.surveying.begin)
        self.asking_labels.labelling.saved.connect(self._label_set_saved)
        self.asking_import.importing.taken.connect(self._taken_in)
        self.asking_merge.merging.taken.connect(self._taken_in)
        library.backbone_changed.connect(self.training.want)
        self.asking_backbones.here.connect(self.asking.know_backbones)
        self.keeper.changed.connect(self._settings_changed)
        self.keeper.failed.connect(self.reporter.trouble)

    def _connect_work(self) -> None:
        window = self.window
        self.pictures.thumbnail.connect(self.table.set_thumbnail)
        self.review.panel_changed.connect(window.ranking.show_panel)
        self.review.saved.connect(self._saved)
        self.reading.batch.saved.connect(self._saved)
        self.reading.batch.saved.connect(self.trusting.decided)
        self.review.message.connect(window.status.message)
        self.reading.readers.divided.connect(self.ordering.divided)
        self.ordering.reordered.connect(self._reordered)
        self.surveying.progress.connect(window.status.show_survey)
        self.surveying.progress.connect(self.ordering.surveyed)
        self.looking.screen.scan_changed.connect(self._scan_changed)
        self.suggestions.loaded.connect(self._engine_loaded)
        self.suggestions.failed.connect(self._engine_failed)
        self.suggestions.refused.connect(self._version_refused)
        self.suggestions.kept.connect(self._version_kept)
        self.training.state_changed.connect(window.training.show_state)
        self.training.loss.connect(window.training.plot.add)
        self.training.losses.connect(window.training.plot.show_losses)
        self.training.live_changed.connect(self._live_changed)

    def _command_table(self) -> dict[Command, Callable[[], object]]:
        return {
            Command.OPEN_DEMO: self.open_demo,
            Command.CHECK: self.asking_check.ask,
            Command.LABEL_SET: self.asking_labels.ask,
            Command.IMPORT_LABELS: self.asking_import.ask,
            Command.COPY: self.asking_merge.ask_copy,
            Command.MERGE: self.asking_merge.ask,
            Command.EXPORT: self.asking_export.ask,
            Command.BACKBONES: self.asking_backbones.ask,
            Command.CLOSE_PROJECT: self.library.close,
            Command.QUIT: self.window.close,
            Command.SUGGESTIONS: self._toggle_suggestions,
            Command.SEARCH: self.window.queue.focus_search,
            Command.INSTRUCTIVE: self._toggle_order,
            Command.TRAIN: self.training.start,
            Command.CANCEL_TRAINING: self.training.cancel,
            **self.asking.commands(),
            **self.looking.commands(),
            **self.reading.commands(),
        }

    # --- the reader asks -------------------------------------------------------------------

    def _asked(self, command: Command) -> None:
        if command in PRESET_COMMANDS:
            self.window.scan.preset(PRESET_COMMANDS.index(command))
        elif not self.window.scan.command(command):
            self._commands[command]()

    def open_demo(self) -> None:
        """Open the demo project, which is made once."""
        self.library.open_demo(self._demo_folder)

    def warm_up(self, then: Callable[[], None]) -> None:
        """Import what the engine needs, in its thread, before the reader can ask for it."""

        def done(names: tuple[str, ...]) -> None:
            self.asking.know_backbones(names)
            then()

        self.jobs.engine.submit(
            lambda _control: engine_port.known_backbones(), done=done, priority=Priority.PREFETCH
        )

    def _toggle_suggestions(self) -> None:
        shown = self.actions.action(Command.SUGGESTIONS).isChecked()
        self.keeper.change_desk(replace(self.keeper.desk, suggestions=shown))

    def _toggle_order(self) -> None:
        on = self.actions.action(Command.INSTRUCTIVE).isChecked()
        self.keeper.change_desk(replace(self.keeper.desk, instructive=on))

    def _automatic_changed(self, on: bool, every: int) -> None:
        self.keeper.change_desk(replace(self.keeper.desk, auto_train=on, auto_train_every=every))

    # --- projects --------------------------------------------------------------------------

    def _opened(self, session: Session, notice: str) -> None:
        settings = self.keeper.settings
        folder = session.project.folder.resolve()
        self.keeper.change(settings.with_recent(folder))
        self.window.queue.clear_filter()
        self.window.show_desk(session.project.name)
        self.window.show_banner(notice)
        self.window.status.show_engine("", strings.ENGINE_LOADING)
        for part in self._parts():
            part.open(session)
        self.suggestions.open(session, device=settings.device)
        self.ordering.open(session)
        self.review.open(session)
        # Once the new rows are laid out: only then does the list know which are visible.
        QTimer.singleShot(0, self._want_thumbnails)

    def _want_thumbnails(self) -> None:
        self.pictures.want_thumbnails(self.window.queue.visible_ids())

    def _parts(self) -> tuple[_Part, ...]:
        return (
            self.looking,
            self.pictures,
            self.surveying,
            self.training,
            self.trusting,
        )

    def _closed(self) -> None:
        self.ordering.open(None)
        for part in (self.review, *self._parts(), self.suggestions):
            part.close()
        self.window.show_banner("")
        self.window.status.show_engine("", "")
        self.window.status.show_saved("")
        self.window.scan.show_scan(None)
        self.window.show_start()

    def _adding(self, added: int, skipped: int) -> None:
        self.window.status.lasting(strings.ADDING.format(added=added, skipped=skipped))
        self.window.queue.show_adding(True)
        self._first_scan()
        self._want_thumbnails()

    def _adding_ended(self) -> None:
        self.window.status.lasting()
        self.window.queue.show_adding(False)

    def _first_scan(self) -> None:
        if self.review.scan is None:
            self.review.show(self.table.next_to_do(None))

    def _label_set_saved(self, label_set: LabelSet) -> None:
        self.training.cancel()  # it learns from decisions in the labels of before
        self.suggestions.use_label_set(label_set, self.review.around())
        session = self.library.session
        if session is not None and session.live is not None:
            self.suggestions.use_version(session.live, self.review.around())
        self.review.labels_changed()
        self.trusting.labels_changed()
        self.training.decided()

    def _taken_in(self, *_told: object) -> None:
        """The session has decisions that came from elsewhere."""
        self.review.reload()
        self.suggestions.learn(self.review.around())
        self.training.decided()
        self.trusting.reread()

    # --- what came back --------------------------------------------------------------------

    def _counts_changed(self) -> None:
        self.window.status.show_counts(self.table.counts())

    def _scan_changed(self, scan: Scan | None) -> None:
        self.table.set_current(None if scan is None else scan.id)
        self.window.queue.select(None if scan is None else scan.id)

    def _reordered(self) -> None:
        self.review.make_ready()
        self.looking.screen.prefetch()

    def _saved(self, decision: Decision) -> None:
        self.window.status.message("")  # of what was done before
        self.window.status.show_saved(strings.saved_at(decision.time))
        if decision.occasion is Occasion.REPEAT:
            return
        self.ordering.decided()
        self.training.decided()

    def _engine_loaded(self, info: EngineInfo) -> None:
        self.training.engine_ready()
        if info.notice:
            self.window.status.message(info.notice)
        self.review.reload()

    def _engine_failed(self, error: NearlError) -> None:
        self.window.status.show_engine("", strings.NO_ENGINE)
        self.training.engine_missing()
        self.review.reload()
        self.reporter.trouble(error)

    def _version_refused(self, error: NearlError) -> None:
        """What is live is to be true; its successor is trained from the same decisions."""
        self.reporter.trouble(error)
        self.training.activate("")
        self.training.start()

    def _version_kept(self, error: NearlError, other: str, version_id: str) -> None:
        """What was made live can't rank: what does is live again."""
        self.reporter.trouble(error)
        self.training.activate(version_id, instead_of=other)

    def _live_changed(self, version: Version | None) -> None:
        self.suggestions.use_version(version, self.review.around())
        self.review.reload()

    def _settings_changed(self) -> None:
        settings, desk = self.keeper.settings, self.keeper.desk
        self.actions.set_presets([preset.name for preset in settings.presets])
        self.actions.set_changes(dict(settings.keys))
        self.window.ranking.refresh_keys()
        self.window.scan.view.presets = settings.presets
        self.window.start.show_recent(settings.recent)
        self.window.start.show_reader(settings.reader)
        self.window.status.show_reader(settings.reader)
        self.window.training.show_automatic(on=desk.auto_train, every=desk.auto_train_every)
        self.training.set_automatic(desk.auto_train, desk.auto_train_every)
        self.actions.set_checked(Command.SUGGESTIONS, desk.suggestions)
        self.review.show_suggestions(desk.suggestions)
        self.actions.set_checked(Command.INSTRUCTIVE, desk.instructive)
        self.ordering.set_instructive(desk.instructive)
        self.surveying.set_wanted(desk.survey)

    # --- the end ---------------------------------------------------------------------------

    def shut_down(self) -> bool:
        """Stop training, finish saving, free the lock, end the threads; False if one hangs."""
        self.keeper.change_desk(replace(self.keeper.desk, window=self.window.state()))
        self.jobs.cancel_all()
        self.library.close()
        return self.jobs.close()
