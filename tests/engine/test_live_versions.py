"""Versions that rank, and what keeps one from it."""

from dataclasses import replace
from pathlib import Path

import pytest

from nearl_core.control import RunControl
from nearl_core.errors import VersionError
from nearl_core.learn import tuning
from nearl_core.learn.promote import HeldOut, Judgement, Rival, judge
from nearl_core.types import FROZEN, Label, LabelSet
from tests.engine.making import (
    LABELS,
    all_decided,
    decided,
    truth,
    write_backbone,
)
from tests.engine.trained import Trained, by_id, close, opened


def test_a_live_version_ranks_and_can_be_taken_back(trained: Trained, unknowing: Path) -> None:
    engine = opened(trained, unknowing)
    ids = [scan.id for scan in trained.scans[24:]]
    found = engine.rerank(ids)
    assert {r.version for r in found} == {"v1"}
    assert [r.labels[0].label_id for r in found] == [truth(s) for s in trained.scans[24:]]
    engine.activate(None)
    assert {r.version for r in engine.rerank(ids)} == {FROZEN}
    # More scans were known there when it learned, and which axes they differ along counts.
    before = trained.engine.rank(trained.scans[24:], RunControl())
    assert close(engine.rerank(ids), before, to=0.005)


def test_a_second_engine_ranks_the_same(trained: Trained, unknowing: Path) -> None:
    first, second = (opened(trained, unknowing) for _ in range(2))
    ids = [scan.id for scan in trained.scans]
    assert close(first.rerank(ids), second.rerank(ids))
    (trained.make.folder / "cache" / "features.db").unlink()
    assert close(first.rerank(ids), opened(trained, unknowing).rerank(ids))


def test_a_version_ranks_as_it_was_written_until_anything_is_taught(
    trained: Trained, unknowing: Path
) -> None:
    engine = trained.make(unknowing)
    engine.activate(trained.result.version)
    found = engine.rank(trained.scans[24:], RunControl())
    assert [r.labels[0].label_id for r in found] == [truth(s) for s in trained.scans[24:]]


def test_the_queue_stays_in_order_until_a_new_version_has_seen_its_scans(
    trained: Trained, unknowing: Path
) -> None:
    engine = trained.make(unknowing)
    engine.rank(trained.scans, RunControl())
    engine.learn(by_id(trained.scans), all_decided(trained.scans[:12]))
    ids = [scan.id for scan in trained.scans[12:]]
    before = engine.queue_order(ids)
    engine.activate(trained.result.version)
    assert engine.queue_order(ids) == before != ids


def test_new_decisions_sharpen_a_live_version_too(trained: Trained, unknowing: Path) -> None:
    engine = opened(trained, unknowing)
    scan = trained.scans[25]
    before = engine.rerank([scan.id])[0].probability("d")
    wrong = [decided(s.id, "d") for s in trained.scans[25::2]]
    engine.learn(by_id(trained.scans), [*all_decided(trained.scans[:24]), *wrong])
    (after,) = engine.rerank([scan.id])
    assert after.version == "v1"
    assert after.decisions == 26
    assert (after.probability("d") or 0) > (before or 0)


def test_a_changed_label_set_drops_the_live_version(trained: Trained, unknowing: Path) -> None:
    engine = opened(trained, unknowing)
    engine.set_label_set(replace(LABELS, revision=2))
    (found,) = engine.rerank([0])
    assert found.version == FROZEN
    assert found.labels  # the instant learner serves at once


def test_only_versions_that_fit_are_activated(
    trained: Trained, unknowing: Path, tmp_path: Path
) -> None:
    version = trained.result.version
    engine = trained.make(unknowing)
    for wrong, said in (
        (replace(version, backbone_hash="0" * 64), "another backbone"),
        (replace(version, label_set_revision=2), "labels changed"),
        (replace(version, file="gone.safetensors"), "can't be read"),
        (replace(version, file="v1.pt"), "not a .safetensors"),
    ):
        with pytest.raises(VersionError, match=said):
            engine.activate(wrong)
    other = trained.make(write_backbone(tmp_path / "other", seed=5))
    with pytest.raises(VersionError, match="another backbone"):
        other.activate(version)
    renamed = LabelSet((Label("a", "A"), Label("b", "B")))
    with pytest.raises(VersionError, match="other labels"):
        trained.make(unknowing, renamed).activate(version)


def test_a_damaged_version_is_an_expected_trouble(trained: Trained, unknowing: Path) -> None:
    damaged = trained.file.with_name("damaged.safetensors")
    damaged.write_bytes(trained.file.read_bytes()[:-1000])
    with pytest.raises(VersionError, match="can't be read"):
        trained.make(unknowing).activate(
            replace(trained.result.version, file="damaged.safetensors")
        )


def test_a_scan_is_ranked_apart_without_a_version_that_learned_from_it(
    trained: Trained, unknowing: Path
) -> None:
    engine = opened(trained, unknowing)
    taught, new = trained.scans[0].id, trained.scans[25].id
    assert [(r.version, r.decisions) for r in engine.rank_apart(taught)] == [(FROZEN, 23)]
    assert [(r.version, r.decisions) for r in engine.rank_apart(new)] == [("v1", 24)]
    assert {r.version for r in engine.rerank([taught, new])} == {"v1"}
    assert engine.rank_apart(10_000) == []


@pytest.mark.parametrize(("said_again", "came_back"), [(False, 0), (True, 0), (False, 1)])
def test_a_retrained_version_is_held_against_the_live_one(
    trained: Trained,
    unknowing: Path,
    monkeypatch: pytest.MonkeyPatch,
    said_again: bool,
    came_back: int,
) -> None:
    """On patients that the live one did not learn from, whoever has decided their scans since."""
    monkeypatch.setattr(tuning, "MINIMUM", 3)  # v1 did not learn from the last four scans
    engine = opened(trained, unknowing)
    rivals: list[int] = []

    def noted(held: HeldOut, *, multi_label: bool, live: Rival | None) -> Judgement:
        rivals.append(0 if live is None else len(live[0]))
        return judge(held, multi_label=multi_label, live=live)

    monkeypatch.setattr("nearl_core.learn.tuning.judge", noted)
    known, new = trained.scans[:24], trained.scans[24:]
    scans = by_id([*trained.scans, *(replace(one, patient="P0") for one in new[:came_back])])
    standing = [replace(d, id=d.id + 1000 * said_again) for d in all_decided([*known, *new])]
    result = engine.train(scans, standing, version_id="v2", max_seconds=0.1, control=RunControl())
    assert rivals == [4 - came_back]
    assert result.version.before is not None
    assert result.version.before.n == 4 - came_back
