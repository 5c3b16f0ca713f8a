"""Commands that measure: bench accuracy, report, trust, loop, reading, speed."""

import argparse
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

from nearl_core.cli import bench_accuracy
from nearl_core.cli.arguments import SubParsers, count, names
from nearl_core.cli.output import Output

if TYPE_CHECKING:
    # Imported inside the commands: the command line must answer before all of this is loaded.
    from nearl_core.bench.frozen import Task


def add_commands(commands: SubParsers) -> None:
    """Register the commands."""
    bench = commands.add_parser("bench", help="measure")
    what = bench.add_subparsers(title="benchmarks", metavar="BENCHMARK", required=True)
    bench_accuracy.add_commands(what)
    trust = what.add_parser("trust", help="calibration, slips, scans unlike the others")
    _add_tasks(trust)
    trust.set_defaults(run=_trust)
    loop = what.add_parser("loop", help="decisions that a simulated reader needs")
    _add_tasks(loop)
    loop.set_defaults(run=_loop)
    reading = what.add_parser("reading", help="reading scans, what the guard costs, greys")
    reading.add_argument("--turns", type=count, default=9, metavar="N", help="medians of so many")
    reading.set_defaults(run=_reading)
    speed = what.add_parser("speed", help="ranking against stock open_clip, learning, training")
    speed.add_argument("--backbone", default="starter", metavar="NAME")
    speed.add_argument("--random", action="store_true", help="its architecture, random weights")
    speed.add_argument("--device", help="cuda, mps or cpu; else the best there is")
    speed.add_argument("--turns", type=count, default=7, metavar="N", help="medians of so many")
    speed.set_defaults(run=_speed)


def _add_tasks(parser: argparse.ArgumentParser) -> None:
    """What the benchmarks on frozen features have in common."""
    parser.add_argument("root", type=Path, metavar="FOLDER", help="FOLDER/TASK/{train,test}/CLASS")
    parser.add_argument("--tasks", type=names, default=(), metavar="A,B", help="else all")
    parser.add_argument("--seeds", type=count, default=5, metavar="N", help="means of so many")
    parser.add_argument("--work", type=Path, default=Path("build/bench/work"), help="for features")
    parser.add_argument("--backbone", default="starter", metavar="NAME")
    parser.add_argument("--device", help="cuda, mps or cpu; else the best there is")


def _reading(args: argparse.Namespace, output: Output) -> None:
    from nearl_core.bench.reading import as_record, measure

    for figure in measure(output.control(), turns=args.turns):
        goal = "" if figure.goal is None else f"  (goal: at most {figure.goal:.4g})"
        line = f"{figure.name:24} {figure.value:9.2f} {figure.unit}{goal}  {figure.detail}"
        output.result(as_record(figure), line.rstrip())


def _speed(args: argparse.Namespace, output: Output) -> None:
    from nearl_core.bench.speed import measure
    from nearl_core.bench.timing import Plan
    from nearl_core.model import device

    device.choose(args.device)  # refused before anything is written
    plan = Plan(args.backbone, args.random, args.device, args.turns)
    output.text("| what | median | quartiles | unit | goal |\n|---|---|---|---|---|")
    for figure in measure(plan, output.control()):
        spread = f"{figure.low:.2f} to {figure.high:.2f}"
        row = (figure.name, f"{figure.value:.2f}", spread, figure.unit, figure.goal)
        output.result(asdict(figure), f"| {' | '.join(row)} |")


def _tasks(args: argparse.Namespace, output: Output) -> "list[Task]":
    from nearl_core.bench.frozen import tasks

    return list(
        tasks(
            args.root,
            bench_accuracy.task_names(args),
            work=args.work,
            backbone=args.backbone,
            device=args.device,
            control=output.control(),
        )
    )


def _trust(args: argparse.Namespace, output: Output) -> None:
    from nearl_core.bench.trust import measure

    for figure in measure(_tasks(args, output), args.seeds, output.control()):
        against = "" if figure.against is None else f" / {figure.against:.3f}"
        line = f"{figure.task:18} {figure.name}: {figure.value:.3f}{against}  {figure.detail}"
        output.result(asdict(figure), line.rstrip())


def _loop(args: argparse.Namespace, output: Output) -> None:
    from nearl_core.bench.loop import MARKS, SAVED_TO, measure, savings

    figures = []
    for task in _tasks(args, output):
        for figure in measure(task, args.seeds, output.control()):
            figures.append(figure)
            marks = (
                f"{100 * mark:.0f} %: " + ("-" if n is None else f"{n:.0f} ({wrong:.0f} wrong)")
                for mark, n, wrong in zip(MARKS, figure.decisions, figure.corrections, strict=True)
            )
            line = f"{figure.task:18} {figure.way:12} final {figure.final:.3f}  " + ", ".join(marks)
            output.result(asdict(figure), line)
    for saving in savings(figures):
        said = "not reached"
        if saving.part is not None and saving.error is not None:
            said = f"{100 * saving.part:.0f} ± {100 * saving.error:.0f} % fewer than at random"
        output.result(
            asdict(saving), f"{saving.task:18} to the {100 * SAVED_TO:.0f} % mark: {said}"
        )
