"""Commands about several readers: how a project is read, how far they agree, copies merged."""

import argparse
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nearl_core.cli.arguments import SubParsers
from nearl_core.cli.output import Output
from nearl_core.words import counted

if TYPE_CHECKING:
    # Imported inside the commands: the command line must answer before all of this is loaded.
    from nearl_core.agreement import Agreement
    from nearl_core.readers import Disagreement, ReaderLine, ReaderReport
    from nearl_core.store.project import Project
    from nearl_core.types import Decision, Division, LabelSet


def add_commands(commands: SubParsers) -> None:
    """Register the commands."""
    agreement = commands.add_parser(
        "agreement", help="how far readers agree with each other, and each with themself"
    )
    agreement.add_argument("project", type=Path, metavar="PROJECT")
    agreement.set_defaults(run=_agreement)

    reading = commands.add_parser("reading", help="say how a project is read")
    reading.add_argument("project", type=Path, metavar="PROJECT")
    reading.add_argument(
        "--blind-first", choices=("on", "off"), help="whether readers decide before they see"
    )
    reading.add_argument(
        "--repeats", type=float, metavar="PERCENT", help="of scans that come again unannounced"
    )
    reading.add_argument(
        "--divide",
        metavar="READERS",
        help="divide the scans among readers (a,b,c) by patient; '' ends it",
    )
    reading.add_argument(
        "--shared", type=float, metavar="PERCENT", help="of the scans that all of them read"
    )
    reading.set_defaults(run=_reading)

    copy = commands.add_parser(
        "copy",
        help="copy a project for a reader who works at the same time",
        description="The copy is without its cache, and names the same scans. What its reader "
        "decides is taken over by `merge`.",
    )
    copy.add_argument("project", type=Path, metavar="PROJECT")
    copy.add_argument("to", type=Path, metavar="COPY", help="a folder that is not there yet")
    copy.set_defaults(run=_copy)

    merge = commands.add_parser(
        "merge",
        help="take over what readers decided in copies of a project",
        description="For readers who work at the same time: each in a copy of the project's "
        "folder. Nothing is changed in the copies, and merging one again takes over only what "
        "came since.",
    )
    merge.add_argument("project", type=Path, metavar="PROJECT")
    merge.add_argument("copies", type=Path, nargs="+", metavar="COPY", help="a copy's folder")
    merge.add_argument("--dry-run", action="store_true", help="show it, but take nothing over")
    merge.set_defaults(run=_merge)


def _agreement(args: argparse.Namespace, output: Output) -> None:
    from nearl_core.readers import report
    from nearl_core.store.project import Project
    from nearl_core.store.readings import readings

    with Project.open(args.project, read_only=True) as project:
        label_set = project.label_set()
        found = report(readings(project), label_set)
        paths = {scan.id: str(scan.path) for scan in project.scans()}
    output.result(
        {
            "readers": [_reader_record(line) for line in found.readers],
            "pairs": [_record(pair) for pair in found.pairs],
            "sources": [_reader_record(line) for line in found.sources],
            "with_sources": [_record(pair) for pair in found.with_sources],
            "together": None if found.all_readers is None else _record(found.all_readers),
            "disagreements": [_said(one, paths, label_set) for one in found.disagreements],
        },
        "\n".join(_lines(found)),
    )


def _copy(args: argparse.Namespace, output: Output) -> None:
    from nearl_core.store.project import Project
    from nearl_core.store.whole_copy import copy_whole

    with Project.open(args.project, read_only=True) as project:
        folder = copy_whole(project, args.to, output.control())
    output.result({"copy": str(folder)}, f"Copied to {folder}.")


def _merge(args: argparse.Namespace, output: Output) -> None:
    from nearl_core.store.merging import look, take
    from nearl_core.store.project import Project

    with Project.open(args.project, read_only=args.dry_run) as project:
        for copy in args.copies:
            found = look(project, copy, output.control())
            if not args.dry_run:
                take(project, found, output.control())
            output.result(
                {
                    "copy": str(copy),
                    "decisions": len(found.decisions),
                    "readers": dict(found.readers),
                    "already": len(found.compared.numbers),
                    "overtaken": found.compared.overtaken,
                    "missing": found.compared.missing,
                    "of_sources": found.compared.of_sources,
                    "saved": not args.dry_run,
                },
                f"{counted(len(found.decisions), 'decision')} of {copy.name} "
                + ("would be taken over." if args.dry_run else "taken over."),
            )
            for reader, count in sorted(found.readers.items()):
                output.text(f"  {reader}: {count}")
            for sentence in found.left_out:
                output.text(sentence)


