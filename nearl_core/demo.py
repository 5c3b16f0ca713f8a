"""The demo project: the whole loop on the real scans that the pydicom package ships.

It shows that the loop runs. It claims nothing about learning: the scans are few, most of them are
cut-outs of 16 x 16 pixels, and their labels are image types that a file's header tells anyway.
"""

import hashlib
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from nearl_core.control import RunControl
from nearl_core.dicom.shipped import shipped_folder
from nearl_core.errors import ScanError
from nearl_core.scans.find import find
from nearl_core.scans.guard import ScanReader
from nearl_core.store.project import Project
from nearl_core.store.scans import NewScan
from nearl_core.types import (
    Identity,
    Label,
    LabelSet,
    NewDecision,
    Scan,
    ScanInfo,
    Shown,
    SkippedFile,
    State,
    Verdict,
)

READER: Final = "header"
"""Who decides in the demo: the files' own headers."""

_OTHER: Final = "other"
_LABEL_OF_MODALITY: Final = {
    "CT": "ct",
    "MR": "mri",
    "US": "ultrasound",
    "CR": "x-ray",
    "DX": "x-ray",
    "MG": "x-ray",
    "RF": "x-ray",
    "XA": "x-ray",
}


@dataclass(frozen=True)
class DemoScan:
    """One of the shipped scans.

    Attributes:
        label_id: The image type that its header tells.
    """

    path: Path
    info: ScanInfo
    identity: Identity
    label_id: str


def demo_label_set() -> LabelSet:
    """Labels for the image type, the only thing that all shipped files tell of themselves.

    "Other" is what their headers call other, or nothing: colour bars and test pictures, dose
    grids, segmentation masks, one nuclear medicine image.
    """
    return LabelSet(
        (
            Label("ct", "CT"),
            Label("mri", "MRI"),
            Label("ultrasound", "Ultrasound"),
            Label("x-ray", "X-ray"),
            Label(_OTHER, "Other"),
        )
    )


def label_of_modality(modality: str) -> str:
    """The demo's label id for a DICOM Modality (PS3.3 C.7.3.1.1.1)."""
    return _LABEL_OF_MODALITY.get(modality.strip().upper(), _OTHER)


def demo_scans(reader: ScanReader, control: RunControl) -> list[DemoScan]:
    """The shipped scans that can be read, equal pictures counted once, in order of their paths.

    Raises:
        ScanError: If pydicom's files are not there.
        Cancelled: If asked to stop.
    """
    files = [entry for entry in find([shipped_folder()]) if isinstance(entry, Path)]
    seen: set[str] = set()
    scans = []
    for number, path in enumerate(files):
        control.step(number, len(files), "Reading the demo scans")
        try:
            info, identity = reader.info(path)
            picture = picture_hash(reader.stored(path))
        except ScanError:
            continue  # several are damaged on purpose, to test pydicom
        if picture not in seen:
            seen.add(picture)
            scans.append(DemoScan(path, info, identity, label_of_modality(info.modality)))
    return scans


def picture_hash(stored: NDArray[np.generic]) -> str:
    """Equal for equal stored values of equal shape, whatever byte order or type they came in.

    Args:
        stored: Stored values of a scan, integer or real, any shape.
    """
    values = np.ascontiguousarray(stored, dtype="<f8" if stored.dtype.kind == "f" else "<i8")
    return hashlib.sha256(repr(values.shape).encode() + values.tobytes()).hexdigest()


def create_demo(folder: Path, control: RunControl) -> Path:
    """Make the demo project, without any decision; returns its folder.

    Raises:
        ProjectError: If something stands there already, or it can't be written.
        ScanError: If pydicom's files are not there.
        Cancelled: If asked to stop; then nothing was made.
    """
    with ScanReader() as reader:
        found = demo_scans(reader, control)
    with Project.create(folder, demo_label_set()) as project:
        add_demo_scans(project, found)
        return project.folder


def add_demo_scans(project: Project, found: Iterable[DemoScan]) -> int:
    """Add the shipped scans to a project; returns how many were new."""
    new: list[NewScan | SkippedFile] = [
        NewScan(scan.path, info=scan.info, identity=scan.identity) for scan in found
    ]
    return project.add_scans(new).added


def demo_decisions(
    scans: Sequence[Scan], label_of: Mapping[Path, str]
) -> tuple[list[NewDecision], list[Scan]]:
    """What the headers say of two scans in three of each label, and the scans left undecided.

    Args:
        scans: The project's scans in order.
        label_of: The label id that each path's header tells.
    """
    by_label: dict[str, list[Scan]] = defaultdict(list)
    for scan in scans:
        if scan.path in label_of:
            by_label[label_of[scan.path]].append(scan)
    decisions, left = [], []
    for label_id, same in sorted(by_label.items()):
        for number, scan in enumerate(same):
            if number % 3 == 2:
                left.append(scan)
            else:
                verdict = Verdict(State.LABELLED, (label_id,))
                decisions.append(NewDecision(scan.id, READER, verdict, shown=Shown.IMPORTED))
    return decisions, left
