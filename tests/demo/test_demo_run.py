"""The main job: each step is told with its seconds and figures, and what it makes is there.

With a stand-in for the engine; the real one has tests of its own.
"""

import contextlib
import csv
import io
import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from nearl_core import demo
from nearl_core.cli import main
from nearl_core.control import RunControl
from nearl_core.types import (
    Decision,
    EngineInfo,
    LabelProbability,
    Ranking,
    Scan,
    TrainingResult,
    Version,
)

STEPS = [
    *("read", "add", "load", "rank before", "decide", "learn", "rank after", "train"),
    *("rank again", "export csv", "export imagefolder"),
]


class HeaderEngine:
    """Knows nothing until it was taught; then ranks by the header and keeps what it was told."""

    def __init__(self, *, backbone: str, adapters_folder: Path, **_: object) -> None:
        self.backbone = backbone
        self.adapters_folder = adapters_folder
        self.taught: Mapping[int, Scan] = {}

    def load(self, control: RunControl) -> EngineInfo:
        control.check()
        return EngineInfo(
            backbone=self.backbone,
            backbone_hash="0" * 64,
            parameters=1000,
            device="cpu",
            device_text="CPU",
            notice="",
        )

    def rank(self, scans: Sequence[Scan], control: RunControl) -> list[Ranking]:
        control.check()
        return [self._ranking(scan) for scan in scans]

    def rerank(self, scan_ids: Sequence[int]) -> list[Ranking]:
        return [self._ranking(self.taught[scan_id]) for scan_id in scan_ids]

    def learn(self, scans: Mapping[int, Scan], decisions: Sequence[Decision]) -> int:
        self.taught = scans
        return len(decisions)

    def activate(self, version: Version | None) -> None:
        assert version is not None

    def train(
        self, scans: Mapping[int, Scan], decisions: Sequence[Decision], **options: Any
    ) -> TrainingResult:
        assert scans
        (self.adapters_folder / "v1.safetensors").write_bytes(b"")
        version = Version(
            id=options["version_id"],
            created=datetime.now(UTC),
            file="v1.safetensors",
            backbone=self.backbone,
            backbone_hash="0" * 64,
            label_set_revision=1,
            decision_ids=tuple(decision.id for decision in decisions),
            seconds=1.0,
            device="cpu",
            before=None,
            after=None,
            promoted=True,
            reason="It is no worse.",
        )
        return TrainingResult(version=version, losses=(2.0, 1.0))

    def _ranking(self, scan: Scan) -> Ranking:
        if not self.taught:
            return Ranking(scan.id, "frozen", 0, (), notice="It does not know these words.")
        label_id = demo.label_of_modality(scan.modality)
        return Ranking(scan.id, "frozen", 1, (LabelProbability(label_id, 0.9),))


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[dict[str, Any]]]:
    """One run through the command line: its folder and its JSON lines."""
    folder = tmp_path_factory.mktemp("demo") / "made"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("nearl_core.engine.Engine", HeaderEngine)
        with contextlib.redirect_stdout(io.StringIO()) as printed:
            assert main(["demo", "--to", str(folder), "--json"]) == 0
    return folder, [json.loads(line) for line in printed.getvalue().splitlines()]


def test_every_step_is_told_with_its_seconds(run: tuple[Path, list[dict[str, Any]]]) -> None:
    _, lines = run
    assert [line["step"] for line in lines] == STEPS
    assert all(line["seconds"] >= 0 for line in lines)


def test_the_figures_agree_with_each_other(run: tuple[Path, list[dict[str, Any]]]) -> None:
    _, lines = run
    step = {line["step"]: line for line in lines}
    assert step["add"]["added"] == step["read"]["scans"]
    assert step["decide"]["decisions"] + step["decide"]["left"] == step["add"]["added"]
    assert step["learn"]["used"] == step["decide"]["decisions"]
    assert step["rank before"]["ranked"] == 0
    after = step["rank after"]
    assert after["agreed"] == after["compared"] == after["of"] == step["decide"]["left"]


def test_decisions_and_the_version_stand_in_the_project(
    run: tuple[Path, list[dict[str, Any]]],
) -> None:
    from nearl_core.store.project import Project

    folder, lines = run
    with Project.open(folder / "demo.nearl", read_only=True) as project:
        assert len(project.standing()) == lines[4]["decisions"]
        (version,) = project.versions()
        assert (version.id, version.live) == ("v1", True)


def test_what_is_exported_is_what_was_decided(run: tuple[Path, list[dict[str, Any]]]) -> None:
    folder, lines = run
    with (folder / "csv" / "decisions.csv").open(encoding="utf-8", newline="") as table:
        rows = list(csv.DictReader(table))
    assert len(rows) == lines[4]["decisions"]
    pictures = list((folder / "imagefolder").rglob("*.png"))
    assert len(pictures) == lines[4]["decisions"]


def test_a_folder_that_is_in_use_is_left_alone(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    kept = tmp_path / "kept.txt"
    kept.write_text("mine")
    assert main(["demo", "--to", str(tmp_path)]) == 3
    assert "not empty" in capsys.readouterr().err
    assert [path.name for path in tmp_path.iterdir()] == ["kept.txt"]
