"""The Basic Application Level Confidentiality Profile, DICOM PS3.15 annex E, and what may stay.

Table E.1-1 says what becomes of the attributes that it names; it stands as data in
`resources/dicom/confidentiality.csv` (edition 2026c). The profile leaves every other attribute to
the writer. Here nothing else stays but what a picture needs to be shown and measured, each by name
and only with values that can't hold a word: numbers within bounds, and terms of the standard.
"""

import csv
from collections.abc import Mapping
from enum import StrEnum
from functools import cache
from pathlib import Path
from typing import Final

TABLE: Final = Path(__file__).resolve().parents[2] / "resources" / "dicom" / "confidentiality.csv"

METHOD: Final = ("113100", "DCM", "Basic Application Confidentiality Profile")
"""Code, scheme and meaning, DICOM PS3.16 CID 7050."""


class Action(StrEnum):
    """What becomes of an attribute.

    REMOVE (X), EMPTY (Z), DUMMY (D), UID (U): replaced by one that is the same everywhere in an
    export. Where the table leaves a choice, the first that is named is taken, which takes away
    most; Z/D is a dummy, since types differ between kinds of objects.
    """

    REMOVE = "X"
    EMPTY = "Z"
    DUMMY = "D"
    UID = "U"


_SINGLE: Final[Mapping[str, Action]] = {
    "X": Action.REMOVE,
    "X/Z": Action.REMOVE,
    "X/D": Action.REMOVE,
    "X/Z/D": Action.REMOVE,
    "X/Z/U*": Action.REMOVE,
    "Z": Action.EMPTY,
    "Z/D": Action.DUMMY,
    "D": Action.DUMMY,
    "U": Action.UID,
}


@cache
def table() -> Mapping[str, str]:
    """Table E.1-1: tags as hex (X for any digit) and their actions."""
    with TABLE.open(encoding="utf-8", newline="") as file:
        return {row["tag"]: row["action"] for row in csv.DictReader(file)}


def action_of(tag: int) -> Action | None:
    """What the table says of a tag; None where it does not name it.

    Private attributes, curves and overlays are its repeating entries.
    """
    group = tag >> 16
    if group % 2 or group >> 8 in (0x50, 0x60):
        return Action.REMOVE
    said = table().get(f"{tag:08X}")
    return None if said is None else _SINGLE[said]


NUMBERS: Final = frozenset(
    [
        "PixelPaddingValue",
        "PixelPaddingRangeLimit",
        "FloatPixelPaddingValue",
        "FloatPixelPaddingRangeLimit",
        "DoubleFloatPixelPaddingValue",
        "DoubleFloatPixelPaddingRangeLimit",
        "SmallestImagePixelValue",
        "LargestImagePixelValue",
        "PixelAspectRatio",
        "PixelSpacing",
        "ImagerPixelSpacing",
        "NominalScannedPixelSpacing",
        "SliceThickness",
        "SpacingBetweenSlices",
        "SliceLocation",
        "ImagePositionPatient",
        "ImageOrientationPatient",
        "RescaleIntercept",
        "RescaleSlope",
        "WindowCenter",
        "WindowWidth",
        "LossyImageCompressionRatio",
        "PixelIntensityRelationshipSign",
        "FrameTime",
        "FrameTimeVector",
        "CineRate",
        "RecommendedDisplayFrameRate",
        "KVP",
        "ExposureTime",
        "XRayTubeCurrent",
        "Exposure",
        "ExposureInuAs",
        "ExposureInmAs",
        "DistanceSourceToDetector",
        "DistanceSourceToPatient",
        "EstimatedRadiographicMagnificationFactor",
        "BodyPartThickness",
        "CompressionForce",
        "GantryDetectorTilt",
        "TableHeight",
        "ReconstructionDiameter",
        "DataCollectionDiameter",
        "RepetitionTime",
        "EchoTime",
        "InversionTime",
        "FlipAngle",
        "MagneticFieldStrength",
        "EchoTrainLength",
        "NumberOfAverages",
        "EchoNumbers",
        "PixelBandwidth",
        "PercentSampling",
        "DiffusionBValue",
        "InstanceNumber",
        "AcquisitionNumber",
        "TemporalPositionIndex",
        "InStackPositionNumber",
        "DimensionIndexValues",
        "LUTDescriptor",
        "LUTData",
    ]
)
"""Attributes that keep their numbers, by keyword."""

