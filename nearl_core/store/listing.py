"""A project's scans for whoever shows very many: as columns, or those that came last."""

from typing import TYPE_CHECKING

from nearl_core.store import scans
from nearl_core.store.project import Project
from nearl_core.types import Scan

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
