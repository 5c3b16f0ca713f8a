"""Scans, their frames, and what adding them did."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    # Commands that handle no pixels answer sooner without numpy.
    import numpy as np
    from numpy.typing import NDArray


STACK_ENDING = ".stack"
"""Of the list of a stack's files, whose path is the scan's."""


class WindowShape(StrEnum):
    """VOI LUT Function, DICOM PS3.3 C.11.2.1.2 and C.11.2.1.3."""

    LINEAR = "LINEAR"
    LINEAR_EXACT = "LINEAR_EXACT"
    SIGMOID = "SIGMOID"


@dataclass(frozen=True)
class Window:
    """Which values are shown from black to white, in units of the values after the Modality LUT."""

    centre: float
    width: float
    shape: WindowShape = WindowShape.LINEAR
    name: str = ""


@dataclass(frozen=True, eq=False)
class VoiLut:
    """A table of grey values, DICOM PS3.3 C.11.2.1.1.

    Attributes:
        first: The value that the first entry maps; values below take it too, above take the last.
        entries: 1-D uint16; black is 0, white is the largest entry.
        name: The explanation in the file.
    """

    first: int
    entries: NDArray[np.uint16]
    name: str = ""


@dataclass(frozen=True, eq=False)
class Frame:
    """One 2-D image as read: either grey values still to be windowed, or colour as it is.

    Attributes:
        values: Rows x columns, a real dtype, after the Modality LUT; or rows x columns x 3,
            uint8, sRGB.
        padding: Rows x columns, bool, True where no image stands; None where there is none.
        windows: The alternatives that the file lists, the default first; never empty for grey,
            always empty for colour. The first one is automatic where the file has none.
        inverted: Whether low values are white (MONOCHROME1 or PresentationLUTShape INVERSE).
        overlay: Rows x columns, bool, drawn on request only; None where there is none.
        shutter: Rows x columns, bool, True where a display shutter covers the picture; taken
            away on request, and never given to the model. None where there is none.
        automatic: Whether the one window is of this frame's own values, since no file lists one.
    """

    values: NDArray[np.generic]
    padding: NDArray[np.bool_] | None = None
    windows: tuple[Window | VoiLut, ...] = ()
    inverted: bool = False
    overlay: NDArray[np.bool_] | None = None
    shutter: NDArray[np.bool_] | None = None
    automatic: bool = False

    @property
    def is_colour(self) -> bool:
        """Whether the values are RGB."""
        return self.values.ndim == 3


class SpacingAt(StrEnum):
    """Where the millimetres of a spacing are true, DICOM PS3.3 10.7.1.1 and 10.7.1.3."""

    BODY = "body"
    DETECTOR = "detector"
    FILM = "film"


@dataclass(frozen=True)
class Region:
    """A part of an ultrasound picture with a scale of its own, DICOM PS3.3 C.8.5.5.

    Attributes:
        left, top, right, bottom: Its pixels, from 0, inclusive.
        spacing_mm: Row and column spacing.
    """

    left: int
    top: int
    right: int
    bottom: int
    spacing_mm: tuple[float, float]


@dataclass(frozen=True)
class TagLine:
    """One element of a DICOM header, as text.

    Attributes:
        tag: As "(0008,0060)".
        depth: How many sequences it stands in.
        value: "" where it is hidden.
        hidden: Whether the value may tell who it is and was not asked for.
    """

    tag: str
    name: str
    vr: str
    value: str
    depth: int = 0
    hidden: bool = False


@dataclass(frozen=True)
class Identity:
    """What a file says of whose it is; used for grouping only and stored as keyed hashes only.

    Attributes:
        image: Its own UID; stored nowhere.
    """

    patient: str = ""
    study: str = ""
    series: str = ""
    image: str = ""


class Unit(StrEnum):
    """What one scan of a project is made of."""

    IMAGE = "image"
    SERIES = "series"
    STUDY = "study"


@dataclass(frozen=True)
class SlicePlace:
    """Where the one frame of a file stands among the others of its series.

    Attributes:
        position: ImagePositionPatient, in millimetres, or None.
        orientation: ImageOrientationPatient: row, then column cosines; or None.
        number: InstanceNumber, or None.
        turn: What tells frames at one position apart, in the order in which it counts: temporal
            position, trigger time, b-value, echo time, echo and acquisition number; 0 for none.
        series: SeriesNumber, or None where it is none that a console gives.
    """

    position: tuple[float, float, float] | None = None
    orientation: tuple[float, float, float, float, float, float] | None = None
    number: int | None = None
    turn: tuple[float, ...] = ()
    series: int | None = None


class Remark(StrEnum):
    """What a reader should know of how the frames of a stack stand."""

    UNEVEN = "uneven"
    SHARED = "shared"
    UNPLACED = "unplaced"
    APART = "apart"
    LATE = "late"


@dataclass(frozen=True)
class StackRemark:
    """One of them, in a sentence that names no one."""

    kind: Remark
    sentence: str


@dataclass(frozen=True)
class ScanInfo:
    """What a file says of itself, without identity.

    Attributes:
        rows, columns, frames: Size of the stack.
        modality: DICOM Modality, or "" where there is none.
        aspect: Height of a pixel over its width.
        spacing_mm: Row and column spacing where the file gives it in millimetres, else None.
        spacing_at: Where those millimetres are true.
        regions: Parts of an ultrasound picture with scales of their own.
        edges: Anatomical letters of the left, right, top and bottom edge; "" where unknown.
        laterality, view: As the file says, or "".
        unit: Of the values, such as "HU", or "".
        frames_per_second: For cine, or None.
        notices: Sentences that a reader should see, such as an invalid window.
        burned_in: Why text that names someone may stand in the pixels, in a sentence; "" where
            nothing says so.
        place: Among the frames of its series; None for what is no DICOM file.
    """

    rows: int
    columns: int
    frames: int = 1
    modality: str = ""
    aspect: float = 1.0
    spacing_mm: tuple[float, float] | None = None
    spacing_at: SpacingAt = SpacingAt.BODY
    regions: tuple[Region, ...] = ()
    edges: tuple[str, str, str, str] = ("", "", "", "")
    laterality: str = ""
    view: str = ""
    unit: str = ""
    frames_per_second: float | None = None
    notices: tuple[str, ...] = ()
    burned_in: str = ""
    place: SlicePlace | None = None


@dataclass(frozen=True)
class Scan:
    """One thing to label, as the project knows it.

    Attributes:
        id: Stable in its project.
        path: Where the file stands.
        frames: Number of frames.
        modality: DICOM Modality, or "".
        patient: Keyed hash; scans of one patient share it.
        patient_known: False where no source told patients apart, so that each file is its own.
        problem: Why the scan can't be shown, or "".
    """

    id: int
    path: Path
    frames: int = 1
    modality: str = ""
    patient: str = ""
    patient_known: bool = False
    problem: str = ""

    @property
    def name(self) -> str:
        """What a reader knows it by: the name of its file, of a stack without its list's ending."""
        return self.path.stem if self.path.suffix == STACK_ENDING else self.path.name

    @property
    def is_ranked(self) -> bool:
        """Whether labels are ranked for it: a segmentation shows regions, no patient."""
        return self.modality != "SEG"


@dataclass(frozen=True)
class Disguise:
    """Under which names a de-identified copy of a scan leaves.

    Attributes:
        key: Under which UIDs are replaced; thrown away after the export.
        patient: Pseudonym of the patient.
        scan: Pseudonym of the scan.
        pixels_checked: Whether a reader has said that the pixels name nobody.
    """

    key: bytes
    patient: str
    scan: str
    pixels_checked: bool = False


@dataclass(frozen=True)
class SkippedFile:
    """A file that was not taken into a project, with the reason."""

    path: Path
    reason: str


@dataclass(frozen=True)
class AddReport:
    """What adding files to a project did.

    Attributes:
        added: Scans that are new.
        already: Files that were there.
        skipped: Files that were not taken.
        remarks: On new stacks, each with the path of its list.
    """

    added: int
    already: int
    skipped: tuple[SkippedFile, ...] = field(default=())
    remarks: tuple[tuple[Path, StackRemark], ...] = field(default=())
