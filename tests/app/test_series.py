"""Series on the desk: what they are called, and what is said of frames that stand oddly."""

from pathlib import Path

import numpy as np

from app.controllers.library import NewProject
from app.models.scan_table import Role
from nearl_core.types import LabelSet, Unit
from tests.app.driving import WAIT_MS, Driver
from tests.support.scans import write_dicom


def test_a_series_is_told_by_its_name_and_says_that_frames_may_be_missing(
    driver: Driver, tmp_path: Path, label_set: LabelSet
) -> None:
    folder = tmp_path / "in"
    folder.mkdir()
    for k in (0, 1, 2, 4):
        place = {"ImagePositionPatient": ["0", "0", str(3 * k)], "SeriesInstanceUID": "1.2"}
        place |= {"ImageOrientationPatient": ["1", "0", "0", "0", "1", "0"]}
        write_dicom(folder / f"{k}", np.full((8, 8), k, np.uint16), SeriesNumber="4", **place)
    wanted = NewProject(tmp_path / "s.nearl", label_set, "starter", folder, Unit.SERIES)
    with driver.bot.waitSignal(driver.desk.library.adding.added, timeout=WAIT_MS):
        driver.desk.library.create(wanted)
    driver.until(lambda: driver.desk.window.scan.view.picture is not None)
    assert "1 scan added. In 1 scan frames stand unevenly" in driver.status()
    index = driver.desk.table.index(0, 0)
    assert index.data() == driver.desk.window.scan.name == "CT-se4-ax-4fr-0001"
    assert index.data(Role.SCAN_ID) == driver.scan_id()
    shown = driver.desk.window.scan.view.texts()
    assert "CT  series 4" in shown
    assert "Frames stand 3 mm apart, but 6 mm after frame 3: some may be missing." in shown