TERMS: Final[Mapping[str, frozenset[str]]] = {
    keyword: frozenset(terms.split())
    for keyword, terms in {
        "ImageType": "ORIGINAL DERIVED PRIMARY SECONDARY AXIAL LOCALIZER OTHER MIXED NONE M P R I "
        "M_SE M_IR M_FFE FFE SE IR ADC DIFFUSION TRACEW REFORMATTED MPR MIP PROJECTION_IMAGE "
        "VOLUME RESAMPLED MAXIMUM MINIMUM MAX_IP MIN_IP FILTERED STANDARD LEFT RIGHT",
        "PatientOrientation": "A P R L H F AR AL PR PL AH AF PH PF RH RF LH LF RA LA RP LP HA FA "
        "HP FP HR FR HL FL",
        "Laterality": "R L U B",
        "ImageLaterality": "R L U B",
        "FrameLaterality": "R L U B",
        "PatientPosition": "HFP HFS HFDR HFDL FFDR FFDL FFP FFS LFP LFS RFP RFS AFDR AFDL PFDR "
        "PFDL SITTING",
        "ViewPosition": "AP PA LL RL RLD LLD RLO LLO CC MLO ML LM LMO XCC XCCL XCCM FB SIO ISO "
        "LATERAL LAT",
        "VOILUTFunction": "LINEAR LINEAR_EXACT SIGMOID",
        "PresentationLUTShape": "IDENTITY INVERSE",
        "PixelIntensityRelationship": "LIN LOG DISP",
        "RescaleType": "HU US OD MGML Z_EFF ED EDW HU_MOD PCT",
        "ModalityLUTType": "HU US OD",
        "LossyImageCompression": "00 01",
        "LossyImageCompressionMethod": "ISO_10918_1 ISO_14495_1 ISO_15444_1 ISO_15444_15",
        "BodyPartExamined": "ABDOMEN ABDOMENPELVIS ANKLE ARM BRAIN BREAST CHEST CHESTABDOMEN "
        "CHESTABDPELVIS CSPINE ELBOW EXTREMITY EYE FOOT FOREARM HAND HEAD HEADNECK HEART HIP KNEE "
        "LEG LSPINE LUNG NECK PELVIS PROSTATE SHOULDER SKIN SKULL SPINE TSPINE WHOLEBODY WRIST",
        "ScanningSequence": "SE IR GR EP RM",
        "SequenceVariant": "SK MTC SS TRSS SP MP OSP NONE",
        "MRAcquisitionType": "2D 3D",
        "DimensionOrganizationType": "3D 3D_TEMPORAL TILED_FULL TILED_SPARSE",
    }.items()
}
"""Attributes that keep values which are terms of the standard, by keyword."""

SEQUENCES: Final = frozenset(
    [
        "SharedFunctionalGroupsSequence",
        "PerFrameFunctionalGroupsSequence",
        "PixelMeasuresSequence",
        "PlanePositionSequence",
        "PlaneOrientationSequence",
        "FrameVOILUTSequence",
        "PixelValueTransformationSequence",
        "FrameContentSequence",
        "FrameAnatomySequence",
        "ModalityLUTSequence",
        "VOILUTSequence",
        "DimensionOrganizationSequence",
        "DimensionIndexSequence",
    ]
)
"""Sequences whose items are gone through; all others go."""

POINTERS: Final = frozenset(
    ("FrameIncrementPointer", "DimensionIndexPointer", "FunctionalGroupPointer")
)
"""Attributes whose value is a tag of the standard."""

LARGEST_NUMBER: Final = 1e6
"""Numbers beyond this are no measure but an identifier."""
