"""One scan reader, two backbones and a folder of scans for a module of tests."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from nearl_core.scans.guard import ScanReader
from nearl_core.types import Scan
from tests.engine.making import Making, write_backbone, write_scans
from tests.engine.trained import Trained, train_once


@pytest.fixture(scope="module")
def reader() -> Iterator[ScanReader]:
    with ScanReader(workers=1) as reader:
        yield reader


@pytest.fixture(scope="module")
def knowing(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A backbone that counts as knowing every word."""
    return write_backbone(tmp_path_factory.mktemp("backbones") / "knowing")


@pytest.fixture(scope="module")
def unknowing(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A backbone that has never met the labels' words."""
    return write_backbone(tmp_path_factory.mktemp("backbones") / "unknowing", words="lung\n")


@pytest.fixture(scope="module")
def scans(tmp_path_factory: pytest.TempPathFactory) -> list[Scan]:
    return write_scans(tmp_path_factory.mktemp("scans"), each=14)


@pytest.fixture
def make(reader: ScanReader, tmp_path: Path) -> Making:
    return Making(reader, tmp_path)


@pytest.fixture(scope="module")
def trained(
    reader: ScanReader, unknowing: Path, scans: list[Scan], tmp_path_factory: pytest.TempPathFactory
) -> Trained:
    return train_once(Making(reader, tmp_path_factory.mktemp("project")), unknowing, scans)
