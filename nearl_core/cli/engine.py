"""Commands that rank and learn: rank, train, evaluate, versions."""

import argparse
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING

from nearl_core.cli.arguments import SubParsers, count, seconds
from nearl_core.cli.output import Output
from nearl_core.control import Progress

if TYPE_CHECKING:
    # Imported inside the commands: the command line must answer before all of this is loaded.
    from nearl_core.engine import Engine
    from nearl_core.errors import VersionError
    from nearl_core.store.project import Project
    from nearl_core.types import Decision, Figures, Ranking, Scan, Version

RANKED_AT_ONCE = 64
STAGES = ("zero-shot", "linear-probe", "instant", "tuned", "live")


def add_commands(commands: SubParsers) -> None:
    """Register the commands."""
    rank = commands.add_parser("rank", help="rank the labels of scans")
    rank.add_argument("project", type=Path, metavar="PROJECT")
    rank.add_argument(
        "paths", type=Path, nargs="*", default=[], metavar="PATH", help="else all scans"
    )
    rank.add_argument("--top", type=count, metavar="K", help="only the first K labels")
    rank.add_argument("--unlabelled", action="store_true", help="only scans that nobody decided")
    rank.add_argument("--device", help="cuda, mps or cpu; else the best there is")
    rank.set_defaults(run=_rank)

    train = commands.add_parser("train", help="fine-tune adapters on all decisions")
    train.add_argument("project", type=Path, metavar="PROJECT")
    train.add_argument("--device", help="cuda, mps or cpu; else the best there is")
    train.add_argument("--seed", type=int, default=0)
    train.add_argument("--max-seconds", type=seconds, metavar="S", help="for the whole run")
    train.add_argument("--every-layer", action="store_true", help="also on a CPU")
    train.add_argument(
        "--interaction",
        choices=("set-level", "eot-only"),
        default="set-level",
        help="what the text side hears of an image",
    )
    train.set_defaults(run=_train)

    evaluate = commands.add_parser("evaluate", help="measure on a folder of known labels")
    evaluate.add_argument("project", type=Path, metavar="PROJECT")
    evaluate.add_argument("folder", type=Path, metavar="FOLDER", help="FOLDER/CLASS/*")
    evaluate.add_argument("--stage", choices=STAGES, default="live")
    evaluate.add_argument("--device", help="cuda, mps or cpu; else the best there is")
    evaluate.set_defaults(run=_evaluate)

    versions = commands.add_parser("versions", help="list versions, let one rank, take one in")
    versions.add_argument("project", type=Path, metavar="PROJECT")
    either = versions.add_mutually_exclusive_group()
    either.add_argument("--activate", metavar="ID", help='a version, or "frozen" for none')
    either.add_argument(
        "--add", type=Path, metavar="FOLDER", help="take in adapters that were exported elsewhere"
    )
    versions.set_defaults(run=_versions)


@contextmanager
def opened(
    path: Path, output: Output, *, device: str | None, read_only: bool
) -> "Iterator[tuple[Project, Engine]]":
    """A project with its engine: loaded, the live version active, taught by all decisions."""
    from nearl_core.engine import Engine
    from nearl_core.errors import VersionError
    from nearl_core.scans.guard import ScanReader
    from nearl_core.store import readings
    from nearl_core.store.project import Project

    with Project.open(path, read_only=read_only) as project, ScanReader() as reader:
        engine = Engine(
            backbone=project.backbone,
            label_set=project.label_set(),
            reader=reader,
            adapters_folder=project.adapters_folder,
            cache_folder=project.cache_folder,
            device=device,
        )
        control = output.control()
        info = engine.load(control)
        if info.notice:
            output.message(info.notice)
        try:
            engine.activate(next((v for v in project.versions() if v.live), None))
        except VersionError as error:
            output.message(f"{error} The instant learner ranks instead.")
        scans = {scan.id: scan for scan in project.scans()}
        decisions = readings.that_teach(project)
        engine.look_at(_to_learn_from(scans, decisions), control.renamed("reading scans"))
        engine.learn(scans, decisions)
        yield project, engine


