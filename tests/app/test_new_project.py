"""The dialog for a new project, by mouse and by keys alone."""

from pathlib import Path

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QComboBox, QDialog, QLineEdit, QPushButton

from app.strings import dialog_words
from app.views.dialogs.new_project import NewProjectDialog
from nearl_core.store.project import Project
from tests.app.driving import WAIT_MS, Driver, dialog_of
from tests.support.scans import disc, write_png


def asked(driver: Driver, scans: Path | None = None) -> NewProjectDialog:
    """The dialog, by the command or for a folder of scans."""
    if scans is None:
        driver.desk.asking.new_project()
    else:
        driver.desk.asking.open_path(scans)
    dialog = dialog_of(driver, NewProjectDialog)
    assert isinstance(dialog, NewProjectDialog)
    return dialog


def field_of(dialog: NewProjectDialog) -> QLineEdit:
    """The field that has the keyboard."""
    field = dialog.focusWidget()
    assert isinstance(field, QLineEdit)
    return field


def test_new_project_dialog_says_what_is_missing(
    driver: Driver, tmp_path: Path, scan_folder: Path
) -> None:
    dialog = asked(driver, scan_folder)
    assert dialog.scans == scan_folder.resolve()
    assert dialog.problem == ""  # nothing was done yet
    dialog.ok.click()
    assert dialog.isVisible()
    assert dialog.problem == dialog_words.EMPTY_NAME.format(place=1)
    assert dialog.focusWidget() is dialog.editor.name_field
    driver.bot.keyClicks(dialog.editor.name_field, "Disc")
    assert dialog.problem == ""
    assert dialog.folder == tmp_path.resolve() / "scans.nearl"
    dialog.done(0)


def test_folders_are_typed_by_hand_from_their_first_character_on(
    driver: Driver, tmp_path: Path
) -> None:
    dialog = asked(driver)

    def type_anew(text: str) -> str:
        field = field_of(dialog)
        driver.bot.keyClick(field, Qt.Key.Key_A, Qt.KeyboardModifier.ControlModifier)
        driver.bot.keyClicks(field, text)
        return dialog.problem

    for scans in ("/" + "x" * 300, "~nobody-of-that-name"):
        assert type_anew(scans) == dialog_words.NO_SUCH_FOLDER
    assert type_anew("/") == ""
    assert dialog.folder.name == "project.nearl"
    for _ in range(2):  # past the button beside the field
        driver.bot.keyClick(dialog.focusWidget(), Qt.Key.Key_Tab)
    assert type_anew("/") == dialog_words.FOLDER_NEEDS_NAME
    assert not dialog.ok.isEnabled()
    for place in ("~nobody-of-that-name", "/" + "x" * 300):
        assert type_anew(place) == ""
    assert type_anew(str(tmp_path / "typed")) == ""
    assert dialog.folder == tmp_path / "typed.nearl"
    dialog.reject()


def test_a_name_that_is_left_empty_is_asked_for(driver: Driver, scan_folder: Path) -> None:
    dialog = asked(driver, scan_folder)
    dialog.editor.name_field.setFocus()
    driver.until(dialog.editor.name_field.hasFocus)
    assert dialog.problem == ""
    driver.bot.keyClick(dialog.editor.name_field, Qt.Key.Key_Tab)
    assert dialog.problem == dialog_words.EMPTY_NAME.format(place=1)
    assert not dialog.ok.isEnabled()
    dialog.reject()


def test_a_new_project_is_typed_without_the_mouse(driver: Driver, scan_folder: Path) -> None:
    dialog = asked(driver)

    def typed(text: str) -> None:
        driver.bot.keyClicks(field_of(dialog), text)

    typed(str(scan_folder))  # the first field has the focus
    assert dialog.scans == scan_folder
    dialog.editor.name_field.setFocus()
    for name in ("Disc", "Stripes", "Ring"):
        typed(name)
        driver.bot.keyClick(dialog.editor.name_field, Qt.Key.Key_Return)
    assert dialog.isVisible()  # Enter adds a label, and makes no project of one
    assert (dialog.problem, dialog.ok.isEnabled()) == ("", True)
    driver.bot.keyClick(dialog.editor.name_field, Qt.Key.Key_Return)
    assert dialog.focusWidget() is dialog.ok
    assert [label.name for label in dialog.label_set().labels] == ["Disc", "Stripes", "Ring"]
    dialog.done(0)


