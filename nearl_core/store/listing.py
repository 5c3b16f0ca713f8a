"""A project's scans: all as columns, those that came last, and which series are among them."""

from collections.abc import Callable
from typing import TYPE_CHECKING

from nearl_core.store import scans
from nearl_core.store.hashes import keyed_hash
from nearl_core.store.project import Project
from nearl_core.types import Identity, Scan, Unit

if TYPE_CHECKING:
    from nearl_core.scan_list import ScanList


def scan_list(project: Project) -> "ScanList":
    """All scans in the order of adding."""
    with project.reading() as connection:
        return scans.as_columns(connection, project.keeper)


def scans_after(project: Project, scan_id: int) -> list[Scan]:
    """The scans that were added after one, in the order of adding."""
    with project.reading() as connection:
        return scans.listed(connection, project.keeper, after=scan_id)


def taken(project: Project) -> Callable[[Identity], bool]:
    """What tells whether files of a series (of a study, where that is one scan) are there by now.

    Scans that are added later change nothing of what it says.
    """
    with project.reading() as connection:
        found = scans.series(connection).values()
    of_study = project.unit is Unit.STUDY
    there = frozenset(study if of_study else series for study, series in found) - {""}
    kind, key = ("study" if of_study else "series"), project.key

    def is_there(identity: Identity) -> bool:
        value = identity.study if of_study else identity.series
        return keyed_hash(key, kind, value) in there

    return is_there
