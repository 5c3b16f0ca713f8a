"""Decisions as DICOM structured reports: TID 1500, written with highdicom.

Sources: DICOM PS3.16 TID 1500 "Measurement Report" and TID 1501, PS3.3 A.35.2 (Enhanced SR).
"""

import hashlib
import re
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from pydicom import dcmread
from pydicom.dataset import Dataset
from pydicom.uid import UID

from nearl_core.dicom.deidentify import uid_of

if TYPE_CHECKING:
    import highdicom

PRIVATE: Final = "99NEARL"
"""The coding scheme of labels that have no code of a public one."""

_SCHEMES: Final = {"SCT": "SCT", "RID": "RADLEX", "DCM": "DCM", "LN": "LN", "UMLS": "UMLS"}
_CODE: Final = re.compile(r"(?:([A-Za-z]+)[ :]+)?([A-Za-z]*[0-9][A-Za-z0-9.\-]*)")


@dataclass(frozen=True)
class Code:
    """A coded concept.

    Attributes:
        value: At most 16 characters.
        scheme: Coding Scheme Designator.
        meaning: At most 64 characters.
    """

    value: str
    scheme: str
    meaning: str


@dataclass(frozen=True)
class Report:
    """One decision to be reported.

    Attributes:
        findings: What the reader says.
        confidence: How sure.
        reader: Pseudonym.
        frame: Number of the frame that is named, from 0, or None for the whole.
        name: Of the report, unique in the export.
    """

    findings: Sequence[Code]
    confidence: Code
    reader: str
    frame: int | None
    name: str


def code_of(text: str, *, label_id: str, name: str) -> Code:
    """The concept of a label: its own code ("SCT 233604007", "RID5350"), else a private one.

    Args:
        text: The label's code, or "".
        label_id: Its stable id.
        name: Its name.
    """
    found = _CODE.fullmatch(text.strip())
    if found:
        scheme, value = (found[1] or "").upper(), found[2]
        if not scheme and value.upper().startswith("RID"):
            scheme = "RID"
        if scheme and len(value) <= 16:
            return Code(value, _SCHEMES.get(scheme, scheme)[:16], name[:64])
    return private_code(label_id, name)


def private_code(value: str, meaning: str) -> Code:
    """A concept of this program's own scheme; a long value becomes a hash of itself."""
    if len(value) > 16 or "\\" in value:
        value = hashlib.sha256(value.encode()).hexdigest()[:16]
    return Code(value, PRIVATE, meaning.replace("\\", "/")[:64])


def write_report(images: Sequence[Path], out: Path, report: Report, *, key: bytes) -> None:
    """Write a report on a de-identified copy.

    Args:
        images: The copy, which this program has written: a file, or one a frame of a series.
        out: Where the report goes.
        report: What it says.
        key: Of the export, for UIDs.

    Raises:
        OSError: If it can't be written.
    """
    import highdicom

    sources = [dcmread(image, stop_before_pixels=True) for image in images]
    content = _measurement_report(sources, report)
    # highdicom warns of study-level attributes that are empty on purpose.
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        document = highdicom.sr.EnhancedSR(
            evidence=sources,
            content=content,
            series_instance_uid=uid_of(key, f"reports on {sources[0].SeriesInstanceUID}"),
            series_number=1,
            sop_instance_uid=uid_of(key, f"report {report.name}"),
            instance_number=1,
            manufacturer="NEARL Desk",
            institution_name=None,
            is_complete=True,
            is_verified=False,
        )
    document.SpecificCharacterSet = "ISO_IR 192"  # a label's name may be in any script
    scheme = Dataset()
    scheme.CodingSchemeDesignator, scheme.CodingSchemeName = PRIVATE, "Labels of NEARL Desk"
    document.CodingSchemeIdentificationSequence = [scheme]
    document.save_as(out)


def _measurement_report(
    sources: Sequence[Dataset], report: Report
) -> "highdicom.sr.MeasurementReport":
    from highdicom import sr

    first = sources[0]
    frames = None if report.frame is None or "NumberOfFrames" not in first else [report.frame + 1]
    person = sr.ObserverContext(
        observer_type=_concept(Code("121006", "DCM", "Person")),
        observer_identifying_attributes=sr.PersonObserverIdentifyingAttributes(
            name=_person_name(report.reader)
        ),
    )
    confidence = sr.QualitativeEvaluation(
        name=_concept(private_code("confidence", "Confidence of the reader")),
        value=_concept(report.confidence),
    )
    # TID 1501 has place for one finding, so each has a group of its own.
    groups = [
        sr.MeasurementsAndQualitativeEvaluations(
            tracking_identifier=sr.TrackingIdentifier(
                uid=uid_of(first.SOPInstanceUID.encode(), f"{report.name} {number}"),
                identifier=f"{report.name} {number}",
            ),
            finding_type=_concept(finding),
            qualitative_evaluations=[confidence],
            source_images=[
                sr.SourceImageForMeasurementGroup(
                    referenced_sop_class_uid=source.SOPClassUID,
                    referenced_sop_instance_uid=UID(source.SOPInstanceUID),
                    referenced_frame_numbers=frames,
                )
                for source in sources
            ],
        )
        for number, finding in enumerate(report.findings, start=1)
    ]
    return sr.MeasurementReport(
        observation_context=sr.ObservationContext(observer_person_context=person),
        procedure_reported=_concept(Code("363679005", "SCT", "Imaging procedure")),
        imaging_measurements=groups,
        title=_concept(Code("126000", "DCM", "Imaging Measurement Report")),
    )


def _person_name(reader: str) -> str:
    """A pseudonym as a family name: what DICOM takes for parts of a name is left out."""
    plain = re.sub(r"[\^=\\]", " ", reader).strip()[:60] or "reader"
    return f"{plain}^"


def _concept(code: Code) -> "highdicom.sr.CodedConcept":
    from highdicom.sr import CodedConcept

    return CodedConcept(code.value, code.scheme, code.meaning)


@dataclass(frozen=True)
class Finding:
    """What a report says, read again.

    Attributes:
        image: SOP Instance UID of the image that it points at.
        patient: Pseudonym.
        codes: Values of its findings.
    """

    image: str
    patient: str
    codes: tuple[str, ...]


def read_report(path: Path) -> Finding:
    """The findings of a report that this program has written.

    Raises:
        ValueError: If it is no such report.
    """
    from highdicom.sr import MeasurementReport, srread

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        document = srread(path)
    content = document.content
    if not isinstance(content, MeasurementReport):
        raise ValueError("no measurement report")
    findings = [
        str(group.finding_type.value)
        for group in content.get_image_measurement_groups()
        if group.finding_type is not None
    ]
    image = document.CurrentRequestedProcedureEvidenceSequence[0].ReferencedSeriesSequence[0]
    uid = str(image.ReferencedSOPSequence[0].ReferencedSOPInstanceUID)
    return Finding(uid, str(document.PatientID), tuple(findings))


def uid_in(path: Path) -> str:
    """The SOP Instance UID of a copy that this program has written."""
    return str(dcmread(path, specific_tags=["SOPInstanceUID"]).SOPInstanceUID)
