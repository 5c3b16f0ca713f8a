"""The command look-again: decisions and imported labels that the others speak against."""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from nearl_core.cli.arguments import count
from nearl_core.cli.output import Output

if TYPE_CHECKING:
    # Imported inside the command: the command line must answer before all of this is loaded.
    from nearl_core.store.project import Project
    from nearl_core.types import Decision

_DONE = 0


def add_commands(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Register the command."""
    again = commands.add_parser(
        "look-again", help="list decisions and imported labels that the others speak against"
    )
    again.add_argument("project", type=Path, metavar="PROJECT")
    again.add_argument("--reader", metavar="NAME", help="whose decisions; else the only reader's")
    again.add_argument("--top", type=count, metavar="K", help="only the K most doubtful")
    again.add_argument("--device", help="cuda, mps or cpu; else the best there is")
    again.set_defaults(run=_look_again)


def _look_again(args: argparse.Namespace, output: Output) -> int:
    from nearl_core.cli.engine import opened
    from nearl_core.store.project import Project

    with Project.open(args.project, read_only=True) as project:
        weighed, settled = _weighed(project, args.reader)
    with opened(args.project, output, device=args.device, read_only=True) as (project, engine):
        scans = {scan.id: scan for scan in project.scans()}
        label_set = project.label_set()
        doubts = engine.look_again(scans, tuple(weighed.values()))
        for doubt in [one for one in doubts if one.scan_id not in settled][: args.top]:
            path, found = str(scans[doubt.scan_id].path), weighed[doubt.decision_id]
            labels, (label,) = found.verdict.labels, label_set.names_of((doubt.label_id,))
            said = ";".join(label_set.names_of(labels)) or found.verdict.state.value
            there = doubt.label_id in label_set.meant(labels)
            rather = f"not {label}" if there else label
            record = {
                "path": path,
                "reader": found.reader,
                "said": said,
                "rather": rather,
                "odds": round(doubt.odds, 3),
            }
            text = f"{found.reader} says {said}, the others {rather}, {doubt.odds:.1f} to 1"
            output.result(record, f"{path}: {text}")
    return _DONE


def _weighed(project: "Project", reader: str | None) -> "tuple[dict[int, Decision], set[int]]":
    """One reader's calls and what was imported of all other scans, by id; scans that are settled.

    Raises:
        ProjectError: If it is not clear whose, or there are too few to weigh one by the others.
    """
    from nearl_core.errors import ProjectError
    from nearl_core.learn.evaluate import ENOUGH
    from nearl_core.readers import calls_or_taken_in, can_teach, confirmed, taken_in
    from nearl_core.store import readings, record

    there = sorted(readings.readers(project))
    if reader is None and len(there) > 1:
        raise ProjectError(
            "Several readers decided here, and one reader's decisions are weighed at a time.",
            f"Name one by --reader: {', '.join(there)}.",
        )
    if reader is not None and reader not in there:
        raise ProjectError(
            f"No reader {reader} decided here.", f"Readers: {', '.join(there) or 'none'}."
        )
    name = reader or "".join(there)
    taken = taken_in(project.standing(), readings.sources(project))
    own = project.standing(name) if name else []
    labels, every = project.label_set(), calls_or_taken_in(own, taken)
    weighed = [found for found in every if can_teach(found.verdict, labels)]
    if len(weighed) < ENOUGH:
        raise ProjectError(
            f"{len(weighed)} decisions are too few to weigh each by the others.",
            f"Decide or import at least {ENOUGH}.",
        )
    settled = confirmed(own, taken) | record.of_reader(project, name).looked_twice
    return {found.id: found for found in weighed}, set(settled)
