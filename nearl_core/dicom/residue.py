"""What a de-identified copy must not hold, looked for by reading it again."""

import io
from typing import Final

from pydicom import dcmread
from pydicom.datadict import keyword_for_tag
from pydicom.dataelem import DataElement
from pydicom.dataset import Dataset

from nearl_core.dicom import profile
from nearl_core.dicom.profile import Action
from nearl_core.dicom.tags import BROKEN

_OWN: Final = frozenset(
    (
        "SOPClassUID",
        "Modality",
        "Manufacturer",
        "ConversionType",
        "PageNumberVector",
        "FrameIncrementPointer",
        "PatientOrientation",
        "DeidentificationMethod",
        "DeidentificationMethodCodeSequence",
        "LongitudinalTemporalInformationModified",
        "PatientIdentityRemoved",
        "BurnedInAnnotation",
        "CodeValue",
        "CodingSchemeDesignator",
        "CodeMeaning",
        "Rows",
        "Columns",
        "NumberOfFrames",
        "SamplesPerPixel",
        "PhotometricInterpretation",
        "PlanarConfiguration",
        "BitsAllocated",
        "BitsStored",
        "HighBit",
        "PixelRepresentation",
        "PixelData",
        "FloatPixelData",
        "DoubleFloatPixelData",
        "SeriesNumber",
    )
)
"""What every copy is given, from this program's own words."""

_NEW: Final = ("PatientName", "PatientID")
_META: Final = frozenset((0x20000, 0x20001, 0x20002, 0x20003, 0x20010, 0x20012, 0x20013))


def residue(data: bytes) -> list[str]:
    """Why a copy may not leave; empty where nothing is in it that should not be.

    Args:
        data: The whole file.
    """
    try:
        dataset = dcmread(io.BytesIO(data))
        problems = [] if dataset.preamble == b"\0" * 128 else ["its preamble is not empty"]
        if set(map(int, dataset.file_meta.keys())) - _META:
            problems.append("its file meta information holds more than it needs")
        problems += _within(dataset)
        again = io.BytesIO()
        dataset.save_as(again, enforce_file_format=True)
    except BROKEN:
        return ["it can't be read"]
    if again.getvalue() != data:
        problems.append("it holds bytes that belong to no attribute")
    return problems


def _within(dataset: Dataset) -> list[str]:
    problems = []
    for element in dataset:
        name = keyword_for_tag(element.tag) or str(element.tag)
        if not _may_stay(element, name):
            problems.append(f"it holds {name}")
        elif element.VR == "SQ":
            for item in element.value:
                problems += _within(item)
    return problems


def _may_stay(element: DataElement, name: str) -> bool:
    action = profile.action_of(int(element.tag))
    if action is Action.UID:
        uids = [element.value] if element.VM == 1 else element.value
        return all(str(uid).startswith("2.25.") for uid in uids)
    if name in _NEW:
        return str(element.value).startswith("patient-")
    if action is Action.EMPTY:
        return element.VM == 0
    if action is Action.DUMMY:
        return str(element.value).replace("19000101", "").strip("0") == ""
    if action is Action.REMOVE:
        return False
    known = profile.SEQUENCES | profile.NUMBERS | profile.POINTERS | set(profile.TERMS) | _OWN
    return name in known
