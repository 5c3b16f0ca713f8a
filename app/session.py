"""The open project as the GUI thread knows it."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from app.models.scan_table import ScanTable
from nearl_core.scans.guard import ScanReader
from nearl_core.types import UNSEEN, Decision, LabelSet, Scan, State, Version

if TYPE_CHECKING:  # the store loads the database library: not before the window is up
    from nearl_core.store.project import Project


@dataclass(frozen=True)
class Opened:
    """What opening a project read from it.

    Attributes:
        standing: The reader's standing decisions.
        others: Those of other readers: imported ones, a colleague's.
        notice: Why nothing can be saved, or "".
    """

    project: "Project"
    label_set: LabelSet
    scans: tuple[Scan, ...]
    standing: tuple[Decision, ...]
    versions: tuple[Version, ...]
    others: tuple[Decision, ...] = ()
    notice: str = ""


@dataclass(eq=False)
class Session:
    """One open project; lives in the GUI thread, its project is used in the store thread.

    Attributes:
        standing: The reader's standing decision of each scan.
        others: Standing decisions of other readers, which teach but are not shown.
    """

    project: "Project"
    reader: str
    scan_reader: ScanReader
    table: ScanTable
    label_set: LabelSet
    versions: tuple[Version, ...]
    standing: dict[int, Decision]
    others: tuple[Decision, ...] = ()

    @classmethod
    def of(
        cls, opened: Opened, *, reader: str, scan_reader: ScanReader, table: ScanTable
    ) -> "Session":
        """A session over what was read from a project."""
        return cls(
            project=opened.project,
            reader=reader,
            scan_reader=scan_reader,
            table=table,
            label_set=opened.label_set,
            versions=opened.versions,
            standing={decision.scan_id: decision for decision in opened.standing},
            others=opened.others,
        )

    @property
    def read_only(self) -> bool:
        """Whether nothing can be saved."""
        return self.project.read_only

    @property
    def live(self) -> Version | None:
        """The live version, or None for the frozen backbone."""
        return next((version for version in self.versions if version.live), None)

    def scans_by_id(self) -> dict[int, Scan]:
        """Every scan by its id."""
        return {scan.id: scan for scan in self.table.scans()}

    def decisions(self) -> tuple[Decision, ...]:
        """The standing decisions of every reader, in order of commitment."""
        return tuple(sorted((*self.standing.values(), *self.others), key=lambda found: found.id))

    def is_decided(self, scan_id: int) -> bool:
        """Whether any reader's decision of a scan stands."""
        return scan_id in self.standing or any(d.scan_id == scan_id for d in self.others)

    def labelled(self) -> tuple[Decision, ...]:
        """Those that name labels, which is what can be learned from."""
        return tuple(d for d in self.decisions() if d.verdict.state is State.LABELLED)

    def take(self, decision: Decision) -> None:
        """A decision was committed: it stands now."""
        if decision.verdict.state is State.UNSEEN:
            self.standing.pop(decision.scan_id, None)
            self.table.set_verdict(decision.scan_id, UNSEEN)
        else:
            self.standing[decision.scan_id] = decision
            self.table.set_verdict(decision.scan_id, decision.verdict)
