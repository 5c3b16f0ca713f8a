"""Small pictures in the queue, and what stands in their place in somebody else's project."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from app.controllers.pictures import _thumbnail_job
from nearl_core.control import RunControl
from nearl_core.scans.guard import ScanReader
from nearl_core.scans.thumbnails import ThumbnailCache
from nearl_core.types import Scan
from tests.support.scans import disc, write_png


@pytest.fixture
def scan(tmp_path: Path) -> Scan:
    return Scan(1, write_png(tmp_path / "1.png", disc()), 1, patient="p", patient_known=False)


def _width(scan: Scan, cache: ThumbnailCache) -> int:
    with ScanReader(workers=1) as reader:
        return int(_thumbnail_job(reader, scan, cache, RunControl()).width())


def test_a_thumbnail_is_kept_and_taken_again(tmp_path: Path, scan: Scan) -> None:
    cache = ThumbnailCache(tmp_path / "cache")
    assert _width(scan, cache) == 32
    cache.keep(scan.id, np.zeros((9, 7, 3), np.uint8))
    assert _width(scan, cache) == 7


@pytest.mark.parametrize(
    ("kind", "side"), [("PNG", 4000), ("TIFF", 9), ("WEBP", 9), ("GIF", 9), ("BMP", 9), ("JPEG", 9)]
)
def test_what_is_no_thumbnail_is_not_opened_beside_the_guard(
    tmp_path: Path, scan: Scan, kind: str, side: int
) -> None:
    cache = ThumbnailCache(tmp_path / "cache")
    cache.keep(scan.id, np.zeros((9, 7, 3), np.uint8))
    (kept,) = (tmp_path / "cache").rglob("*.png")
    Image.new("RGB", (side, side)).save(kept, kind)
    assert _width(scan, cache) == 32
