"""Training, and the versions that it makes."""

import itertools
import json
import time
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
from safetensors import safe_open
from torch import Tensor

from nearl_core.control import Progress, RunControl
from nearl_core.engine import Engine
from nearl_core.errors import Cancelled, TrainingError, VersionError
from nearl_core.learn import tuning
from nearl_core.learn.promote import HeldOut, Judgement, Rival, judge
from nearl_core.scans.guard import ScanReader
from nearl_core.types import FROZEN, Label, LabelSet, Ranking, Scan, TrainingResult
from tests.engine.making import (
    LABELS,
    Making,
    all_decided,
    decided,
    truth,
    write_backbone,
    write_scans,
)
from tests.support.scans import disc, write_png

SECONDS = 2.0
Scans = dict[int, Scan]


@dataclass
class Trained:
    """One training, which many tests look at.

    Attributes:
        between: How often waiting work was let in while it trained.
        reports: What it reported.
        served: Rankings that were asked for in between.
        seconds: How long it took, all in all.
    """

    make: Making
    engine: Engine
    result: TrainingResult
    scans: list[Scan]
    between: int
    reports: list[Progress]
    served: list[Ranking]
    seconds: float

    @property
    def file(self) -> Path:
        return self.make.folder / "adapters" / self.result.version.file


@pytest.fixture(scope="module")
def trained(
    reader: ScanReader,
    unknowing: Path,
    scans: list[Scan],
    tmp_path_factory: pytest.TempPathFactory,
) -> Trained:
    make = Making(reader, tmp_path_factory.mktemp("project"))
    engine, served, reports, count = make(unknowing), list[Ranking](), list[Progress](), [0]

    def between() -> None:
        count[0] += 1
        if count[0] % 40 == 0:
            served.extend(engine.rank([scans[24 + len(served) % 4]], RunControl()))

    engine.learn(_by_id(scans), all_decided(scans[:24]))
    started = time.monotonic()
    result = engine.train(
        _by_id(scans),
        all_decided(scans[:24]),
        version_id="v1",
        max_seconds=SECONDS,
        control=RunControl(report=reports.append, between=between),
    )
    seconds = time.monotonic() - started
    return Trained(make, engine, result, scans, count[0], reports, served, seconds)


def _by_id(scans: list[Scan]) -> Scans:
    return {scan.id: scan for scan in scans}


def _opened(trained: Trained, backbone: Path, label_set: LabelSet = LABELS) -> Engine:
    """A second engine on the same project, taught and with the version live."""
    engine = trained.make(backbone, label_set)
    engine.activate(trained.result.version)
    engine.rank(trained.scans, RunControl())
    engine.learn(_by_id(trained.scans), all_decided(trained.scans[:24]))
    return engine


def _close(one: list[Ranking], other: list[Ranking], *, to: float = 1e-6) -> bool:
    """Whether both say the same."""
    return all(
        (a.scan_id, a.version, a.decisions) == (b.scan_id, b.version, b.decisions)
        and all(e.probability == pytest.approx(b.probability(e.label_id), abs=to) for e in a.labels)
        and a.labels
        for a, b in zip(one, other, strict=True)
    )


# --- training ---


def test_a_version_says_what_it_was_made_of(trained: Trained) -> None:
    version = trained.result.version
    assert (version.id, version.backbone, version.device) == ("v1", "unknowing", "cpu")
    assert version.label_set_revision == LABELS.revision
    assert version.decision_ids == tuple(d.id for d in all_decided(trained.scans[:24]))
    assert version.before is not None
    assert version.after is not None
    assert version.before.n == version.after.n == 24
    assert version.reason.endswith(".")
    assert trained.result.losses
    assert not version.live
    assert trained.engine.rerank([0])[0].version == FROZEN  # nothing goes live by itself


def test_the_file_holds_tensors_and_its_provenance(trained: Trained) -> None:
    version = trained.result.version
    with safe_open(trained.file, "pt") as file:
        about = json.loads(file.metadata()["provenance"])
    assert about["backbone_hash"] == version.backbone_hash
    assert about["label_ids"] == ["d", "s"]
    assert about["decision_ids"] == list(version.decision_ids)
    assert about["after"]["balanced_accuracy"] == version.after.balanced_accuracy  # type: ignore[union-attr]
    assert not list(trained.file.parent.glob("*.partial"))


