"""Power loss on a network share, where the rollback journal stands in for the log.

A session's changes are recorded with their syncs. The power then goes at each of them: what was
synced is on the disk, and of the rest nothing, everything, or any part is, down to sectors. A name
that was made or removed counts as synced once its folder is, as SQLite assumes
(sqlite.org/atomiccommit.html).
"""

import random
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from nearl_core.store import database
from nearl_core.store.project import Project
from nearl_core.store.scans import NewScan
from nearl_core.types import ScanInfo
from tests.store.faults.ledger import Row, Tally, fresh, new, row, verify
from tests.support.failing_disk import Change, FailingDisk, recorded

_SECTOR = 512
_CHOICES = ("nothing", "everything", "parts", "other parts")
Lot = Callable[[], bool]
"""Whether something that was not synced is on the disk."""


class _Disk:
    """What is on a disk for certain, and what may be."""

    def __init__(self, files: dict[str, bytes]) -> None:
        self._content = {number: bytearray(data) for number, data in enumerate(files.values())}
        self._names = {name: number for number, name in enumerate(files)}
        self._now = dict(self._names)
        self._changes: dict[int, list[Change]] = defaultdict(list)
        self._renaming: list[tuple[str, int | None]] = []

    def take(self, change: Change, *, folder: str) -> None:
        """One change more."""
        if change.what == "c":
            number = len(self._content)
            self._content[number] = bytearray()
            self._now[change.path] = number
            self._renaming.append((change.path, number))
        elif change.what == "u":
            self._now.pop(change.path, None)
            self._renaming.append((change.path, None))
        elif change.what == "s" and change.path == folder:
            _rename(self._names, self._renaming, lambda: True)
            self._renaming = []
        elif change.path in self._now:
            number = self._now[change.path]
            if change.what == "s":
                _write(self._content[number], self._changes.pop(number, []), lambda: True)
            else:
                self._changes[number].append(change)

    def after(self, lot: Lot) -> dict[str, bytes]:
        """The files as they may stand after the power went."""
        names = dict(self._names)
        _rename(names, self._renaming, lot)
        found = {}
        for name, number in names.items():
            content = bytearray(self._content[number])
            _write(content, self._changes[number], lot)
            found[name] = bytes(content)
        return found


def _rename(names: dict[str, int], changes: list[tuple[str, int | None]], lot: Lot) -> None:
    for name, number in changes:
        if not lot():
            continue
        if number is None:
            names.pop(name, None)
        else:
            names[name] = number


def _write(content: bytearray, changes: list[Change], lot: Lot) -> None:
    for change in changes:
        if change.what == "t":
            if lot():
                del content[change.offset :]
                content.extend(bytes(change.offset - len(content)))
            continue
        for start in range(0, len(change.data), _SECTOR):
            if lot():
                part, place = change.data[start : start + _SECTOR], change.offset + start
                content.extend(bytes(max(0, place - len(content))))
                content[place : place + len(part)] = part


@contextmanager
def on_a_share() -> Iterator[None]:
    """Every project stands on a network share."""
    before = database.is_on_network
    database.is_on_network = lambda path: True  # noqa: ARG005 - its name is part of the type
    try:
        yield
    finally:
        database.is_on_network = before


def _session(project: Path, disk: FailingDisk, said: list[Row]) -> list[Row]:
    """Decide, undo and add; each acknowledgement is a mark."""
    expected = list(said)
    with Project.open(project) as opened:
        for number in range(8):
            decision = opened.undo("r") if number % 4 == 3 else opened.record(new(60 + number))
            expected.append(row(decision))
            disk.mark(len(expected))
        opened.add_scans(NewScan(project / f"{n}.png", ScanInfo(8, 8)) for n in range(40))
        expected.append(row(opened.record(new(90))))
        disk.mark(len(expected))
    return expected


def power_loss_on_a_share(template: Path, said: list[Row], folder: Path, *, every: int) -> Tally:
    """The power goes at each change of a session on a network share."""
    tally = Tally("power loss on a share: rollback journal")
    project = fresh(template, folder)
    tape = folder.with_name("tape")
    with on_a_share():
        Project.open(project).close()
        names = [str(project / name) for name in ("project.db",)]
        before = {name: Path(name).read_bytes() for name in names}
        disk = FailingDisk(project)
        disk.record(tape)
        expected = _session(project, disk, said)
        disk.stop()
        model, acknowledged = _Disk(before), len(said)
        for number, change in enumerate(recorded(tape)):
            told = change.what == "m"
            if told:
                acknowledged = change.offset
            else:
                model.take(change, folder=str(project))
            # Right after it was told is when a decision is lost, if ever.
            if number % every == 0 or (told and acknowledged % min(every, 5) == 0):
                for choice in _CHOICES:
                    _lay(project, model.after(_lot(choice, number)))
                    where = f"{tally.what}, change {number} {change.what}, {choice}"
                    verify(project, expected[:acknowledged], tally, where, more=1)
    return tally


def _lot(choice: str, number: int) -> Lot:
    if choice in ("nothing", "everything"):
        return lambda: choice == "everything"
    chosen = random.Random(f"{choice} {number}")
    return lambda: chosen.random() < 0.5


def _lay(project: Path, files: dict[str, bytes]) -> None:
    for left in project.glob("project.db*"):
        left.unlink()
    for name, content in files.items():
        if Path(name).name.startswith("project.db"):
            Path(name).write_bytes(content)
