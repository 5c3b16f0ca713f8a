"""Decisions as DICOM structured reports: TID 1500, written with highdicom.

Sources: DICOM PS3.16 TID 1500 "Measurement Report", TID 1501 and 1002, PS3.3 A.35.2 (Enhanced SR).
"""

import re
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from pydicom import dcmread
from pydicom.dataset import Dataset
from pydicom.uid import UID

from nearl_core.codes import PRIVATE, Code, private_code
from nearl_core.dicom.deidentify import uid_of

if TYPE_CHECKING:
    import highdicom


@dataclass(frozen=True)
class Observer:
    """Who said it, PS3.16 TID 1002: a person, or (as DICOM has it) a device where none did.

    Attributes:
        name: A reader's pseudonym, the name of a source, or how many readers said it.
        what: Of what kind it is where it is no person; "" for a person.
    """

    name: str
    what: str = ""


@dataclass(frozen=True)
class Report:
    """One decision to be reported.

    Attributes:
        findings: What the reader says.
        confidence: How sure; None where nobody said so.
        observer: Who says it.
        frame: Number of the frame that is named, from 0, or None for the whole.
        name: Of the report, unique in the export.
    """

    findings: Sequence[Code]
    confidence: Code | None
    observer: Observer
    frame: int | None
    name: str


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
    content = _measurement_report(sources, report, key)
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
    sources: Sequence[Dataset], report: Report, key: bytes
) -> "highdicom.sr.MeasurementReport":
    from highdicom import sr

    first = sources[0]
    frames = None if report.frame is None or "NumberOfFrames" not in first else [report.frame + 1]
    evaluations = [] if report.confidence is None else [report.confidence]
    confidence = [
        sr.QualitativeEvaluation(
            name=_concept(private_code("confidence", "Confidence of the reader")),
            value=_concept(said),
        )
        for said in evaluations
    ]
    # TID 1501 has place for one finding, so each has a group of its own.
    groups = [
        sr.MeasurementsAndQualitativeEvaluations(
            tracking_identifier=sr.TrackingIdentifier(
                uid=uid_of(first.SOPInstanceUID.encode(), f"{report.name} {number}"),
                identifier=f"{report.name} {number}",
            ),
            finding_type=_concept(finding),
            qualitative_evaluations=confidence or None,
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
        observation_context=_context(report.observer, key),
        procedure_reported=_concept(Code("363679005", "SCT", "Imaging procedure")),
        imaging_measurements=groups,
        title=_concept(Code("126000", "DCM", "Imaging Measurement Report")),
    )


def _context(observer: Observer, key: bytes) -> "highdicom.sr.ObservationContext":
    """A person by TID 1003, a device by TID 1004, which needs a UID and may have a name.

    Observers are persons or devices, and no third thing (CID 270): labels that exist already, and
    what several readers come to, are this program's word, not that of a person of this name.
    """
    from highdicom import sr

    if not observer.what:
        person = sr.PersonObserverIdentifyingAttributes(name=_person_name(observer.name))
        kind = _concept(Code("121006", "DCM", "Person"))
        return sr.ObservationContext(observer_person_context=sr.ObserverContext(kind, person))
    device = sr.DeviceObserverIdentifyingAttributes(
        uid=uid_of(key, f"observer {observer.name}"),
        name=observer.name[:64],
        manufacturer_name="NEARL Desk",
        model_name=observer.what,
    )
    kind = _concept(Code("121007", "DCM", "Device"))
    return sr.ObservationContext(observer_device_context=sr.ObserverContext(kind, device))


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
