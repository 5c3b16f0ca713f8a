"""How fast scans are read and shown, and what the guard costs: python -m nearl_core bench reading.

Each figure is a median over turns in which what is compared takes turns too, so that a machine
with other work slows both alike. The files are made up on the spot: smooth shapes with noise, in
sizes of a CT slice and of a chest radiograph.
"""

import math
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

import imagecodecs
import numpy as np

from nearl_core.bench import made
from nearl_core.control import RunControl
from nearl_core.scans import decode
from nearl_core.scans.display import to_grey
from nearl_core.scans.guard import ScanReader
from nearl_core.types import Frame, VoiLut, Window

ROWS: Final = 2500
COLUMNS: Final = 3000
_SMALL: Final = 256
_JPEG_2000: Final = "1.2.840.10008.1.2.4.90"
_JPEG_LS: Final = "1.2.840.10008.1.2.4.80"
_PATIENCE_MS: Final = 1000.0


@dataclass(frozen=True)
class Figure:
    """One measured figure.

    Attributes:
        name: What was measured.
        value: In `unit`.
        goal: At most this, or None where it is only reported.
        detail: What it is made of.
    """

    name: str
    value: float
    unit: str
    goal: float | None = None
    detail: str = ""

    @property
    def met(self) -> bool | None:
        """Whether the goal is met; None without one."""
        return None if self.goal is None else self.value <= self.goal


def measure(control: RunControl, *, turns: int = 9) -> Iterator[Figure]:
    """All figures, one after another.

    Args:
        control: Checked between them.
        turns: How often each is measured; large JPEG 2000 a third of it.
    """
    with tempfile.TemporaryDirectory() as folder, ScanReader(workers=1) as reader:
        paths = _made(Path(folder))
        reader.info(paths["small"])
        steps: tuple[Callable[[], Iterator[Figure]], ...] = (
            lambda: _guarded("small", paths["small"], reader, turns * 5),
            lambda: _guarded("uncompressed", paths["native"], reader, turns),
            lambda: _guarded("jpeg_ls", paths["jpeg_ls"], reader, turns),
            lambda: _guarded("jpeg_2000", paths["jpeg_2000"], reader, max(turns // 3, 1)),
            lambda: _first_sight(paths["jpeg_2000"], reader, max(turns // 3, 1)),
            lambda: _greys(paths["native"], turns),
        )
        for done, step in enumerate(steps):
            control.step(done, len(steps), "measuring")
            yield from step()


def _guarded(name: str, path: Path, reader: ScanReader, turns: int) -> Iterator[Figure]:
    """What a file costs with and without the guard."""
    bare, guarded = _in_turns(turns, lambda: decode.frame(path, 0), lambda: reader.frame(path, 0))
    over = guarded - bare
    size = path.stat().st_size
    allowed = 5.0 if name == "small" else bare / 10 + 5
    yield Figure(f"{name}_bare", bare, "ms", detail=f"{size / 1e6:.2f} MB, in this process")
    yield Figure(f"{name}_guarded", guarded, "ms", detail=f"{size / 1e3 / guarded:.0f} MB/s")
    yield Figure(f"{name}_guard_cost", over, "ms", allowed, f"{guarded / bare:.2f} of bare")


def _first_sight(path: Path, reader: ScanReader, turns: int) -> Iterator[Figure]:
    """How long a reader waits for a large JPEG 2000."""
    stream = path.read_bytes()
    stream = stream[stream.index(b"\xff\x4f\xff\x51") :]

    def shown(coarse: bool) -> None:
        found = reader.preview(path) if coarse else reader.frame(path)
        assert found is not None
        to_grey(found[0])

    codec, preview, whole = _in_turns(
        turns,
        lambda: imagecodecs.jpeg2k_decode(stream),
        lambda: shown(True),
        lambda: shown(False),
    )
    size = f"{COLUMNS} x {ROWS}, 12 bits"
    yield Figure("jpeg_2000_codec", codec, "ms", detail=f"{size}, one thread")
    yield Figure("jpeg_2000_preview", preview, "ms", 300.0, "read through the guard, to grey")
    yield Figure("jpeg_2000_shown", whole, "ms", 1200.0, f"{whole / codec:.2f} of its codec alone")


def _greys(path: Path, turns: int) -> Iterator[Figure]:
    """From values to the screen, a megapixel."""
    frame = decode.frame(path, 0)[0]
    table = VoiLut(0, np.sqrt(np.arange(4096)).astype(np.uint16))
    window = Window(2000.0, 4000.0)
    kinds: dict[str, tuple[Frame, Window | VoiLut]] = {
        "uint16": (frame, window),
        "int16_rescaled": (replace(frame, values=frame.values.astype(np.int16) - 1024), window),
        "table": (frame, table),
        "float64": (replace(frame, values=frame.values.astype(np.float64) / 7), window),
    }
    for name, (seen, how) in kinds.items():
        (spent,) = _in_turns(turns, lambda seen=seen, how=how: to_grey(seen, how))  # type: ignore[misc]
        megapixels = seen.values.size / 1e6
        yield Figure(f"to_grey_{name}", spent / megapixels, "ms/megapixel", 10.0)


def _in_turns(turns: int, *tasks: Callable[[], object]) -> tuple[float, ...]:
    """Median milliseconds of each task, after one turn that does not count."""
    spent: list[list[float]] = [[] for _ in tasks]
    for turn in range(turns + 1):
        for task, times in zip(tasks, spent, strict=True):
            started = time.perf_counter()
            task()
            if turn:
                times.append(time.perf_counter() - started)
    return tuple(statistics.median(times) * _PATIENCE_MS for times in spent)


def _made(folder: Path) -> dict[str, Path]:
    """The files that are read."""
    image = made.image(ROWS, COLUMNS)
    coded = {
        "jpeg_2000": (
            _JPEG_2000,
            bytes(imagecodecs.jpeg2k_encode(image, level=0, codecformat="j2k")),
        ),
        "jpeg_ls": (_JPEG_LS, bytes(imagecodecs.jpegls_encode(image))),
    }
    paths = {
        "small": made.written(folder / "small", image[:_SMALL, :_SMALL]),
        "native": made.written(folder / "native", image),
    }
    for name, (syntax, stream) in coded.items():
        paths[name] = made.written(folder / name, image, syntax=syntax, stream=bytes(stream))
    return paths


def as_record(figure: Figure) -> dict[str, object]:
    """For JSON."""
    value = round(figure.value, 3) if math.isfinite(figure.value) else None
    goal = None if figure.goal is None else round(figure.goal, 3)
    record: dict[str, object] = {"figure": figure.name, "value": value, "unit": figure.unit}
    return record | {"goal": goal, "met": figure.met, "detail": figure.detail}
