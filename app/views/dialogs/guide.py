"""The guide for whoever labels, `docs/guide.md`, and the pages that it links to."""

from pathlib import Path

from PySide6.QtCore import Qt, QUrl
from PySide6.QtGui import (
    QBrush,
    QColor,
    QImage,
    QResizeEvent,
    QTextBlockFormat,
    QTextCharFormat,
    QTextCursor,
    QTextDocument,
    QTextFormat,
    QTextTable,
)
from PySide6.QtWidgets import QPushButton, QTextBrowser, QWidget

from app.strings import command_words, dialog_words
from app.views import style
from app.views.dialogs.parts import DeskDialog

GUIDE = Path(__file__).resolve().parents[3] / "docs" / "guide.md"


class GuideDialog(DeskDialog):
    """Pages beside the desk, which goes on meanwhile."""

    def __init__(self, guide: Path, parent: QWidget | None) -> None:
        super().__init__(command_words.COMMANDS["guide"].rstrip("…"), dialog_words.CLOSE, parent)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose, False)  # it opens where it was
        self.only_close()
        self.resize(820, 680)
        self.pages = _Pages(guide)
        self.pages.setAccessibleName(self.windowTitle())
        back = QPushButton(dialog_words.BACK)
        back.setAutoDefault(False)
        back.setEnabled(False)
        back.clicked.connect(self.pages.backward)
        self.pages.backwardAvailable.connect(back.setEnabled)
        self.body.addWidget(self.pages)
        self.pages.setFocus()
        self.buttons.insertWidget(0, back)


class _Pages(QTextBrowser):
    """Pages in Markdown, pictures as wide as the text at most."""

    def __init__(self, first: Path) -> None:
        super().__init__()
        self.setOpenExternalLinks(True)
        self.document().setDocumentMargin(16)
        self._files: dict[str, str] = {}
        """Of the pictures that were shown, by their names."""
        self.sourceChanged.connect(self._set_apart)
        self.setSource(QUrl.fromLocalFile(str(first)), QTextDocument.ResourceType.MarkdownResource)

    def loadResource(self, kind: int, name: QUrl | str) -> object:  # noqa: N802  Qt's
        """Pictures scaled, all else as Qt reads it."""
        if kind != QTextDocument.ResourceType.ImageResource.value:
            found: object = super().loadResource(kind, name)
            return found
        file = self.source().resolved(QUrl(name)).toLocalFile()
        self._files[QUrl(name).toString()] = file
        return self._scaled(file)

    def _scaled(self, file: str) -> QImage:
        image = QImage(file)
        width = min(image.width(), max(320, self.viewport().width() - 48))
        return image.scaledToWidth(width, Qt.TransformationMode.SmoothTransformation)

    def resizeEvent(self, event: QResizeEvent) -> None:  # noqa: N802  Qt's
        """Scale the pictures anew: the document keeps those that it was given."""
        if event.size().width() != event.oldSize().width():
            document = self.document()
            for name, file in self._files.items():
                kind = QTextDocument.ResourceType.ImageResource.value
                document.addResource(kind, QUrl(name), self._scaled(file))
            document.markContentsDirty(0, document.characterCount())
        super().resizeEvent(event)

    def _set_apart(self) -> None:
        """Give headings, paragraphs and tables the room that Qt does not give them."""
        block = self.document().begin()
        while block.isValid():
            cursor, level = QTextCursor(block), block.blockFormat().headingLevel()
            if cursor.currentTable() is None:
                apart = QTextBlockFormat()
                apart.setTopMargin(16 if level else 2)
                apart.setBottomMargin(4 if level or cursor.currentList() else 8)
                cursor.mergeBlockFormat(apart)
            if level:
                size = QTextCharFormat()
                size.setProperty(QTextFormat.Property.FontSizeAdjustment, 2 if level == 1 else 1)
                cursor.select(QTextCursor.SelectionType.BlockUnderCursor)
                cursor.mergeCharFormat(size)
            block = block.next()
        for frame in self.document().rootFrame().childFrames():
            if isinstance(frame, QTextTable):
                table = frame.format().toTableFormat()
                table.setBorderBrush(QBrush(QColor(style.LINE)))
                table.setCellPadding(6)
                table.setBottomMargin(8)
                frame.setFormat(table)
        self.moveCursor(QTextCursor.MoveOperation.Start)
