"""The composition root: makes what the desk stands on, hands it over, runs the event loop."""

import sys
from collections.abc import Sequence
from pathlib import Path

from PySide6.QtGui import QIcon
from PySide6.QtWidgets import QApplication

from app import engine_port, errors, strings
from app.asking import Asking
from app.collecting import Collecting
from app.controllers.library import Library
from app.controllers.suggestions import Suggestions
from app.desk import Desk
from app.engine_port import EngineFactory
from app.jobs import Jobs, Relay
from app.models.scan_table import ScanTable
from app.preferences import Keeper
from app.views import style
from app.views.actions import Actions
from app.views.main_window import MainWindow
from nearl_core import settings as settings_module

_TURN_S = 0.0005
"""How long a thread keeps the interpreter while another waits for it; Python's own is ten times as
long. Drawing gives it back and asks for it some hundred times: behind three threads at work a
drawn queue took 500 ms with Python's, 37 ms with this, at a few per cent of their pace."""


def application() -> QApplication:
    """The QApplication in the desk's look; the one that runs already, if any."""
    sys.setswitchinterval(_TURN_S)
    found = QApplication.instance()
    running = found if isinstance(found, QApplication) else QApplication(sys.argv[:1])
    running.setApplicationName(strings.APP_NAME)
    # The window says itself when it goes: a second, belated quit would end the next event loop.
    running.setQuitOnLastWindowClosed(False)
    running.setDesktopFileName("nearl-desk")
    running.setWindowIcon(QIcon(str(style.RESOURCES / "icons" / "desk.svg")))
    style.apply(running)
    return running


def build(*, factory: EngineFactory = engine_port.real_engine) -> Desk:
    """Make the desk; nothing runs and nothing is shown yet."""
    loaded = settings_module.load()
    keeper = Keeper(loaded.settings)
    relay = Relay()
    reporter = errors.Reporter()
    relay.trouble.connect(reporter.trouble)
    relay.bug.connect(reporter.bug)
    jobs = Jobs(relay)
    table = ScanTable()
    actions = Actions(dict(loaded.settings.keys))
    window = MainWindow(table, actions)
    library = Library(jobs, table, keeper)
    suggestions = Suggestions(jobs, factory)
    asking = Asking(window, library, keeper, reporter)
    desk = Desk(
        window=window,
        actions=actions,
        table=table,
        jobs=jobs,
        library=library,
        suggestions=suggestions,
        asking=asking,
        keeper=keeper,
        reporter=reporter,
        demo_folder=settings_module.settings_folder() / "demo.nearl",
    )
    for notice in loaded.notices:
        window.status.message(notice)
    return desk


def run(path: Path | None, *, demo: bool, factory: EngineFactory = engine_port.real_engine) -> int:
    """Show the desk until its window is closed; returns the exit status."""
    running = application()
    log = errors.open_log(settings_module.settings_folder())
    collecting = Collecting()
    desk = build(factory=factory)
    desk.suggestions.loaded.connect(collecting.settle)
    take_back = errors.install(desk.reporter)
    desk.window.closing.connect(running.quit)
    desk.window.show()

    def begin(_nothing: None) -> None:
        if demo:
            desk.open_demo()
        elif path is not None:
            desk.asking.open_path(path)
        desk.warm_up(collecting.settle)

    # Alone and first: any import of a library by another thread would wait for these, and hold the
    # interpreter meanwhile.
    desk.jobs.engine.submit(engine_port.load_libraries, done=begin)
    status = running.exec()
    ended = desk.shut_down()
    if ended:
        collecting.close()
    take_back()
    errors.close_log(log)
    return status if ended else 1


def arguments(argv: Sequence[str]) -> tuple[Path | None, bool]:
    """What the command line asks for: a path to open, and whether the demo."""
    import argparse

    parser = argparse.ArgumentParser(prog="main.py", description=strings.WHAT_IT_IS)
    parser.add_argument("path", nargs="?", type=Path, help=strings.USAGE_PROJECT)
    parser.add_argument("--demo", action="store_true", help=strings.USAGE_DEMO)
    found = parser.parse_args(list(argv))
    return found.path, found.demo
