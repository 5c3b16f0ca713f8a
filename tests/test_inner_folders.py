"""A project whose drive is gone: nothing of it comes to stand where the drive was."""

import shutil
from pathlib import Path

import numpy as np
import pytest
import torch

from nearl_core.inner_folders import make_inner
from nearl_core.model import adapter_file
from nearl_core.model.features import FeatureCache
from nearl_core.model.nearl import Nearl, NearlConfig
from nearl_core.model.prefix_cache import PrefixCache
from nearl_core.scans.thumbnails import ThumbnailCache

CONFIG = NearlConfig(image_width=8, text_width=8, image_depth=2, text_depth=2, rank=8)


def _write_everything(project: Path) -> list[OSError]:
    """What the desk writes beside the database; caches do without a disk, or say so."""
    told = []
    features = FeatureCache(project / "cache", "a source")
    features.put("a scan", 0, np.ones(4, np.float32))
    features.save()
    PrefixCache(project / "cache" / "prefixes", "a source").put("a key", torch.ones(3))
    try:
        ThumbnailCache(project / "cache" / "thumbnails").keep(1, np.zeros((4, 4, 3), np.uint8))
    except OSError as error:
        told.append(error)
    try:
        path = project / "adapters" / "v1.safetensors"
        adapter_file.write(path, Nearl(CONFIG), extra={}, provenance={})
    except OSError as error:
        told.append(error)
    return told


def test_pictures_and_features_stay_away_from_the_place_of_a_drive_that_is_gone(
    tmp_path: Path,
) -> None:
    project = tmp_path / "drive" / "p.nearl"
    project.mkdir(parents=True)
    assert _write_everything(project) == []
    names = {path.name for path in project.rglob("*") if path.is_file()}
    assert names >= {"features.db", "1.png", "v1.safetensors"}
    assert len(names) == 4
    shutil.rmtree(project)
    assert [type(error) for error in _write_everything(project)] == [FileNotFoundError] * 2
    assert list((tmp_path / "drive").iterdir()) == []


def test_what_is_missing_within_a_project_is_made(tmp_path: Path) -> None:
    (tmp_path / "p.nearl").mkdir()
    make_inner(tmp_path / "p.nearl" / "cache" / "thumbnails" / "7")
    make_inner(tmp_path / "p.nearl" / "cache" / "thumbnails" / "7")
    assert (tmp_path / "p.nearl" / "cache" / "thumbnails" / "7").is_dir()


def test_the_project_itself_is_not_made(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        make_inner(tmp_path / "P.NEARL" / "cache")
    assert list(tmp_path.iterdir()) == []