def _to_learn_from(scans: "Mapping[int, Scan]", decisions: "Sequence[Decision]") -> "list[Scan]":
    """The decided scans, and some of all that show their main axes, as on the desk."""
    import numpy as np

    from nearl_core.learn import axes

    decided = [d.scan_id for d in decisions if d.scan_id in scans]
    if not decided:
        return []
    ids = list(scans)
    drawn = [ids[place] for place in axes.drawn(len(ids), np.random.default_rng(0))]
    return [scans[scan_id] for scan_id in dict.fromkeys([*decided, *drawn])]


def _rank(args: argparse.Namespace, output: Output) -> None:
    from nearl_core.store.project import Project
    from nearl_core.suggesting import suggested
    from nearl_core.types import State

    with Project.open(args.project, read_only=True) as project:
        asked = _asked(project, args)  # a path that is none is said before the model is loaded
    with opened(args.project, output, device=args.device, read_only=True) as (project, engine):
        by_id = {scan.id: scan for scan in project.scans()}
        chosen = [by_id[scan_id] for scan_id in asked]
        label_set = project.label_set()
        names = {label.id: label.name for label in label_set.labels}
        for ranking in _ranked(engine, chosen, output):
            top = ranking.labels[: args.top] if args.top else ranking.labels
            record = _ranking_record(asked[ranking.scan_id], replace(ranking, labels=top), names)
            words = ", ".join(f"{names[e.label_id]} {e.probability:.2f}" for e in top)
            said = suggested(ranking, label_set)
            if said is not None:
                record["suggested"] = found = [names[one] for one in said]
                words += f"; suggested: {', '.join(found) or State.NONE_APPLY.value}"
            told = ". ".join(filter(None, (words, ranking.notice)))
            output.result(record, f"{record['path']}: {told}")


def _asked(project: "Project", args: argparse.Namespace) -> dict[int, str]:
    """The scans that are to be ranked, by id, with their paths as they were given.

    Raises:
        ProjectError: If a path is no scan of the project.
    """
    from nearl_core.errors import ProjectError

    asked = {scan.id: str(scan.path) for scan in project.scans()}
    if args.paths:
        asked = {}
        for path in args.paths:
            scan = project.scan_at(path)
            if scan is None:
                raise ProjectError(
                    f"{path} is not a scan of this project.", "Add it with the add command."
                )
            asked[scan.id] = str(path)
    if args.unlabelled:
        standing = project.standing()
        decided = {found.scan_id for found in standing if found.verdict.state.is_decided}
        asked = {i: path for i, path in asked.items() if i not in decided}
    return asked


def _ranked(engine: "Engine", scans: "list[Scan]", output: Output) -> "Iterator[Ranking]":
    """Rankings part by part: what was done before an interruption is not lost."""
    for start in range(0, len(scans), RANKED_AT_ONCE):
        yield from engine.rank(scans[start : start + RANKED_AT_ONCE], output.control())
        output.progress(Progress(min(start + RANKED_AT_ONCE, len(scans)), len(scans), "ranking"))


def _ranking_record(path: str, ranking: "Ranking", names: dict[str, str]) -> dict[str, object]:
    record: dict[str, object] = {
        "path": path,
        "frame": ranking.frame,
        "version": ranking.version,
        "recipe": ranking.recipe,
        "ranking": [
            {"label": names[entry.label_id], "probability": entry.probability}
            for entry in ranking.labels
        ],
    }
    if ranking.notice:
        record["notice"] = ranking.notice
    if ranking.unlike:
        record["unlike"] = True
    return record


def _train(args: argparse.Namespace, output: Output) -> None:
    from nearl_core.store import readings

    with opened(args.project, output, device=args.device, read_only=False) as (project, engine):
        scans = {scan.id: scan for scan in project.scans()}
        result = engine.train(
            scans,
            readings.that_teach(project),
            version_id=project.next_version_id(),
            seed=args.seed,
            max_seconds=args.max_seconds,
            every_layer=args.every_layer,
            interaction=args.interaction,
            control=output.control(),
        )
        version = result.version
        project.add_version(version)
        if version.promoted:
            project.activate(version.id)
    record = {
        "version": version.id,
        "promoted": version.promoted,
        "reason": version.reason,
        "seconds": round(version.seconds, 3),
        "before": _figures_record(version.before),
        "after": _figures_record(version.after),
    }
    output.result(record, f"{version.id} after {version.seconds:.0f} s. {version.reason}")


