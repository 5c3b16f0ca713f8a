"""Adapters on disk come back as they were, or say why not."""

import json
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file

from nearl_core.errors import VersionError
from nearl_core.model import adapter_file
from nearl_core.model.nearl import Nearl
from tests.model.making import adapted_clip, tiny_model

PROVENANCE = {"seed": 3, "labels": ["a", "ä"], "scale": 0.5}


@pytest.fixture
def nearl() -> Nearl:
    return adapted_clip(tiny_model(), first_layer=1)[1]


@pytest.fixture
def written(tmp_path: Path, nearl: Nearl) -> Path:
    path = tmp_path / "adapters" / "v1.safetensors"
    extra = {"head": torch.arange(6.0).reshape(2, 3).T}  # not contiguous
    adapter_file.write(path, nearl, extra=extra, provenance=PROVENANCE)
    return path


def rewrite(path: Path, **about: str) -> None:
    """Write it again with another header."""
    config = json.dumps(
        {
            "image_width": 32,
            "text_width": 16,
            "image_depth": 3,
            "text_depth": 2,
            "rank": 16,
            "queries": 3,
            "first_layer": 1,
        }
    )
    usual = {"format": "1", "config": config, "provenance": "{}"}
    tensors = load_file(path)
    save_file(tensors, path, usual | about)


def test_what_was_written_is_read(written: Path, nearl: Nearl) -> None:
    read, extra, provenance = adapter_file.read(written)
    assert read.config == nearl.config
    assert not any(p.requires_grad for p in read.parameters())
    for name, value in nearl.state_dict().items():
        assert torch.equal(read.state_dict()[name], value)
    assert torch.equal(extra["head"], torch.arange(6.0).reshape(2, 3).T)
    assert provenance == PROVENANCE
    assert [f.name for f in written.parent.iterdir()] == ["v1.safetensors"]


def test_writing_again_replaces_the_whole(written: Path, nearl: Nearl) -> None:
    adapter_file.write(written, nearl, extra={}, provenance={})
    assert adapter_file.read(written)[1:] == ({}, {})


def test_the_header_that_is_rewritten_here_is_the_right_one(written: Path) -> None:
    rewrite(written)
    adapter_file.read(written)


@pytest.mark.parametrize(
    "about",
    [
        {"config": "{"},
        {"config": "{}"},
        {"config": '{"image_width": 8, "text_width": 8, "image_depth": 0, "text_depth": 1}'},
        {"config": '{"image_width": 8, "text_width": 8, "image_depth": 3, "text_depth": 2}'},
        {"provenance": "?"},
        {"provenance": "[1]"},
    ],
)
def test_a_header_that_does_not_fit_is_refused(written: Path, about: dict[str, str]) -> None:
    rewrite(written, **about)
    with pytest.raises(VersionError, match=r"v1\.safetensors can't be read") as caught:
        adapter_file.read(written)
    assert caught.value.remedy


def test_a_newer_format_is_refused(written: Path) -> None:
    rewrite(written, format="2")
    with pytest.raises(VersionError, match="newer format"):
        adapter_file.read(written)


def test_a_cut_file_is_refused(written: Path) -> None:
    written.write_bytes(written.read_bytes()[:-100])
    with pytest.raises(VersionError, match="can't be read"):
        adapter_file.read(written)


def test_a_missing_tensor_is_refused(written: Path) -> None:
    tensors = load_file(written)
    del tensors["nearl.queries"]
    save_file(tensors, written)
    with pytest.raises(VersionError, match="can't be read"):
        adapter_file.read(written)


def test_a_missing_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(VersionError, match="can't be read"):
        adapter_file.read(tmp_path / "v9.safetensors")


def test_only_safetensors_are_opened(written: Path) -> None:
    other = written.rename(written.with_suffix(".pt"))
    with pytest.raises(VersionError, match=r"not a \.safetensors file"):
        adapter_file.read(other)
