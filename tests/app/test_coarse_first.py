"""A large JPEG 2000 scan shows coarsely at first; nothing of that stays."""

import threading
from pathlib import Path
from typing import Any

import imagecodecs
import numpy as np
import pytest

from app.controllers.library import NewProject
from app.strings import dialog_words
from nearl_core.scans.guard import ScanReader
from nearl_core.types import LabelSet
from tests.app.driving import WAIT_MS, Driver
from tests.dicom.making import JPEG_2000, dicom


def test_something_to_look_at_while_the_whole_is_on_its_way(
    driver: Driver, tmp_path: Path, label_set: LabelSet, monkeypatch: pytest.MonkeyPatch
) -> None:
    pixels = (np.add.outer(np.arange(1100), np.arange(1000)) % 997).astype(np.uint16)
    coded = imagecodecs.jpeg2k_encode(pixels, level=0, codecformat="j2k")
    (tmp_path / "in").mkdir()
    dicom(tmp_path / "in" / "a", pixels, syntax=JPEG_2000, frames=[coded])
    go_on, whole = threading.Event(), ScanReader.frame

    def slow(self: ScanReader, path: Path, frame: int = 0) -> Any:
        go_on.wait(WAIT_MS / 1000)
        return whole(self, path, frame)

    monkeypatch.setattr(ScanReader, "frame", slow)
    view = driver.desk.window.scan.view
    wanted = NewProject(tmp_path / "p.nearl", label_set, "starter", tmp_path / "in")
    try:
        with driver.bot.waitSignal(driver.desk.library.adding.added, timeout=WAIT_MS):
            driver.desk.library.create(wanted)
        driver.until(lambda: view.picture is not None)
        first = view.picture
        assert first is not None
        assert dialog_words.COARSE in first.info.notices
        assert first.frame.values.shape == pixels.shape
    finally:
        go_on.set()
    driver.until(lambda: view.picture is not first)
    assert view.picture is not None
    assert dialog_words.COARSE not in view.picture.info.notices
    assert np.array_equal(view.picture.frame.values, pixels)
    assert view.picture.frame.windows != first.frame.windows
