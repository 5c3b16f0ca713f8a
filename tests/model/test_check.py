"""`backbones list|get|add|check`: what the command line answers."""

import json
from pathlib import Path

import pytest
import torch

from nearl_core.cli import main
from nearl_core.control import Progress, RunControl
from nearl_core.model import backbones, check
from nearl_core.model.nearl import Nearl
from tests.model.making import write_backbone

FIELDS = [
    "backbone",
    "parameters",
    "adapter_parameters",
    "fresh_adapter_max_difference",
    "detached_max_difference",
    "update_max_cosine",
    "update_min_norm",
]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return write_backbone(tmp_path / "tiny")


def run(capsys: pytest.CaptureFixture[str], *arguments: str) -> list[dict[str, object]]:
    assert main(["--json", "backbones", *arguments]) == 0
    return [json.loads(line) for line in capsys.readouterr().out.splitlines()]


@pytest.mark.parametrize("extra", [[], ["--random"], ["--random", "--seed", "7"]])
def test_check_answers_what_was_measured(
    folder: Path, capsys: pytest.CaptureFixture[str], extra: list[str]
) -> None:
    (found,) = run(capsys, "check", str(folder), *extra)
    assert list(found) == FIELDS
    assert found["fresh_adapter_max_difference"] == 0.0
    assert found["detached_max_difference"] == 0.0
    assert isinstance(found["update_max_cosine"], float)
    assert isinstance(found["update_min_norm"], float)
    assert 0 < found["update_max_cosine"] < 1e-5
    assert found["update_min_norm"] > 0.1
    assert found["parameters"] == backbones.load(str(folder)).parameters


def test_check_finds_an_update_that_is_not_orthogonal(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("nearl_core.model.nearl.split", lambda u, f: (u + f, 0 * f))
    found = check.check(backbones.load(str(folder)), seed=0, control=RunControl())
    assert found.update_max_cosine > 0.01
    assert found.fresh_adapter_max_difference > 1e-3


def test_check_finds_adapters_that_touch_the_backbone(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    backbone = backbones.load(str(folder))
    start = Nearl.start

    def touch(nearl: Nearl, batch: int) -> torch.Tensor:
        backbone.model.visual.proj.data[0] += 0.1
        return start(nearl, batch)

    monkeypatch.setattr(Nearl, "start", touch)
    found = check.check(backbone, seed=0, control=RunControl())
    assert found.detached_max_difference > 1e-4


def test_check_reports_its_steps_and_keeps_the_seed(folder: Path) -> None:
    seen: list[Progress] = []
    backbone = backbones.load(str(folder))
    control = RunControl(report=seen.append)
    first = check.check(backbone, seed=3, control=control)
    assert first == check.check(backbone, seed=3, control=control)
    assert first != check.check(backbone, seed=4, control=control)
    assert len(seen) >= 9


def test_list_tells_what_is_here_and_what_can_be_fetched(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (added,) = run(capsys, "add", str(folder), "--name", "mine")
    assert added["backbone"] == "mine"
    lines = {line["backbone"]: line for line in run(capsys, "list")}
    assert lines["mine"]["here"]
    assert lines["mine"]["folder"] == added["folder"]
    assert not lines["ViT-B-16"]["here"]
    assert lines["ViT-B-16"]["licence"] == "MIT"


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["check", "unheard-of"], "no backbone 'unheard-of'"),
        (["check", "unheard-of", "--random"], "no architecture 'unheard-of'"),
        (["check", "ViT-B-16"], "backbones get ViT-B-16"),
        (["get", "ViT-B-16"], "Check the network"),
        (["add", "nowhere"], "not there"),
    ],
)
def test_what_can_not_be_used_is_one_line_and_3(
    arguments: list[str], says: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["backbones", *arguments]) == 3
    captured = capsys.readouterr()
    assert not captured.out
    assert says in captured.err


def test_wrong_usage_is_2(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["backbones"]) == 2
    assert "COMMAND" in capsys.readouterr().err
