"""Makes the pictures of the README from the running application.

`python docs/screenshots.py [FOLDER]` opens the demo project (the DICOM scans that the pydicom
package ships) without a display, decides as their headers say, all but a few, trains, and writes
`start.png`, `desk.png`, `trust.png`, `desk-wide.png`, `labels.png`, `keys.png` into `docs/images`
(or FOLDER). It trains for real, for a minute: without that limit, as at a reader's desk, the gate's
folds take several times as long, and nothing in the pictures would tell.
"""

import argparse
import os
import sys
import tempfile
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

import numpy as np  # noqa: E402
from PIL import Image  # noqa: E402
from PySide6.QtCore import QEventLoop, QTimer  # noqa: E402
from PySide6.QtGui import QColor  # noqa: E402
from PySide6.QtWidgets import QWidget  # noqa: E402

from app import bootstrap, engine_port  # noqa: E402
from app.collecting import Collecting  # noqa: E402
from app.desk import Desk  # noqa: E402
from app.engine_port import EngineLike, EngineRequest  # noqa: E402
from app.models.commands import Command  # noqa: E402
from app.models.training_state import Phase  # noqa: E402
from app.views import style  # noqa: E402
from app.views.dialogs.keys import KeysDialog  # noqa: E402
from app.views.dialogs.label_set import LabelSetDialog  # noqa: E402
from nearl_core.demo import label_of_modality  # noqa: E402

TRAIN_S = 60.0
GREYS = 64
NARROW, WIDE = (1280, 800), (1920, 1080)
SHOWN = "J2K_pixelrep_mismatch.dcm"
LEFT = (SHOWN, "CT_small.dcm", "MR_small.dcm", "JPEG2000.dcm", "examples_palette.dcm")
"""Undecided at the end; the first one is on screen."""
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
    """Write what a widget looks like, in 256 colours."""
    rest(400)
    widget.grab().save(str(file))
    with Image.open(file) as opened:
        picture = opened.convert("RGB")
    picture.quantize(palette=_palette(picture), dither=Image.Dither.NONE).save(file, optimize=True)


def _palette(picture: Image.Image) -> Image.Image:
    """Even greys for the scan, which must not be tinted, the desk's own, and what else suits."""
    pixels = np.asarray(picture).copy()
    pixels[np.ptp(pixels, axis=2) < 2] = 0
    greys = [value for grey in np.linspace(0, 255, GREYS).astype(int) for value in [grey] * 3]
    own = {value for name, value in vars(style).items() if name.isupper() and str(value)[0] == "#"}
    fixed = [*map(int, greys), *(part for one in sorted(own) for part in QColor(one).toTuple()[:3])]
    rest = 256 - len(fixed) // 3
    suited = Image.fromarray(pixels).quantize(rest, method=Image.Quantize.MAXCOVERAGE)
    palette = Image.new("P", (1, 1))
    palette.putpalette([*fixed, *(suited.getpalette() or [])[: 3 * rest]])
    return palette


def brief_engine(request: EngineRequest) -> EngineLike:
    """The engine, with a limit on the time that it trains."""
    engine = engine_port.real_engine(request)
    engine.train = partial(engine.train, max_seconds=TRAIN_S)  # type: ignore[method-assign]
    return engine


def decide(desk: Desk) -> None:
    """Decide by the labels' keys what the headers tell, each scan once it is ranked."""
    session = desk.library.session
    assert session is not None
    for scan in desk.table.scans().values():
        if scan.path.name in LEFT:
            continue
        desk.review.show(scan.id)
        ranked = partial(is_ranked, desk, scan.id, by=len(session.standing) // 2)
        wait_until(ranked, longest_ms=5000)
        wait_until(lambda: desk.window.scan.view.picture is not None)
        before = len(session.standing)
        desk.actions.label_pressed.emit(
            session.label_set.ids.index(label_of_modality(scan.modality))
        )
        wait_until(lambda before=before: len(session.standing) > before)  # type: ignore[misc]


def is_ranked(desk: Desk, scan_id: int, *, by: int) -> bool:
    """Whether a scan has a ranking that learned from so many decisions."""
    ranking = desk.suggestions.ranking(scan_id)
    return ranking is not None and ranking.decisions >= by


def show_one(desk: Desk) -> None:
    """Put a scan that is worth looking at on screen, ranked by all that was decided."""
    scans = desk.table.scans().values()
    by_name = {scan.path.name: scan.id for scan in scans}
    shown = by_name[SHOWN]
    desk.review.show(shown)
    wait_until(lambda: desk.window.scan.view.picture is not None)
    # Segmentations are decided, but not learned from.
    learned = sum(scan.is_ranked and scan.path.name not in LEFT for scan in scans)
    wait_until(partial(is_ranked, desk, shown, by=learned))
    for _ in range(2):  # else its order may be that of some decisions ago
        desk.actions.action(Command.INSTRUCTIVE).trigger()
    wait_until(lambda: desk.table.id_at(0) == shown, longest_ms=5000)


def main(folder: Path) -> None:
    """Make every picture."""
    folder.mkdir(parents=True, exist_ok=True)
    bootstrap.application()
    collecting = Collecting()
    desk = bootstrap.build(factory=brief_engine)
    desk.keeper.change_desk(replace(desk.keeper.desk, auto_train=False))
    window = desk.window
    window.resize(*NARROW)
    window.show()
    keep(window, folder / "start.png")
    desk.open_demo()
    wait_until(lambda: desk.suggestions.engine is not None)
    decide(desk)
    desk.keeper.change_desk(replace(desk.keeper.desk, auto_train=True))
    desk.training.start()
    wait_until(lambda: desk.training.state.phase is Phase.IDLE)
    wait_until(lambda: len(desk.window.training.versions.lines) > 1)
    show_one(desk)
    keep(window, folder / "desk.png")
    desk.actions.action(Command.TRUST).trigger()
    wait_until(lambda: window.scan.trust.plot.found is not None, longest_ms=5000)
    keep(window, folder / "trust.png")
    desk.actions.action(Command.TRUST).trigger()
    for ask, kind, name in (
        (desk.asking_labels.ask, LabelSetDialog, "labels.png"),
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
    collecting.close()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="Draw the pictures of README.md and docs anew.")
    parser.add_argument("folder", type=Path, nargs="?", default=ROOT / "docs" / "images")
    folder = parser.parse_args().folder
    with tempfile.TemporaryDirectory() as home:
        os.environ["NEARL_HOME"] = home
        main(folder)
