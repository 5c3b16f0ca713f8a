"""Help, Guide: read beside the desk, which goes on meanwhile."""

from PySide6.QtCore import Qt, QUrl
from PySide6.QtGui import QTextTable
from PySide6.QtWidgets import QPushButton

from app.strings import dialog_words
from app.views.dialogs.guide import GUIDE, GuideDialog
from tests.app.driving import Driver, dialog_of


def opened(driver: Driver) -> GuideDialog:
    driver.desk.asking.guide()
    found = dialog_of(driver, GuideDialog)
    assert isinstance(found, GuideDialog)
    return found


def test_the_guide_stands_beside_the_desk_which_goes_on(desk: Driver) -> None:
    guide = opened(desk)
    assert not guide.isModal()
    assert guide.pages.toPlainText().startswith("A first data set")
    desk.decide(Qt.Key.Key_1)
    guide.close()
    assert opened(desk) is guide
    assert guide.isVisible()


def test_its_pages_lead_to_one_another_and_back(driver: Driver) -> None:
    guide = opened(driver)
    (back,) = [b for b in guide.findChildren(QPushButton) if b.text() == dialog_words.BACK]
    assert not back.isEnabled()
    guide.pages.setSource(QUrl("readers.md"))
    assert guide.pages.toPlainText().startswith("Several readers")
    back.click()
    assert guide.pages.toPlainText().startswith("A first data set")
    assert not back.isEnabled()


def test_its_picture_is_no_wider_than_the_text(driver: Driver) -> None:
    guide = opened(driver)
    assert not guide.pages.horizontalScrollBar().isVisible()
    frames = guide.pages.document().rootFrame().childFrames()
    assert any(isinstance(frame, QTextTable) for frame in frames)
    assert GUIDE.is_file()
