"""The open project as the GUI thread knows it."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from app.models.scan_table import ScanTable
from nearl_core.dividing import Part, part_of
from nearl_core.readers import can_teach, taken_in, to_learn
from nearl_core.scan_list import ScanList
from nearl_core.scans.guard import ScanReader
from nearl_core.types import (
    UNSEEN,
    Decision,
    Division,
    LabelSet,
    Occasion,
    ReadingRules,
    Said,
    Scan,
    State,
    Version,
)

if TYPE_CHECKING:  # the store loads the database library: not before the window is up
    from nearl_core.store.project import Project


@dataclass(frozen=True)
class Decided:
    """What was decided in a project, in the labels of now.

    Attributes:
        standing: The reader's standing decisions.
        others: Those of other readers: imported ones, a colleague's.
        again: Of scans that the reader is to decide again: what was said before.
        sources: Names under which labels were taken in: no reader may have one.
        learned: What decisions said that a version learned from, and that stand no more.
    """

    label_set: LabelSet
    standing: tuple[Decision, ...]
    others: tuple[Decision, ...]
    again: Mapping[int, "Was"]
    sources: frozenset[str]
    learned: frozenset[Said]


@dataclass(frozen=True)
class Was:
    """What was said of a scan before the labels changed, and no longer stands.

    Attributes:
        decision_id: The decision that said so.
        labels: Names of its labels, as one text.
    """

    decision_id: int
    labels: str


@dataclass(frozen=True)
class Restored:
    """What an undo or redo appended.

    Attributes:
        was: What was said of its scan before the labels changed, where it is to be decided again.
    """

    decision: Decision
    was: Was | None


def decided(project: "Project", reader: str, trained: Collection[int]) -> Decided:
    """Read what was decided, and what decisions of some ids said; in the store thread."""
    from nearl_core.store import readings

    standing = project.standing()
    return Decided(
        label_set=project.label_set(),
        standing=tuple(found for found in standing if found.reader == reader),
        others=tuple(found for found in standing if found.reader != reader),
        again=_again(project, reader),
        sources=readings.sources(project),
        learned=readings.said_by(project, set(trained).difference(one.id for one in standing)),
    )


def restored(project: "Project", reader: str, *, back: bool) -> "Restored | None":
    """Undo or redo the reader's last step; in the store thread. None where nothing is left.

    Raises:
        ProjectError: If it can't be saved.
    """
    decision = project.undo(reader) if back else project.redo(reader)
    if decision is None:
        return None
    return Restored(decision, _again(project, reader, decision.scan_id).get(decision.scan_id))


def _again(project: "Project", reader: str, scan_id: int | None = None) -> dict[int, Was]:
    """What was said of the scans that a reader is to decide again, or of one."""
    from nearl_core.store.relabelling import to_decide_again

    history = project.label_history()
    return {
        scan_id: Was(
            found.id,
            ", ".join(history.label_set(found.revision).names_of(found.verdict.labels)),
        )
        for (scan_id, _), found in to_decide_again(project, reader, scan_id=scan_id).items()
    }


def trained_on(versions: Sequence[Version], label_set: LabelSet) -> frozenset[int]:
    """Ids of the decisions that the newest version learned from; none where it is of other labels.

    It rests then, and the next one is made of all that is decided.
    """
    newest = versions[-1] if versions else None
    if newest is None or newest.label_set_revision != label_set.revision:
        return frozenset()
    return frozenset(newest.decision_ids)


@dataclass(frozen=True)
class Opened:
    """What opening a project read from it.

    Attributes:
        notice: Why nothing can be saved, or "".
        rules: How the project is read.
        division: How its scans are divided among readers.
        repeated: Scans that came to this reader again.
        trained: See `trained_on`.
    """

    project: "Project"
    decided: Decided
    scans: ScanList
    versions: tuple[Version, ...]
    notice: str
    rules: ReadingRules
    division: Division
    repeated: frozenset[int]
    trained: frozenset[int]


def read(project: "Project", reader: str, *, notice: str) -> Opened:
    """Read what the desk knows of a project; in the store thread."""
    from nearl_core.store import readings
    from nearl_core.store.listing import scan_list

    versions = project.versions()
    trained = trained_on(versions, project.label_set())
    return Opened(
        project=project,
        decided=decided(project, reader, trained),
        scans=scan_list(project),
        versions=tuple(versions),
        trained=trained,
        notice=notice,
        rules=readings.rules(project),
        division=readings.division(project),
        repeated=readings.repeated(project, reader),
    )


class Session:
    """One open project; lives in the GUI thread, its project is used in the store thread.

    Attributes:
        standing: The reader's standing decision of each scan.
        others: Standing decisions of other readers, which teach but are not shown.
        rules: How the project is read.
        division: How its scans are divided among readers.
        repeated: Scans that came to this reader again before it was opened.
        again: Of scans that the reader is to decide again: what was said before.
        sources: Names under which labels were taken in.
        trained: Ids of decisions that the newest version learned from, if it is of these labels,
            or that the latest training began with.
        untrained: Ids of the standing decisions that a version could learn from and that say
            something else than those: not a flag, a note or a confidence more, and not the same
            again once a change was taken back.
        read_by_others: Scans that other readers decided; sources of labels are none.
        taken_in: What a source says of each scan, by its id; of several the one taken in last.
    """

    def __init__(
        self, opened: Opened, *, reader: str, scan_reader: ScanReader, table: ScanTable
    ) -> None:
        self.project, self.reader = opened.project, reader
        self.scan_reader, self.table = scan_reader, table
        self.versions, self.rules, self.division = opened.versions, opened.rules, opened.division
        self.repeated, self.trained = opened.repeated, opened.trained
        self._read(opened.decided)

    def _read(self, now: Decided) -> None:
        """Put the decisions in order once; after this each one costs the same, however many."""
        self.label_set, self.others, self.again = now.label_set, now.others, dict(now.again)
        self.standing = {decision.scan_id: decision for decision in now.standing}
        self.sources = now.sources
        self._others_of = dict[int, tuple[Decision, ...]]()
        for found in self.others:
            self._others_of[found.scan_id] = (*self._others_of.get(found.scan_id, ()), found)
        every = to_learn((*self.others, *self.standing.values()), self.sources, self.label_set)
        self._to_learn = {found.id: found for found in every}
        self._taught_by_others = _teaching(self.others)
        self.read_by_others = frozenset(
            found.scan_id
            for found in self.others
            if found.reader not in self.sources and found.verdict.state is not State.DEFERRED
        )
        self.taken_in = taken_in(self.others, self.sources)
        known = (found.said for found in every if found.id in self.trained)
        self._learned = now.learned.union(known)
        self.untrained = self._new_among(every)

    def reread(self, now: Decided) -> None:
        """The label set changed, or decisions came from elsewhere."""
        self._read(now)
        verdicts = {scan_id: decision.verdict for scan_id, decision in self.standing.items()}
        self.table.set_decided(verdicts, now.label_set, self.again)

    @property
    def part(self) -> Part | None:
        """The reader's part of the scans; None for all of them."""
        return part_of(self.reader, self.division)

    @property
    def read_only(self) -> bool:
        """Whether nothing can be saved."""
        return self.project.read_only

    @property
    def live(self) -> Version | None:
        """The live version, or None for the frozen backbone."""
        return next((version for version in self.versions if version.live), None)

    def scans_by_id(self) -> Mapping[int, Scan]:
        """Every scan by its id; a value that a worker may keep."""
        return self.table.scans()

    def to_learn(self) -> tuple[Decision, ...]:
        """The standing decisions that teach: see `readers.to_learn`."""
        return tuple(self._to_learn.values())

    def is_decided(self, scan_id: int) -> bool:
        """Whether any reader's decision of a scan stands."""
        return scan_id in self.standing or scan_id in self._others_of

    def is_taught_by_others(self, scan_id: int) -> bool:
        """Whether another reader, or a source, taught the ranking a scan before this one did."""
        return scan_id in self._taught_by_others

    def lessons_of(self, scan_id: int) -> int:
        """How many decisions of a scan are learned from."""
        return sum(can_teach(found.verdict, self.label_set) for found in self._to_learn_of(scan_id))

    def _new_among(self, decisions: Iterable[Decision]) -> set[int]:
        lessons = (found for found in decisions if can_teach(found.verdict, self.label_set))
        return {found.id for found in lessons if found.said not in self._learned}

    def _to_learn_of(self, scan_id: int) -> tuple[Decision, ...]:
        own = self.standing.get(scan_id)
        said = (*self._others_of.get(scan_id, ()), *(() if own is None else (own,)))
        return to_learn(said, self.sources, self.label_set)

    def training_begins(self) -> None:
        """A version is to be made of all decisions that stand."""
        every = [
            found for found in self._to_learn.values() if can_teach(found.verdict, self.label_set)
        ]
        self.trained = frozenset(found.id for found in every)
        self._learned = frozenset(found.said for found in every)
        self.untrained.clear()

    def restore(self, restored: Restored) -> None:
        """An undo or redo was committed."""
        decision = restored.decision
        if decision.occasion is not Occasion.REPEAT:
            self.again.pop(decision.scan_id, None)
            if restored.was is not None:
                self.again[decision.scan_id] = restored.was
        self.take(decision)

    def take(self, decision: Decision) -> None:
        """A decision was committed: it stands now, unless it was a repeat."""
        if decision.occasion is Occasion.REPEAT:
            return
        scan_id, verdict = decision.scan_id, decision.verdict
        if verdict.state.is_decided:
            self.again.pop(scan_id, None)
        for gone in self._to_learn_of(scan_id):
            del self._to_learn[gone.id]
            self.untrained.discard(gone.id)
        self.standing.pop(scan_id, None)
        if verdict.state is not State.UNSEEN:
            self.standing[scan_id] = decision
        now = self._to_learn_of(scan_id)
        self._to_learn |= {found.id: found for found in now}
        self.untrained |= self._new_among(now)
        said = UNSEEN if verdict.state is State.UNSEEN else verdict
        self.table.set_verdict(scan_id, said, again=scan_id in self.again)


def _teaching(decisions: Iterable[Decision]) -> set[int]:
    return {found.scan_id for found in decisions if found.verdict.state.says_labels}
