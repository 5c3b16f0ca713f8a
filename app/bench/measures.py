"""What is measured, and what is asked of it."""

import os
import statistics
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import psutil
from PySide6.QtCore import QEvent, QPointF, Qt

from app.bench.driving import (
    Gaps,
    memory_mb,
    opened,
    painted,
    point,
    press,
    rest,
    wait_until,
)
from app.controllers.pictures import Place
from app.desk import Desk
from app.models.scan_rows import Show
from nearl_core.scan_list import ScanList
from nearl_core.types import State, Verdict

_DRAG_STEPS = 90
_NEXT_STEPS = 40


@dataclass(frozen=True)
class Figure:
    """One measured number.

    Attributes:
        goal: At most (or, for rates, at least) this much; None where nothing is asked.
        rate: Whether more is better.
    """

    name: str
    value: float
    unit: str
    goal: float | None = None
    rate: bool = False
    detail: str = ""

    @property
    def met(self) -> bool | None:
        """Whether it is as good as is asked."""
        if self.goal is None:
            return None
        return self.value >= self.goal if self.rate else self.value <= self.goal


def window_drag(desk: Desk, project: Path) -> Iterator[Figure]:
    """A window drag over a large radiograph, fitted and at full size."""
    opened(desk, project)
    view = desk.window.scan.view
    for name, zoom in (("fitted", 0), ("full_size", 1)):
        while zoom and view.percent < 100:
            view.zoom(1.0)
        middle = QPointF(view.rect().center())
        point(view, QEvent.Type.MouseButtonPress, middle, held=True)
        spent, worked = [], time.thread_time()
        for step in range(1, _DRAG_STEPS + 1):
            place = middle + QPointF(step, (step % 30) - 15)
            started = time.perf_counter()
            point(view, QEvent.Type.MouseMove, place, held=True)
            painted(view)
            spent.append(time.perf_counter() - started)
        point(view, QEvent.Type.MouseButtonRelease, middle, held=False)
        slow = float(np.percentile(spent, 95))
        own = (time.thread_time() - worked) / len(spent)
        yield Figure(
            f"window_drag_{name}",
            1 / statistics.median(spent),
            "frames/s",
            30.0,
            rate=True,
            detail=f"{1000 * own:.1f} ms of own work, 95 of 100 within {1000 * slow:.1f} ms",
        )


def next_scan(desk: Desk, project: Path) -> Iterator[Figure]:
    """From the key to the next scan painted, where it was made ready before."""
    opened(desk, project)
    spent, worked = [], []
    for _ in range(_NEXT_STEPS):
        scan = desk.review.scan
        assert scan is not None
        following = desk.table.neighbours(scan.id, (1,))
        if not following:
            break
        wait_until(lambda i=following[0]: desk.pictures.at(Place(i, 0)) is not None)  # type: ignore[misc]
        rest(0.05)
        started, before = time.perf_counter(), time.thread_time()
        press(desk, Qt.Key.Key_Right)
        painted(desk.window)
        spent.append(1000 * (time.perf_counter() - started))
        worked.append(1000 * (time.thread_time() - before))
    yield Figure(
        "next_scan_prefetched",
        float(np.percentile(spent, 95)),
        "ms",
        50.0,
        detail=f"95th percentile of {len(spent)}; {np.percentile(worked, 95):.1f} ms of own work",
    )


def first_sight(desk: Desk, project: Path) -> Iterator[Figure]:
    """A large JPEG 2000 that nothing was made ready of: something to see, then all of it."""
    opened(desk, project)
    by_name = {scan.path.name: scan.id for scan in desk.table.scans().values()}
    first: list[float] = []
    whole: list[float] = []
    # Far from each other, for neighbours are made ready.
    for name in sorted(by_name)[6::6]:
        wait_until(lambda: desk.pictures.is_idle)
        started = time.perf_counter()
        seen: list[float] = []
        noted = desk.looking.screen.picture.connect(
            lambda *_args, t=started, s=seen: s.append(1000 * (time.perf_counter() - t))
        )
        desk.review.show(by_name[name])
        place = Place(by_name[name], 0)
        wait_until(lambda p=place, s=seen: bool(s) and desk.pictures.at(p) is not None)  # type: ignore[misc]
        painted(desk.window)
        desk.looking.screen.picture.disconnect(noted)
        first.append(seen[0])
        whole.append(seen[-1])
    detail = f"median of {len(first)}, 3000 x 2500 JPEG 2000, not prefetched"
    yield Figure("preview", statistics.median(first), "ms", 300.0, detail=detail)
    yield Figure("whole", statistics.median(whole), "ms", 1200.0, detail=detail)


