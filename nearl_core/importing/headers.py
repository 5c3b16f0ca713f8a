"""Labels as values of a DICOM tag of the project's own files."""

from collections.abc import Iterable
from pathlib import Path
from typing import Protocol

from nearl_core.adding import InfoReader
from nearl_core.control import RunControl
from nearl_core.errors import ScanError
from nearl_core.importing.statements import ImportLabelsError, Statement
from nearl_core.types import Scan, TagLine


class HeaderReader(InfoReader, Protocol):
    """What reads headers, in guarded processes."""

    def tags(self, path: Path, *, identity: bool = False) -> tuple[TagLine, ...]:
        """A header without what may tell who it is."""
        ...


def read_tag(
    keyword: str, scans: Iterable[Scan], reader: HeaderReader, control: RunControl
) -> tuple[Statement, ...]:
    """What a tag says of each scan that has it; of a stack, what its first file says.

    Args:
        keyword: As in DICOM PS3.6, such as BodyPartExamined, or "(0018,0015)".
        scans: Those of the project.
        reader: Never asked for what may tell who it is.
        control: Checked at each file.

    Raises:
        ImportLabelsError: If the tag may tell who a picture shows, so that it can't be a label.
    """
    listed = list(scans)
    wanted = _plain(keyword)
    found = []
    for done, scan in enumerate(listed):
        control.step(done, len(listed), "Reading headers")
        try:
            lines = reader.tags(scan.path)
        except ScanError:
            continue
        named = [one for one in lines if wanted in (_plain(one.name), _plain(one.tag))]
        if not named:
            continue
        line = min(named, key=lambda one: one.depth)
        if line.hidden:
            raise ImportLabelsError(
                f"{keyword} may tell who a picture shows, so it can't be a label.",
                "Choose a tag of codes or numbers, such as BodyPartExamined or ViewPosition.",
            )
        if line.value.strip():
            found.append(Statement("", (line.value.strip(),), scan_id=scan.id))
    return tuple(found)


def _plain(text: str) -> str:
    # A keyword is its name without blanks and without the 's of "Patient's Name".
    return "".join(letter for letter in text.replace("'s", "").casefold() if letter.isalnum())
