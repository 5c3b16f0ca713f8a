"""A project: the folder `NAME.nearl/` with its database, adapters and cache."""

import json
import threading
from collections.abc import Iterable, Iterator, MutableMapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Final, Self

from sqlalchemy import Connection, select, update

from nearl_core.label_history import LabelHistory
from nearl_core.servers import Trusted
from nearl_core.store import decisions, label_sets, scans, versions
from nearl_core.store import folder as on_disk
from nearl_core.store.database import Database
from nearl_core.store.faults import told
from nearl_core.store.hashes import file_sha256
from nearl_core.store.lock import ProjectLock
from nearl_core.store.opening import opened
from nearl_core.store.paths import PathKeeper
from nearl_core.store.scans import NewScan
from nearl_core.store.schema import meta
from nearl_core.store.undo import Redo, Undo, UndoLine
from nearl_core.types import (
    AddReport,
    Decision,
    LabelSet,
    NewDecision,
    Revision,
    Scan,
    SkippedFile,
    StackRemark,
    Unit,
    Version,
)


class Project:
    """One open project; safe from any thread.

    Attributes:
        folder: The project's folder.
        adapters_folder: Where the versions' files stand.
        cache_folder: Where what can be made again stands.
        read_only: Whether saving is refused.
        mended: Sentences on what opening had to mend.
    """

    def __init__(
        self,
        folder: Path,
        database: Database,
        lock: ProjectLock | None,
        mended: tuple[str, ...] = (),
    ) -> None:
        self.folder: Final = folder
        self.adapters_folder: Final = folder / "adapters"
        self.cache_folder: Final = folder / "cache"
        self.read_only: Final = database.read_only
        self.mended: Final = mended
        self._database = database
        self._lock = lock
        self._keeper = PathKeeper(folder)
        self._recording = threading.RLock()
        self._undo_lines: dict[str, UndoLine] = {}
        # Counted up after each change, so that a list read before it is never taken for new.
        self._scan_changes = 0
        self._listed: tuple[int, list[Scan]] = (-1, [])
        with database.reading() as connection:
            self._meta: dict[str, str] = {
                row.key: row.value for row in connection.execute(select(meta))
            }
            self._history = label_sets.history(connection)
        on_disk.require_meta(self._meta)

    # --- opening and closing -------------------------------------------------------------

    @classmethod
    def create(
        cls,
        folder: Path,
        label_set: LabelSet,
        *,
        backbone: str = "starter",
        unit: Unit = Unit.IMAGE,
    ) -> Self:
        """Make a project and open it for writing.

        Raises:
            ProjectError: If something stands there already, or it can't be written.
        """
        folder = on_disk.project_folder(folder)
        with told():
            on_disk.make(folder, label_set, backbone=backbone, unit=unit)
        return cls.open(folder)

    @classmethod
    def open(cls, folder: Path, *, read_only: bool = False) -> Self:
        """Open a project.

        Raises:
            ProjectLockedError: If it is open for writing elsewhere; it says where.
            ProjectError: If it is missing, damaged, newer than this program or can't be written.
        """
        folder = on_disk.project_folder(folder)
        with told(), opened(folder, read_only=read_only) as parts:
            return cls(folder, *parts)

    def close(self) -> None:
        """Close the project; calling it again does nothing."""
        with self._recording, told():
            try:
                self._database.close()
            finally:
                if self._lock is not None:
                    self._lock.release()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """A snapshot for the other modules of the store."""
        with self._database.reading() as connection:
            yield connection

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        """A transaction for the other modules of the store."""
        with self._database.writing() as connection:
            yield connection
        self._scan_changes += 1

    @property
    def keeper(self) -> PathKeeper:
        """How paths are kept, for the other modules of the store."""
        return self._keeper

    @property
    def key(self) -> str:
        """What identities are hashed with, for the other modules of the store."""
        return self._meta["key"]

    @property
    def home(self) -> Path:
        """Where the folder stood when it was made or last checked."""
        home = json.loads(self._meta["home"])
        return self.folder if Trusted(self.folder).refusal(home) else Path(home)

    def set_home(self) -> None:
        """Note that the project is at home where it stands now."""
        self._set_meta("home", json.dumps(str(self.folder)))

    # --- the project itself --------------------------------------------------------------

    @property
    def name(self) -> str:
        """The folder's name without its ending."""
        return self.folder.stem

    @property
    def id(self) -> str:
        """A random name that tells this project from all others; no identity."""
        return self._meta["project"]

    @property
    def backbone(self) -> str:
        """The name of the backbone."""
        return self._meta["backbone"]

    @property
    def unit(self) -> Unit:
        """What one scan is made of; a project of before there was a choice says nothing."""
        return Unit(self._meta.get("unit", Unit.IMAGE))

    def set_backbone(self, name: str) -> None:
        """Choose another backbone; versions of the old one can't go live on it."""
        self._set_meta("backbone", name)

    def _set_meta(self, key: str, value: str) -> None:
        with self._database.writing() as connection:
            connection.execute(update(meta).where(meta.c.key == key).values(value=value))
        self._meta[key] = value

    # --- labels --------------------------------------------------------------------------

    def label_set(self) -> LabelSet:
        """The label set that holds now."""
        return self.label_history().present

    def label_history(self) -> LabelHistory:
        """Every label set that the project ever had."""
        if self.read_only:  # whoever writes may have changed it since
            with self._database.reading() as connection:
                self._history = label_sets.history(connection)
        return self._history

    def save_revision(self, wanted: Revision) -> LabelSet:
        """Save a label set as the next revision; one that did not change keeps its revision.

        Raises:
            LabelSetError: If a decision that stands would lose its label untold.
            ProjectError: If it can't be saved.
        """
        with self._recording, self._database.writing() as connection:
            latest = decisions.latest_as_made(connection, rankings=False)
            grown = label_sets.successor(self._history, wanted, latest)
            if grown is not self._history:
                label_sets.append(connection, grown.revisions[-1])
        self._history = grown
        return self.label_set()

    # --- scans ---------------------------------------------------------------------------

    def add_scans(self, found: Iterable[NewScan | SkippedFile]) -> AddReport:
        """Add scans in small transactions, in the order given; known paths are counted only.

        What was added stays when `found` raises, so that an interrupted walk goes on later.

        Raises:
            ProjectError: If they can't be saved.
        """
        added = seen = 0
        skipped: list[SkippedFile] = []
        remarks: list[tuple[Path, StackRemark]] = []
        for batch in scans.in_batches(found):
            skipped += [entry for entry in batch if isinstance(entry, SkippedFile)]
            new = [entry for entry in batch if isinstance(entry, NewScan)]
            seen += len(new)
            remarks += [(one.path, remark) for one in new for remark in one.remarks]
            if new:
                with self._database.writing() as connection:
                    added += scans.add_batch(connection, new, keeper=self._keeper, key=self.key)
                self._scan_changes += 1
        return AddReport(
            added=added, already=seen - added, skipped=tuple(skipped), remarks=tuple(remarks)
        )

    def scans(self) -> list[Scan]:
        """All scans in the order of adding."""
        changes = self._scan_changes
        listed_at, listed = self._listed
        if listed_at != changes:
            with self._database.reading() as connection:
                listed = scans.listed(connection, self._keeper)
            if not self.read_only:  # else another process may add some at any time
                self._listed = (changes, listed)
        return list(listed)

    def studies(self) -> dict[int, str]:
        """The keyed hash of each scan's study; "" where its file names none."""
        with self._database.reading() as connection:
            return scans.studies(connection)

    def scan_at(self, path: Path) -> Scan | None:
        """The scan of a path, or None."""
        with self._database.reading() as connection:
            return scans.at_path(connection, self._keeper, path)

    # --- decisions -----------------------------------------------------------------------

    def record(self, decision: NewDecision) -> Decision:
        """Save a decision; it is on disk when this returns.

        Raises:
            LabelSetError: If the label set does not allow it.
            ProjectError: If it can't be saved; then nothing of it is.
        """
        return self.record_all((decision,))[0]

    def record_all(self, new: Sequence[NewDecision]) -> list[Decision]:
        """Save several decisions in one transaction, likewise."""
        with self._recording:
            made = [self._as_made(one) for one in new]
            return self._append(made)

    def take_over(self, made: Iterable[Decision], numbers: MutableMapping[int, int]) -> None:
        """Save decisions of a copy of this project, see `decisions.append_as_made`.

        Raises:
            ProjectError: If they can't be saved; then nothing of them is.
        """
        with self._recording:
            with self._database.writing() as connection:
                decisions.append_as_made(connection, made, numbers)
            self._undo_lines.clear()

    def _as_made(self, new: NewDecision) -> tuple[NewDecision, int]:
        """A valid decision with the revision of its labels."""
        if new.adds_to is not None:
            with self._database.reading() as connection:
                return decisions.added_to(connection, new, new.adds_to)
        decisions.require_valid(new, self.label_set())
        return new, self._history.latest

    def undo(self, reader: str) -> Decision | None:
        """Take back the reader's last decision in effect by one that restores the one before.

        Returns:
            The appended decision, or None when nothing is left.

        Raises:
            ProjectError: If it can't be saved.
        """
        with self._recording:
            return self._restore(reader, self._line(reader).next_undo())

    def redo(self, reader: str) -> Decision | None:
        """Take back the reader's last undo, unless a decision came after it.

        Returns:
            The appended decision, or None when nothing is left.

        Raises:
            ProjectError: If it can't be saved.
        """
        with self._recording:
            return self._restore(reader, self._line(reader).next_redo())

    def standing(self, reader: str | None = None) -> list[Decision]:
        """The latest decision of each scan and reader, oldest first; unseen ones are left out."""
        with self._database.reading() as connection:
            return decisions.standing(connection, reader)

    def history(self, scan_id: int) -> list[Decision]:
        """Everything that was ever said of a scan, the first one first."""
        with self._database.reading() as connection:
            return decisions.history(connection, scan_id)

    def _restore(self, reader: str, step: Undo | Redo | None) -> Decision | None:
        if step is None:
            return None
        with self._database.reading() as connection:
            new, revision = decisions.restored(connection, reader, step)
        return self._append([(new, revision or self._history.latest)], step)[0]

    def _append(
        self, made: Sequence[tuple[NewDecision, int]], step: Undo | Redo | None = None
    ) -> list[Decision]:
        with self._database.writing() as connection:
            saved = [decisions.append(connection, *one, step) for one in made]
        for decision in saved:  # only after the commit: what failed has not happened
            line = self._undo_lines.get(decision.reader)
            if line is not None:
                line.apply(decisions.step(decision))
        return [decisions.present(decision, self._history) for decision in saved]

    def _line(self, reader: str) -> UndoLine:
        if reader not in self._undo_lines:
            with self._database.reading() as connection:
                self._undo_lines[reader] = UndoLine(decisions.steps(connection, reader))
        return self._undo_lines[reader]

    # --- versions ------------------------------------------------------------------------

    def add_version(self, version: Version) -> None:
        """Save a version; its file stands in `adapters/` already and its hash is kept.

        Raises:
            VersionError: If there is one of this id.
            ProjectError: If it can't be saved.
        """
        file = self.adapters_folder / version.file
        with told():
            digest = file_sha256(file) if file.is_file() else None
        with self._database.writing() as connection:
            versions.append(connection, version, file_sha256=digest)

    def versions(self) -> list[Version]:
        """All versions in the order of making; at most one is live."""
        revision = self.label_set().revision
        with self._database.reading() as connection:
            return versions.listed(connection, revision)

    def next_version_id(self) -> str:
        """The id for the version to train next."""
        with self._database.reading() as connection:
            return versions.next_id(connection)

    def activate(self, version_id: str | None, *, reader: str = "") -> None:
        """Make a version live; None for the frozen backbone with the instant learner.

        Raises:
            VersionError: If there is no such version.
            ProjectError: If it can't be saved.
        """
        with self._database.writing() as connection:
            revision = self.label_set().revision
            versions.activate(connection, version_id, revision=revision, reader=reader)
