"""What the first files of a folder say of it, before a project is made of it."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Final, Protocol

from nearl_core.control import RunControl
from nearl_core.errors import ScanError
from nearl_core.scans.find import find, head_of
from nearl_core.scans.kinds import Kind, kind_of
from nearl_core.types import Identity, ScanInfo

_MOST: Final = 64
"""Files that are asked: a second, or less."""
_PASSED: Final = 2000
"""Entries that are passed on the way to them."""
_FEW: Final = 8
"""Frames by which a series is one to be paged through."""


class InfoReader(Protocol):
    """The part of ScanReader that is needed here."""

    def infos(self, paths: Sequence[Path]) -> list[tuple[ScanInfo, Identity] | ScanError]:
        """What files say of themselves, or why they can't be read."""
        ...


@dataclass(frozen=True)
class SeriesSeen:
    """A folder that holds series of single frames.

    Attributes:
        files: How many were asked.
        series: Of how many they are frames.
        modalities: Of these, such as CT, sorted.
    """

    files: int
    series: int
    modalities: tuple[str, ...]

    @property
    def sentence(self) -> str:
        """What was seen, and what it means where one scan is one file."""
        kinds = f"{' and '.join(self.modalities)} " if self.modalities else ""
        return (
            f"The first {self.files} files are frames of {self.series} {kinds}series: "
            "as one file each, every frame would be labelled by itself."
        )


def first_files(folder: Path, control: RunControl) -> tuple[Path, ...]:
    """The first DICOM files below a folder, if most of what stands there first is DICOM.

    Raises:
        Cancelled: If the control says so.
    """
    found, dicom = 0, []
    for entry in islice(find([folder]), _PASSED):
        control.check()
        if not isinstance(entry, Path):
            continue
        found += 1
        head = head_of(entry)
        if isinstance(head, bytes) and kind_of(head) is Kind.DICOM:
            dicom.append(entry)
        if found == _MOST:
            break
    return tuple(dicom) if 2 * len(dicom) > found and len(dicom) >= _FEW else ()


def series_of(files: Sequence[Path], reader: InfoReader) -> SeriesSeen | None:
    """Whether most of some files are frames of series that are paged through; None where not.

    Args:
        files: DICOM files that stand beside one another.
        reader: Reads headers.
    """
    answers = [one for one in reader.infos(files) if not isinstance(one, ScanError)]
    frames = [
        (identity.series, info.modality)
        for info, identity in answers
        # Only what has a place in the body is paged through: a mammogram's views are not.
        if info.frames == 1 and identity.series and info.place and info.place.position
    ]
    counts = Counter(series for series, _ in frames)
    stacked = {series: count for series, count in counts.items() if count >= _FEW}
    if 2 * sum(stacked.values()) <= len(files):
        return None
    modalities = sorted({kind for series, kind in frames if series in stacked and kind})
    return SeriesSeen(len(files), len(stacked), tuple(modalities))
