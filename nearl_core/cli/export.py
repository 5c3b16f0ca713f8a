"""The command that writes the labelled data set."""

import argparse
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING

from nearl_core.cli.arguments import SubParsers
from nearl_core.cli.output import Output
from nearl_core.cli.projects import scan_reader
from nearl_core.words import counted

if TYPE_CHECKING:
    # Imported inside the command: the command line must answer before all of this is loaded.
    from nearl_core.export.choice import Choice
    from nearl_core.export.exporter import ExportReport

_FORMATS = "csv|jsonl|imagefolder|huggingface|parquet|monai|coco|croissant|dicom|dicom-sr|adapters"
_RULES = "all|agreed|reader|majority|adjudicated"


def add_commands(commands: SubParsers) -> None:
    """Register the command."""
    export = commands.add_parser("export", help="write the labelled data set")
    export.add_argument("project", type=Path, metavar="PROJECT")
    export.add_argument("out", type=Path, metavar="OUT")
    export.add_argument("--format", required=True, metavar=_FORMATS)
    export.add_argument(
        "--split", default="70,15,15", help="parts of train,validation,test; of two, train and test"
    )
    export.add_argument("--seed", type=int, default=0)
    export.add_argument(
        "--images",
        nargs="?",
        const="shown",
        choices=("shown", "stored"),
        help="pictures beside csv or jsonl too: as shown (8-bit PNG, the default), or the stored "
        "values (16-bit PNG or TIFF, NIfTI for stacks)",
    )
    export.add_argument(
        "--decisions",
        metavar=_RULES,
        help="where several readers decided: all of them as rows of their own (tables), scans "
        "that they agree on, one reader's, the majority's, or what adjudication settled and else "
        "what they agree on",
    )
    export.add_argument(
        "--reader",
        help="whose decisions, a reader's or a source's, or whose word holds where none settled",
    )
    export.add_argument(
        "--source", metavar="NAME", help="whose imported labels hold where no reader decided"
    )
    export.add_argument(
        "--no-suggestions", action="store_true", help="leave out what the model suggested"
    )
    export.add_argument(
        "--pixels-checked",
        action="store_true",
        help="you have looked: no picture names anyone; else scans that may have text burned into "
        "them are left out",
    )
    export.set_defaults(run=_export)


def _export(args: argparse.Namespace, output: Output) -> None:
    if args.format == "adapters":
        _export_adapters(args, output)
        return
    from nearl_core.export.content import Pictures
    from nearl_core.export.exporter import export
    from nearl_core.export.split import parse_fractions
    from nearl_core.store.project import Project

    fractions = parse_fractions(args.split)
    choice = _choice(args)
    with Project.open(args.project, read_only=True) as project, scan_reader() as reader:
        report = export(
            project,
            args.out,
            format=args.format,
            split=fractions,
            seed=args.seed,
            pictures=None if args.images is None else Pictures(args.images),
            choice=choice,
            pixels_checked=args.pixels_checked,
            reader=reader,
            control=output.control(),
        )
    output.result(_record(report), _text(report))
    for notice in report.notices:
        if notice != report.leakage:
            output.message(notice)


def _export_adapters(args: argparse.Namespace, output: Output) -> None:
    from nearl_core.export.adapters import export_adapters
    from nearl_core.store.project import Project

    with Project.open(args.project, read_only=True) as project:
        report = export_adapters(project, args.out)
    output.result(
        {"folder": str(report.folder), "format": args.format, "version": report.version},
        f"Exported the adapters of version {report.version} to {report.folder}.",
    )


def _choice(args: argparse.Namespace) -> "Choice":
    """What the arguments say of the decisions.

    Raises:
        UsageError: If there is no such rule, or it lacks its reader.
    """
    from nearl_core.errors import UsageError
    from nearl_core.export.choice import Choice, Rule

    suggestions = not args.no_suggestions
    reader, source = args.reader or "", args.source or ""
    if args.decisions is None:
        return Choice(Rule.READER if reader else None, reader, suggestions, source)
    if args.decisions not in list(Rule):
        raise UsageError(
            f"There is no way {args.decisions!r} to choose decisions.", f"There are {_RULES}."
        )
    return Choice(Rule(args.decisions), reader, suggestions, source)


def _record(report: "ExportReport") -> dict[str, object]:
    return {
        "folder": str(report.folder),
        "format": report.format,
        "rows": report.rows,
        "scans": report.scans,
        "patients": report.patients,
        "patients_known": report.patients_known,
        "images": report.images,
        "splits": dict(report.splits),
        "left_out": [
            {"scan": f"scan-{one.scan_id:06d}", "reason": one.reason} for one in report.left_out
        ],
        "notices": list(report.notices),
        "leakage": report.leakage,
        "verified": True,
    }


def _text(report: "ExportReport") -> str:
    splits = ", ".join(f"{name} {count}" for name, count in report.splits)
    patients = f" of {counted(report.patients, 'patient')}" if report.patients_known else ""
    decisions, scans = counted(report.rows, "decision"), counted(report.scans, "scan")
    lines = [
        f"Exported {decisions} on {scans}{patients} "
        f"({splits}) to {report.folder} and verified them.",
        report.leakage,
    ]
    reasons = Counter(one.reason for one in report.left_out)
    lines += [f"Left out, or without a picture: {n} × {why}" for why, n in reasons.most_common()]
    return "\n".join(lines)
