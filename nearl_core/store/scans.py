"""Scans in the database."""

import os
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from sqlalchemy import Connection, bindparam, insert, select, update

from nearl_core import servers
from nearl_core.store import stack_files
from nearl_core.store.bulk import collecting_later
from nearl_core.store.faults import understood
from nearl_core.store.hashes import keyed_hash
from nearl_core.store.paths import PathKeeper, printable
from nearl_core.store.schema import scans
from nearl_core.types import Identity, Scan, ScanInfo, SkippedFile, StackRemark

if TYPE_CHECKING:  # it needs numpy, without which commands that handle no pixels answer sooner
    from nearl_core.scan_list import ScanList

BATCH: Final = 500
"""Files in one transaction: a decision never waits behind more than about 20 ms of adding."""
_LISTED: Final = select(
    scans.c.id,
    scans.c.path,
    scans.c.frames,
    scans.c.modality,
    scans.c.patient,
    scans.c.patient_known,
    scans.c.problem,
)


@dataclass(frozen=True)
class NewScan:
    """A file before it is added to a project.

    Attributes:
        path: Where it stands.
        info: What it says of itself; None where it could not be read.
        identity: What it says of whose it is; hashed before it is stored.
        patient: What a rule of the reader's says of whose it is, in place of the file's word;
            "" where no rule says anything. Hashed before it is stored.
        problem: Why it can't be shown, or "".
        files: Of a stack, whose path is that of its list.
        remarks: On how its frames stand.
    """

    path: Path
    info: ScanInfo | None = None
    identity: Identity = field(default=Identity())
    patient: str = ""
    problem: str = ""
    files: tuple[Path, ...] = ()
    remarks: tuple[StackRemark, ...] = ()


class Mark(NamedTuple):
    """By what a scan is known again in a copy of the project; its path as it is kept."""

    id: int
    added: datetime
    path: str
    size: int | None
    sha256: str | None
    of: tuple[str, str, str]
    """The keyed hashes of its study, series and patient; "" where nothing tells."""

    def is_like(self, other: "Mark") -> bool:
        """Whether it may be the same file, as far as it is known; a stack's list may differ."""
        if self.of != other.of:
            return False
        if stack_files.is_stack(Path(self.path)):
            return True
        hashes = {self.sha256, other.sha256} - {None, ""}
        return self.size == other.size and len(hashes) < 2


def find_patient(new: NewScan, *, key: str, kept: str) -> tuple[str, bool]:
    """Keyed hash of whose scan it is, and whether any source told patients apart.

    Without one, scans of one study (else series) still stay together, since they are one
    patient's; the last resort is the file itself.
    """
    named = new.patient.strip() or new.identity.patient.strip()
    if named:
        return keyed_hash(key, "patient", named), True
    for kind, value in (
        ("study", new.identity.study),
        ("series", new.identity.series),
        ("file", kept),
    ):
        if value.strip():
            return keyed_hash(key, f"patient of {kind}", value), False
    return keyed_hash(key, "patient of file", kept or "?"), False


def add_batch(
    connection: Connection, batch: Sequence[NewScan], *, keeper: PathKeeper, key: str
) -> int:
    """Add those whose path is new; returns how many.

    A scan that is known with a problem takes the new reading where there is one, so that a file
    that was mended or whose codec came is shown.
    """
    rows = {row["path"]: row for row in (_to_row(new, keeper, key) for new in batch)}
    read = {keeper.keep(new.path) for new in batch if new.info is not None and not new.problem}
    known = {
        row.path: row
        for row in connection.execute(
            select(scans.c.id, scans.c.path, scans.c.problem).where(scans.c.path.in_(list(rows)))
        )
    }
    fresh = [row for path, row in rows.items() if path not in known]
    if fresh:
        connection.execute(insert(scans), fresh)
        stacks = {keeper.keep(new.path): new.files for new in batch if new.files}
        _note_files(connection, {path: stacks[path] for path in stacks.keys() - known.keys()})
    for path, old in known.items():
        if old.problem and path in read:
            changed = {name: value for name, value in rows[path].items() if name != "added"}
            connection.execute(update(scans).where(scans.c.id == old.id).values(changed))
    return len(fresh)


def in_batches(found: Iterable[NewScan | SkippedFile]) -> Iterator[list[NewScan | SkippedFile]]:
    """Parts of at most `BATCH` files, where one stack does not have more by itself."""
    batch: list[NewScan | SkippedFile] = []
    files = 0
    for entry in found:
        more = max(1, len(entry.files)) if isinstance(entry, NewScan) else 1
        if batch and files + more > BATCH:
            yield batch
            batch, files = [], 0
        batch.append(entry)
        files += more
    if batch:
        yield batch


def _note_files(connection: Connection, stacks: Mapping[str, Sequence[Path]]) -> None:
    if stacks:
        made = select(scans.c.id, scans.c.path).where(scans.c.path.in_(list(stacks)))
        stack_files.add(
            connection, {row.id: stacks[row.path] for row in connection.execute(made).all()}
        )


def _to_row(new: NewScan, keeper: PathKeeper, key: str) -> dict[str, object]:
    kept = keeper.keep(new.path)
    patient, known = find_patient(new, key=key, kept=kept)
    size, mtime_ns = _size_and_time(new.path)
    return {
        "path": kept,
        "size": size,
        "mtime_ns": mtime_ns,
        "frames": 1 if new.info is None else new.info.frames,
        "modality": "" if new.info is None else printable(new.info.modality)[:32],
        "patient": patient,
        "study": keyed_hash(key, "study", new.identity.study),
        "series": keyed_hash(key, "series", new.identity.series),
        "patient_known": known,
        "problem": printable(new.problem),
        "added": datetime.now(UTC),
    }


