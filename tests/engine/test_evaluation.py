"""Figures of each stage on a folder of known labels."""

from pathlib import Path

import numpy as np
import pytest

from nearl_core.control import RunControl
from nearl_core.engine import Engine
from nearl_core.errors import LabelSetError, NearlError
from nearl_core.evaluation import Known, Stage, from_folder, measure
from nearl_core.learn.batches import lessons
from nearl_core.types import Label, LabelSet, Scan
from tests.engine.making import LABELS, Making, all_decided
from tests.support.scans import disc, stripes, write_png


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Three discs and two stripes that no test decides."""
    for number in range(3):
        write_png(tmp_path / "known" / "Disc" / f"{number}.png", disc(seed=90 + number))
    for number in range(2):
        write_png(tmp_path / "known" / "stripes" / f"{number}.png", stripes(seed=90 + number))
    return tmp_path / "known"


@pytest.fixture
def taught(make: Making, unknowing: Path, scans: list[Scan]) -> Engine:
    engine = make(unknowing)
    engine.rank(scans[:16], RunControl())
    engine.learn({scan.id: scan for scan in scans}, all_decided(scans[:16]))
    return engine


def test_a_folder_for_each_label_by_name_in_any_case(folder: Path) -> None:
    (folder / ".cache").mkdir()
    (folder / "Disc" / "notes.txt").write_text("not a scan")
    known = from_folder(folder, LABELS, first_id=100)
    assert [scan.id for scan in known.scans] == [100, 101, 102, 103, 104]
    assert known.targets.argmax(1).tolist() == [0, 0, 0, 1, 1]


def test_names_with_blanks_may_be_spelt_with_underscores(folder: Path) -> None:
    (folder / "Disc").rename(folder / "big_disc")
    label_set = LabelSet((Label("d", "Big disc"), Label("s", "Stripes")))
    assert len(from_folder(folder, label_set, first_id=1).scans) == 5


def test_a_label_comes_with_its_parents_where_a_scan_can_have_several(folder: Path) -> None:
    labels = (Label("s", "Stripes"), Label("round", "Round"), Label("d", "Disc", parent="round"))
    several = from_folder(folder, LabelSet(labels, multi_label=True), first_id=1)
    assert several.targets[[0, -1]].tolist() == [[0, 1, 1], [1, 0, 0]]
    one = from_folder(folder, LabelSet(labels), first_id=1)
    assert one.targets[[0, -1]].tolist() == [[0, 0, 1], [1, 0, 0]]


def test_what_can_t_be_measured_on_is_refused(folder: Path, tmp_path: Path) -> None:
    with pytest.raises(NearlError, match="no folder gone"):
        from_folder(tmp_path / "gone", LABELS, first_id=1)
    (folder / "unheard").mkdir()
    with pytest.raises(LabelSetError, match="unheard"):
        from_folder(folder, LABELS, first_id=1)
    (tmp_path / "empty" / "Disc").mkdir(parents=True)
    with pytest.raises(NearlError, match="no scan"):
        from_folder(tmp_path / "empty", LABELS, first_id=1)


@pytest.mark.parametrize("stage", [Stage.LINEAR_PROBE, Stage.INSTANT, Stage.LIVE])
def test_stages_that_learned_tell_the_kinds_apart(
    taught: Engine, folder: Path, scans: list[Scan], stage: Stage
) -> None:
    known = from_folder(folder, LABELS, first_id=100)
    learned = lessons({scan.id: scan for scan in scans}, all_decided(scans[:16]), LABELS)
    found = measure(taught, known, stage, learned, RunControl())
    assert (found.n, found.balanced_accuracy, found.auroc) == (5, 1.0, 1.0)
    assert found.log_loss < 0.5


def test_zero_shot_does_not_depend_on_decisions(
    make: Making, taught: Engine, unknowing: Path, folder: Path
) -> None:
    known = from_folder(folder, LABELS, first_id=100)
    both = [
        measure(engine, known, Stage.ZERO_SHOT, [], RunControl())
        for engine in (taught, make(unknowing))
    ]
    assert both[0].log_loss == pytest.approx(both[1].log_loss, abs=1e-6)


@pytest.mark.parametrize("stage", [Stage.LINEAR_PROBE, Stage.INSTANT, Stage.TUNED, Stage.LIVE])
def test_stages_that_can_t_answer_yet_say_so(
    make: Making, unknowing: Path, folder: Path, stage: Stage
) -> None:
    known = from_folder(folder, LABELS, first_id=100)
    with pytest.raises(NearlError) as trouble:
        measure(make(unknowing), known, stage, [], RunControl())
    assert trouble.value.remedy


def test_scans_that_can_t_be_read_are_left_out(
    taught: Engine, folder: Path, scans: list[Scan], tmp_path: Path
) -> None:
    known = from_folder(folder, LABELS, first_id=100)
    gone = Scan(200, tmp_path / "gone.png")
    more = Known([gone, *known.scans], np.concatenate([np.eye(2)[:1], known.targets]))
    learned = lessons({scan.id: scan for scan in scans}, all_decided(scans), LABELS)
    assert len(learned) > 16  # the rest was never read
    for stage in (Stage.LIVE, Stage.LINEAR_PROBE):
        assert measure(taught, more, stage, learned, RunControl()).n == 5
    with pytest.raises(NearlError, match="None of the scans"):
        measure(taught, Known([gone], np.eye(2)[:1]), Stage.LIVE, [], RunControl())
