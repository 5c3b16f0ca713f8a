"""What the desk knows of decisions, kept up one by one, is what it would read from the project."""

import random
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import cast

import pytest
from pytestqt.qtbot import QtBot

from app.models.scan_table import ScanTable
from app.session import Session, decided, read, restored, trained_on
from nearl_core import label_changes
from nearl_core.errors import LabelSetError
from nearl_core.labels_file import new_id
from nearl_core.readers import can_teach
from nearl_core.scans.guard import ScanReader
from nearl_core.store import readings
from nearl_core.store.project import Project
from nearl_core.types import (
    Confidence,
    NewDecision,
    Occasion,
    Revision,
    Shown,
    State,
    Verdict,
)
from tests.support.projects import LABELS, MULTI, new_project, version

ME, COLLEAGUE, SOURCE = "me", "colleague", "registry"
SCANS, STEPS = 4, 40
STATES = (*4 * (State.LABELLED,), State.NONE_APPLY, State.DEFERRED, State.UNASSESSABLE)
OCCASIONS = (*3 * (Occasion.SINGLE,), *(one for one in Occasion if one is not Occasion.SINGLE))


@pytest.fixture
def project(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Project]:
    with new_project(tmp_path, scans=SCANS, label_set=request.param) as made:
        readings.keep_source(made, SOURCE)
        yield made


def _opened(project: Project) -> Session:
    opened = read(project, ME, notice="")
    table, now = ScanTable(), opened.decided
    no_reader = cast(ScanReader, None)  # nothing is decoded here
    session = Session(opened, reader=ME, scan_reader=no_reader, table=table)
    verdicts = {one.scan_id: one.verdict for one in now.standing}
    table.fill(opened.scans, verdicts, now.label_set, session.part, session.again)
    return session


def _known(session: Session) -> dict[str, object]:
    table, ids = session.table, range(1, SCANS + 1)
    return {
        "standing": {i: (one.id, one.verdict) for i, one in session.standing.items()},
        "again": {i: one.labels for i, one in session.again.items()},
        "learned": {one.id: (one.scan_id, one.verdict) for one in session.to_learn()},
        "untrained": session.untrained,
        "taken in": {i: one.id for i, one in session.taken_in.items()},
        "queue": [(table.verdict(i), table.detail(i)) for i in ids],
    }


class Random:
    """A reader, a colleague and a source who do anything at all."""

    def __init__(self, project: Project, session: Session, seed: int) -> None:
        self.project, self.session = project, session
        self.chance = random.Random(seed)

    def step(self) -> str:
        """Do something; its name."""
        acts: list[Callable[[], None]] = [
            *5 * [self.say],
            *3 * [self.undo],
            *2 * [self.redo, self.flag],
            *[self.others, self.change_labels, self.restore_labels, self.train],
        ]
        act = self.chance.choice(acts)
        act()
        return act.__name__

    def verdict(self) -> Verdict:
        label_set, state = self.project.label_set(), self.chance.choice(STATES)
        count = self.chance.randint(1, min(2, len(label_set.ids))) if label_set.multi_label else 1
        labels = tuple(self.chance.sample(label_set.ids, count)) if state is State.LABELLED else ()
        confidence = self.chance.choice(list(Confidence))
        return Verdict(state, labels, confidence, flagged=self.chance.random() < 0.2)

    def scan(self) -> int:
        return self.chance.randint(1, SCANS)

    def say(self) -> None:
        occasion = self.chance.choice(OCCASIONS)
        new = NewDecision(self.scan(), ME, self.verdict(), occasion=occasion)
        self.session.take(self.project.record(new))

    def undo(self) -> None:
        self._restore(back=True)

    def redo(self) -> None:
        self._restore(back=False)

    def _restore(self, *, back: bool) -> None:
        found = restored(self.project, ME, back=back)
        if found is not None:
            self.session.restore(found)

    def flag(self) -> None:
        scan_id = self.scan()
        standing, was = self.session.standing.get(scan_id), self.session.again.get(scan_id)
        said = self.session.table.verdict(scan_id)
        if standing is not None:
            new = NewDecision(
                scan_id, ME, replace(said, flagged=not said.flagged), adds_to=standing.id
            )
            self.session.take(self.project.record(new))
        elif was is not None:
            deferred = Verdict(State.DEFERRED, flagged=True)
            new = NewDecision(scan_id, ME, deferred, adds_to=was.decision_id)
            self.session.take(self.project.record(new))

    def others(self) -> None:
        who = self.chance.choice((COLLEAGUE, SOURCE))
        shown = Shown.IMPORTED if who == SOURCE else Shown.BLIND
        if self.chance.random() < 0.3:
            self.project.undo(who)
        else:
            self.project.record(NewDecision(self.scan(), who, self.verdict(), shown=shown))
        self.session.reread(decided(self.project, ME, self.session.trained))

    def change_labels(self) -> None:
        now = self.project.label_set()
        label, name = self.chance.choice(now.ids), f"L{self.chance.randint(0, 10**6)}"
        kinds = ("rename", "split", "merge", "retire")
        kind = self.chance.choice(kinds if len(now.ids) > 2 else kinds[:2])
        if kind == "rename":
            wanted, change = label_changes.rename(now, label, name)
        elif kind == "split":
            wanted, change = label_changes.split(now, label, [name, f"{name}b"], new_id=new_id)
        elif kind == "merge":
            pair = self.chance.sample(now.ids, 2)
            wanted, change = label_changes.merge(now, pair, name, new_id=new_id)
        else:
            wanted, change = label_changes.retire(now, label)
        self._save(Revision(wanted, () if change is None else (change,)))

    def restore_labels(self) -> None:
        back = self.project.label_history().undone()
        if back is not None:
            self._save(back)

    def _save(self, wanted: Revision) -> None:
        label_set, versions = self.project.save_revision(wanted), self.project.versions()
        self.session.versions = tuple(versions)
        self.session.trained = trained_on(versions, label_set)
        self.session.reread(decided(self.project, ME, self.session.trained))

    def train(self) -> None:
        label_set, every = self.session.label_set, self.session.to_learn()
        ids = tuple(one.id for one in every if can_teach(one.verdict, label_set))
        self.session.training_begins()
        made = version(self.project.next_version_id())
        self.project.add_version(
            replace(made, decision_ids=ids, label_set_revision=label_set.revision)
        )


@pytest.mark.parametrize("project", [LABELS, MULTI], indirect=True, ids=["exclusive", "several"])
@pytest.mark.parametrize("seed", range(4))
def test_whatever_is_done_the_desk_knows_what_it_would_read(
    qtbot: QtBot, project: Project, seed: int
) -> None:
    del qtbot
    session = _opened(project)
    doing, done = Random(project, session, seed), list[str]()
    for _ in range(STEPS):
        try:
            done.append(doing.step())
        except LabelSetError:
            continue  # a change that the project refuses
        assert _known(session) == _known(_opened(project)), done
