"""A DICOM header as lines of text; what may tell who it is stays hidden until asked for.

The rule is the other way round than a list of forbidden names: only values that can hold no name,
date or number of a person are shown. Codes, numbers and the technical texts named here pass;
free text, names, dates, identifiers and private elements do not, since anything may stand in them.
"""

from collections.abc import Iterator
from pathlib import Path

from pydicom.dataelem import DataElement
from pydicom.dataset import Dataset
from pydicom.tag import BaseTag

from nearl_core.dicom.source import opened
from nearl_core.dicom.tags import BROKEN
from nearl_core.types import TagLine
from nearl_core.words import counted

_MOST_LINES = 5000
_LONGEST = 256
_DEEPEST = 12
_BYTES = ("OB", "OW", "OF", "OD", "OL", "OV", "UN")
_HARMLESS_VRS = ("AT", "CS", "DS", "FD", "FL", "IS", "SL", "SS", "SV", "UL", "US", "UV")
_PERSONAL_GROUPS = (0x0010, 0x0012, 0x0032, 0x0038, 0x0040, 0x4008)
"""Patient, trial, request, visit and results: hidden whatever the kind of value."""
_HARMLESS = frozenset(
    {
        "TransferSyntaxUID",
        "Manufacturer",
        "ManufacturerModelName",
        "SoftwareVersions",
        "SequenceName",
        "ConvolutionKernel",
        "ReceiveCoilName",
        "TransmitCoilName",
        "ContrastBolusAgent",
        "FilterMaterial",
        "RescaleType",
        "WindowCenterWidthExplanation",
        "LUTExplanation",
        "CodeMeaning",
        "CodeValue",
        "CodingSchemeDesignator",
    }
)


def lines(path: Path, *, identity: bool) -> tuple[TagLine, ...]:
    """The header of a file, element by element, sequences opened.

    Args:
        path: Of a DICOM file.
        identity: Whether values that may tell who it is are shown too.

    Raises:
        ScanError: If the file can't be read.
    """
    with opened(path) as source:
        meta = getattr(source.dataset, "file_meta", None)
        found: list[TagLine] = []
        for dataset in (meta, source.dataset):
            if dataset is None:
                continue
            for line in _lines(dataset, 0, identity=identity, personal=False):
                found.append(line)
                if len(found) >= _MOST_LINES:
                    return tuple(found)
        return tuple(found)


def _lines(dataset: Dataset, depth: int, *, identity: bool, personal: bool) -> Iterator[TagLine]:
    for tag in sorted(dataset.keys()):
        try:
            element = dataset[tag]
            inside = personal or _is_personal_place(tag)
            yield _line(tag, element, depth, shown=identity or not may_identify(element, inside))
            if element.VR == "SQ" and depth < _DEEPEST:
                for part in element.value:
                    yield from _lines(part, depth + 1, identity=identity, personal=inside)
        except BROKEN:
            yield TagLine(_number(tag), "", "", "", depth, hidden=not identity)


def may_identify(element: DataElement, personal_place: bool = False) -> bool:
    """Whether a value could tell who the picture shows, or who made it where and when.

    Args:
        element: As pydicom reads it.
        personal_place: Whether it stands in a group or sequence on a person.
    """
    if element.VR == "SQ" or element.is_empty:
        return False
    if element.tag.is_private or personal_place:
        return True
    if element.keyword.endswith("SOPClassUID") or element.VR in _BYTES:
        return False  # of bytes only their number is shown
    return element.keyword not in _HARMLESS and element.VR not in _HARMLESS_VRS


def _is_personal_place(tag: BaseTag) -> bool:
    return tag.group in _PERSONAL_GROUPS or tag.is_private


def _line(tag: BaseTag, element: DataElement, depth: int, *, shown: bool) -> TagLine:
    name = "Private" if tag.is_private else str(element.name)
    value = _text(element) if shown else ""
    return TagLine(_number(tag), name, str(element.VR), value, depth, hidden=not shown)


def _text(element: DataElement) -> str:
    if element.VR == "SQ":
        count = len(element.value)
        return counted(count, "item")
    if element.VR in _BYTES or isinstance(element.value, bytes):
        return f"{len(element.value or b'')} bytes"
    value = element.value
    parts = value if isinstance(value, (list, tuple)) or element.VM > 1 else (value,)
    text = "\\".join("" if part is None else str(part) for part in parts)
    plain = "".join(letter if letter.isprintable() else " " for letter in text)
    return plain if len(plain) <= _LONGEST else f"{plain[:_LONGEST]}…"


def _number(tag: BaseTag) -> str:
    return f"({tag.group:04X},{tag.element:04X})"
