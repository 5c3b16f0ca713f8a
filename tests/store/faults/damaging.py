"""Power loss, and files that went bad: databases and logs cut off, half-written, overwritten."""

import random
import shutil
from collections.abc import Callable
from pathlib import Path

from nearl_core.errors import NearlError
from nearl_core.store.check import check
from nearl_core.store.project import Project
from nearl_core.store.restore import restore
from tests.store.faults.ledger import Row, Tally, fresh, log, new, row, verify

_PAGE = 4096
_HEADER, _FRAME = 32, 24 + _PAGE  # sqlite.org/fileformat2.html, "The WAL File Format"


def _with_a_log(folder: Path, said: list[Row]) -> list[tuple[int, list[Row]]]:
    """Decide with the log growing; returns its size at each acknowledgement, and all said by then.

    The database and its log stay as they are while the project is open.
    """
    expected, marks = list(said), [(0, list(said))]
    project = Project.open(folder)
    for number in range(30):
        decision = project.undo("r") if number % 7 == 6 else project.record(new(60 + number))
        expected.append(row(decision))
        marks.append(((folder / "project.db-wal").stat().st_size, list(expected)))
    shutil.copytree(folder, folder.with_name("open.nearl"))
    project.close()
    shutil.copyfile(folder / "project.db", folder.with_name("closed.db"))
    return marks


def power_loss(template: Path, said: list[Row], folder: Path, *, every: int) -> Tally:
    """The log ends anywhere: at and around each frame, cut off, or with what was there before."""
    tally = Tally("power loss: log cut off")
    project = fresh(template, folder)
    marks = _with_a_log(project, said)
    whole = (folder / "open.nearl" / "project.db-wal").read_bytes()
    old = (folder / "open.nearl" / "project.db").read_bytes()
    chosen = random.Random(0)
    cuts = [0, 1, _HEADER - 1, _HEADER]
    for start in range(_HEADER, len(whole), _FRAME):
        cuts += [start + 1, start + 24, start + 24 + _PAGE // 2, start + _FRAME - 1, start + _FRAME]
    for cut in cuts[::every]:
        expected = next(rows for size, rows in reversed(marks) if size <= cut)
        rest = len(whole) - cut
        for words, tail in (("", b""), ("zeros", bytes(rest)), ("noise", chosen.randbytes(rest))):
            _lay(project, old, whole[:cut] + tail)
            verify(project, expected, tally, f"{tally.what} at {cut} {words}", more=1)
    return tally


def half_done_checkpoints(template: Path, said: list[Row], folder: Path, *, every: int) -> Tally:
    """The log is folded into the database, and the power goes before it is done."""
    tally = Tally("power loss: checkpoint half done")
    project = fresh(template, folder)
    expected = _with_a_log(project, said)[-1][1]
    whole = (folder / "open.nearl" / "project.db-wal").read_bytes()
    old = (folder / "open.nearl" / "project.db").read_bytes()
    done = (folder / "closed.db").read_bytes()
    chosen = random.Random(0)
    for cut in range(0, len(done) + 1, _PAGE // 2)[::every]:
        _lay(project, done[:cut] + old[cut:], whole)
        verify(project, expected, tally, f"{tally.what} at {cut}", more=0)
        pages = [
            chosen.choice((done, old or done))[start : start + _PAGE]
            for start in range(0, len(done), _PAGE)
        ]
        _lay(project, b"".join(pages), whole)
        verify(project, expected, tally, f"{tally.what}, some pages", more=0)
    return tally


def _lay(project: Path, database: bytes, log_bytes: bytes) -> None:
    (project / "project.db-shm").unlink(missing_ok=True)
    (project / "project.db").write_bytes(database)
    (project / "project.db-wal").write_bytes(log_bytes)


def _spoil(
    template: Path,
    said: list[Row],
    folder: Path,
    tally: Tally,
    *,
    where: str,
    change: Callable[[bytearray], None],
) -> None:
    """Damage the database; everything then works or says what to do, and the copy comes back."""
    project = fresh(template, folder)
    data = bytearray((project / "project.db").read_bytes())
    change(data)
    (project / "project.db").write_bytes(data)
    for use in (_look, _work):
        try:
            use(project)
        except NearlError as error:
            tally.tell(error, where)
        except Exception:  # noqa: BLE001 - whatever comes is counted
            tally.bug(where)
    restore(project)
    verify(project, said, tally, where, more=100)


def _look(folder: Path) -> None:
    with Project.open(folder, read_only=True) as project:
        project.standing()
        project.versions()
        project.studies()
        for scan in project.scans():
            project.history(scan.id)
        check(project)


def _work(folder: Path) -> None:
    with Project.open(folder) as project:
        project.record(new(30))
        project.undo("r")
        project.undo("r")
        check(project)


def spoiled(template: Path, said: list[Row], folder: Path, *, every: int) -> Tally:
    """Each page of the database zeroed or overwritten, and single bytes anywhere."""
    tally = Tally("corrupt page")
    size = (template / "p.nearl" / "project.db").stat().st_size
    chosen = random.Random(0)
    for page in range(0, size // _PAGE, every):
        for words, filling in (("zeros", bytes(_PAGE)), ("noise", chosen.randbytes(_PAGE))):

            def fill(data: bytearray, page: int = page, filling: bytes = filling) -> None:
                data[page * _PAGE : (page + 1) * _PAGE] = filling

            _spoil(template, said, folder, tally, where=f"page {page}, {words}", change=fill)
    for place in range(0, 400, every):

        def flip(data: bytearray) -> None:
            for _ in range(4):
                data[chosen.randrange(size)] ^= 1 << chosen.randrange(8)

        _spoil(template, said, folder, tally, where=f"bytes, {place}", change=flip)
    return tally


def truncated(template: Path, said: list[Row], folder: Path, *, every: int) -> Tally:
    """The database ends too early."""
    tally = Tally("truncated database")
    size = (template / "p.nearl" / "project.db").stat().st_size
    for cut in range(0, size, _PAGE // 2 * every):

        def end(data: bytearray, cut: int = cut) -> None:
            del data[cut:]

        _spoil(template, said, folder, tally, where=f"cut at {cut}", change=end)
    return tally


def without_its_log(template: Path, said: list[Row], folder: Path) -> Tally:
    """A hand deletes the log of a killed session: what stood in it alone is gone."""
    tally = Tally("log deleted by hand")
    project = fresh(template, folder)
    _with_a_log(project, said)
    shutil.rmtree(project)
    (folder / "open.nearl").rename(project)
    (project / "project.db-wal").unlink()
    (project / "project.db-shm").unlink(missing_ok=True)
    verify(project, said, tally, tally.what, more=100)
    assert len(log(project)) >= len(said)
    return tally
