"""`python -m app.bench`: the desk's speed, offscreen, with real widgets.

Makes what it measures on in a temporary folder (100,000 small files of 2,000 kinds, each under 50
names; 3000 x 2500 radiographs) and prints a JSON line a figure. It takes a few minutes.
"""

import argparse
import json
import os
import sys
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import asdict
from pathlib import Path

import imagecodecs
import numpy as np

from app import bootstrap
from app.bench import measures
from app.bench.idle import IdleEngine
from app.collecting import Collecting
from app.desk import Desk
from nearl_core import labels_file
from nearl_core.adding import examine
from nearl_core.bench import made
from nearl_core.scans import written
from nearl_core.scans.find import find
from nearl_core.scans.guard import ScanReader

_KINDS, _SIDE = 2000, 24
_JPEG_2000 = "1.2.840.10008.1.2.4.90"
PARTS = ("drag", "next", "preview", "adding", "rows")


def main(argv: list[str]) -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="python -m app.bench", description=__doc__)
    parser.add_argument("--files", type=int, default=100_000, help="small files to add")
    parser.add_argument("--rows", type=int, default=1_000_000, help="rows to simulate")
    parser.add_argument("--only", default=",".join(PARTS), help=f"some of {','.join(PARTS)}")
    args = parser.parse_args(argv)
    os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
    missed = 0
    with tempfile.TemporaryDirectory(prefix="nearl-bench-") as place:
        os.environ["NEARL_HOME"] = f"{place}/home"
        for figure in _measured(Path(place), args.only.split(","), args.files, args.rows):
            missed += figure.met is False
            sys.stdout.write(json.dumps({**asdict(figure), "met": figure.met}) + "\n")
            sys.stdout.flush()
    return 0 if not missed else 1


def _measured(place: Path, parts: list[str], files: int, rows: int) -> Iterator[measures.Figure]:
    bootstrap.application()
    collecting = Collecting()
    desk = bootstrap.build(factory=IdleEngine)
    desk.window.resize(1280, 800)
    desk.window.show()
    work: dict[str, Callable[[], Iterator[measures.Figure]]] = {
        "drag": lambda: measures.window_drag(desk, _project(place, "native", 3)),
        "next": lambda: measures.next_scan(desk, _project(place, "next", 48)),
        "preview": lambda: measures.first_sight(desk, _project(place, "jpeg_2000", 60)),
        "adding": lambda: measures.adding(
            desk, _empty_project(place / "many.nearl"), _many(place / "many", files), files
        ),
        "rows": lambda: measures.many_rows(desk, rows),
    }
    for part in parts:
        yield from work[part]()
        desk.library.close()
    _end(desk)
    collecting.close()


def _end(desk: Desk) -> None:
    desk.window.close()
    desk.shut_down()


def _empty_project(folder: Path) -> Path:
    from nearl_core.store.project import Project

    with Project.create(folder, labels_file.from_names(["Effusion", "Normal"])) as project:
        return project.folder


def _project(place: Path, kind: str, count: int) -> Path:
    """A project over one large radiograph under so many names."""
    from nearl_core.store.project import Project

    image = made.image(3000, 2500)
    if kind == "jpeg_2000":
        stream = bytes(imagecodecs.jpeg2k_encode(image, level=0, codecformat="j2k"))
        first = made.written(place / kind, image, syntax=_JPEG_2000, stream=stream)
    else:
        first = made.written(place / kind, image)
    folder = measures.linked(first, place / f"{kind}-scans", count)
    made_at = _empty_project(place / f"{kind}.nearl")
    with Project.open(made_at) as project, ScanReader() as reader:
        project.add_scans(examine(find([folder]), reader=reader))
    return made_at


def _many(folder: Path, count: int) -> Path:
    """Small files, half PNG and half DICOM, of 2,000 kinds, the rest other names of the same."""
    rng = np.random.default_rng(0)
    kinds: list[Path] = []
    for number in range(min(_KINDS, count)):
        sub = folder / "000"
        sub.mkdir(parents=True, exist_ok=True)
        pixels = rng.integers(0, 256, (_SIDE, _SIDE))
        if number % 2:
            kinds.append(made.written(sub / f"{number:04d}.dcm", pixels.astype(np.uint16)))
        else:
            kinds.append(sub / f"{number:04d}.png")
            written.write_png(kinds[-1], pixels.astype(np.uint8))
    for number in range(len(kinds), count):
        first = kinds[number % len(kinds)]
        sub = folder / f"{number // len(kinds):03d}"
        sub.mkdir(exist_ok=True)
        os.link(first, sub / first.name)
    return folder


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
