"""The command that takes in labels which exist already."""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from nearl_core.cli.arguments import SubParsers
from nearl_core.cli.output import Output
from nearl_core.words import counted

if TYPE_CHECKING:
    # Imported inside the command: the command line must answer before all of this is loaded.
    from nearl_core.importing.plan import ImportPlan
    from nearl_core.types import LabelSet


def add_commands(commands: SubParsers) -> None:
    """Register the command."""
    take = commands.add_parser(
        "import",
        help="take in labels that exist already, as decisions of a named source",
        description="Values are matched with labels by name, id or --map; what matches none is "
        "listed and left out; a table may have a column of 0 and 1 for each label. Files "
        "are found by path, by the end of their path, or by sha256; scans also by the UID of "
        "their image, series or study, or by their patient's number.",
    )
    take.add_argument("project", type=Path, metavar="PROJECT")
    take.add_argument(
        "source", metavar="SOURCE", help="a file, a folder, or for dicom-tags a tag's keyword"
    )
    take.add_argument(
        "--format", required=True, choices=("csv", "jsonl", "imagefolder", "dicom-tags")
    )
    for which, what in (("file", "names the file"), ("label", "says its label")):
        take.add_argument(
            f"--{which}-column",
            default="",
            metavar="NAME",
            help=f"the column of a table that {what}, where its own name does not tell",
        )
    take.add_argument(
        "--map",
        action="append",
        default=[],
        metavar="VALUE=LABEL",
        help="what a value means: a label, none-apply, unassessable, or nothing (VALUE=)",
    )
    take.add_argument(
        "--source", dest="name", metavar="NAME", help="the name of the source, as a reader's"
    )
    take.add_argument(
        "--match",
        choices=("file", "image", "series", "study", "patient"),
        help="what the column of a table names a scan by: SOPInstanceUID (image), "
        "SeriesInstanceUID, StudyInstanceUID or PatientID, hashed as the project does; columns "
        "that are called so need not say it",
    )
    take.add_argument(
        "--each",
        action="store_true",
        help="where a row means several scans, label each of them; else it is left out",
    )
    take.add_argument("--dry-run", action="store_true", help="show it, but take nothing in")
    take.set_defaults(run=_import)


def _import(args: argparse.Namespace, output: Output) -> None:
    from nearl_core.cli.projects import scan_reader
    from nearl_core.errors import UsageError
    from nearl_core.importing.plan import mapping_of, plan
    from nearl_core.importing.statements import BY_NAME, Columns, Key, SourceKind
    from nearl_core.importing.taking import look, require_source_name, standing_of, take
    from nearl_core.store.project import Project

    kind = SourceKind(args.format)
    match = None if args.match is None else Key(args.match)
    columns = Columns(args.file_column, args.label_column, match)
    if columns != BY_NAME and kind not in (SourceKind.CSV, SourceKind.JSONL):
        raise UsageError("Only tables and JSON lines have columns.", "Name none for others.")
    name = require_source_name(args.name or f"imported-{kind.value}")
    with Project.open(args.project, read_only=args.dry_run) as project:
        label_set, standing = project.label_set(), standing_of(project, name)
        mapping = mapping_of(args.map, label_set)
        with scan_reader() as reader:
            matched = look(project, kind, args.source, reader, output.control(), columns)
        planned = plan(
            matched,
            label_set,
            source=name,
            mapping=mapping,
            standing=standing,
            each=args.each,
        )
        if not args.dry_run:
            take(project, planned, output.control())
    output.result(
        _record(planned, label_set, source=name, saved=not args.dry_run),
        f"{counted(len(planned.decisions), 'decision')} of {name} "
        + ("would be taken in." if args.dry_run else "taken in."),
    )
    _tell(planned, label_set, output)


def _record(
    planned: "ImportPlan", label_set: "LabelSet", *, source: str, saved: bool
) -> dict[str, object]:
    return {
        "source": source,
        "values": [
            {"value": line.value, "scans": line.count, "label": _word(line.target, label_set)}
            for line in planned.values
        ],
        "scans": planned.scans,
        "decisions": len(planned.decisions),
        "already": planned.already,
        "conflicts": len(planned.conflicts),
        "contradictions": list(planned.conflicts),
        "unknown": list(planned.unknown),
        "unclear": list(planned.unclear),
        "bad_rows": list(planned.bad_rows),
        "found_by": planned.key.value,
        "several": {
            "rows": planned.several[0],
            "scans": planned.several[1],
            "labelled": planned.each,
        },
        "saved": saved,
    }


def _word(target: str, label_set: "LabelSet") -> str:
    return label_set.names_of((target,))[0]


def _tell(planned: "ImportPlan", label_set: "LabelSet", output: Output) -> None:
    for line in planned.values:
        meant = _word(line.target, label_set) or "left out: it means no label"
        output.text(f"  {line.count} × {line.value} → {meant}")
    if planned.already:
        output.text(f"{counted(planned.already, 'scan')} stood already.")
    rows, scans = planned.several
    if rows:
        done = "each of them is labelled" if planned.each else "left out; --each labels each scan"
        output.text(f"{counted(rows, 'row')} of several scans, {scans} in all: {done}.")
    by_file = planned.key.value == "file"
    no_scans = "Files of the source that are no scans of this project"
    for what, found in (
        ("Left out, with labels that exclude each other", planned.conflicts),
        (
            no_scans if by_file else f"Rows that name no {planned.key.value} of this project",
            planned.unknown,
        ),
        ("Files of the source with a name that several files share", planned.unclear),
        ("Rows left out, since one label must have 1", planned.bad_rows),
    ):
        if found:
            output.text(f"{what}: {len(found)}")
            output.some(found)
