"""Commands that measure: bench accuracy, bench reading."""

import argparse
from dataclasses import asdict
from pathlib import Path

from nearl_core.cli.output import Output

SubParsers = argparse._SubParsersAction  # the type that add_subparsers returns has no other name

_DONE = 0


def add_commands(commands: "SubParsers[argparse.ArgumentParser]") -> None:
    """Register the command."""
    bench = commands.add_parser("bench", help="measure")
    what = bench.add_subparsers(title="benchmarks", metavar="BENCHMARK", required=True)
    accuracy = what.add_parser("accuracy", help="few-shot figures of each stage")
    accuracy.add_argument(
        "root", type=Path, metavar="FOLDER", help="FOLDER/TASK/{train,test}/CLASS"
    )
    accuracy.add_argument("--out", type=Path, default=Path("build/bench/accuracy.jsonl"))
    accuracy.add_argument("--tasks", help="a,b,c; else all")
    accuracy.add_argument(
        "--shots",
        type=_counts,
        default="16",
        metavar="N,N",
        help="decisions a label, such as 1,2,4,8,16",
    )
    accuracy.add_argument("--draws", type=int, default=5)
    accuracy.add_argument("--backbone", default="starter", metavar="NAME")
    accuracy.add_argument("--device", help="cuda, mps or cpu; else the best there is")
    accuracy.set_defaults(run=_accuracy)
    reading = what.add_parser("reading", help="reading scans, what the guard costs, greys")
    reading.add_argument("--turns", type=_count, default=9, metavar="N", help="medians of so many")
    reading.set_defaults(run=_reading)


def _count(text: str) -> int:
    """A number that is at least 1; argparse says so of anything else."""
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number above 0")
    return int(text)


def _counts(text: str) -> tuple[int, ...]:
    """Numbers with commas between; argparse says so of anything else."""
    parts = text.split(",")
    if not all(part.isdecimal() and int(part) > 0 for part in parts):
        raise argparse.ArgumentTypeError(f"{text!r} are not numbers above 0")
    return tuple(int(part) for part in parts)


def _accuracy(args: argparse.Namespace, output: Output) -> int:
    from nearl_core.bench.accuracy import Plan, read, run, table
    from nearl_core.errors import NearlError

    if not args.root.is_dir():
        raise NearlError(f"There is no folder {args.root}.", "Give the folder of the tasks.")
    tasks = (
        args.tasks.split(",")
        if args.tasks
        else sorted(p.name for p in args.root.iterdir() if (p / "train").is_dir())
    )
    plan = Plan(
        root=args.root,
        results=args.out,
        work=args.out.parent / "work",
        tasks=tuple(tasks),
        shots=args.shots,
        draws=args.draws,
        backbone=args.backbone,
        device=args.device,
    )
    for cell in run(plan, output.control()):
        figures = cell.figures
        output.result(
            asdict(cell),
            f"{cell.task}, {cell.shots} shots, draw {cell.draw}, {cell.method}: balanced accuracy "
            f"{figures.balanced_accuracy:.3f}, log-loss {figures.log_loss:.3f}",
        )
    output.text("\n" + table(read(args.out)))
    return _DONE


def _reading(args: argparse.Namespace, output: Output) -> int:
    from nearl_core.bench.reading import as_record, measure

    for figure in measure(output.control(), turns=args.turns):
        goal = "" if figure.goal is None else f"  (goal: at most {figure.goal:.4g})"
        line = f"{figure.name:24} {figure.value:9.2f} {figure.unit}{goal}  {figure.detail}"
        output.result(as_record(figure), line.rstrip())
    return _DONE
