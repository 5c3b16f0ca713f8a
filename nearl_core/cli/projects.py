"""Commands on projects: create, add, check."""

import argparse
import os
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

from nearl_core.cli import UNUSABLE
from nearl_core.cli.arguments import SubParsers
from nearl_core.cli.output import Output
from nearl_core.errors import ProjectError, ScanError

if TYPE_CHECKING:
    # Imported inside the commands: the command line must answer before all of this is loaded.
    from nearl_core.scans.guard import ScanReader
    from nearl_core.store.findings import Finding
    from nearl_core.store.project import Project
    from nearl_core.store.scans import NewScan
    from nearl_core.types import AddReport, SkippedFile


def add_commands(commands: SubParsers) -> None:
    """Register the commands."""
    create = commands.add_parser("create", help="make a project")
    create.add_argument("project", type=Path, metavar="PROJECT")
    create.add_argument("--labels", required=True, help="FILE.yaml, a template's name, or a,b,c")
    create.add_argument("--scans", type=Path, metavar="FOLDER", help="add these at once")
    create.add_argument("--backbone", default="starter", metavar="NAME")
    create.add_argument("--multi-label", action="store_true", help="a scan can have several labels")
    create.add_argument(
        "--unit",
        choices=("image", "series", "study"),
        help="what one scan is: a file, or all DICOM files of a series or a study as a stack",
    )
    _add_patient_from(create)
    create.set_defaults(run=_create)

    add = commands.add_parser("add", help="add scans to a project")
    add.add_argument("project", type=Path, metavar="PROJECT")
    add.add_argument("paths", type=Path, nargs="+", metavar="PATH")
    _add_patient_from(add)
    add.set_defaults(run=_add)

    check = commands.add_parser("check", help="check a project and mend what can be mended")
    check.add_argument("project", type=Path, metavar="PROJECT")
    check.add_argument(
        "--restore",
        action="store_true",
        help="first put the last daily copy back, for a database that is damaged or gone",
    )
    check.add_argument(
        "--find",
        type=Path,
        nargs="+",
        default=[],
        metavar="FOLDER",
        help="look there for scans that were moved or renamed",
    )
    check.set_defaults(run=_check)


def _add_patient_from(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--patient-from",
        metavar="REGEX|folder|subfolder",
        help="how paths tell patients apart: the name of the folder that a file stands in, that of "
        "the folder below the one that is added, or a regular expression with one group; else the "
        "file says it, else each file counts as a patient; what `create` was told holds for `add`",
    )


def _create(args: argparse.Namespace, output: Output) -> None:
    from nearl_core.adding import patient_rule
    from nearl_core.labels_file import from_argument
    from nearl_core.store.patients import keep_rule
    from nearl_core.store.project import Project
    from nearl_core.types import Unit

    patient_rule(args.patient_from)  # a wrong one must not leave a project behind
    _require([args.scans] if args.scans is not None else [])
    label_set = from_argument(args.labels, multi_label=args.multi_label)
    unit = Unit(args.unit or Unit.IMAGE.value)
    if args.scans is not None and args.unit is None:
        _suggest_series(args.scans, output)
    with Project.create(args.project, label_set, backbone=args.backbone, unit=unit) as project:
        record = {
            "project": str(project.folder),
            "labels": list(label_set.names),
            "multi_label": label_set.multi_label,
            "backbone": project.backbone,
            "unit": project.unit.value,
        }
        if args.patient_from is not None:
            keep_rule(project, args.patient_from)
        added = None
        if args.scans is not None:
            added = _add_to(project, [args.scans], args.patient_from, output)
            record["scans"] = _added_record(*added)
        text = f"Created {project.folder} with the labels {', '.join(label_set.names)}."
        output.result(record, text)
        if added is not None:
            output.text(_counts(added[0]))
            _tell_added(*added, output=output)


def _suggest_series(folder: Path, output: Output) -> None:
    """Say so where a folder holds series and nobody said what one scan is."""
    from nearl_core.first_look import first_files, series_of

    files = first_files(folder, output.control())
    if not files:
        return
    with scan_reader() as reader:
        seen = series_of(files, reader)
    if seen is not None:
        output.message(f"{seen.sentence} `create --unit series` makes one scan of each.")


def _add(args: argparse.Namespace, output: Output) -> None:
    from nearl_core.adding import patient_rule
    from nearl_core.store.project import Project

    patient_rule(args.patient_from)
    _require(args.paths)
    with Project.open(args.project) as project:
        report, unreadable = _add_to(project, args.paths, args.patient_from, output)
        record = _added_record(report, unreadable)
        scans = project.scans()
        record["scans"] = len(scans)
        record["patients"] = len({scan.patient for scan in scans})
        record["patients_known"] = all(scan.patient_known for scan in scans)
    output.result(record, _counts(report))
    _tell_added(report, unreadable, output=output)
    if not record["patients_known"]:
        output.message(
            "Some files do not say whose they are, so each counts as a patient of its own. "
            "If their paths do, create the project anew with --patient-from."
        )


def _require(paths: Sequence[Path]) -> None:
    """Say so where a path leads nowhere, before anything is made or added.

    Raises:
        ScanError: If one does not exist.
    """
    for path in paths:
        if not os.path.lexists(path):
            raise ScanError(f"There is no file or folder {path}.", "Check the path.")


