"""What a tip says, as it is: names of files, labels and readers may look like markup."""

import html

from PySide6.QtGui import Qt


def plain_tip(text: str) -> str:
    """A text for a tool tip that Qt shows letter by letter.

    Markup in a label or a header of somebody else's would be followed: a picture in it is read
    from wherever it says, on Windows from a server too.
    """
    if not Qt.mightBeRichText(text):
        return text
    lines = html.escape(text).replace("\n", "<br>")
    return f"<span>{lines}</span>"
