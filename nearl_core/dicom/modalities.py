"""What a DICOM file may say of its kind: Modality, PS3.3 C.7.3.1.1.1.

A file can hold anything in this place, a name too, so nothing but terms of the standard is kept.
"""

from typing import Final

_TERMS: Final = (
    "ANN AR ASMT AU BDUS BI BMD CFM CR CT CTPROTOCOL DG DMS DOC DX ECG EEG EMG EOG EPS ES FID GM "
    "HC HD IO IOL IVOCT IVUS KER KO LEN LS M3D MG MR NM OAM OCT OP OPM OPT OPTBSV OPTENF OPV OSS "
    "OT PA PLAN POS PR PT PX REG RESP RF RG RTDOSE RTIMAGE RTINTENT RTPLAN RTRAD RTRECORD RTSEGANN "
    "RTSTRUCT RWV SC SEG SM SMR SR SRF STAIN TEXTUREMAP TG US VA XA XAPROTOCOL XC"
)
_RETIRED: Final = "AS CD CF CP CS DD DF DM DS EC FA FS LP MA MS OPR ST VF"
KNOWN: Final = frozenset(f"{_TERMS} {_RETIRED}".split())
"""Terms of the standard, and SC, which older programs write."""


def known(text: str) -> str:
    """A term of the standard in capitals, or ""."""
    term = text.upper()
    return term if term in KNOWN else ""
