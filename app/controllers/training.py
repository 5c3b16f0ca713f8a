"""Training in the background, and which version is live."""

from collections.abc import Sequence
from dataclasses import replace
from functools import partial

from PySide6.QtCore import QObject, Signal

from app import strings
from app.controllers.suggestions import Suggestions
from app.jobs import Job, Jobs, Priority
from app.models.training_state import Phase, TrainingState
from app.session import Session
from nearl_core.control import Progress, RunControl
from nearl_core.errors import NearlError
from nearl_core.types import TrainingResult, Version


class Training(QObject):
    """Trains on demand or by itself, lets the gate decide, makes versions live.

    Attributes:
        state_changed: The TrainingState.
        loss: One step's loss.
        losses: A whole run's losses; an empty tuple when a run begins.
        versions_changed: The session's versions are other ones.
        live_changed: Another version ranks from now on (Version or None).
    """

    state_changed = Signal(object)
    loss = Signal(float)
    losses = Signal(object)
    versions_changed = Signal()
    live_changed = Signal(object)

    def __init__(self, jobs: Jobs, suggestions: Suggestions, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._jobs = jobs
        self._suggestions = suggestions
        self._session: Session | None = None
        self._state = TrainingState()
        self._job: Job | None = None
        self._automatic = True
        self._every = 20
        self._wanted = self._next = False
        self._came_to = ""

    @property
    def state(self) -> TrainingState:
        """Where training stands."""
        return self._state

    def open(self, session: Session) -> None:
        """Serve a project; training can begin once the engine is loaded."""
        self._session = session
        self._job, self._next = None, False
        self.losses.emit(())
        waiting = len(session.untrained)
        self._set(TrainingState(Phase.OFF, strings.ENGINE_LOADING, waiting_decisions=waiting))
        self.versions_changed.emit()

    def close(self) -> None:
        """Serve none."""
        if self._job is not None:
            self._job.cancel()
        self._session = self._job = None

    def engine_ready(self) -> None:
        """The engine is there."""
        versions = self._session.versions if self._session is not None else ()
        self._came_to = strings.trained(versions[-1]) if versions else strings.NOT_TRAINED
        if self._session is not None and self._session.read_only:
            self._set(replace(self._state, phase=Phase.OFF, text=strings.READ_ONLY_TRAINING))
        else:
            self._set(replace(self._state, phase=Phase.IDLE, text=self._came_to))
            if self._wanted:
                self.start()
        self._wanted = False

    def want(self) -> None:
        """Make a version as soon as the next engine is there."""
        self._wanted = True

    def engine_missing(self) -> None:
        """There is no engine."""
        self._set(replace(self._state, phase=Phase.OFF, text=strings.NO_ENGINE))

    def set_automatic(self, on: bool, every: int) -> None:
        """Train by itself after so many new decisions, or not."""
        self._automatic, self._every = on, every

    def decided(self) -> None:
        """Decisions were made, taken in or taken back: why none could train may hold no more."""
        waiting = 0 if self._session is None else len(self._session.untrained)
        text = self._came_to if self._state.phase is Phase.IDLE else self._state.text
        self._set(replace(self._state, text=text, waiting_decisions=waiting))
        enough = self._automatic and waiting >= self._every
        self._next = enough and self._state.phase is Phase.STOPPING
        if enough and self._state.phase is Phase.IDLE:
            self.start()

    def start(self) -> None:
        """Make a version from the standing decisions."""
        session = self._session
        if session is None or self._state.phase is not Phase.IDLE:
            return
        self.losses.emit(())
        self._set(TrainingState(Phase.WAITING, strings.TRAINING_STARTS))
        project = session.project
        self._jobs.store.submit(
            lambda _control: project.next_version_id(),
            done=partial(self._train, session),
            failed=self._failed,
            priority=Priority.BACKGROUND,
        )

    def cancel(self) -> None:
        """Stop at the next step; what was live stays live."""
        if self._job is not None:
            self._job.cancel()
            self._set(replace(self._state, phase=Phase.STOPPING, text=strings.TRAINING_STOPS))

    def activate(self, version_id: str, *, instead_of: str | None = None) -> None:
        """Make a version live, or ("") go back to the frozen backbone.

        Args:
            version_id: What is to be live.
            instead_of: What must be live until then, unless None: a later choice stands.
        """
        session = self._session
        if session is None or session.read_only:
            return
        project, reader = session.project, session.reader

        def work(_control: RunControl) -> list[Version]:
            live = next((version.id for version in project.versions() if version.live), "")
            if instead_of in (None, live):
                project.activate(version_id or None, reader=reader)
            return project.versions()

        self._jobs.store.submit(work, done=partial(self._versions_read, session))

    def _train(self, session: Session, version_id: str) -> None:
        engine = self._suggestions.engine
        if session is not self._session or engine is None:
            return
        scans, decisions = session.scans_by_id(), session.to_learn()
        session.training_begins()
        self.decided()
        self._job = self._jobs.engine.submit(
            lambda control: engine.train(scans, decisions, version_id=version_id, control=control),
            priority=Priority.TRAINING,
            progress=self._progress,
            done=partial(self._trained, session),
            failed=self._failed,
            stopped=self._stopped,
        )

    def _progress(self, progress: Progress) -> None:
        if self._state.phase is Phase.STOPPING or self._job is None:
            return
        text = progress.text[:1].upper() + progress.text[1:] or strings.TRAINING_RUNS
        if progress.total:
            text = strings.STEP_OF.format(text=text, done=progress.done, total=progress.total)
        self._set(
            TrainingState(
                Phase.RUNNING, text, progress.done, progress.total, self._state.waiting_decisions
            )
        )
        for name, value in progress.values:
            if name == "loss":
                self.loss.emit(value)

    def _trained(self, session: Session, result: TrainingResult) -> None:
        self._job = None
        if session is not self._session:
            return
        self.losses.emit(result.losses)
        version, project, reader = result.version, session.project, session.reader

        def work(_control: RunControl) -> list[Version]:
            project.add_version(version)
            # The labels may have changed since it was made.
            if version.promoted and version.label_set_revision == project.label_set().revision:
                project.activate(version.id, reader=reader)
            return project.versions()

        self._jobs.store.submit(
            work, done=partial(self._versions_read, session), failed=self._failed
        )
        self._came_to = strings.trained(version)
        self._set(replace(self._state, phase=Phase.IDLE, text=self._came_to))

    def _versions_read(self, session: Session, versions: Sequence[Version]) -> None:
        if session is not self._session:
            return
        before = session.live
        session.versions = tuple(versions)
        self.versions_changed.emit()
        after = session.live
        if (before.id if before else None) != (after.id if after else None):
            self.live_changed.emit(after)

    def _failed(self, error: NearlError) -> None:
        """A sentence in the panel: that there are too few decisions is no reason for a dialog."""
        self._job = None
        self._set(replace(self._state, phase=Phase.IDLE, text=str(error), done=0, total=0))

    def _stopped(self) -> None:
        self._job = None
        self._set(
            replace(self._state, phase=Phase.IDLE, text=strings.TRAINING_STOPPED, done=0, total=0)
        )
        if self._next:  # what came meanwhile is enough for another one: labels that changed
            self._next = False
            self.start()

    def _set(self, state: TrainingState) -> None:
        self._state = state
        self.state_changed.emit(state)
