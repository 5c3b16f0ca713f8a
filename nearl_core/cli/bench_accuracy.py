"""Commands: bench accuracy, bench report."""

import argparse
import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

from nearl_core.cli.arguments import SubParsers, names
from nearl_core.cli.output import Output
from nearl_core.errors import NearlError

if TYPE_CHECKING:
    from nearl_core.bench.cells import Cell
    from nearl_core.bench.draws import Protocol

_FAILED = 1
_BOTH = "both"


def add_commands(what: SubParsers) -> None:
    """Register the commands beneath `bench`."""
    _add_accuracy(what)
    _add_report(what)


def _add_accuracy(what: SubParsers) -> None:
    accuracy = what.add_parser("accuracy", help="few-shot figures of published methods and ours")
    accuracy.add_argument(
        "root", type=Path, metavar="FOLDER", help="FOLDER/TASK/{train,test}/CLASS"
    )
    accuracy.add_argument("--out", type=Path, default=Path("build/bench/accuracy.jsonl"))
    accuracy.add_argument("--tasks", type=names, default=(), metavar="A,B", help="else all")
    accuracy.add_argument(
        "--protocol",
        choices=("shots", "natural", _BOTH),
        help="so many decisions a label, or so many in all as they come; else by the counts given",
    )
    accuracy.add_argument(
        "--shots", type=_counts, metavar="N,N", help="decisions a label; else 1,2,4,8,16"
    )
    accuracy.add_argument(
        "--decisions", type=_counts, metavar="N,N", help="natural draws; else 8,16,32,64,128"
    )
    accuracy.add_argument("--draws", type=int, default=5)
    accuracy.add_argument(
        "--methods",
        type=names,
        default=(),
        metavar="A,B",
        help='names in the table, "ablation" for our variants; else the main table',
    )
    accuracy.add_argument("--backbone", default="starter", metavar="NAME")
    accuracy.add_argument("--device", help="cuda, mps or cpu; else the best there is")
    accuracy.set_defaults(run=_accuracy)


def _add_report(what: SubParsers) -> None:
    report = what.add_parser("report", help="tables and curves of results, run anew or not")
    report.add_argument("files", type=Path, nargs="+", metavar="FILE", help="of `bench accuracy`")
    report.add_argument("--methods", type=names, default=(), metavar="A,B", help="else all")
    report.add_argument("--markdown", type=Path, metavar="FILE.md", help="also write it here")
    report.add_argument("--summary", type=Path, metavar="FILE.json", help="also as JSON")
    report.add_argument("--plot", type=Path, metavar="FILE.svg", help="curves with error bars")
    report.add_argument(
        "--metric",
        choices=("balanced_accuracy", "log_loss", "ece", "auroc"),
        default="balanced_accuracy",
        help="of the tables and the curves",
    )
    report.set_defaults(run=_report)


def _counts(text: str) -> tuple[int, ...]:
    """Numbers with commas between; argparse says so of anything else."""
    parts = text.split(",")
    if not all(part.isdecimal() and int(part) > 0 for part in parts):
        raise argparse.ArgumentTypeError(f"{text!r} are not numbers above 0")
    return tuple(int(part) for part in parts)


def task_names(args: argparse.Namespace) -> tuple[str, ...]:
    """The tasks that were asked for, else all that the folder holds.

    Raises:
        NearlError: If there is no such folder.
    """
    root: Path = args.root
    if not root.is_dir():
        raise NearlError(f"There is no folder {root}.", "Give the folder of the tasks.")
    there = sorted(path.name for path in root.iterdir() if (path / "train").is_dir())
    return args.tasks or tuple(there)


def _accuracy(args: argparse.Namespace, output: Output) -> int | None:
    from nearl_core.bench.accuracy import Failed, Plan, run

    plan = Plan(
        root=args.root,
        results=args.out,
        work=args.out.parent / "work",
        tasks=task_names(args),
        counts=_settings(args),
        draws=args.draws,
        methods=args.methods,
        backbone=args.backbone,
        device=args.device,
    )
    failed = 0
    for found in run(plan, output.control()):
        if isinstance(found, Failed):
            failed += 1
            output.message(f"Failed: {found.where}: {found.text}")
            continue
        figures = found.figures
        output.result(
            asdict(found),
            f"{found.where}, {found.method}: balanced accuracy "
            f"{figures.balanced_accuracy:.3f}, log-loss {figures.log_loss:.3f}",
        )
    if not output.as_json:
        from nearl_core.bench.report import Metric, summarise
        from nearl_core.bench.report_text import markdown

        if there := _read([args.out], (), output):
            output.text("\n" + markdown(summarise(there), metric=Metric.BALANCED_ACCURACY))
    return _FAILED if failed else None


def _settings(args: argparse.Namespace) -> list[tuple["Protocol", int]]:
    """Protocols with their counts."""
    from nearl_core.bench.draws import Protocol

    asked = {Protocol.SHOTS: args.shots, Protocol.NATURAL: args.decisions}
    wanted = [p for p in Protocol if args.protocol in (p.value, _BOTH)]
    if args.protocol is None:
        wanted = [p for p in Protocol if asked[p]] or [Protocol.SHOTS]
    return [(p, count) for p in wanted for count in asked[p] or p.counts]


def _report(args: argparse.Namespace, output: Output) -> None:
    from nearl_core.bench import plot
    from nearl_core.bench.report import Metric, summarise
    from nearl_core.bench.report_text import markdown, to_record

    summary, metric = summarise(_read(args.files, args.methods, output)), Metric(args.metric)
    text, record = markdown(summary, metric=metric), to_record(summary)
    if args.markdown:
        _write(args.markdown, text)
    if args.summary:
        _write(args.summary, json.dumps(record, indent=1) + "\n")
    if args.plot:
        plot.plot(summary, args.plot, metric=metric)
    output.result(record, text)


def _read(files: Sequence[Path], methods: Sequence[str], output: Output) -> list["Cell"]:
    """The cells of some files, of some methods or all."""
    from nearl_core.bench.cells import read

    if gone := [file for file in files if not file.is_file()]:
        raise NearlError(f"There is no file {gone[0]}.", "Give results of `bench accuracy`.")
    found = read(files)
    if found.unreadable:
        output.message(f"{found.unreadable} lines are no results, and left out.")
    return [cell for cell in found.cells if not methods or cell.method in methods]


def _write(path: Path, text: str) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise NearlError(f"{path.name} can't be written.", "Choose another path.") from error
