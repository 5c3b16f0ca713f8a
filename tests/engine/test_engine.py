"""The engine on a tiny backbone and scans that it can tell apart."""

import shutil
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from torch import Tensor

from nearl_core import teaching
from nearl_core.control import RunControl
from nearl_core.engine import Engine
from nearl_core.errors import BackboneError, NearlError
from nearl_core.model.encoder import Adapted
from nearl_core.model.features import FeatureCache
from nearl_core.state import LiveVersion, Ready
from nearl_core.types import FROZEN, Label, LabelSet, Ranking, Scan
from tests.engine.making import (
    LABELS,
    Making,
    all_decided,
    decided,
    noise,
    truth,
    write_backbone,
    write_scans,
)
from tests.support.projects import version
from tests.support.scans import disc, write_dicom, write_png


def _by_id(scans: list[Scan]) -> dict[int, Scan]:
    return {scan.id: scan for scan in scans}


def _right(rankings: list[Ranking], scans: list[Scan]) -> float:
    """The share of scans whose first label is the right one."""
    pairs = zip(rankings, scans, strict=True)
    return float(np.mean([r.labels[0].label_id == truth(scan) for r, scan in pairs]))


# --- before and after decisions ---


def test_loading_says_what_it_works_with(make: Making, knowing: Path) -> None:
    engine = Engine(
        backbone=str(knowing),
        label_set=LABELS,
        reader=make.reader,
        adapters_folder=make.folder,
        cache_folder=make.folder,
        device="cpu",
    )
    with pytest.raises(NearlError, match="not loaded"):
        engine.rank([], RunControl())
    steps: list[int] = []
    info = engine.load(RunControl(report=lambda p: steps.append(p.done)))
    assert (info.backbone, info.device) == ("knowing", "cpu")
    assert info.parameters > 800_000
    assert info.device_text.startswith("CPU")
    assert steps == [0, 1, 2, 3]


def test_a_missing_backbone_is_an_expected_trouble(make: Making) -> None:
    with pytest.raises(BackboneError):
        make(Path("nowhere"))


def test_unknown_words_get_a_sentence_and_no_bars(
    make: Making, unknowing: Path, scans: list[Scan]
) -> None:
    engine = make(unknowing)
    (found,) = engine.rank(scans[:1], RunControl())
    assert found.labels == ()
    assert "new to the backbone" in found.notice
    assert (found.version, found.decisions) == (FROZEN, 0)


def test_known_words_get_bars_before_any_decision(
    make: Making, knowing: Path, scans: list[Scan]
) -> None:
    (found,) = make(knowing).rank(scans[:1], RunControl())
    assert {entry.label_id for entry in found.labels} == {"d", "s"}
    assert sum(entry.probability for entry in found.labels) == pytest.approx(1)
    assert found.labels[0].probability >= found.labels[1].probability


def test_some_known_words_get_bars_for_their_labels_alone(
    make: Making, scans: list[Scan], tmp_path: Path
) -> None:
    backbone = write_backbone(tmp_path / "half", words="disc\nstripes\n")
    strange = LabelSet((*LABELS.labels, Label("t", "Torus")))
    engine = make(backbone, strange)
    (found,) = engine.rank(scans[:1], RunControl())
    assert {entry.label_id for entry in found.labels} == {"d", "s"}
    assert found.notice == "Nothing is known yet of: Torus."
    engine.learn(_by_id(scans), [decided(0, "t")])  # which says nothing of the other two
    assert engine.rerank([0])[0].labels == found.labels
    (found,) = make(backbone, LabelSet(strange.labels[1:])).rank(scans[:1], RunControl())
    assert found.labels == ()  # one text alone tells nothing apart


def test_one_label_is_not_enough_to_rank_by(
    make: Making, unknowing: Path, scans: list[Scan]
) -> None:
    engine = make(unknowing)
    engine.rank(scans[:4], RunControl())
    assert engine.learn(_by_id(scans), [decided(0, "d"), decided(2, "d")]) == 2
    (found,) = engine.rerank([1])
    assert found.labels == ()
    assert "at least two labels" in found.notice


