"""Makes the pictures of the README from the running application.

`python docs/screenshots.py [FOLDER]` opens the demo project (the DICOM scans that the pydicom
package ships) without a display, decides by key as a reader would, trains, and writes
`start.png`, `desk.png`, `desk-wide.png`, `labels.png`, `keys.png` into `docs/images` (or FOLDER).
It takes a few minutes on two cores, since it trains for real.
"""

import os
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from PySide6.QtCore import QEventLoop, QTimer  # noqa: E402
from PySide6.QtWidgets import QWidget  # noqa: E402

from app import bootstrap  # noqa: E402
from app.desk import Desk  # noqa: E402
from app.models.training_state import Phase  # noqa: E402
from app.views.dialogs.keys import KeysDialog  # noqa: E402
from app.views.dialogs.label_set import LabelSetDialog  # noqa: E402
from nearl_core.demo import label_of_modality  # noqa: E402

NARROW, WIDE = (1280, 800), (1920, 1080)
DECISIONS = 40
SHOWN = ("examples_overlay.dcm", "CT_small.dcm", "MR_small.dcm")
LONGEST_MS = 900_000


def wait_until(true: Callable[[], bool], *, longest_ms: int = LONGEST_MS) -> None:
    """Let the application work until something is so."""
    loop = QEventLoop()
    beat = QTimer()
    beat.timeout.connect(lambda: loop.quit() if true() else None)
    beat.start(50)
    QTimer.singleShot(longest_ms, loop.quit)
    loop.exec()
    beat.stop()


def rest(milliseconds: int) -> None:
    """Let the application work for a while."""
    wait_until(lambda: False, longest_ms=milliseconds)


def keep(widget: QWidget, file: Path) -> None:
    """Write what a widget looks like."""
    rest(400)
    widget.grab().save(str(file))


def decide(desk: Desk) -> None:
    """Decide by the digit keys what the headers tell."""
    session = desk.library.session
    assert session is not None
    for _ in range(DECISIONS):
        scan = desk.review.scan
        assert scan is not None
        place = session.label_set.ids.index(label_of_modality(scan.modality))
        before = len(session.standing)
        desk.actions.label_pressed.emit(place)
        wait_until(lambda before=before: len(session.standing) > before)  # type: ignore[misc]
        rest(100)


def show_one(desk: Desk) -> None:
    """Put a scan that is worth looking at on screen."""
    by_name = {scan.path.name: scan.id for scan in desk.table.scans()}
    wanted = next((by_name[name] for name in SHOWN if name in by_name), None)
    if wanted is not None:
        desk.review.show(wanted)
    wait_until(lambda: desk.window.scan.view.picture is not None)
    wait_until(lambda: bool(desk.window.ranking.panel.source))


def main(folder: Path) -> None:
    """Make every picture."""
    folder.mkdir(parents=True, exist_ok=True)
    bootstrap.application()
    desk = bootstrap.build()
    desk.training.set_automatic(False, 1000)
    window = desk.window
    window.resize(*NARROW)
    window.show()
    keep(window, folder / "start.png")
    desk.open_demo()
    wait_until(lambda: desk.suggestions.engine is not None)
    decide(desk)
    desk.training.start()
    wait_until(lambda: desk.training.state.phase is Phase.IDLE)
    show_one(desk)
    keep(window, folder / "desk.png")
    for ask, kind, name in (
        (desk.asking.label_set, LabelSetDialog, "labels.png"),
        (desk.asking.keys, KeysDialog, "keys.png"),
    ):
        ask()
        rest(200)
        dialog = window.findChildren(kind)[-1]
        keep(dialog, folder / name)
        dialog.reject()
    window.resize(*WIDE)
    keep(window, folder / "desk-wide.png")
    window.close()
    desk.shut_down()


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as home:
        os.environ["NEARL_HOME"] = home
        main(Path(sys.argv[1]) if len(sys.argv) > 1 else ROOT / "docs" / "images")