def test_typed_labels_are_not_dropped_without_a_question(driver: Driver) -> None:
    untouched = asked(driver)
    driver.bot.keyClick(untouched, Qt.Key.Key_Escape)
    assert not untouched.isVisible()
    dialog = asked(driver)
    driver.bot.keyClicks(dialog.editor.name_field, "Disc")
    for answer in (dialog_words.KEEP_TYPING, dialog_words.DISCARD):
        driver.bot.keyClick(dialog, Qt.Key.Key_Escape)
        assert dialog.isVisible()
        assert [draft.name for draft in dialog.editor.drafts] == ["Disc"]
        question = dialog.findChildren(QDialog)[-1]
        next(x for x in question.findChildren(QPushButton) if x.text() == answer).click()
    assert not dialog.isVisible()


def test_a_template_does_not_replace_typed_labels_without_a_question(driver: Driver) -> None:
    dialog = asked(driver)
    choice = next(x for x in dialog.findChildren(QComboBox) if x.itemText(0) == "Own labels")

    def choose(row: int) -> None:
        choice.setFocus()
        driver.bot.keyClick(choice, Qt.Key.Key_Home)
        for _ in range(row):
            driver.bot.keyClick(choice, Qt.Key.Key_Down)

    def names() -> list[str]:
        return [draft.name for draft in dialog.editor.drafts]

    choose(1)
    first = names()
    assert first != [""]  # nothing was typed, so nothing is asked
    choose(2)
    assert names() != first
    driver.bot.keyClicks(dialog.editor.name_field, " of mine")
    typed = names()
    for answer, kept in ((dialog_words.KEEP_TYPING, True), (dialog_words.REPLACE, False)):
        choice.setCurrentIndex(1)
        choice.activated.emit(1)
        assert names() == typed
        question = dialog.findChildren(QDialog)[-1]
        next(x for x in question.findChildren(QPushButton) if x.text() == answer).click()
        assert names() == (typed if kept else first)
        assert choice.currentIndex() == (2 if kept else 1)
    dialog.reject()
    assert not dialog.isVisible()


def test_folders_tell_patients_apart_now_and_later(driver: Driver, tmp_path: Path) -> None:
    for name in ("in/anna/left", "in/anna/right", "in/ben/left", "later/ben/right"):
        write_png(tmp_path / f"{name}.png", disc(seed=len(name)))
    dialog = asked(driver, tmp_path / "in")
    driver.bot.keyClicks(dialog.editor.name_field, "Disc")
    patients = next(box for box in dialog.findChildren(QComboBox) if box.findData("subfolder") >= 0)
    assert patients.currentText() == "as the files say, else one a file"
    patients.setCurrentIndex(patients.findData("subfolder"))
    folder = dialog.folder
    with driver.bot.waitSignal(driver.desk.library.adding.added, timeout=WAIT_MS):
        dialog.ok.click()
    with driver.bot.waitSignal(driver.desk.library.adding.added, timeout=WAIT_MS):
        driver.desk.library.adding.add((tmp_path / "later",))
    with Project.open(folder, read_only=True) as project:
        scans = {scan.path.relative_to(tmp_path).as_posix(): scan for scan in project.scans()}
    assert all(scan.patient_known for scan in scans.values())
    anna = {scan.patient for name, scan in scans.items() if "anna" in name}
    ben = {scan.patient for name, scan in scans.items() if "ben" in name}
    assert len(scans) == 4
    assert len(anna) == len(ben) == len(anna | ben) - 1
