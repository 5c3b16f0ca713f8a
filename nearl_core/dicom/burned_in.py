"""Which files are to be looked at for text in their pixels before they leave."""

from typing import Final

from pydicom.dataset import Dataset

from nearl_core.dicom.tags import text

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
    "": "of an unknown kind",
}
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
    if modality in _KINDS:
        return f"{_HEAD}: the scan is {_KINDS[modality]}."
    if text(dataset, "ConversionType") or _is_capture(text(dataset, "SOPClassUID")):
        return f"{_HEAD}: the scan is a secondary capture."
    if text(dataset, "RecognizableVisualFeatures").upper() == "YES":
        return "The pixels may show a face: the header says so."
    return ""


def _is_capture(sop_class: str) -> bool:
    return any(sop_class == one or sop_class.startswith(f"{one}.") for one in _CAPTURES)