def test_training_lets_waiting_work_in_often(trained: Trained) -> None:
    # Waiting work may wait 250 ms; on a busy machine, too.
    assert trained.between > 4 * trained.seconds
    assert trained.served
    assert all(ranking.labels for ranking in trained.served)
    losses = [dict(r.values)["loss"] for r in trained.reports if r.values]
    assert tuple(losses[: len(trained.result.losses)]) == trained.result.losses
    assert any("checking" in r.text for r in trained.reports)


def test_a_time_limit_is_kept_roughly(trained: Trained) -> None:
    assert trained.seconds < 3 * SECONDS  # a busy machine; `test_tuning.py` counts exactly
    assert trained.result.version.seconds == pytest.approx(trained.seconds, abs=0.5)


def test_cancelling_leaves_nothing_behind(make: Making, unknowing: Path, scans: list[Scan]) -> None:
    control = RunControl(report=lambda p: control.cancel() if p.values else None)
    with pytest.raises(Cancelled):
        make(unknowing).train(
            _by_id(scans), all_decided(scans[:12]), version_id="v1", control=control
        )
    assert not (make.folder / "adapters").exists()


@pytest.mark.parametrize("count", [0, 3])
def test_too_few_decisions_are_refused_before_anything_is_read(
    make: Making, unknowing: Path, scans: list[Scan], count: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine = make(unknowing)
    monkeypatch.setattr(engine, "picture", lambda *_: pytest.fail("read"))
    with pytest.raises(TrainingError, match="too few decisions") as trouble:
        engine.train(
            _by_id(scans), all_decided(scans[:count]), version_id="v1", control=RunControl()
        )
    assert "8 scans" in trouble.value.remedy


def test_a_file_that_is_gone_does_not_keep_the_others_from_training(
    make: Making, unknowing: Path, tmp_path: Path
) -> None:
    scans = write_scans(tmp_path / "scans", each=6)
    scans[0].path.unlink()
    engine = make(unknowing)
    engine.rank(scans, RunControl())
    scans[1].path.unlink()  # this one's feature is still known
    result = engine.train(
        _by_id(scans),
        all_decided(scans),
        version_id="v1",
        max_seconds=0.1,
        control=RunControl(),
    )
    assert result.version.decision_ids == tuple(d.id for d in all_decided(scans[2:]))


def test_decisions_made_while_it_trains_are_not_forgotten(
    make: Making, unknowing: Path, scans: list[Scan]
) -> None:
    engine, turn = make(unknowing), itertools.count()
    engine.rank(scans, RunControl())

    def between() -> None:
        if next(turn) == 3:
            engine.learn(_by_id(scans), all_decided(scans[:20]))

    engine.learn(_by_id(scans), all_decided(scans[:12]))
    engine.train(
        _by_id(scans),
        all_decided(scans[:12]),
        version_id="v1",
        max_seconds=0.1,
        control=RunControl(between=between),
    )
    assert engine.rerank([0])[0].decisions == 20


def test_a_change_of_labels_while_it_trains_keeps_the_version_to_its_own(
    make: Making, unknowing: Path, scans: list[Scan]
) -> None:
    engine, turn = make(unknowing), itertools.count()
    grown = LabelSet((*LABELS.labels, Label("x", "Other")), revision=2)

    def between() -> None:
        if next(turn) == 30:
            engine.set_label_set(grown)

    result = engine.train(
        _by_id(scans),
        all_decided(scans[:12]),
        version_id="v1",
        max_seconds=0.1,
        control=RunControl(between=between),
    )
    assert next(turn) > 31
    assert result.version.label_set_revision == 1
    with pytest.raises(VersionError, match="labels changed"):
        engine.activate(result.version)
    assert engine.rerank([0])[0].version == FROZEN


def test_a_full_disk_is_an_expected_trouble(
    make: Making, unknowing: Path, scans: list[Scan]
) -> None:
    (make.folder / "adapters").write_text("a file where a folder should be")
    with pytest.raises(TrainingError, match="could not be written"):
        make(unknowing).train(
            _by_id(scans),
            all_decided(scans[:12]),
            version_id="v1",
            max_seconds=0.1,
            control=RunControl(),
        )


# --- ranking with a version ---


def test_a_live_version_ranks_and_can_be_taken_back(trained: Trained, unknowing: Path) -> None:
    engine = _opened(trained, unknowing)
    ids = [scan.id for scan in trained.scans[24:]]
    found = engine.rerank(ids)
    assert {r.version for r in found} == {"v1"}
    assert [r.labels[0].label_id for r in found] == [truth(s) for s in trained.scans[24:]]
    engine.activate(None)
    assert {r.version for r in engine.rerank(ids)} == {FROZEN}
    # More scans were known there when it learned, and which axes they differ along counts.
    before = trained.engine.rank(trained.scans[24:], RunControl())
    assert _close(engine.rerank(ids), before, to=0.005)


def test_a_second_engine_ranks_the_same(trained: Trained, unknowing: Path) -> None:
    first, second = (_opened(trained, unknowing) for _ in range(2))
    ids = [scan.id for scan in trained.scans]
    assert _close(first.rerank(ids), second.rerank(ids))
    (trained.make.folder / "cache" / "features.db").unlink()
    assert _close(first.rerank(ids), _opened(trained, unknowing).rerank(ids))


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
    engine.learn(_by_id(trained.scans), all_decided(trained.scans[:12]))
    ids = [scan.id for scan in trained.scans[12:]]
    before = engine.queue_order(ids)
    engine.activate(trained.result.version)
    assert engine.queue_order(ids) == before != ids


def test_new_decisions_sharpen_a_live_version_too(trained: Trained, unknowing: Path) -> None:
    engine = _opened(trained, unknowing)
    scan = trained.scans[25]
    before = engine.rerank([scan.id])[0].probability("d")
    wrong = [decided(s.id, "d") for s in trained.scans[25::2]]
    engine.learn(_by_id(trained.scans), [*all_decided(trained.scans[:24]), *wrong])
    (after,) = engine.rerank([scan.id])
    assert after.version == "v1"
    assert after.decisions == 26
    assert (after.probability("d") or 0) > (before or 0)


def test_a_changed_label_set_drops_the_live_version(trained: Trained, unknowing: Path) -> None:
    engine = _opened(trained, unknowing)
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


def test_a_retrained_version_is_held_against_the_live_one(
    trained: Trained, unknowing: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tuning, "MINIMUM", 4)  # the few scans that v1 did not learn from
    engine = _opened(trained, unknowing)
    rivals: list[int] = []

    def noted(held: HeldOut, *, multi_label: bool, live: Rival | None) -> Judgement:
        rivals.append(0 if live is None else len(live[0]))
        return judge(held, multi_label=multi_label, live=live)

    monkeypatch.setattr("nearl_core.learn.tuning.judge", noted)
    result = engine.train(
        _by_id(trained.scans),
        all_decided(trained.scans),
        version_id="v2",
        max_seconds=0.1,
        control=RunControl(),
    )
    assert rivals == [4]
    assert result.version.before is not None
    assert result.version.before.n == 4


# --- prefixes on disk ---


def test_what_one_training_has_read_the_next_one_finds(
    make: Making, unknowing: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    scans = write_scans(tmp_path / "scans", each=5)
    read: list[Path] = []
    picture = Engine.picture

    def reads(engine: Engine, path: Path, frame: int) -> Tensor:
        read.append(path)
        return picture(engine, path, frame)

    def train(engine: Engine, version: str) -> list[str]:
        engine.rank(scans, RunControl())
        read.clear()
        engine.train(
            _by_id(scans),
            all_decided(scans),
            version_id=version,
            max_seconds=0.1,
            control=RunControl(),
        )
        return sorted(path.name for path in read)

    monkeypatch.setattr(Engine, "picture", reads)
    names = sorted(scan.path.name for scan in scans)
    engine = make(unknowing)
    assert train(engine, "v1") == names
    assert train(engine, "v2") == []
    write_png(scans[3].path, disc(seed=99))
    assert train(engine, "v3") == [scans[3].path.name]
    assert train(make(write_backbone(tmp_path / "other", seed=1)), "v4") == names
    assert train(make(unknowing), "v5") == []
