"""The cache of thumbnails: bounded, oldest first, and never missed."""

import os
import shutil
from pathlib import Path

import numpy as np

from nearl_core.scans.thumbnails import ThumbnailCache
from tests.dicom.making import noise

PIXELS = noise((20, 20, 3))


def held(folder: Path) -> int:
    return sum(file.stat().st_size for file in folder.rglob("*") if file.is_file())


def test_old_thumbnails_go_and_used_ones_stay(tmp_path: Path) -> None:
    one = ThumbnailCache(tmp_path / "size")
    one.keep(0, PIXELS)
    size = held(tmp_path / "size")
    cache = ThumbnailCache(tmp_path / "t", limit_bytes=10 * size)
    for scan_id in range(0, 60_000, 1000):
        cache.keep(scan_id, PIXELS)
        file = cache.find(scan_id)
        assert file is not None
        # File systems tell times apart by milliseconds: here each is a second younger.
        os.utime(file, (scan_id, scan_id))
        used = cache.find(0)
        assert used is not None
        assert held(tmp_path / "t") <= 10 * size
    assert cache.find(59_000) is not None
    assert cache.find(1000) is None


def test_what_an_earlier_session_left_is_counted(tmp_path: Path) -> None:
    ThumbnailCache(tmp_path).keep(1, PIXELS)
    size = held(tmp_path)
    for scan_id in range(2, 12):
        ThumbnailCache(tmp_path).keep(scan_id, PIXELS)
    ThumbnailCache(tmp_path, limit_bytes=4 * size).keep(12, PIXELS)
    assert held(tmp_path) <= 4 * size


def test_folder_can_go_at_any_time(tmp_path: Path) -> None:
    cache = ThumbnailCache(tmp_path / "t")
    cache.keep(7, PIXELS)
    shutil.rmtree(tmp_path / "t")
    assert cache.find(7) is None
    cache.keep(7, np.zeros((4, 4, 3), np.uint8))
    assert cache.find(7) is not None
