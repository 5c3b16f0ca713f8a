"""The command `demo`: the main job without a display."""

import argparse
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from nearl_core.cli.arguments import SubParsers, seconds
from nearl_core.cli.output import Output

if TYPE_CHECKING:
    from nearl_core.demo_run import DemoStep


def add_commands(commands: SubParsers) -> None:
    """Add the parser of `demo`."""
    parser = commands.add_parser(
        "demo",
        help="run the whole loop on scans that come with pydicom",
        description="Creates a project from the DICOM scans that the pydicom package ships, "
        "ranks, decides from their headers, learns, trains and exports, and tells the seconds of "
        "each step.",
    )
    parser.add_argument("--to", type=Path, help="a new folder that keeps what the demo makes")
    parser.add_argument(
        "--max-seconds", type=seconds, default=30.0, help="the longest that training may take"
    )
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--device", help="cpu, cuda or mps; chosen by itself when left out")
    parser.set_defaults(run=_run)


def _run(arguments: argparse.Namespace, output: Output) -> None:
    if arguments.to is not None:
        _run_in(arguments.to, arguments, output)
        output.text(f"Kept in {arguments.to}.")
        return
    with tempfile.TemporaryDirectory(prefix="nearl-demo-") as folder:
        _run_in(Path(folder), arguments, output)


def _run_in(folder: Path, arguments: argparse.Namespace, output: Output) -> None:
    from nearl_core.demo_run import CLAIM, DemoRun

    total = 0.0

    def tell(step: "DemoStep") -> None:
        nonlocal total
        total += step.seconds
        record = {"step": step.name, "seconds": round(step.seconds, 3), **step.figures}
        output.result(record, f"{step.name:<12} {step.seconds:7.2f} s  {step.text}")

    DemoRun(
        folder,
        control=output.control(),
        report=tell,
        train_seconds=arguments.max_seconds,
        device=arguments.device,
        seed=arguments.seed,
    ).run()
    output.text(f"{'all':<12} {total:7.2f} s")
    output.text(CLAIM)