def _size_and_time(path: Path) -> tuple[int | None, int | None]:
    try:
        stat = os.stat(path)
    except OSError:
        return None, None
    return stat.st_size, stat.st_mtime_ns


def listed(connection: Connection, keeper: PathKeeper, *, after: int = 0) -> list[Scan]:
    """All scans whose id comes after one, in the order of adding."""
    with collecting_later(), understood():
        rows = connection.execute(_LISTED.where(scans.c.id > after).order_by(scans.c.id)).all()
        return [_to_scan(row, keeper) for row in rows]


def as_columns(connection: Connection, keeper: PathKeeper) -> "ScanList":
    """All scans in the order of adding."""
    from nearl_core.scan_list import ScanList

    with collecting_later(), understood():
        rows = connection.execute(_LISTED.order_by(scans.c.id))
        made = (tuple(row) for row in rows.all())
        if servers.WINDOWS:
            made = ((*row[:-1], keeper.refusal(row[1]) or row[-1]) for row in made)
        return ScanList(made, restore=keeper.restore)


def at_path(connection: Connection, keeper: PathKeeper, path: Path) -> Scan | None:
    """The scan of a path, or None."""
    row = connection.execute(_LISTED.where(scans.c.path == keeper.keep(path))).first()
    return None if row is None else _to_scan(row, keeper)


_OF_ID: Final = select(scans.c.id).where(scans.c.id == bindparam("scan_id"))


def exists(connection: Connection, scan_id: int) -> bool:
    """Whether the project has a scan of this id."""
    return connection.scalar(_OF_ID, {"scan_id": scan_id}) is not None


def paths(connection: Connection, ids: Collection[int]) -> list[tuple[int, str]]:
    """Id and kept path of some scans."""
    rows = connection.execute(select(scans.c.id, scans.c.path).where(scans.c.id.in_(list(ids))))
    return [(row.id, row.path) for row in rows]


def sizes(connection: Connection) -> list[tuple[int, str, int | None]]:
    """Id, kept path and size when added, of all scans."""
    rows = connection.execute(select(scans.c.id, scans.c.path, scans.c.size).order_by(scans.c.id))
    return [(row.id, row.path, row.size) for row in rows]


def files(
    connection: Connection,
) -> list[tuple[int, str, int | None, int | None, str | None]]:
    """Id, kept path, size, time of change in ns and SHA-256 of all scans' files, when added."""
    about = scans.c
    rows = connection.execute(
        select(about.id, about.path, about.size, about.mtime_ns, about.sha256).order_by(about.id)
    )
    return [(row.id, row.path, row.size, row.mtime_ns, row.sha256) for row in rows]


def marks(connection: Connection) -> list[Mark]:
    """By what each scan is known again, in the order of adding."""
    about = scans.c
    query = select(
        about.id, about.added, about.path, about.size, about.sha256,
        about.study, about.series, about.patient_known, about.patient,
    ).order_by(about.id)  # fmt: skip
    with collecting_later(), understood():
        return [
            Mark(*row[:5], (row.study, row.series, row.patient if row.patient_known else ""))
            for row in connection.execute(query)
        ]


def studies(connection: Connection) -> dict[int, str]:
    """The keyed hash of each scan's study; "" where its file names none."""
    rows = connection.execute(select(scans.c.id, scans.c.study))
    return {row.id: row.study for row in rows}


def series(connection: Connection) -> dict[int, tuple[str, str]]:
    """The keyed hashes of each scan's study and series; "" where its file names none."""
    rows = connection.execute(select(scans.c.id, scans.c.study, scans.c.series))
    return {row.id: (row.study, row.series) for row in rows}


def unhashed(
    connection: Connection, keeper: PathKeeper, *, after: int, most: int
) -> list[tuple[int, Path]]:
    """Id and path of the first scans behind one whose files were never hashed."""
    missing = select(scans.c.id, scans.c.path).where(scans.c.sha256.is_(None), scans.c.id > after)
    rows = connection.execute(missing.order_by(scans.c.id).limit(most))
    return [(row.id, keeper.restore(row.path)) for row in rows]


def hashes(connection: Connection) -> dict[int, str]:
    """The SHA-256 of each scan's file, as far as they were hashed."""
    known = select(scans.c.id, scans.c.sha256).where(scans.c.sha256.is_not(None))
    return {row.id: row.sha256 for row in connection.execute(known) if row.sha256}


def set_hashes(connection: Connection, hashes: Mapping[int, str]) -> None:
    """Note the SHA-256 of files; "" for one that can't be read."""
    for scan_id, digest in hashes.items():
        connection.execute(update(scans).where(scans.c.id == scan_id).values(sha256=digest))


def move(connection: Connection, new_paths: Iterable[tuple[int, str]]) -> None:
    """Give scans other kept paths."""
    for scan_id, kept in new_paths:
        connection.execute(update(scans).where(scans.c.id == scan_id).values(path=kept))


def _to_scan(row: Sequence[Any], keeper: PathKeeper) -> Scan:
    identifier, kept, frames, modality, patient, known, problem = row
    problem = keeper.refusal(kept) or problem
    return Scan(identifier, keeper.restore(kept), frames, modality, patient, known, problem)
