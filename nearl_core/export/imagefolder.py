"""Pictures in SPLIT/LABEL/ folders, as torchvision and most training scripts read them."""

from collections.abc import Iterable
from typing import Final

from nearl_core.errors import ExportError
from nearl_core.export.images import LeftOut
from nearl_core.export.names import folder_names
from nearl_core.export.rows import Row
from nearl_core.types import LabelSet, State

_DISAGREE: Final = "The readers do not agree."


def choose(rows: Iterable[Row], label_set: LabelSet) -> tuple[list[Row], list[LeftOut]]:
    """One row for each scan that is labelled, and by all its readers alike.

    A folder can say one thing of a picture only: none-apply and unassessable scans belong to the
    tables.

    Raises:
        ExportError: If the project is multi-label, or nothing is left.
    """
    if label_set.multi_label:
        # A folder for each combination would read as so many labels of their own.
        raise ExportError(
            "Folders of pictures can't hold scans with several labels.",
            "Export as csv or jsonl, with --images for the pictures.",
        )
    by_scan: dict[int, list[Row]] = {}
    for row in rows:
        if row.state == State.LABELLED:
            by_scan.setdefault(row.scan_id, []).append(row)
    chosen: list[Row] = []
    left_out: list[LeftOut] = []
    for scan_id, said in by_scan.items():
        if len({row.label_ids for row in said}) == 1:
            chosen.append(said[0])
        else:
            left_out.append(LeftOut(scan_id, _DISAGREE))
    if not chosen:
        raise ExportError(
            "There is nothing to put into folders: no scan has a label that its readers agree on.",
            "Label some scans, or export as csv or jsonl.",
        )
    return chosen, left_out


class Places:
    """Where a row's picture goes."""

    def __init__(self, label_set: LabelSet) -> None:
        self.folders = folder_names((label.id, label.name) for label in label_set.labels)

    def __call__(self, row: Row) -> str:
        """The folder, relative to the export."""
        return f"{row.split}/{self.folders[row.label_ids[0]]}"
