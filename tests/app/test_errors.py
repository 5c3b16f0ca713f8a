"""What is written of troubles: where in the program, and never whose data it was."""

from pathlib import Path

import pytest
from PySide6.QtCore import QtMsgType

from app import errors
from app.errors import Reporter, TroubleReport
from nearl_core.decisions_file import DecisionsFileError, read
from nearl_core.errors import NearlError
from nearl_core.store.project import Project
from tests.support.projects import LABELS

NAME = "Quorvex Zelbina 7310407001"


def _trouble(folder: Path) -> NearlError:
    """One that names a patient's file, as it is told on screen."""
    table = folder / f"{NAME}.csv"
    table.write_text("a,b\n")
    with pytest.raises(DecisionsFileError) as caught:
        read(table, scans=(), label_set=LABELS, reader="r")
    assert NAME in caught.value.message
    return caught.value


def _bugs(folder: Path) -> list[BaseException]:
    """Errors as libraries word them."""
    found: list[BaseException] = [
        ValueError(f"could not use {NAME}"),
        OSError(f"no such file: {folder / NAME / 'a.dcm'}"),
        KeyError(NAME),
    ]
    try:
        raise RuntimeError(NAME) from found[0]
    except RuntimeError as error:
        return [*found, error]


@pytest.fixture
def written(tmp_path: Path) -> Path:
    """The log after an expected trouble, bugs and a warning of Qt's about one file."""
    handler = errors.open_log(tmp_path / "home")
    reporter = Reporter()
    take_back = errors.install(reporter)
    try:
        for trouble in (_trouble(tmp_path), NearlError(f"{NAME} has no label.")):
            reporter.trouble(trouble)
        for bug in _bugs(tmp_path):
            reporter.bug(bug)
        errors._log_qt_message(QtMsgType.QtWarningMsg, None, f"no picture in /data/{NAME}/1.png")
    finally:
        take_back()
        errors.close_log(handler)
    return tmp_path / "home" / "desk.log"


def test_the_log_names_nobody(written: Path, bugs: list[str]) -> None:
    text = written.read_text(encoding="utf-8")
    assert not [word for word in (*NAME.split(), "data/", ".csv") if word in text]
    assert "nearl_core.decisions_file.DecisionsFileError at nearl_core/decisions_file.py:" in text
    assert all(kind in text for kind in ("ValueError", "OSError", "KeyError", "RuntimeError"))
    assert "Qt: no picture in …" in text
    bugs.clear()


def test_what_can_be_copied_names_nobody(tmp_path: Path, bugs: list[str]) -> None:
    reporter, shown = Reporter(), list[TroubleReport]()
    reporter.reported.connect(shown.append)
    for bug in _bugs(tmp_path):
        reporter.bug(bug)
    reporter.trouble(_trouble(tmp_path))
    assert not [report for report in shown if any(w in report.details for w in NAME.split())]
    assert [bool(report.details) for report in shown] == [True] * 4 + [False]
    assert "test_errors.py" in shown[3].details
    assert NAME in shown[4].sentence  # on screen the reader must know which file
    bugs.clear()


def test_a_project_named_after_somebody_stays_out_of_the_log(tmp_path: Path) -> None:
    handler = errors.open_log(tmp_path / "home")
    try:
        with pytest.raises(NearlError) as caught:
            Project.open(tmp_path / f"{NAME}.nearl")
        Reporter().trouble(caught.value)
    finally:
        errors.close_log(handler)
    assert "Quorvex" in caught.value.message
    assert "Quorvex" not in (tmp_path / "home" / "desk.log").read_text(encoding="utf-8")
