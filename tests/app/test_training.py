"""Training and versions as a reader sees them, and that the window never stands still."""

import logging
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from PySide6.QtCore import QPoint, QRect, Qt, QTimer
from PySide6.QtWidgets import QLabel

from app import strings
from app.jobs import Priority
from app.models.training_state import Phase, TrainingState
from app.views.fields import ElidedSentence
from nearl_core.control import RunControl
from nearl_core.label_changes import rename, retire
from nearl_core.store.project import Project
from nearl_core.types import EngineInfo, LabelSet, Revision, Version
from tests.app.driving import Driver, decide_some, train
from tests.app.fakes import FakeEngine

log = logging.getLogger(__name__)

LONGEST_GAP_S = 1.0
"""Tells a window that stands still from one that answers; how soon it does is measured by
`python -m app.bench`, for this machine may be busy with something else."""


def test_a_trained_version_goes_live_and_says_so(desk: Driver, project: Path) -> None:
    decide_some(desk)
    train(desk)
    panel = desk.desk.window.training
    assert [line.live for line in panel.versions.lines] == [True, False]
    assert "50 → 75 %" in panel.versions.lines[0].detail
    assert len(panel.plot.losses) == desk.engines[-1].steps
    assert panel.plot.isHidden()  # in a low window the versions need the room
    desk.desk.window.resize(1920, 1080)
    desk.until(panel.plot.isVisible)
    assert "so it is live" in panel.state.text
    desk.until(lambda: "Version v1" in desk.desk.window.ranking.panel.source)
    assert "fake · v1" in desk.status()
    with Project.open(project, read_only=True) as other:
        assert [version.live for version in other.versions()] == [True]


def test_the_frozen_backbone_can_be_brought_back(desk: Driver) -> None:
    decide_some(desk)
    train(desk)
    with desk.bot.waitSignal(desk.desk.training.live_changed, timeout=20_000):
        desk.desk.window.training.versions.activate_asked.emit("")
    assert [line.live for line in desk.desk.window.training.versions.lines] == [False, True]
    desk.until(lambda: "Frozen" in desk.desk.window.ranking.panel.source)


def test_the_live_version_is_in_sight_wherever_it_stands(desk: Driver) -> None:
    decide_some(desk)
    for version in ("v1", "v2"):
        train(desk)
        assert desk.desk.training.state.text.startswith(f"Version {version}.")
    versions = desk.desk.window.training.versions
    for size in ((1280, 800), (960, 600)):
        desk.desk.window.resize(*size)
        for place, live in enumerate(("v2", "v1", "")):
            versions.activate_asked.emit(live)
            desk.until(lambda place=place: versions.lines[place].live)  # type: ignore[misc]
            mark = next(x for x in versions.findChildren(QLabel) if strings.LIVE in x.text())
            seen = versions.viewport()
            assert seen.rect().contains(QRect(mark.mapTo(seen, QPoint(0, 0)), mark.size()))


def test_a_sentence_that_has_no_room_keeps_its_end_and_has_a_tip(desk: Driver) -> None:
    said = " ".join(f"word {number}" for number in range(60)) + "."
    whole = f"{said} {strings.new_since(3)}"
    panel = desk.desk.window.training
    sentence = panel.findChild(ElidedSentence)
    assert isinstance(sentence, ElidedSentence)
    for size, fits in (((960, 600), False), ((1920, 1080), True), ((1280, 800), False)):
        desk.desk.window.resize(*size)
        panel.show_state(TrainingState(Phase.IDLE, said, waiting_decisions=3))
        desk.until(lambda fits=fits: (sentence.text() == whole) is fits)  # type: ignore[misc]
        desk.until(lambda: sentence.heightForWidth(sentence.width()) <= sentence.height())
        assert sentence.text().startswith("word 0 word 1 word 2")
        assert sentence.text().endswith(strings.new_since(3))
        assert sentence.toolTip() == ("" if fits else whole)


def test_too_few_decisions_is_a_sentence_in_the_panel(desk: Driver) -> None:
    desk.press(Qt.Key.Key_T, Qt.KeyboardModifier.ControlModifier)
    panel = desk.desk.window.training
    desk.until(lambda: "too few decisions" in panel.state.text)
    assert panel.state.phase is Phase.IDLE
    assert not desk.troubles
    desk.decide(Qt.Key.Key_1)
    assert panel.state.text == strings.NOT_TRAINED  # by now there may be enough


def test_a_decision_leaves_what_the_last_training_came_to(desk: Driver) -> None:
    decide_some(desk)
    train(desk)
    said = desk.desk.window.training.state.text
    assert said.startswith("Version v1.")
    desk.decide(Qt.Key.Key_1)
    assert desk.desk.window.training.state.text == said