def test_labels_of_which_nothing_is_known_are_named_and_the_others_sum_to_one(
    make: Making, unknowing: Path, scans: list[Scan]
) -> None:
    engine = make(unknowing)
    engine.rank(scans, RunControl())
    engine.set_label_set(LabelSet((*LABELS.labels, Label("t", "Torus"))))
    engine.learn(_by_id(scans), all_decided(scans[:8]))
    (found,) = engine.rerank([scans[-1].id])
    assert {entry.label_id for entry in found.labels} == {"d", "s"}
    assert sum(entry.probability for entry in found.labels) == pytest.approx(1)
    assert "Torus" in found.notice


def test_a_label_that_was_added_is_not_absent_from_the_scans_decided_before(
    make: Making, unknowing: Path, scans: list[Scan]
) -> None:
    labels = (Label("d", "Disc"), Label("k", "Striped", parent="d"))
    engine = make(unknowing, LabelSet(labels, multi_label=True))
    engine.rank(scans, RunControl())
    new = [decided(s.id, *(("d", "k") if s.id % 2 else ("d",))) for s in scans[16:22]]
    old = [decided(scan.id, "d", unasked=("k",)) for scan in scans[:16]]
    found = dict[str, float | None]()
    for asked in ("then", "not"):
        said = old if asked == "not" else [replace(one, unasked=()) for one in old]
        assert engine.learn(_by_id(scans), [*said, *new]) == 22
        (ranking,) = engine.rerank([scans[-1].id])
        found[asked] = ranking.probability("k")
    assert found["not"] is not None
    assert found["then"] is not None
    assert found["not"] > found["then"] + 0.1
    engine.learn(_by_id(scans), old)
    (ranking,) = engine.rerank([scans[-1].id])
    assert ranking.probability("k") is None
    assert "Striped" in ranking.notice


def test_each_decision_sharpens_the_ranking(
    make: Making, unknowing: Path, scans: list[Scan]
) -> None:
    engine = make(unknowing)
    engine.rank(scans, RunControl())
    shown, unseen = _by_id(scans), scans[20:]
    sharp = []
    for count in (4, 20):
        assert engine.learn(shown, all_decided(scans[:count])) == count
        rankings = engine.rerank([scan.id for scan in unseen])
        assert {r.decisions for r in rankings} == {count}
        pairs = zip(rankings, unseen, strict=True)
        sharp.append(np.mean([r.probability(truth(scan)) for r, scan in pairs]))
    assert _right(rankings, unseen) == 1.0
    assert sharp[1] > sharp[0]
    assert sharp[1] > 0.7


def test_only_scans_whose_features_are_known_are_learned_and_reranked(
    make: Making, unknowing: Path, scans: list[Scan]
) -> None:
    engine = make(unknowing)
    engine.rank(scans[:3], RunControl())
    assert engine.learn(_by_id(scans), all_decided(scans[:6])) == 3
    assert [r.scan_id for r in engine.rerank([0, 1, 7, 999])] == [0, 1]


def test_a_scan_that_can_t_be_read_gets_its_notice_beside_the_others(
    make: Making, knowing: Path, scans: list[Scan], tmp_path: Path
) -> None:
    broken = tmp_path / "broken.png"
    broken.write_bytes(scans[0].path.read_bytes()[:60])
    asked = [scans[0], Scan(70, broken), Scan(71, tmp_path / "gone.png"), scans[1]]
    found = make(knowing).rank(asked, RunControl())
    assert [r.scan_id for r in found] == [0, 70, 71, 1]
    assert [bool(r.labels) for r in found] == [True, False, False, True]
    assert all(r.notice for r in found[1:3])
    assert not any(str(tmp_path) in r.notice for r in found)


def test_a_file_that_comes_back_is_ranked(
    make: Making, knowing: Path, scans: list[Scan], tmp_path: Path
) -> None:
    engine, scan = make(knowing), Scan(70, tmp_path / "later.png")
    engine.learn({70: scan}, [decided(70, "d")])  # its disk is not there yet
    assert not engine.rank([scan], RunControl())[0].labels
    shutil.copyfile(scans[0].path, scan.path)
    assert engine.rank([scan], RunControl())[0].labels


