"""DICOM structured reports (TID 1500) on de-identified copies, one a decision."""

from pathlib import Path
from typing import Final

from nearl_core.codes import Code, code_of, private_code
from nearl_core.dicom import report
from nearl_core.export.content import Content, Record
from nearl_core.export.copies import meant
from nearl_core.export.rows import Row
from nearl_core.types import State

_FOLDER: Final = "reports"
_STATES: Final = {
    State.NONE_APPLY.value: "None of the labels applies",
    State.UNASSESSABLE.value: "Can not be assessed",
}


def write(content: Content) -> None:
    """Write reports/SPLIT/scan-NNNNNN_N.dcm."""
    numbers: dict[str, int] = {}
    for row in content.rows:
        numbers[row.scan] = numbers.get(row.scan, 0) + 1
        name = f"{row.scan}_{numbers[row.scan]}"
        out = content.folder / _FOLDER / row.split / f"{name}.dcm"
        out.parent.mkdir(parents=True, exist_ok=True)
        said = report.Report(
            findings=_findings(row),
            confidence=None if row.source else private_code(row.confidence, row.confidence),
            observer=_observer(row),
            frame=row.frame,
            name=name,
        )
        images = [content.folder / file for file in meant(content.folder, row)]
        report.write_report(images, out, said, key=content.key)


def _observer(row: Row) -> report.Observer:
    if row.source:
        return report.Observer(row.reader, "Imported labels")
    return report.Observer(row.reader, "Decisions of several readers" if row.together else "")


def _findings(row: Row) -> list[Code]:
    if row.state != State.LABELLED:
        return [private_code(row.state, _STATES[row.state])]
    labels = zip(row.codes, row.label_ids, row.labels, strict=True)
    return [code_of(code, label_id=id_, name=name) for code, id_, name in labels]


def read(folder: Path) -> list[Record]:
    """What each report points at, for verification.

    Raises:
        LookupError: If a report points at no copy of its own scan.
    """
    # One instance can be there twice, in two files of a project: its copies share their UID.
    scans: dict[str, set[str]] = {}
    for path in sorted((folder / "images").glob("*/*.dcm")):
        scans.setdefault(report.uid_in(path), set()).add(_scan(path))
    found: list[Record] = []
    for path in sorted((folder / _FOLDER).glob("*/*.dcm")):
        finding = report.read_report(path)
        if _scan(path) not in scans[finding.image]:
            raise LookupError(path.name)
        found.append(
            {
                "scan": _scan(path),
                "patient": finding.patient,
                "split": path.parent.name,
                "codes": finding.codes,
            }
        )
    return found


def _scan(path: Path) -> str:
    """The scan's pseudonym, which the names of its copies and reports begin with."""
    return path.stem.split("_")[0]
