"""kill -9: at random moments, and in the middle of every single write; two at once."""

import os
import random
import signal
import time
from collections.abc import Callable
from contextlib import suppress
from datetime import date, datetime, timedelta, tzinfo
from functools import partial
from pathlib import Path

from nearl_core.errors import ProjectLockedError
from nearl_core.store import decisions as decisions_module
from nearl_core.store.copies import copy_daily
from nearl_core.store.project import Project
from nearl_core.store.restore import restore
from nearl_core.store.scans import NewScan
from nearl_core.types import Label, LabelSet, Revision, ScanInfo
from tests.store.faults.ledger import (
    OLD_LOG,
    Row,
    Tally,
    acknowledge,
    acknowledged,
    forked,
    fresh,
    log,
    new,
    nothing,
    old_or_copied,
    old_project,
    row,
    verify,
)
from tests.support.failing_disk import FailingDisk
from tests.support.projects import LABELS, version

_SESSIONS = 20
"""Killed sessions of one project."""
_UPGRADING = "bringing an older one up to date"
Session = Callable[[Path, int], None]
"""Works in a project, and tells a pipe what was acknowledged."""


def _labelling(folder: Path, pipe: int) -> None:
    with Project.open(folder) as project:
        acknowledge(pipe, row(project.record(new(50))))
        acknowledge(pipe, row(project.undo("r")))
        acknowledge(pipe, row(project.redo("r")))
        project.add_scans(NewScan(folder / f"{n}.png", ScanInfo(8, 8)) for n in range(20))
        project.add_version(version("v1"))
        project.activate("v1", reader="r")
        project.save_revision(Revision(LabelSet((*LABELS.labels, Label("rings", "Rings")))))
        acknowledge(pipe, row(project.record(new(51))))
        copy_daily(folder, today=date(2026, 2, 1))
        acknowledge(pipe, row(project.record(new(52))))


def _restoring(folder: Path, _pipe: int) -> None:
    restore(folder)


def _migrating(folder: Path, pipe: int) -> None:
    with Project.open(folder) as project:
        acknowledge(pipe, row(project.record(new(0))))


SESSIONS: dict[str, Session] = {
    "labelling": _labelling,
    "restoring": _restoring,
    _UPGRADING: _migrating,
}


def at_every_change(
    template: Path, said: list[Row], folder: Path, *, name: str, every: int
) -> Tally:
    """End a process in the middle of each change that it makes to a file, or of one of `every`."""
    tally = Tally(f"killed in each write: {name}")
    disk = FailingDisk(folder)
    nth = 1
    while True:
        project = fresh(template, folder)
        expected = list(said)
        if name == "restoring":
            # Only its index is: everything can be read, and nothing opens it.
            (project / "project.db").write_bytes(b"\0" * 100)
        elif name == _UPGRADING:
            expected = list(OLD_LOG)
            old_project(folder)

        def work(pipe: int, project: Path = project, nth: int = nth) -> None:
            disk.arm(nth, dies=True)
            SESSIONS[name](project, pipe)

        child, pipe = forked(work)
        expected += acknowledged(pipe)
        status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
        if status == 0:
            return tally
        if status != 137:
            tally.bugs.append(f"{tally.what}, change {nth}: ended with {status}")
            return tally
        if name == "restoring":
            restore(project)
        first = old_or_copied if name == _UPGRADING else nothing
        verify(project, expected, tally, f"{tally.what}, change {nth}", more=1, first=first)
        nth += every


class _JumpingClock:
    """A clock that goes back as often as forth."""

    @staticmethod
    def now(zone: tzinfo) -> datetime:
        return datetime.now(zone) + timedelta(days=random.uniform(-5000, 5000))


def _for_ever(folder: Path, seed: int, pipe: int) -> None:
    random.seed(seed)
    vars(decisions_module)["datetime"] = _JumpingClock
    with Project.open(folder) as project:
        number = 0
        while True:
            number += 1
            chance = random.random()
            if chance < 0.7:
                acknowledge(pipe, row(project.record(new(random.randrange(10_000)))))
            elif chance < 0.8 and (undone := project.undo("r")) is not None:
                acknowledge(pipe, row(undone))
            elif chance < 0.9:
                project.add_scans([NewScan(folder / f"{seed}-{number}.png", ScanInfo(8, 8))])
            else:
                day = date(2026, 3, 1) + timedelta(days=random.randrange(300))
                copy_daily(folder, today=day)


def at_random(template: Path, said: list[Row], folder: Path, *, times: int, seed: int) -> Tally:
    """Kill one session after another on one project, the clock jumping all the while."""
    tally = Tally("killed at random moments")
    project = fresh(template, folder)
    chosen = random.Random(seed)
    expected = list(said)
    for number in range(times):
        if number % _SESSIONS == 0 and number:  # else each time takes longer than the one before
            project, expected = fresh(template, folder), list(said)
        child, pipe = forked(partial(_for_ever, project, seed * 10_000 + number))
        time.sleep(chosen.uniform(0.0, 0.3))
        os.kill(child, signal.SIGKILL)
        fresh_ones = acknowledged(pipe)
        if os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) != -signal.SIGKILL:
            tally.bugs.append(f"{tally.what}, {number}: ended by itself")
        verify(project, expected + fresh_ones, tally, f"{tally.what}, {number}", more=1)
        expected = log(project)
    return tally


def two_instances(template: Path, said: list[Row], folder: Path, *, times: int) -> Tally:
    """Two processes open one project at the same moment: one writes, the other is told."""
    tally = Tally("two instances")
    project = fresh(template, folder)
    expected = list(said)
    for number in range(times):
        begin = time.monotonic() + 0.02
        pipes = [_racer(project, begin, number * 2 + racer) for racer in range(2)]
        told = [acknowledged(pipe) for pipe in pipes]
        for _ in pipes:
            if os.wait()[1]:
                tally.bugs.append(f"{tally.what}, {number}: ended with a bug")
        writers = [rows for rows in told if rows]
        tally.told += 2 - len(writers)
        for rows in writers:
            expected += rows
        verify(project, expected, tally, f"{tally.what}, {number}", more=0)
        expected = log(project)
    return tally


def _racer(folder: Path, begin: float, number: int) -> int:
    def work(pipe: int) -> None:
        while time.monotonic() < begin:
            pass
        with suppress(ProjectLockedError), Project.open(folder) as project:
            for step in range(3):
                acknowledge(pipe, row(project.record(new(number * 3 + step))))

    return forked(work)[1]
