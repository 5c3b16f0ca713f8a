"""Many at once, and many in all."""

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from itertools import islice
from pathlib import Path

from nearl_core.store.project import Project
from nearl_core.store.scans import NewScan
from nearl_core.types import Identity, ScanInfo
from tests.support.projects import LABELS, decide, new_project, said


def test_threads_record_while_scans_are_added_and_listed(tmp_path: Path) -> None:
    seconds: list[float] = []

    with new_project(tmp_path) as project:

        def record(reader: str) -> None:
            for number in range(30):
                start = time.perf_counter()
                decide(project, number % 6 + 1, LABELS.ids[number % 3], reader=reader)
                seconds.append(time.perf_counter() - start)
                project.undo(reader)
                project.redo(reader)

        def add() -> None:
            project.add_scans(
                NewScan(tmp_path / f"more/{number}.png", ScanInfo(8, 8)) for number in range(4000)
            )

        def read() -> None:
            for _ in range(10):
                project.scans()
                project.standing()

        works: list[Callable[[], None]] = [lambda: record("anna"), lambda: record("ben"), add, read]
        with ThreadPoolExecutor(len(works)) as pool:
            for future in [pool.submit(work) for work in works]:
                future.result()
        assert len(project.scans()) == 4006
        expected = {n % 6 + 1: (LABELS.ids[n % 3],) for n in range(30)}
        assert said(project.standing("anna")) == {(n, "anna"): x for n, x in expected.items()}
        assert len(project.standing()) == 12
    # 50 ms on a quiet workstation; this machine may be busy.
    assert sorted(seconds)[len(seconds) // 2] < 0.25


def test_adding_and_listing_many_scans_stays_quick(tmp_path: Path) -> None:
    count = 10_000
    made = (
        NewScan(tmp_path / "s" / f"{number:06d}.png", ScanInfo(8, 8), Identity(f"P{number % 99}"))
        for number in range(count)
    )
    new = list(islice(made, count))
    with Project.create(tmp_path / "p", LABELS) as project:
        start = time.perf_counter()
        assert project.add_scans(new).added == count
        added = time.perf_counter()
        scans = project.scans()
        listed = time.perf_counter()
    assert count / (added - start) > 2000
    assert listed - added < 1
    assert [scan.path for scan in scans[:2]] == [new[0].path, new[1].path]
