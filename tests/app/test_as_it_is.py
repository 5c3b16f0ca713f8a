"""What files of somebody else's are called is shown letter by letter, and never followed."""

import re
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import Qt as Core
from PySide6.QtGui import Qt as Gui
from PySide6.QtWidgets import QApplication, QLabel, QWidget

import app
from app.models.commands import Command
from app.models.tips import plain_tip
from nearl_core.types import Label, LabelSet
from tests.app.driving import Driver, make_project
from tests.support.scans import disc, write_dicom, write_png

PICTURE = '<img src="/dev/zero">'
PYQTGRAPH_S_OWN = "Opacity"
NAMES = (PICTURE, f"a <b>b</b> {PICTURE}", '<a href="http://example.org">c</a>')


def test_a_tip_says_what_it_is_given() -> None:
    for name in ("Disc", "<5 mm", "a & b", "p < 0.05"):
        assert plain_tip(name) == name
    for name in (*NAMES, f"line\n{PICTURE}"):
        assert not _is_followed(plain_tip(name))
        assert Gui.mightBeRichText(plain_tip(name)) == Gui.mightBeRichText(name)
    assert plain_tip(f"{PICTURE}\ntwo").endswith("&gt;<br>two</span>")


def test_every_label_is_made_as_a_plain_one() -> None:
    made = {
        file.name
        for file in (Path(app.__file__).parent).rglob("*.py")
        if re.search(r"(?<!class Plain)\bQLabel\(|\(QLabel\)", file.read_text(encoding="utf-8"))
    }
    assert made == {"fields.py"}  # where PlainLabel is one


def _is_followed(tip: str) -> bool:
    return Gui.mightBeRichText(tip) and ("<img" in tip or "<a" in tip)


def _shown() -> Iterator[QWidget]:
    for window in QApplication.topLevelWidgets():
        yield window
        yield from window.findChildren(QWidget)


def _faults() -> list[str]:
    labels = [one for one in _shown() if isinstance(one, QLabel)]
    read = [one.text() for one in labels if one.textFormat() is not Core.TextFormat.PlainText]
    return [text for text in read if text != PYQTGRAPH_S_OWN] + [
        one.toolTip() for one in _shown() if _is_followed(one.toolTip())
    ]


@pytest.mark.skipif(sys.platform == "win32", reason="such names can't be there")
def test_nothing_on_the_desk_reads_markup(driver: Driver, tmp_path: Path) -> None:
    scans = tmp_path / "scans"
    for number in range(3):
        write_png(scans / f"{number}<b>b<img src=x>.png", disc(seed=number))
    write_dicom(scans / "0.dcm", disc().astype("u2"), SoftwareVersions=PICTURE)
    labels = LabelSet(tuple(Label(f"l{n}", name) for n, name in enumerate(NAMES)))
    driver.open(make_project(tmp_path / f"{NAMES[1].replace('/', '')}.nearl", scans, labels))
    driver.decide(Core.Key.Key_1)
    driver.desk.actions.action(Command.TAGS).trigger()
    table = driver.desk.table
    tips = [
        str(table.data(table.index(row, 0), Core.ItemDataRole.ToolTipRole))
        for row in range(table.rowCount())
    ]
    assert len(tips) == 4
    assert not [tip for tip in tips if _is_followed(tip)]
    assert any("&lt;img" in tip for tip in tips)
    assert _faults() == []
    assert any("&lt;img" in one.toolTip() for one in _shown())