def _add_to(
    project: "Project", paths: list[Path], patient_from: str | None, output: Output
) -> "tuple[AddReport, list[SkippedFile]]":
    from nearl_core.adding import to_add
    from nearl_core.store.scans import NewScan
    from nearl_core.types import SkippedFile

    unreadable: list[SkippedFile] = []

    def noted(entries: "Iterator[NewScan | SkippedFile]") -> "Iterator[NewScan | SkippedFile]":
        for entry in entries:
            if isinstance(entry, NewScan) and entry.problem:
                unreadable.append(SkippedFile(entry.path, entry.problem))
            yield entry

    with scan_reader() as reader:
        found = to_add(
            project,
            [Path(os.path.abspath(path)) for path in paths],
            scans=project.scans(),
            reader=reader,
            patient_from=patient_from,
            control=output.control(),
        )
        report = project.add_scans(noted(found))
    return report, unreadable


def scan_reader() -> "ScanReader":
    """Guarded processes as the settings say."""
    from nearl_core.scans.guard import ScanReader
    from nearl_core.settings import load

    settings = load().settings
    return ScanReader(
        workers=settings.workers,
        time_limit_s=settings.time_limit_s,
        memory_limit_bytes=settings.memory_limit_mb << 20,
    )


def _added_record(report: "AddReport", unreadable: "list[SkippedFile]") -> dict[str, object]:
    return {
        "added": report.added,
        "already": report.already,
        "skipped": [{"path": str(one.path), "reason": one.reason} for one in report.skipped],
        "unreadable": [{"path": str(one.path), "reason": one.reason} for one in unreadable],
        "remarks": [
            {"path": str(path), "kind": one.kind.value, "remark": one.sentence}
            for path, one in report.remarks
        ],
    }


def _counts(report: "AddReport") -> str:
    return (
        f"{report.added} scans added, {report.already} were there already, "
        f"{len(report.skipped)} files skipped."
    )


def _tell_added(report: "AddReport", unreadable: "list[SkippedFile]", *, output: Output) -> None:
    """Reasons with counts and the first few files."""
    for title, files in (("Skipped", report.skipped), ("Added, but can't be shown", unreadable)):
        for reason, count in Counter(one.reason for one in files).most_common():
            output.text(f"{title}: {count} × {reason}")
            output.some([str(one.path) for one in files if one.reason == reason])
    _tell_remarks(report, output)
    if not report.added and not report.already:
        output.message(
            "No scans were found. "
            "Check the path: DICOM, PNG, JPEG, TIFF, BMP and WebP files can be added."
        )


def _tell_remarks(report: "AddReport", output: Output) -> None:
    """How many stacks have frames that stand oddly, and the first few of them."""
    if not report.remarks:
        return
    from nearl_core.placing import summaries

    for kind, sentence in summaries(report.remarks):
        output.text(sentence)
        output.some([f"{path}: {one.sentence}" for path, one in report.remarks if one.kind is kind])


def _paths_of(project: "Project", finding: "Finding") -> list[str]:
    """The paths of the scans that a finding is about, as far as a damaged database tells them."""
    try:
        paths = {scan.id: str(scan.path) for scan in project.scans()} if finding.scan_ids else {}
    except ProjectError:
        paths = {}
    return [paths[scan_id] for scan_id in finding.scan_ids if scan_id in paths]


def _check(args: argparse.Namespace, output: Output) -> int | None:
    from nearl_core.store.check import check
    from nearl_core.store.project import Project

    if args.restore:
        _restore(args.project, output)
    with _open_or_look(Project, args.project, output) as project:
        if args.find:
            _find(project, args.find, output)
        report = check(project, output.control())
        paths = [_paths_of(project, finding) for finding in report.findings]
    output.result(
        {
            "ok": report.ok,
            "scans": report.scans,
            "decisions": report.decisions,
            "versions": report.versions,
            "problems": [
                {**asdict(finding), "paths": names}
                for finding, names in zip(report.findings, paths, strict=True)
            ],
            "mended": list(report.mended),
            "copies": [day.isoformat() for day in report.copies],
        },
        report.sentence,
    )
    if report.copies:
        output.text(f"Daily copies: {', '.join(map(str, report.copies))}.")
    for sentence in report.mended:
        output.text(f"Mended: {sentence}")
    for finding, names in zip(report.findings, paths, strict=True):
        output.message(f"{finding.message} {finding.remedy}")
        output.some(names)
    return None if report.ok else UNUSABLE


def _find(project: "Project", folders: list[Path], output: Output) -> None:
    from nearl_core.store.moved import find_moved

    with scan_reader() as reader:
        output.message(find_moved(project, folders, output.control(), look=reader.infos).sentence)


def _restore(project: Path, output: Output) -> None:
    from nearl_core.store.restore import restore

    output.message(restore(project).sentence)


def _open_or_look(kind: "type[Project]", folder: Path, output: Output) -> "Project":
    try:
        return kind.open(folder)
    except ProjectError as error:
        try:
            project = kind.open(folder, read_only=True)
        except ProjectError:
            raise error from None  # what keeps it from being written says more
        output.message(f"{error.message} It is looked at only; nothing is mended.")
        return project
