"""Which files are to be looked at for text in their pixels before they leave."""

from typing import Final

from pydicom.dataset import Dataset

from nearl_core.dicom.modalities import KNOWN
from nearl_core.dicom.tags import text, texts

_KINDS: Final = {
    "US": "ultrasound",
    "IVUS": "ultrasound",
    "BDUS": "ultrasound",
    "XA": "angiography",
    "RF": "fluoroscopy",
    "ES": "endoscopy",
    "OT": "of an unknown kind",
    "SC": "a secondary capture",
    "DG": "diaphanography",
    "XC": "photography",
    "GM": "microscopy",
    "HC": "a hard copy",
    # Retired terms.
    "CD": "ultrasound",
    "DD": "ultrasound",
    "EC": "ultrasound",
    "DS": "angiography",
    "CF": "fluoroscopy",
    "DF": "fluoroscopy",
    "VF": "fluoroscopy",
    "AS": "endoscopy",
    "CP": "endoscopy",
    "CS": "endoscopy",
    "FS": "endoscopy",
    "LP": "endoscopy",
    "DM": "microscopy",
    "FA": "photography",
}
_UNKNOWN: Final = "of an unknown kind"
_FLAVOURS: Final = {"LABEL": "a slide's label", "OVERVIEW": "a slide with its label"}
"""What ImageType says of pictures of slides, PS3.3 C.8.12.4.1.1."""
_CAPTURES: Final = (
    "1.2.840.10008.5.1.4.1.1.7",  # Secondary Capture and its multi-frame kinds
    "1.2.840.10008.5.1.4.1.1.77.1.1",  # Endoscopic, VL and their videos
    "1.2.840.10008.5.1.4.1.1.104",  # Encapsulated documents
)
_HEAD: Final = "Text may be burned into the pixels"


def burned_in(dataset: Dataset) -> str:
    """Why text that names someone may stand in the pixels; "" where nothing says so.

    A header that says NO is not believed where the kind of scan is known for text: whoever wrote
    it looked at other things. Source: DICOM PS3.3 C.7.6.1.1.5 and PS3.15 E.3.1.
    """
    if text(dataset, "BurnedInAnnotation").upper() == "YES":
        return f"{_HEAD}: the header says so."
    modality = text(dataset, "Modality").upper()
    kind = _KINDS.get(modality, "" if modality in KNOWN else _UNKNOWN) or _flavour(dataset)
    if kind:
        return f"{_HEAD}: the scan is {kind}."
    if text(dataset, "ConversionType") or _is_capture(text(dataset, "SOPClassUID")):
        return f"{_HEAD}: the scan is a secondary capture."
    if text(dataset, "RecognizableVisualFeatures").upper() == "YES":
        return "The pixels may show a face: the header says so."
    return ""


def _flavour(dataset: Dataset) -> str:
    """What is no picture of a patient alone, though its kind of scan is; else ""."""
    for said in texts(dataset, "ImageType"):
        if "SAVE" in said.upper():  # SCREEN SAVE, as scanners call what was on their screen
            return "a screen that was saved"
        if said.upper() in _FLAVOURS:
            return _FLAVOURS[said.upper()]
    return ""


def _is_capture(sop_class: str) -> bool:
    return any(sop_class == one or sop_class.startswith(f"{one}.") for one in _CAPTURES)
