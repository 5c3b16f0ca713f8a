"""Commands on decisions: decide, decisions, history."""

import argparse
import os
from pathlib import Path
from typing import TYPE_CHECKING

from nearl_core.cli.arguments import SubParsers
from nearl_core.cli.output import Output
from nearl_core.errors import NearlError, ProjectError

if TYPE_CHECKING:
    # Imported inside the commands: the command line must answer before all of this is loaded.
    from nearl_core.store.project import Project
    from nearl_core.types import Decision, LabelSet


def add_commands(commands: SubParsers) -> None:
    """Register the commands."""
    decide = commands.add_parser("decide", help="take decisions from a CSV file")
    decide.add_argument("project", type=Path, metavar="PROJECT")
    decide.add_argument(
        "file",
        type=Path,
        metavar="DECISIONS.csv",
        help="columns path,label[,reader,state,confidence,frame,flagged,note]",
    )
    decide.add_argument("--reader", help="who decided, where no column says so")
    decide.add_argument(
        "--adjudicate",
        action="store_true",
        help="they settle disagreements: each scan must be one that readers disagree on",
    )
    decide.set_defaults(run=_decide)

    decisions = commands.add_parser("decisions", help="list the standing decisions")
    decisions.add_argument("project", type=Path, metavar="PROJECT")
    decisions.add_argument("--reader", help="of one reader only")
    decisions.set_defaults(run=_decisions)

    history = commands.add_parser("history", help="everything that was ever said of a scan")
    history.add_argument("project", type=Path, metavar="PROJECT")
    history.add_argument("path", type=Path, metavar="PATH", help="of the scan")
    history.set_defaults(run=_history)


def _decide(args: argparse.Namespace, output: Output) -> None:
    from nearl_core.decisions_file import read
    from nearl_core.settings import load
    from nearl_core.store.copies import copy_daily
    from nearl_core.store.project import Project
    from nearl_core.store.readings import require_reader

    reader = args.reader or load().settings.reader
    with Project.open(args.project) as project:
        label_set = project.label_set()
        scans = {scan.id: scan for scan in project.scans()}
        said = read(
            args.file,
            scans=scans.values(),
            label_set=label_set,
            reader=reader,
            disputed=_disputed(project) if args.adjudicate else None,
        )
        for who in sorted({new.reader for new in said.decisions}):
            require_reader(project, who)
        if said.unused:
            output.message(f"Columns that are not used: {', '.join(said.unused)}.")
        total = len(said.decisions)
        for done, new in enumerate(said.decisions):
            try:
                decision = project.record(new)
            except NearlError:
                output.message(f"{done} of {total} decisions were saved before this.")
                raise
            path = str(scans[new.scan_id].path)
            record = _record(decision, path, label_set)
            output.result(record, f"{path}: {record['label'] or record['state']}")
        output.text(f"{total} decisions saved.")
        copy_daily(project.folder)


def _disputed(project: "Project") -> frozenset[int]:
    """The scans that readers disagree on, settled or not."""
    from nearl_core.readers import report
    from nearl_core.store.readings import readings

    found = report(readings(project), project.label_set()).disagreements
    return frozenset(one.scan_id for one in found)


def _decisions(args: argparse.Namespace, output: Output) -> None:
    from nearl_core.store.project import Project

    with Project.open(args.project, read_only=True) as project:
        label_set = project.label_set()
        paths = {scan.id: str(scan.path) for scan in project.scans()}
        for decision in project.standing(args.reader):
            record = _record(decision, paths[decision.scan_id], label_set)
            output.result(record, f"{record['path']}: {_line(record)}")


def _history(args: argparse.Namespace, output: Output) -> None:
    from nearl_core.links import followed
    from nearl_core.store.project import Project

    with Project.open(args.project, read_only=True) as project:
        path = os.path.abspath(args.path)
        scan = project.scan_at(Path(path)) or project.scan_at(Path(followed(path)))
        if scan is None:
            raise ProjectError(
                f"{args.path.name} is not a scan of this project.",
                "Name it as `decisions` does; a stack by its list in the folder stacks.",
            )
        labels = project.label_history()
        said = project.history(scan.id)
        if not said:
            output.message("Nothing was said of this scan yet.")
        for decision in said:
            label_set = labels.label_set(decision.revision)
            record = _record(decision, str(scan.path), label_set) | _made(decision, label_set)
            output.result(record, _told(record))


def _record(decision: "Decision", path: str, label_set: "LabelSet") -> dict[str, object]:
    """A decision as the command line prints it; `scan` is its name in exports."""
    verdict = decision.verdict
    names = [label.name for label in label_set.labels if label.id in verdict.labels]
    return {
        "path": path,
        "label": ";".join(names),
        "reader": decision.reader,
        "time": decision.time.isoformat(),
        "state": verdict.state.value,
        "confidence": verdict.confidence.value,
        "frame": verdict.frame,
        "flagged": verdict.flagged,
        "note": verdict.note,
        "scan": f"scan-{decision.scan_id:06d}",
        "occasion": decision.occasion.value,
    }


def _made(decision: "Decision", label_set: "LabelSet") -> dict[str, object]:
    """How a decision was made, and what it takes back or brings back."""
    ranking = decision.ranking
    names = {label.id: label.name for label in label_set.labels}
    return {
        "id": decision.id,
        "shown": decision.shown.value,
        "version": None if ranking is None else ranking.version,
        "ranking": [
            {"label": names.get(one.label_id, one.label_id), "probability": one.probability}
            for one in (() if ranking is None else ranking.labels)
        ],
        "milliseconds": decision.milliseconds,
        "undoes": decision.undoes,
        "redoes": decision.redoes,
        "revision": decision.revision,
    }


def _line(record: dict[str, object]) -> str:
    note = f", “{record['note']}”" if record["note"] else ""
    said = f"{record['label'] or record['state']} ({record['reader']}, {record['time']}{note})"
    return said if record["occasion"] == "single" else f"{said}, {record['occasion']}"


def _told(record: dict[str, object]) -> str:
    """One decision of a scan's history, for people."""
    parts = [f"{record['id']}: {_line(record)}"]
    parts += [f"{what} {record[what]}" for what in ("undoes", "redoes") if record[what]]
    return ", ".join(parts)
