"""Training, and the versions that it makes."""

import itertools
import json
from pathlib import Path

import pytest
from safetensors import safe_open
from torch import Tensor

from nearl_core.control import RunControl
from nearl_core.engine import Engine
from nearl_core.errors import Cancelled, TrainingError, VersionError
from nearl_core.types import FROZEN, Label, LabelSet, Scan
from tests.engine.making import (
    LABELS,
    Making,
    all_decided,
    write_backbone,
    write_scans,
)
from tests.engine.trained import Trained, by_id
from tests.support.scans import disc, write_png

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


def test_a_version_says_how_long_its_training_took(trained: Trained) -> None:
    assert trained.result.version.seconds == pytest.approx(trained.seconds, abs=0.5)


def test_cancelling_leaves_nothing_behind(make: Making, unknowing: Path, scans: list[Scan]) -> None:
    control = RunControl(report=lambda p: control.cancel() if p.values else None)
    with pytest.raises(Cancelled):
        make(unknowing).train(
            by_id(scans), all_decided(scans[:12]), version_id="v1", control=control
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
            by_id(scans), all_decided(scans[:count]), version_id="v1", control=RunControl()
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
        by_id(scans),
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
            engine.learn(by_id(scans), all_decided(scans[:20]))

    engine.learn(by_id(scans), all_decided(scans[:12]))
    engine.train(
        by_id(scans),
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
        by_id(scans),
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
            by_id(scans),
            all_decided(scans[:12]),
            version_id="v1",
            max_seconds=0.1,
            control=RunControl(),
        )


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
            by_id(scans),
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