def _reader_record(line: "ReaderLine") -> dict[str, object]:
    definite, probable, possible = line.by_confidence
    return {
        "reader": line.reader,
        "decisions": line.decisions,
        "definite": definite,
        "probable": probable,
        "possible": possible,
        "adjudicated": line.adjudicated,
        "repeats": None if line.own is None else _record(line.own),
        "seconds": dict(zip(("blind", "visible"), line.seconds, strict=True)),
    }


def _record(agreement: "Agreement") -> dict[str, object]:
    return {**asdict(agreement), "readers": list(agreement.readers)}


def _said(one: "Disagreement", paths: dict[int, str], label_set: "LabelSet") -> dict[str, object]:
    return {
        "path": paths[one.scan_id],
        "said": {call.reader: _word(call, label_set) for call in one.said},
        "adjudicated": None if one.settled is None else _word(one.settled, label_set),
    }


def _word(call: "Decision", label_set: "LabelSet") -> str:
    names = [label.name for label in label_set.labels if label.id in call.verdict.labels]
    return ";".join(names) or call.verdict.state.value


def _times(line: "ReaderLine") -> str:
    told = zip(line.seconds, ("blind", "with suggestions"), strict=True)
    times = [f"{seconds:.1f} s {how}" for seconds, how in told if seconds is not None]
    return f", half of them within {', '.join(times)}" if times else ""


def _lines(found: "ReaderReport") -> list[str]:
    lines = [
        f"{one.reader}: {counted(one.decisions, 'scan')} decided{_times(one)}"
        for one in found.readers
    ]
    lines += [
        f"{line.reader} with themself: {_text(line.own)}" for line in found.readers if line.own
    ]
    lines += [f"{' and '.join(pair.readers)}: {_text(pair)}" for pair in found.pairs]
    if found.all_readers is not None:
        lines.append(f"All together (Fleiss): {_text(found.all_readers)}")
    lines += [
        f"{line.reader} (source of labels): {counted(line.decisions, 'scan')}"
        for line in found.sources
    ]
    lines += [
        f"{pair.readers[0]} and {pair.readers[1]} (source): {_text(pair)}"
        for pair in found.with_sources
    ]
    if found.disagreements:
        count = counted(len(found.disagreements), "disagreement")
        lines.append(f"{count}, {len(found.open)} open; --json tells what was said")
    return lines or ["No scan is decided."]


def _text(agreement: "Agreement") -> str:
    alike = f"{agreement.alike:.0%} of {agreement.scans} scans alike"
    if agreement.kappa is None or agreement.interval is None:
        return f"{alike}, kappa is not defined"
    low, high = agreement.interval
    return f"{alike}, kappa {agreement.kappa:.2f} ({low:.2f} to {high:.2f})"


def _reading(args: argparse.Namespace, output: Output) -> None:
    from nearl_core.store import readings
    from nearl_core.store.project import Project

    rules_asked, division_asked = dict[str, Any](), dict[str, Any]()
    if args.blind_first is not None:
        rules_asked["blind_first"] = args.blind_first == "on"
    if args.repeats is not None:
        rules_asked["repeats"] = args.repeats / 100
    if args.divide is not None:
        division_asked["readers"] = tuple(filter(None, map(str.strip, args.divide.split(","))))
    if args.shared is not None:
        division_asked["shared"] = args.shared / 100
    changes = rules_asked or division_asked
    with Project.open(args.project, read_only=not changes) as project:
        rules = replace(readings.rules(project), **rules_asked)
        division = replace(readings.division(project), **division_asked)
        if rules_asked:
            readings.save_rules(project, rules)
        if division_asked:
            readings.save_division(project, division)
        parts = _parts(project, division)
    blind = "decide before the suggestion shows" if rules.blind_first else "see suggestions"
    output.result(
        {
            "blind_first": rules.blind_first,
            "repeats": round(100 * rules.repeats, 6),
            "divided": parts,
            "shared": round(100 * division.shared, 6),
        },
        f"Readers {blind}; {100 * rules.repeats:g} % of scans come again unannounced.",
    )
    for reader, count in parts.items():
        output.text(f"  {reader} reads {counted(count, 'scan')}")
    if division.readers and not parts:
        output.text("The scans are not divided: that takes two readers, with a comma between them.")


def _parts(project: "Project", division: "Division") -> dict[str, int]:
    """How many scans fall to each reader where they are divided."""
    from nearl_core.dividing import part_of

    patients = [scan.patient.encode() for scan in project.scans()]
    parts = {reader: part_of(reader, division) for reader in division.readers}
    return {reader: int(part.holds(patients).sum()) for reader, part in parts.items() if part}
