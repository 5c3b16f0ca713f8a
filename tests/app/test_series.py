"""Series on the desk: what they are called, and what is said of frames that stand oddly."""

from pathlib import Path

import numpy as np
from PySide6.QtWidgets import QLineEdit, QPushButton

from app.controllers.library import NewProject
from app.models.scan_table import Role
from app.strings import dialog_words
from app.views.dialogs.new_project import NewProjectDialog
from nearl_core.types import LabelSet, Unit
from tests.app.driving import WAIT_MS, Driver, dialog_of
from tests.support.scans import write_dicom


def write_series(folder: Path, places: tuple[int, ...], series: int = 2) -> Path:
    folder.mkdir(parents=True)
    for k in places:
        place = {"ImagePositionPatient": ["0", "0", str(3 * k)]}
        place |= {"ImageOrientationPatient": ["1", "0", "0", "0", "1", "0"]}
        number = {"SeriesInstanceUID": f"1.{series}", "SeriesNumber": str(series)}
        write_dicom(folder / f"{k}", np.full((8, 8), k, np.uint16), **number, **place)
    return folder


def test_a_series_is_told_by_its_name_and_says_that_frames_may_be_missing(
    driver: Driver, tmp_path: Path, label_set: LabelSet
) -> None:
    folder = write_series(tmp_path / "in", (0, 1, 2, 4), series=4)
    wanted = NewProject(tmp_path / "s.nearl", label_set, "starter", folder, Unit.SERIES)
    with driver.bot.waitSignal(driver.desk.library.adding.added, timeout=WAIT_MS):
        driver.desk.library.create(wanted)
    driver.until(lambda: driver.desk.window.scan.view.picture is not None)
    assert "1 scan added. Of these 1 may lack frames." in driver.status()
    index = driver.desk.table.index(0, 0)
    assert index.data() == driver.desk.window.scan.name == "CT-se4-ax-4fr-0001"
    assert index.data(Role.SCAN_ID) == driver.scan_id()
    shown = driver.desk.window.scan.view.texts()
    assert "CT  series 4" in shown
    assert "Frames stand 3 mm apart, but 6 mm after frame 3: some may be missing." in shown


def hint_of(dialog: NewProjectDialog) -> QPushButton:
    (button,) = (
        one for one in dialog.findChildren(QPushButton) if one.text() == dialog_words.TAKE_SERIES
    )
    return button


def test_series_are_suggested_for_a_folder_of_them_and_taken_by_the_reader_alone(
    driver: Driver, tmp_path: Path
) -> None:
    for series in (1, 2):
        write_series(tmp_path / "in" / str(series), tuple(range(9)), series)
    with driver.bot.waitSignal(driver.desk.library.ahead.seen, timeout=WAIT_MS):
        driver.desk.asking.open_path(tmp_path / "in")
    dialog = dialog_of(driver, NewProjectDialog)
    assert isinstance(dialog, NewProjectDialog)
    assert dialog.hint == (
        "The first 18 files are frames of 2 CT series: as one file each, every frame would be "
        "labelled by itself."
    )
    assert dialog.unit is Unit.IMAGE
    hint_of(dialog).click()
    assert (dialog.unit, dialog.hint) == (Unit.SERIES, "")
    dialog.done(0)


def test_other_folders_bring_no_suggestion(
    driver: Driver, tmp_path: Path, scan_folder: Path
) -> None:
    write_series(tmp_path / "in", tuple(range(9)))
    with driver.bot.waitSignal(driver.desk.library.ahead.seen, timeout=WAIT_MS):
        driver.desk.asking.open_path(tmp_path / "in")
    dialog = dialog_of(driver, NewProjectDialog)
    assert isinstance(dialog, NewProjectDialog)
    assert dialog.hint
    with driver.bot.waitSignal(driver.desk.library.ahead.seen, timeout=WAIT_MS):
        dialog.findChildren(QLineEdit)[0].setText(str(scan_folder))
        assert not dialog.hint  # what was said of the other folder goes at once
    assert not dialog.hint
    dialog.done(0)
