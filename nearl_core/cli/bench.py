"""Commands that measure: bench accuracy, bench report, bench reading, bench speed."""

import argparse
from dataclasses import asdict

from nearl_core.cli import bench_accuracy
from nearl_core.cli.output import Output

SubParsers = argparse._SubParsersAction  # the type that add_subparsers returns has no other name

_DONE = 0


def add_commands(commands: "SubParsers[argparse.ArgumentParser]") -> None:
    """Register the commands."""
    bench = commands.add_parser("bench", help="measure")
    what = bench.add_subparsers(title="benchmarks", metavar="BENCHMARK", required=True)
    bench_accuracy.add_commands(what)
    reading = what.add_parser("reading", help="reading scans, what the guard costs, greys")
    reading.add_argument("--turns", type=_count, default=9, metavar="N", help="medians of so many")
    reading.set_defaults(run=_reading)
    speed = what.add_parser("speed", help="ranking against stock open_clip, learning, training")
    speed.add_argument("--backbone", default="starter", metavar="NAME")
    speed.add_argument("--random", action="store_true", help="its architecture, random weights")
    speed.add_argument("--device", help="cuda, mps or cpu; else the best there is")
    speed.add_argument("--turns", type=_count, default=7, metavar="N", help="medians of so many")
    speed.set_defaults(run=_speed)


def _count(text: str) -> int:
    """A number that is at least 1; argparse says so of anything else."""
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number above 0")
    return int(text)


def _reading(args: argparse.Namespace, output: Output) -> int:
    from nearl_core.bench.reading import as_record, measure

    for figure in measure(output.control(), turns=args.turns):
        goal = "" if figure.goal is None else f"  (goal: at most {figure.goal:.4g})"
        line = f"{figure.name:24} {figure.value:9.2f} {figure.unit}{goal}  {figure.detail}"
        output.result(as_record(figure), line.rstrip())
    return _DONE


def _speed(args: argparse.Namespace, output: Output) -> int:
    from nearl_core.bench.speed import Plan, measure

    plan = Plan(args.backbone, args.random, args.device, args.turns)
    output.text("| what | median | quartiles | unit | goal |\n|---|---|---|---|---|")
    for figure in measure(plan, output.control()):
        spread = f"{figure.low:.2f} to {figure.high:.2f}"
        row = (figure.name, f"{figure.value:.2f}", spread, figure.unit, figure.goal)
        output.result(asdict(figure), f"| {' | '.join(row)} |")
    return _DONE