def test_cancel_stops_and_leaves_everything_as_it_was(desk: Driver) -> None:
    decide_some(desk)
    desk.engines[-1].steps = 100_000
    desk.desk.training.start()
    desk.until(lambda: desk.desk.training.state.done > 2)
    desk.desk.training.cancel()
    desk.until(lambda: desk.desk.training.state.phase is Phase.IDLE)
    assert desk.desk.training.state.text == strings.TRAINING_STOPPED
    assert len(desk.desk.window.training.versions.lines) == 1


def test_a_change_of_labels_ends_a_training_on_the_ones_before(desk: Driver) -> None:
    decide_some(desk)
    session = desk.desk.library.session
    assert session is not None
    desk.engines[-1].steps = 100_000
    desk.desk.training.start()
    desk.until(lambda: desk.desk.training.state.done > 2)
    less, change = retire(session.label_set, "other")
    desk.desk.asking_labels.labelling.save(Revision(less, (change,)))
    desk.until(lambda: desk.desk.training.state.phase is Phase.IDLE)
    assert desk.desk.training.state.text == strings.TRAINING_STOPPED
    assert not session.versions


def test_a_version_that_ends_as_the_labels_change_is_listed_and_rests(
    desk: Driver, monkeypatch: pytest.MonkeyPatch
) -> None:
    decide_some(desk)
    add = Project.add_version

    def once_labels_changed(project: Project, version: Version) -> None:
        renamed, _ = rename(project.label_set(), "other", "Neither")
        project.save_revision(Revision(renamed))
        add(project, version)

    monkeypatch.setattr(Project, "add_version", once_labels_changed)
    desk.desk.training.start()
    lines = desk.desk.window.training.versions
    desk.until(lambda: [line.id for line in lines.lines] == ["v1", ""])
    assert [line.live for line in lines.lines] == [False, True]
    assert desk.desk.training.state.text.startswith("Version v1.")


def test_it_trains_by_itself(desk: Driver) -> None:
    desk.desk.window.training.automatic_changed.emit(True, 5)
    with desk.bot.waitSignal(desk.desk.training.live_changed, timeout=20_000):
        for _ in range(5):
            desk.decide(Qt.Key.Key_1)


def test_deciding_goes_on_while_training_runs(desk: Driver) -> None:
    """A scan is ranked, decided and saved in the middle of a run, and no gap is long."""
    decide_some(desk)
    desk.engines[-1].steps = 100_000
    desk.desk.training.start()
    desk.until(lambda: desk.engines[-1].training.is_set())
    gaps: list[float] = []
    last = time.perf_counter()

    def beat() -> None:
        nonlocal last
        now = time.perf_counter()
        gaps.append(now - last)
        last = now

    heart = QTimer()
    heart.setInterval(5)
    heart.timeout.connect(beat)
    last = time.perf_counter()
    heart.start()
    for key in (Qt.Key.Key_2, Qt.Key.Key_1, Qt.Key.Key_3, Qt.Key.Key_2):
        desk.until(lambda: desk.desk.window.ranking.panel.lines[0].probability is not None)
        desk.decide(key)
    heart.stop()
    assert desk.engines[-1].training.is_set()
    log.info("the longest gap of the event loop while training: %.3f s", max(gaps))
    assert max(gaps) < LONGEST_GAP_S


def test_closing_the_window_ends_a_running_training(desk: Driver, project: Path) -> None:
    decide_some(desk)
    desk.engines[-1].steps = 100_000
    desk.desk.training.start()
    desk.until(lambda: desk.engines[-1].training.is_set())
    desk.desk.window.close()
    assert desk.desk.shut_down()
    assert not desk.engines[-1].training.is_set()
    with Project.open(project) as again:  # the lock is free
        assert len(again.standing()) == 3


def test_a_version_rests_while_the_labels_are_others_and_a_project_opens_with_it(
    desk: Driver, project: Path
) -> None:
    decide_some(desk)
    train(desk)
    labelling, session = desk.desk.asking_labels.labelling, desk.desk.library.session
    assert session is not None
    before = session.label_set
    fewer = LabelSet(before.labels[:-1], before.multi_label)
    lines = desk.desk.window.training.versions
    with desk.bot.waitSignal(labelling.saved, timeout=20_000):
        labelling.save(Revision(fewer))
    assert [line.live for line in lines.lines] == [False, True]
    desk.until(lambda: "Frozen" in desk.desk.window.ranking.panel.source)
    desk.open(project)
    assert [line.live for line in lines.lines] == [False, True]
    back = session.project.label_history().undone()
    assert back is not None
    with desk.bot.waitSignal(labelling.saved, timeout=20_000):
        labelling.save(back)
    assert [line.live for line in lines.lines] == [True, False]
    desk.until(lambda: "Version v1" in desk.desk.window.ranking.panel.source)
    assert not desk.troubles


