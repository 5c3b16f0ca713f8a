"""Files and folders dropped on the window."""

from pathlib import Path

from PySide6.QtCore import QMimeData, QPointF, Qt, QUrl
from PySide6.QtGui import QDragEnterEvent, QDropEvent
from PySide6.QtWidgets import QApplication

from app.strings import ADDING_ALREADY
from app.views.dialogs.new_project import NewProjectDialog
from tests.app.driving import WAIT_MS, Driver
from tests.support.scans import disc, write_folder, write_png

COPY = Qt.DropAction.CopyAction
LEFT = Qt.MouseButton.LeftButton
PLAIN = Qt.KeyboardModifier.NoModifier


def drop(driver: Driver, *urls: QUrl) -> bool:
    """Drag something over the window and let it go there; whether it would be taken."""
    dragged = QMimeData()
    dragged.setUrls(list(urls))
    window = driver.desk.window
    enter = QDragEnterEvent(QPointF(300, 300), COPY, dragged, LEFT, PLAIN)
    enter.ignore()
    QApplication.sendEvent(window, enter)
    if enter.isAccepted():
        QApplication.sendEvent(window, QDropEvent(QPointF(300, 300), COPY, dragged, LEFT, PLAIN))
    return enter.isAccepted()


def local(path: Path) -> QUrl:
    return QUrl.fromLocalFile(str(path))


def test_scans_are_added_by_dropping_files_and_folders(desk: Driver, tmp_path: Path) -> None:
    one = write_png(tmp_path / "one.png", disc(seed=71))
    folder = write_png(tmp_path / "more" / "two.png", disc(seed=72)).parent
    before = len(desk.desk.table.scans())
    with desk.bot.waitSignal(desk.desk.library.adding.added, timeout=WAIT_MS):
        assert drop(desk, local(one), local(folder))
        assert drop(desk, local(one))
        assert ADDING_ALREADY in desk.status()
    assert len(desk.desk.table.scans()) == before + 2
    assert not drop(desk, QUrl("https://example.org/a.png"))  # nothing is fetched


def test_what_is_dropped_on_the_start_page_is_opened(
    driver: Driver, project: Path, tmp_path: Path
) -> None:
    drop(driver, local(write_folder(tmp_path / "new scans")))
    (dialog,) = driver.desk.window.findChildren(NewProjectDialog)
    assert dialog.scans == tmp_path / "new scans"
    dialog.reject()
    with driver.bot.waitSignal(driver.desk.library.opened, timeout=WAIT_MS):
        drop(driver, local(project))
