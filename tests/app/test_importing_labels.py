"""Labels that exist already, taken in on the desk."""

import threading
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QComboBox, QLabel

from app import asking_import
from app.controllers import importing as importing_module
from app.controllers import looking_again
from app.models.commands import Command
from app.strings import label_words
from app.views.dialogs.import_labels import ImportLabelsDialog
from app.views.dialogs.readers import ReadersDialog
from nearl_core.importing import taking
from nearl_core.store import bulk, readings
from nearl_core.store.project import Project
from tests.app.driving import WAIT_MS, Driver, decide_while_it_is_read
from tests.support.scans import disc, write_dicom


def _import_dialog(desk: Driver) -> ImportLabelsDialog:
    desk.desk.actions.asked.emit(Command.IMPORT_LABELS)
    (dialog,) = desk.desk.window.findChildren(ImportLabelsDialog)
    assert isinstance(dialog, ImportLabelsDialog)
    return dialog


def _type(dialog: ImportLabelsDialog, source: Path) -> None:
    """The source as a reader types it."""
    dialog.path.setText(str(source))
    dialog.path.textEdited.emit(str(source))


def _look(dialog: ImportLabelsDialog, source: Path) -> None:
    _type(dialog, source)
    dialog.look.click()


def test_the_preview_of_one_source_never_stands_under_another(desk: Driver, tmp_path: Path) -> None:
    table = tmp_path / "old.csv"
    table.write_text("file,label\ndisc-0.png,Disc\n")
    dialog = _import_dialog(desk)
    _look(dialog, table)
    desk.bot.keyClicks(dialog.path, "x")  # before its preview is there
    importing = desk.desk.asking_import.importing
    desk.until(lambda: importing._plan is not None)
    assert not dialog.ok.isEnabled()
    assert not dialog.values.topLevelItemCount()
    dialog.reject()


def test_columns_of_a_table_are_chosen_where_their_names_do_not_tell(
    desk: Driver, tmp_path: Path
) -> None:
    table = tmp_path / "old.csv"
    table.write_text("Dateiname,Diagnose\ndisc-0.png,Disc\n")
    dialog = _import_dialog(desk)
    of_file, of_label = dialog.columns.values()
    assert not of_file.isVisible()
    _look(dialog, table)
    desk.until(of_file.isVisible)  # once it was said that they are not clear
    assert not dialog.ok.isEnabled()
    for column, name in ((of_file, "Dateiname"), (of_label, "Diagnose")):
        desk.bot.keyClicks(column, name)
        column.activated.emit(column.currentIndex())
    desk.until(dialog.ok.isEnabled)
    assert "1 decision would be taken in" in dialog.summary.text()
    item = dialog.values.topLevelItem(0)
    assert item is not None
    row = dialog.values.visualItemRect(item).height()
    assert dialog.values.viewport().height() >= 5 * row > 0  # values are mapped side by side
    dialog.path.textEdited.emit(str(table))  # another file has other columns
    assert not of_file.isVisible()
    dialog.reject()


def test_columns_that_only_some_lines_have_leave_those_chosen_as_they_are(
    desk: Driver, tmp_path: Path
) -> None:
    lines = tmp_path / "old.jsonl"
    lines.write_text(
        '{"Foto": "disc-0.png", "Befund": "Disc"}\n'
        '{"Foto": "disc-1.png", "Befund": "Disc", "Arzt": "A"}\n'
        '{"Foto": "disc-2.png"}\n'
    )
    dialog = _import_dialog(desk)
    of_file, of_label = dialog.columns.values()
    dialog.kind.setCurrentIndex(dialog.kind.findData("jsonl"))
    dialog.kind.activated.emit(dialog.kind.currentIndex())
    _look(dialog, lines)
    desk.until(of_file.isVisible)  # by the first line, which is not clear
    for column, name in ((of_file, "Foto"), (of_label, "Befund")):
        column.setCurrentIndex(column.findData(name))
        column.activated.emit(column.currentIndex())
    desk.until(dialog.ok.isEnabled)
    assert (of_file.currentText(), of_label.currentText()) == ("Foto", "Befund")
    assert of_label.findData("Arzt") > 0
    assert "2 decisions would be taken in" in dialog.summary.text()
    dialog.reject()