def test_a_changed_file_never_meets_its_old_feature(
    make: Making, knowing: Path, tmp_path: Path
) -> None:
    scan = Scan(0, write_png(tmp_path / "scan.png", disc()))
    (before,) = make(knowing).rank([scan], RunControl())
    write_png(scan.path, noise())
    (after,) = make(knowing).rank([scan], RunControl())
    (other,) = make(knowing).rank([Scan(1, write_png(tmp_path / "o.png", noise()))], RunControl())
    assert after.labels == other.labels != before.labels


def test_stacks_are_ranked_by_the_middle_frame_and_evenly_spaced_ones(
    make: Making, knowing: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    frames = np.stack([disc(seed=n) for n in range(9)]).astype(np.uint16)
    scan = Scan(0, write_dicom(tmp_path / "stack.dcm", frames), frames=9)
    engine, read = make(knowing), list[int]()
    picture = engine.picture

    def noted(path: Path, frame: int) -> Tensor:
        read.append(frame)
        return picture(path, frame)

    monkeypatch.setattr(engine, "picture", noted)
    (found,) = engine.rank([scan], RunControl())
    assert found.frame == 4
    assert sorted(read) == [1, 4, 7]
    assert found.labels


def test_a_version_that_goes_live_has_no_frozen_feature_made_again(
    make: Making, knowing: Path, scans: list[Scan], monkeypatch: pytest.MonkeyPatch
) -> None:
    engine = make(knowing)
    engine.rank(scans[:5], RunControl())
    fresh, ranker = engine.encoder.trainable(first_layer=0).nearl, engine.ready.ranker
    assert fresh is not None
    assert ranker is not None
    adapted = engine.encoder.adapted(fresh, LABELS)
    cache = FeatureCache(make.folder / "cache", "version")
    engine.learner.use_version(LiveVersion(version("v1"), adapted, ranker, cache))
    made, features = list[Adapted | None](), engine.encoder.features

    def noted(images: Sequence[Tensor], adapted: Adapted | None) -> NDArray[np.float32]:
        made.extend([adapted] * len(images))
        return features(images, adapted)

    monkeypatch.setattr(engine.encoder, "features", noted)
    assert {r.version for r in engine.rank(scans[:7], RunControl())} == {"v1"}
    assert (made.count(None), made.count(adapted)) == (2, 7)


def test_a_long_ranking_can_be_cancelled(make: Making, knowing: Path, scans: list[Scan]) -> None:
    from nearl_core.errors import Cancelled

    control = RunControl()
    control.cancel()
    with pytest.raises(Cancelled):
        make(knowing).rank(scans, control)


# --- several labels at once ---


def test_a_multi_label_set_learns_that_none_applies(
    make: Making, unknowing: Path, scans: list[Scan]
) -> None:
    label_set = replace(LABELS, labels=LABELS.labels[:1], multi_label=True)
    engine = make(unknowing, label_set)
    engine.rank(scans, RunControl())
    decisions = [decided(s.id, *(["d"] if truth(s) == "d" else [])) for s in scans[:20]]
    assert engine.learn(_by_id(scans), decisions) == 20
    p = {r.scan_id: r.probability("d") for r in engine.rerank([s.id for s in scans[20:]])}
    assert min(v for i, v in p.items() if v is not None and i % 2 == 0) > 0.5
    assert max(v for i, v in p.items() if v is not None and i % 2 == 1) < 0.5


# --- labels ---


def test_a_new_label_is_ranked_once_it_is_decided(
    make: Making, unknowing: Path, scans: list[Scan]
) -> None:
    engine = make(unknowing)
    engine.rank(scans[:8], RunControl())
    engine.learn(_by_id(scans), all_decided(scans[:6]))
    grown = LabelSet((*LABELS.labels, Label("x", "Other")), revision=2)
    engine.set_label_set(grown)
    (found,) = engine.rerank([0])
    assert [entry.label_id for entry in found.labels] == ["d", "s"]
    assert "Other" in found.notice
    engine.learn(_by_id(scans), [*all_decided(scans[:6]), decided(6, "x")])
    assert len(engine.rerank([0])[0].labels) == 3


# --- the queue and the cache ---


def test_the_queue_holds_each_scan_once(make: Making, unknowing: Path, scans: list[Scan]) -> None:
    engine, ids = make(unknowing), [scan.id for scan in scans]
    assert engine.queue_order(ids) == ids  # nothing is known: as they stood
    engine.rank(scans[:20], RunControl())
    for decisions in ([], all_decided(scans[:6])):
        engine.learn(_by_id(scans), decisions)
        order = engine.queue_order(ids)
        assert sorted(order) == sorted(ids)
        assert order[20:] == ids[20:]


def test_scans_unlike_all_decided_ones_say_so(
    make: Making, unknowing: Path, scans: list[Scan], tmp_path: Path
) -> None:
    engine = make(unknowing)
    odd = Scan(70, write_png(tmp_path / "odd.png", noise()))
    engine.rank([*scans, odd], RunControl())
    engine.learn(_by_id(scans), all_decided(scans[:20]))
    found = {r.scan_id: r.unlike for r in engine.rerank([*(s.id for s in scans), 70])}
    assert found.pop(70)
    assert not any(found.values())


def test_slips_are_to_be_looked_at_again(make: Making, unknowing: Path, tmp_path: Path) -> None:
    engine, many = make(unknowing), write_scans(tmp_path, each=20)
    engine.rank(many, RunControl())
    slip, shown = many[5], _by_id(many)
    said = [d for d in all_decided(many) if d.scan_id != slip.id]
    assert engine.look_again(shown, said[:20]) == []  # too few to tell
    wrong = decided(slip.id, "d" if truth(slip) == "s" else "s")
    first, *_ = engine.look_again(shown, [*said, wrong])
    assert (first.scan_id, first.decision_id) == (slip.id, wrong.id)
    assert first.label_id == truth(slip)
    assert first.odds > 1
    assert slip.id not in {x.scan_id for x in engine.look_again(shown, all_decided(many))}


def test_segmentation_is_not_ranked_and_says_so(
    make: Making, knowing: Path, scans: list[Scan]
) -> None:
    engine = make(knowing)
    shown = replace(scans[0], id=71, modality="SEG")
    first, second = engine.rank([shown, scans[1]], RunControl())
    assert not first.labels
    assert "not ranked" in first.notice
    assert second.labels


def test_features_are_kept_and_their_folder_may_be_deleted(
    make: Making, knowing: Path, scans: list[Scan], monkeypatch: pytest.MonkeyPatch
) -> None:
    first = make(knowing).rank(scans[:6], RunControl())
    with monkeypatch.context() as patch:
        again = make(knowing)
        patch.setattr(again, "picture", lambda *_: pytest.fail("read though it was known"))
        assert again.rank(scans[:6], RunControl()) == first
    shutil.rmtree(make.folder / "cache")
    assert make(knowing).rank(scans[:6], RunControl()) == first
    (make.folder / "cache" / "features.db").write_bytes(b"not a database")
    assert make(knowing).rank(scans[:6], RunControl()) == first


def test_what_was_learned_last_stands_whoever_finishes_last(
    make: Making, unknowing: Path, scans: list[Scan], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two fits may overlap, as the desk's threads do: the older one must not win."""
    engine = make(unknowing)
    engine.rank(scans, RunControl())
    taught, calls = teaching.taught, list[int]()

    def overtaken(*args: Any, **options: Any) -> Ready:
        calls.append(1)
        if len(calls) == 1:
            engine.learn(_by_id(scans), all_decided(scans[:12]))
        return taught(*args, **options)

    monkeypatch.setattr(teaching, "taught", overtaken)
    engine.learn(_by_id(scans), all_decided(scans[:4]))
    assert engine.rerank([0])[0].decisions == 12
