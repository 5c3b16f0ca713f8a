"""The backbones on the desk: listed, fetched after a yes, chosen for the project."""

import threading
from pathlib import Path

import pytest
from PySide6.QtCore import Qt

from app import engine_port
from app.views.dialogs.backbones import BackbonesDialog
from nearl_core.control import RunControl
from nearl_core.errors import BackboneError
from nearl_core.model.backbone_folder import CONFIG
from nearl_core.model.backbone_list import added_folder
from tests.app.driving import Driver


def opened(driver: Driver) -> BackbonesDialog:
    """The dialog, by its key."""
    driver.press(Qt.Key.Key_B, Qt.KeyboardModifier.ControlModifier)
    dialog = driver.desk.window.findChild(BackbonesDialog)
    assert isinstance(dialog, BackbonesDialog)
    driver.until(lambda: dialog.list.topLevelItemCount() > 0)
    return dialog


def choose(dialog: BackbonesDialog, name: str) -> None:
    (item,) = dialog.list.findItems(name, Qt.MatchFlag.MatchExactly, 0)
    dialog.list.setCurrentItem(item)


def put(name: str) -> None:
    """A folder that is listed as a backbone; the fake engine loads none."""
    folder = added_folder() / name
    folder.mkdir(parents=True)
    (folder / CONFIG).write_text("{}")


def row(dialog: BackbonesDialog, name: str) -> list[str]:
    (item,) = dialog.list.findItems(name, Qt.MatchFlag.MatchExactly, 0)
    return [item.text(column) for column in range(1, 5)]


def test_each_is_listed_with_what_a_reader_must_know(driver: Driver, project: Path) -> None:
    driver.open(project)
    dialog = opened(driver)
    assert row(dialog, "BiomedCLIP") == [
        "figures and captions of biomedical articles",
        "784 MB",
        "MIT",
        "Can be fetched",
    ]
    assert row(dialog, "starter")[3] == "In use"
    assert not dialog.use.isEnabled()
    assert not dialog.fetch.isEnabled()


def test_nothing_is_fetched_before_a_yes_and_then_its_progress_shows(
    driver: Driver, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked, go_on = list[str](), threading.Event()

    def fetch(name: str, control: RunControl) -> str:
        asked.append(name)
        control.step(200_000_000, 784_000_000, "fetching", unit="bytes")
        go_on.wait(20)
        control.check()
        put(name)
        return name

    monkeypatch.setattr(engine_port, "fetch_backbone", fetch)
    dialog = opened(driver)
    choose(dialog, "BiomedCLIP")
    dialog.fetch.click()
    assert "784 MB" in dialog.text.text()
    assert "huggingface.co/microsoft/BiomedCLIP" in dialog.text.text()
    dialog.no.click()
    assert not asked
    dialog.fetch.click()
    dialog.yes.click()
    driver.until(lambda: dialog.text.text() == "Fetching BiomedCLIP: 200 of 784 MB")
    assert dialog.bar.isVisible()
    assert dialog.stop.isVisible()
    go_on.set()
    driver.until(lambda: row(dialog, "BiomedCLIP")[3] == "On this computer")
    assert dialog.text.text() == "BiomedCLIP is ready."
    assert asked == ["BiomedCLIP"]


def test_fetching_can_be_stopped_and_a_trouble_is_said(
    driver: Driver, monkeypatch: pytest.MonkeyPatch
) -> None:
    def endless(_name: str, control: RunControl) -> str:
        while True:
            control.step(1, 2, "fetching", unit="bytes")
            threading.Event().wait(0.01)

    def broken(_name: str, _control: RunControl) -> str:
        raise BackboneError("The line is cut.", "Mend it.")

    dialog = opened(driver)
    choose(dialog, "ViT-B-16")
    for fetch in (endless, broken):
        monkeypatch.setattr(engine_port, "fetch_backbone", fetch)
        dialog.fetch.click()
        dialog.yes.click()
        if fetch is endless:
            driver.until(dialog.stop.isVisible)
            dialog.stop.click()
            driver.until(lambda: dialog.text.text().startswith("Stopped."))
    driver.until(lambda: dialog.text.text() == "The line is cut. Mend it.")
    assert not driver.troubles


def test_another_backbone_keeps_the_decisions_and_trains_anew(
    driver: Driver, project: Path
) -> None:
    put("other")
    driver.open(project)
    for _ in range(3):
        driver.decide(Qt.Key.Key_1)
    dialog = opened(driver)
    choose(dialog, "other")
    dialog.use.click()
    assert "Your 3 decisions stay" in dialog.text.text()
    with driver.bot.waitSignal(driver.desk.suggestions.loaded, timeout=20_000):
        dialog.yes.click()
    session = driver.desk.library.session
    assert session is not None
    assert session.project.backbone == "other"
    assert len(session.standing) == 3
    driver.until(lambda: len(session.versions) == 1)  # trained without being asked again
    assert len(driver.engines) == 2