def test_a_look_that_failed_takes_nothing_from_the_next_one(desk: Driver, tmp_path: Path) -> None:
    unclear, clear = tmp_path / "unclear.csv", tmp_path / "clear.csv"
    unclear.write_text("Dateiname,Diagnose\ndisc-0.png,Disc\n")
    clear.write_text("file,label\ndisc-0.png,Disc\n")
    dialog = _import_dialog(desk)
    importing = desk.desk.asking_import.importing
    for table in (unclear, clear):
        _look(dialog, table)
        if table is unclear:
            assert importing._job is not None
            assert importing._job.future.exception(timeout=20)  # which is not told yet
    desk.until(dialog.ok.isEnabled)
    assert dialog.problem == ""
    assert dialog.columns[label_words.FILE_COLUMN].findData("Dateiname") < 0
    dialog.reject()


def test_an_import_that_is_given_up_leaves_what_was_taken_in_to_learn_from(
    desk: Driver, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bulk, "TOGETHER", 1)
    table = tmp_path / "old.csv"
    table.write_text("file,label\ndisc-0.png,Disc\ndisc-1.png,Disc\n")
    dialog = _import_dialog(desk)
    _look(dialog, table)
    desk.until(dialog.ok.isEnabled)
    record = taking._record

    first, go_on = threading.Event(), threading.Event()

    def one_then_wait(*args: object) -> None:
        record(*args)  # type: ignore[arg-type]
        first.set()
        assert go_on.wait(20)

    monkeypatch.setattr(taking, "_record", one_then_wait)
    dialog.ok.click()
    desk.until(first.is_set)
    dialog.refuse.click()
    another = tmp_path / "new.csv"
    another.write_text("file,label\ndisc-2.png,Disc\n")
    desk.desk.actions.asked.emit(Command.IMPORT_LABELS)
    dialog = desk.desk.window.findChildren(ImportLabelsDialog)[-1]
    _look(dialog, another)  # while the first one ends
    go_on.set()
    session = desk.desk.library.session
    assert session is not None
    desk.until(lambda: len(session.others) == 1)
    desk.until(lambda: "Stopped: 1 decision of imported-csv taken in, of 2." in desk.status())
    desk.until(dialog.ok.isEnabled)
    assert dialog.isVisible()
    with desk.bot.waitSignal(desk.desk.asking_import.importing.taken, timeout=WAIT_MS):
        dialog.ok.click()
    assert not dialog.isVisible()