def _evaluate(args: argparse.Namespace, output: Output) -> None:
    from nearl_core.evaluation import Stage, from_folder, measure
    from nearl_core.learn.batches import lessons
    from nearl_core.store import readings
    from nearl_core.store.project import Project

    with Project.open(args.project, read_only=True) as project:
        first_id = max((scan.id for scan in project.scans()), default=0) + 1
        # A folder that can't be used is said before the model is loaded.
        known = from_folder(args.folder, project.label_set(), first_id=first_id)
    with opened(args.project, output, device=args.device, read_only=True) as (project, engine):
        scans = {scan.id: scan for scan in project.scans()}
        learned = lessons(scans, readings.that_teach(project), project.label_set())
        stage = Stage(args.stage)
        if stage is Stage.TUNED:
            _activate_trained(engine, project)
        figures = measure(engine, known, stage, learned, output.control())
        version = engine.ready.version
    record = {**asdict(figures), "version": version, "stage": args.stage}
    output.result(
        record,
        f"{args.stage} ({version}) on {figures.n} scans: balanced accuracy "
        f"{figures.balanced_accuracy:.3f}, log-loss {figures.log_loss:.3f}, ECE {figures.ece:.3f}",
    )


def _activate_trained(engine: "Engine", project: "Project") -> None:
    """Where no version is live: the newest, whatever the gate said of it; in this process alone."""
    if engine.ready.live is None and (trained := project.versions()):
        engine.activate(trained[-1])


def _versions(args: argparse.Namespace, output: Output) -> None:
    from nearl_core.store.project import Project
    from nearl_core.types import FROZEN

    if args.add is not None:
        _add_version(args, output)
    with Project.open(args.project, read_only=args.activate is None) as project:
        versions = project.versions()
        unfit = _unfit(project, versions) if versions else {}
        if args.activate in unfit:
            raise unfit[args.activate]
        if args.activate is not None:
            project.activate(None if args.activate == FROZEN else args.activate)
            versions = project.versions()
    for version in versions:
        if version.live and version.id in unfit:
            output.message(str(unfit[version.id]))
        ranks = version.live and version.id not in unfit
        record = _version_record(replace(version, live=ranks))
        mark = "live" if ranks else "    "
        output.result(
            record,
            f"{mark} {version.id}  {version.created:%Y-%m-%d %H:%M}  "
            f"{len(version.decision_ids)} decisions  {version.reason}",
        )


def _add_version(args: argparse.Namespace, output: Output) -> None:
    with opened(args.project, output, device=None, read_only=False) as (project, engine):
        from nearl_core.foreign_adapters import take_in

        take_in(engine, project, args.add)


def _unfit(project: "Project", versions: "Sequence[Version]") -> "dict[str, VersionError]":
    """Why versions can't rank with the backbone as it is on this machine, where it is, by id."""
    from nearl_core.errors import BackboneError, VersionError
    from nearl_core.model.backbone_folder import recorded_identity, require_made_for
    from nearl_core.model.backbone_list import folder_of

    found = dict[str, VersionError]()
    with suppress(BackboneError):
        digest = recorded_identity(folder_of(project.backbone))
        if digest is None:
            return found
        for version in versions:
            try:
                require_made_for(digest, version)
            except VersionError as error:
                found[version.id] = error
    return found


def _version_record(version: "Version") -> dict[str, object]:
    return {
        "version": version.id,
        "live": version.live,
        "created": version.created.isoformat(),
        "backbone": version.backbone,
        "label_set_revision": version.label_set_revision,
        "decisions": len(version.decision_ids),
        "seconds": version.seconds,
        "promoted": version.promoted,
        "reason": version.reason,
        "before": _figures_record(version.before),
        "after": _figures_record(version.after),
    }


def _figures_record(figures: "Figures | None") -> dict[str, object] | None:
    return None if figures is None else asdict(figures)