def test_a_project_of_an_earlier_edition_of_its_backbone_opens_and_is_trained_anew(
    desk: Driver, project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    decide_some(desk)
    train(desk)
    desk.until(lambda: "Version v1" in desk.desk.window.ranking.panel.source)  # the engine has it
    monkeypatch.setattr(FakeEngine, "backbone_hash", "1" * 64)
    lines = desk.desk.window.training.versions
    with desk.bot.waitSignal(desk.desk.suggestions.refused, timeout=20_000):
        desk.open(project)
    desk.until(lambda: [line.id for line in lines.lines if line.live] == ["v2"])
    desk.until(lambda: "Version v2" in desk.desk.window.ranking.panel.source)
    assert [trouble.sentence for trouble in desk.troubles] == [
        "The version v1 was made for another backbone."
    ]
    with Project.open(project, read_only=True) as again:
        assert len(again.standing()) == 3
        assert again.versions()[-1].backbone_hash == "1" * 64


def train_for_two_backbones(desk: Driver, project: Path, patch: pytest.MonkeyPatch) -> None:
    """Make a version v1, which can't rank once there is another backbone, and v2, which is live."""
    decide_some(desk)
    train(desk)
    desk.until(lambda: "Version v1" in desk.desk.window.ranking.panel.source)
    patch.setattr(FakeEngine, "backbone_hash", "1" * 64)
    desk.open(project)
    desk.until(lambda: "Version v2" in desk.desk.window.ranking.panel.source)


def test_a_version_that_fits_no_more_is_not_made_live(
    desk: Driver, project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    train_for_two_backbones(desk, project, monkeypatch)
    desk.troubles.clear()
    with desk.bot.waitSignal(desk.desk.suggestions.kept, timeout=20_000):
        desk.desk.window.training.activate_asked.emit("v1")
    lines = desk.desk.window.training.versions
    desk.until(lambda: [line.id for line in lines.lines if line.live] == ["v2"])
    desk.until(lambda: "Version v2" in desk.desk.window.ranking.panel.source)
    assert [trouble.sentence for trouble in desk.troubles] == [
        "The version v1 was made for another backbone."
    ]
    assert [line.id for line in lines.lines] == ["v2", "v1", ""]  # nothing is trained for it


def test_a_version_that_can_not_rank_does_not_undo_what_was_chosen_after_it(
    desk: Driver, project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    train_for_two_backbones(desk, project, monkeypatch)
    lines = desk.desk.window.training.versions
    with desk.bot.waitSignal(desk.desk.suggestions.kept, timeout=20_000):
        for version_id in ("v1", ""):
            desk.desk.window.training.activate_asked.emit(version_id)
    done: list[None] = []
    desk.desk.jobs.store.submit(lambda _control: None, done=done.append, priority=Priority.IDLE)
    desk.until(lambda: bool(done))
    assert [line.id for line in lines.lines if line.live] == [""]
    desk.until(lambda: "Frozen" in desk.desk.window.ranking.panel.source)


@pytest.mark.parametrize("labels_change", [False, True])
def test_what_is_chosen_while_the_engine_is_loaded_holds_for_it(
    start: Callable[[], Driver],
    project: Path,
    monkeypatch: pytest.MonkeyPatch,
    labels_change: bool,
) -> None:
    desk = start()
    desk.open(project)
    decide_some(desk)
    train(desk)
    load, go_on = FakeEngine.load, threading.Event()

    def slowly(engine: FakeEngine, control: RunControl) -> EngineInfo:
        assert go_on.wait(20)
        return load(engine, control)

    monkeypatch.setattr(FakeEngine, "load", slowly)
    with desk.bot.waitSignal(desk.desk.library.opened, timeout=20_000):
        desk.desk.asking.open_path(project)
    session, labelling = desk.desk.library.session, desk.desk.asking_labels.labelling
    assert session is not None
    if labels_change:
        fewer, change = retire(session.label_set, "other")
        with desk.bot.waitSignal(labelling.saved, timeout=20_000):
            labelling.save(Revision(fewer, (change,)))
    else:
        with desk.bot.waitSignal(desk.desk.training.live_changed, timeout=20_000):
            desk.desk.window.training.activate_asked.emit("")
    go_on.set()
    ranking = desk.desk.window.ranking
    desk.until(lambda: "Frozen" in ranking.panel.source)
    suggested = desk.desk.suggestions.ranking(desk.scan_id())
    assert suggested is not None
    assert {one.label_id for one in suggested.labels} == set(session.label_set.ids)