def test_what_was_taken_in_is_weighed_at_once_where_the_reader_looks_at_the_list(
    desk: Driver, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(looking_again, "ENOUGH", 3)
    panel = desk.desk.window.scan.again
    desk.press(Qt.Key.Key_A)
    desk.until(lambda: bool(panel.texts()))
    table = tmp_path / "old.csv"
    rows = ("disc-0.png,Disc", "disc-1.png,Disc", "disc-2.png,Stripes")
    table.write_text("\n".join(("file,label", *rows)))
    dialog = _import_dialog(desk)
    _look(dialog, table)
    desk.until(dialog.ok.isEnabled)
    dialog.ok.click()
    desk.until(lambda: panel.list.count() == 1)


def test_a_decision_that_is_saved_while_labels_are_taken_in_stands(
    desk: Driver, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    table = tmp_path / "old.csv"
    table.write_text("file,label\ndisc-1.png,Disc\n")
    dialog = _import_dialog(desk)
    _look(dialog, table)
    desk.until(dialog.ok.isEnabled)
    with desk.bot.waitSignals(
        [desk.desk.asking_import.importing.taken, desk.desk.review.saved], timeout=WAIT_MS
    ):
        decide_while_it_is_read(desk, monkeypatch, importing_module, dialog.ok.click)
    session = desk.desk.library.session
    assert session is not None
    assert len(session.standing) == len(session.others) == 1


def test_a_table_of_labels_is_shown_mapped_and_taken_in(
    desk: Driver, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(asking_import, "ENOUGH", 2)
    decided = desk.scan_id()
    desk.decide(Qt.Key.Key_2)
    table = tmp_path / "old.csv"
    table.write_text("file,label\ndisc-0.png,Disc\ndisc-1.png,round\nelsewhere.png,Disc\n")
    dialog = _import_dialog(desk)
    assert not dialog.ok.isEnabled()
    _type(dialog, table)
    dialog.name.setText("reports")
    dialog.look.click()
    desk.until(lambda: dialog.values.topLevelItemCount() == 2)
    assert "1 decision would be taken in" in dialog.summary.text()
    assert "elsewhere.png" in dialog.summary.text()
    (item,) = dialog.values.findItems("round", Qt.MatchFlag.MatchExactly)
    means = dialog.values.itemWidget(item, 2).findChild(QComboBox)
    assert isinstance(means, QComboBox)
    assert means.currentText() == label_words.MEANS_NOTHING
    desk.bot.keyClicks(means, "Disc")
    means.activated.emit(means.currentIndex())
    desk.until(lambda: "2 decisions would be taken in" in dialog.summary.text())
    with desk.bot.waitSignal(desk.desk.asking_import.importing.taken, timeout=WAIT_MS):
        dialog.ok.click()
    desk.until(lambda: "2 decisions of reports taken in. Look again lists" in desk.status())
    told = [label.text() for label in desk.desk.window.training.findChildren(QLabel)]
    assert any("3 decisions not trained on yet" in text for text in told)
    session = desk.desk.library.session
    assert session is not None
    assert {one.reader for one in session.others} == {"reports"}
    assert [one.verdict.labels for one in session.others] == [("disc",), ("disc",)]
    assert desk.desk.table.detail(decided) == "Stripes"  # the reader's own word stands beside it
    before = desk.desk.keeper.settings.reader
    desk.desk.asking.change_reader("Reports")
    assert "Reports is a source of labels in this project" in desk.status()
    assert desk.desk.keeper.settings.reader == before
    desk.desk.actions.asked.emit(Command.READERS)
    shown = desk.desk.window.findChildren(ReadersDialog)[-1]
    desk.until(lambda: shown.readers.topLevelItemCount() == 2)
    names = [shown.readers.topLevelItem(row).text(0) for row in (0, 1)]  # type: ignore[union-attr]
    assert names == [before, "reports (source)"]
    shown.reject()


def test_a_project_does_not_open_for_a_reader_who_goes_by_a_source_s_name(
    driver: Driver, project: Path
) -> None:
    with Project.open(project) as opened:
        readings.keep_source(opened, driver.desk.keeper.settings.reader)
    driver.desk.asking.open_path(project)
    driver.until(lambda: bool(driver.troubles))
    assert "is a source of labels in this project" in driver.troubles[0].sentence
    assert "another pseudonym" in driver.troubles[0].remedy
    assert driver.desk.library.session is None


def test_a_tag_that_tells_who_it_is_is_refused_on_the_desk(desk: Driver) -> None:
    dialog = _import_dialog(desk)
    dialog.kind.setCurrentIndex(dialog.kind.findData("dicom-tags"))
    dialog.kind.activated.emit(dialog.kind.currentIndex())
    dialog.tag.setCurrentText("PatientID")
    dialog.look.click()
    desk.until(lambda: "may tell who" in dialog.problem)
    assert not dialog.ok.isEnabled()
    dialog.tag.setCurrentText("Modality")
    assert dialog.problem == ""
    dialog.look.click()
    desk.until(lambda: dialog.values.topLevelItemCount() == 1)
    assert not dialog.ok.isEnabled()  # CT means no label yet


def test_rows_of_several_scans_are_labelled_each_only_where_the_reader_says_so(
    desk: Driver, tmp_path: Path
) -> None:
    folder = tmp_path / "more"
    folder.mkdir()
    for number in range(3):
        patient = {"PatientID": "A7" if number else "B7"}
        write_dicom(folder / f"{number}.dcm", disc(seed=number), **patient)
    with desk.bot.waitSignal(desk.desk.library.adding.added, timeout=WAIT_MS):
        desk.desk.library.adding.add((folder,))
    table = tmp_path / "patients.csv"
    table.write_text("Subject,label\nA7,Disc\nB7,Stripes\n")
    dialog = _import_dialog(desk)
    _look(dialog, table)
    of_file, _ = dialog.columns.values()
    desk.until(of_file.isVisible)
    of_file.setCurrentIndex(of_file.findData("Subject"))
    dialog.match.setCurrentIndex(dialog.match.findData("patient"))
    dialog.match.activated.emit(dialog.match.currentIndex())
    desk.until(dialog.each.isVisible)
    assert "1 decision would be taken in" in dialog.summary.text()
    assert "Rows that mean several scans, left out: 1 (2 scans)." in dialog.summary.text()
    dialog.each.click()
    desk.until(dialog.ok.isEnabled)
    assert "3 decisions would be taken in" in dialog.summary.text()
    with desk.bot.waitSignal(desk.desk.asking_import.importing.taken, timeout=WAIT_MS):
        dialog.ok.click()
    session = desk.desk.library.session
    assert session is not None
    with Project.open(session.project.folder, read_only=True) as other:
        assert len([one for one in other.standing() if one.reader == "imported-csv"]) == 3