def adding(desk: Desk, project: Path, scans: Path, count: int) -> Iterator[Figure]:
    """Adding very many small files, hashing them, showing thumbnails, opening again."""
    before_mb = memory_mb()
    desk.asking.open_path(project)
    wait_until(lambda: desk.library.session is not None)
    reports: list[object] = []
    connection = desk.library.adding.added.connect(reports.append)
    with Gaps() as gaps:
        started, worked = time.perf_counter(), _processor_s()
        desk.library.adding.add((scans,))
        wait_until(lambda: bool(reports), longest_s=3600)
        spent, worked = time.perf_counter() - started, _processor_s() - worked
    desk.library.adding.added.disconnect(connection)
    yield Figure("added", float(len(desk.table.scans())), "files", float(count), rate=True)
    yield Figure(
        "adding",
        count / spent,
        "files/s",
        2000.0,
        rate=True,
        detail=f"{spent:.1f} s, {1e6 * worked / count:.0f} µs of processor a file",
    )
    yield _gap("adding_longest_gap", gaps)
    with Gaps() as gaps:
        _scroll(desk, 60)
        wait_until(lambda: desk.pictures.is_idle)
    yield _gap("scrolling_longest_gap", gaps)
    yield Figure("list_and_thumbnails", memory_mb() - before_mb, "MB", 500.0)
    started = time.perf_counter()
    wait_until(lambda: desk.library.adding.is_hashed, longest_s=3600)
    yield Figure("hashing_after_adding", time.perf_counter() - started, "s")
    desk.library.close()
    rest(0.5)
    with Gaps() as gaps:
        started = time.perf_counter()
        desk.asking.open_path(project)
        wait_until(lambda: desk.library.session is not None and len(desk.table.scans()) > 0)
        painted(desk.window)
        spent = time.perf_counter() - started
    yield Figure("opening_again", spent, "s", 1.0)
    yield _gap("opening_longest_gap", gaps)


def _processor_s() -> float:
    """What this process and its decoding processes have worked so far."""
    own = psutil.Process()
    times = [part.cpu_times() for part in (own, *own.children(recursive=True))]
    return sum(time.user + time.system for time in times)


def _gap(name: str, gaps: Gaps) -> Figure:
    worked = f"at most {gaps.work_ms:.0f} ms of them this thread's own work"
    return Figure(name, gaps.longest_ms, "ms", 100.0, detail=worked)


def many_rows(desk: Desk, rows: int) -> Iterator[Figure]:
    """The table with very many rows that stand for no files."""
    before_mb = memory_mb()
    started = time.perf_counter()
    scans = ScanList(
        (i, f"../scans/{i // 1000:04d}/image-{i:07d}.dcm", 1, "CT", f"{i // 8:032x}", True, "")
        for i in range(1, rows + 1)
    )
    made_s = time.perf_counter() - started
    verdict = Verdict(State.LABELLED, ("a",))
    yield Figure("columns_made", made_s, "s", detail="in the store thread when a project opens")
    table, queue = desk.table, desk.window.queue
    desk.window.show_desk("many")
    steps: dict[str, Callable[[], object]] = {
        "open": lambda: table.fill(scans, {5: verdict}, None),
        "scroll": lambda: _scroll(desk, 20),
        "sort": lambda: table.set_order(scans.ids[::-1].tolist()),
        "sort_back": lambda: table.set_order(()),
        "filter": lambda: table.set_filter(Show.TO_DO, ""),
        "search": lambda: table.set_filter(Show.TO_DO, "99"),
        "all": lambda: table.set_filter(Show.ALL, ""),
        "select": lambda: queue.select(rows - 7),
        "decide": lambda: table.set_verdict(rows // 2, verdict),
        "next": lambda: table.next_to_do(rows // 2),
    }
    for name, work in steps.items():
        started, before = time.perf_counter(), time.thread_time()
        work()
        painted(queue)
        spent = 1000 * (time.perf_counter() - started)
        own = f"{1000 * (time.thread_time() - before):.1f} ms of own work"
        yield Figure(f"rows_{name}", spent, "ms", 100.0 if name != "scroll" else None, detail=own)
    yield Figure("rows_memory", memory_mb() - before_mb, "MB", 500.0)
    table.fill(ScanList(), {}, None)


def _scroll(desk: Desk, steps: int) -> None:
    """Scroll the queue from its top to its end, drawing at each step."""
    bar = desk.window.queue.scroll_bar
    for step in range(steps + 1):
        bar.setValue(bar.maximum() * step // steps)
        painted(desk.window.queue)
        rest(0.01)


def linked(first: Path, folder: Path, count: int) -> Path:
    """A folder with a file under so many names."""
    folder.mkdir()
    for number in range(count):
        os.link(first, folder / f"{number:03d}{first.suffix}")
    return folder
