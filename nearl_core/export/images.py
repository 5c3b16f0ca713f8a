"""Pictures of exported scans: the default window as 8-bit PNG, with no word of the file's."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final, Protocol

from nearl_core.control import RunControl
from nearl_core.errors import ScanError
from nearl_core.export.names import image_name
from nearl_core.export.rows import Row
from nearl_core.scans.display import to_rgb
from nearl_core.scans.raster import write_png
from nearl_core.types import Frame, Scan, ScanInfo

RECIPE: Final = (
    "Modality LUT, the file's default window (automatic where it has none), presentation; "
    "8-bit RGB PNG at the stored rows x columns, without overlays or aspect correction. "
    "Of a stack the frame that the decision names, else the middle one."
)


class FrameReader(Protocol):
    """The part of ScanReader that is needed here."""

    def frame(self, path: Path, frame: int = 0) -> tuple[Frame, ScanInfo]:
        """One frame; raises ScanError."""
        ...


@dataclass(frozen=True)
class LeftOut:
    """A scan that is not in the export, with the reason."""

    scan_id: int
    reason: str


def write_images(
    root: Path,
    rows: Iterable[Row],
    scans: Iterable[Scan],
    *,
    place: Callable[[Row], str],
    reader: FrameReader,
    control: RunControl,
) -> tuple[list[Row], list[LeftOut]]:
    """Write a picture for each scan and frame; returns the rows with their file names.

    A scan that can't be read costs its picture only: its rows keep an empty name.

    Args:
        root: The export's folder.
        rows: What is exported.
        scans: Those of the project.
        place: The folder of a row's picture, relative to the root.
        reader: Decodes.
        control: Asked at each row.

    Raises:
        Cancelled: If the control says so.
        OSError: If a picture can't be written.
    """
    by_id = {scan.id: scan for scan in scans}
    rows = list(rows)
    named: list[Row] = []
    left_out: dict[int, LeftOut] = {}
    written: set[str] = set()
    for number, row in enumerate(rows):
        control.step(number, len(rows), "Writing pictures")
        scan = by_id[row.scan_id]
        frame = row.frames // 2 if row.frame is None else row.frame
        name = f"{place(row)}/{image_name(row.scan_id, frame)}"
        if name not in written:
            try:
                pixels, _ = reader.frame(scan.path, frame)
            except ScanError as error:
                left_out[scan.id] = LeftOut(scan.id, _reason(error, scan))
                named.append(row)
                continue
            target = root / name
            target.parent.mkdir(parents=True, exist_ok=True)
            write_png(target, to_rgb(pixels))
            written.add(name)
        named.append(replace(row, image=name))
    return named, list(left_out.values())


def _reason(error: ScanError, scan: Scan) -> str:
    """The reason without the file's name, which may be a person's."""
    for part in (str(scan.path), scan.path.name, scan.path.stem):
        if part and part in error.message:
            return "It can't be read."
    return error.message
