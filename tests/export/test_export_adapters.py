"""The live version as a folder that others can load."""

import json
from dataclasses import asdict, replace
from pathlib import Path

import pytest
import torch

from nearl_core import labels_file
from nearl_core.cli import main
from nearl_core.errors import ExportError
from nearl_core.export.adapters import export_adapters
from nearl_core.model import adapter_file
from nearl_core.model.nearl import Nearl, NearlConfig
from nearl_core.store.project import Project
from nearl_core.types import NewDecision
from tests.support.projects import LABELS, labelled, new_project, version


@pytest.fixture
def project(tmp_path: Path) -> Project:
    """A project whose live version has real adapters; its reader and files have names."""
    made = new_project(tmp_path / "Erika Mustermann")
    made.record(NewDecision(1, "reader-erika", replace(labelled("disc"), note="Mustermann")))
    nearl = Nearl(NearlConfig(32, 32, 2, 2, rank=8, queries=2, blocks=1))
    about = {"blend": {"share": 0.5}}
    weights = made.adapters_folder / "v1.safetensors"
    adapter_file.write(weights, nearl, extra={"tuned.w": torch.ones(3)}, provenance=about)
    made.add_version(version("v1"))
    return made


def test_the_live_version_is_exported_and_loads_again(project: Project, tmp_path: Path) -> None:
    with project:
        project.activate("v1", reader="reader-erika")
        report = export_adapters(project, tmp_path / "out")
        trained, _, _ = adapter_file.read(project.adapters_folder / "v1.safetensors")
    assert report.version == "v1"
    loaded, extra, _ = adapter_file.read(report.folder / "adapters.safetensors")
    assert loaded.config == trained.config
    for name, value in trained.state_dict().items():
        assert torch.equal(loaded.state_dict()[name], value)
    assert torch.equal(extra["tuned.w"], torch.ones(3))
    assert labels_file.read(report.folder / "labels.yaml") == LABELS
    config = json.loads((report.folder / "config.json").read_text(encoding="utf-8"))
    assert (config["label_ids"], config["nearl"]) == (list(LABELS.ids), asdict(loaded.config))
    card = (report.folder / "README.md").read_text(encoding="utf-8")
    assert "| Disc | `disc` | - |" in card
    assert "| this version | 10 | 0.800 | 0.750 | 0.500 | 0.100 |" in card
    for file in report.folder.iterdir():
        data = file.read_bytes().lower()
        assert b"erika" not in data, file.name
        assert b"mustermann" not in data, file.name


def test_without_a_live_version_nothing_is_exported(project: Project, tmp_path: Path) -> None:
    with project, pytest.raises(ExportError, match=r"No version is live.*--activate"):
        export_adapters(project, tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_a_changed_file_is_not_exported(project: Project, tmp_path: Path) -> None:
    with project:
        project.activate("v1")
        with (project.adapters_folder / "v1.safetensors").open("ab") as file:
            file.write(b"x")
        with pytest.raises(ExportError, match="not the one that was trained"):
            export_adapters(project, tmp_path / "out")
        (project.adapters_folder / "v1.safetensors").unlink()
        with pytest.raises(ExportError, match="lost its file"):
            export_adapters(project, tmp_path / "out")
    assert not list(tmp_path.glob("out*"))


def test_the_command_says_where_they_are(
    project: Project, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with project:
        project.activate("v1")
    out = str(tmp_path / "out")
    assert main(["export", str(project.folder), out, "--format", "adapters", "--json"]) == 0
    said = json.loads(capsys.readouterr().out)
    assert said == {"folder": out, "format": "adapters", "version": "v1"}
