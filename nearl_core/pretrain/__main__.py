"""`python -m nearl_core.pretrain`: train the starter backbone, finish it and write its folder.

One command does all of it: it trains, afresh or from the weights of --start, makes the projections
of texture and embedding in closed form, teaches the texts to meet them and writes the weights in
float16. Stopped at any time, the same command goes on from the checkpoint in the work folder.
"""

import argparse
import signal
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import torch

from nearl_core.cli.arguments import count
from nearl_core.cli.output import Output
from nearl_core.control import RunControl
from nearl_core.errors import Cancelled, NearlError
from nearl_core.model import backbones, device
from nearl_core.model.backbone_folder import file_hash, weights_file
from nearl_core.pretrain.checkpoint import mark_of
from nearl_core.pretrain.data import digest, load
from nearl_core.pretrain.head import HeadSettings
from nearl_core.pretrain.loop import Pretraining, PretrainSettings
from nearl_core.pretrain.starter import CONTEXT_LENGTH, MEAN, MODEL, STD, begin_from, write
from nearl_core.pretrain.teacher import Teacher


@dataclass(frozen=True)
class Recipe:
    """How the starter is trained and finished."""

    training: PretrainSettings
    last: HeadSettings


AFRESH = Recipe(PretrainSettings(), HeadSettings())
AGAIN = replace(
    AFRESH,
    training=replace(
        AFRESH.training, rate=8e-4, warm_steps=40, small_part=0.45, average=0.995, seed=7
    ),
)
"""From weights that have learned: a lower rate, and an average over fewer steps."""


def main() -> int:
    """Run the command; the exit codes are those of `nearl_core.cli`."""
    args = _parser().parse_args()
    output = Output(as_json=False)
    control = output.control()
    try:
        with _interrupts(control):
            _run(args, output, control)
    except NearlError as error:
        output.message(str(error))
        return 3
    except (Cancelled, KeyboardInterrupt):
        output.message("Interrupted. The same command goes on from here.")
        return 130
    output.flush()
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m nearl_core.pretrain", description=__doc__)
    parser.add_argument("--images", type=Path, required=True, help="SET/CLASS/*.jpg")
    parser.add_argument("--teacher", type=Path, required=True, help="MobileNetV2 safetensors")
    parser.add_argument("--work", type=Path, default=Path("build/pretrain"))
    parser.add_argument("--out", type=Path, default=Path("build/starter"))
    plan = parser.add_mutually_exclusive_group()
    plan.add_argument("--minutes", type=_above_zero, default=120.0, help="of training")
    plan.add_argument("--steps", type=count, help="of training, on whatever machine")
    parser.add_argument(
        "--until", type=_part, default=1.0, metavar="PART", help="end the training so far, as 0.7"
    )
    parser.add_argument("--start", type=Path, help="go on from the weights of this backbone folder")
    parser.add_argument(
        "--trial",
        action="store_true",
        help="a few steps and views, into WORK/trial: whether all is in place",
    )
    alone = parser.add_mutually_exclusive_group()
    alone.add_argument(
        "--finish", action="store_true", help="take the last step from the checkpoint as it is"
    )
    alone.add_argument(
        "--texture",
        action="store_true",
        help="train nothing: make the texture's projections anew for the weights of --start",
    )
    parser.add_argument("--device", help="cuda, mps or cpu; else the best there is")
    return parser


def _above_zero(text: str) -> float:
    try:
        found = float(text)
    except ValueError:
        found = 0.0
    if not 0 < found < float("inf"):
        raise argparse.ArgumentTypeError(f"{text!r} is not a number above 0")
    return found


def _part(text: str) -> float:
    found = _above_zero(text)
    if found > 1:
        raise argparse.ArgumentTypeError(f"{text!r} is not above 0 and at most 1")
    return found


@contextmanager
def _interrupts(control: RunControl) -> Iterator[None]:
    """The first interrupt asks the run to stop behind its step, a second one ends it at once."""
    before = signal.getsignal(signal.SIGINT)

    def ask(*_: object) -> None:
        control.cancel()
        signal.signal(signal.SIGINT, before)

    if before is not signal.SIG_IGN:  # as a shell has it for what runs in its background
        signal.signal(signal.SIGINT, ask)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


def _run(args: argparse.Namespace, output: Output, control: RunControl) -> None:
    work: Path = args.work / "trial" if args.trial else args.work
    out: Path = work / "starter" if args.trial else args.out
    checkpoint = work / "checkpoint.safetensors"
    if args.texture and args.start is None:
        raise NearlError("Whose texture is meant is not said.", "Add --start FOLDER.")
    if args.finish and not checkpoint.exists():
        raise NearlError(f"There is no checkpoint in {work}.", "Train without --finish first.")
    recipe = _recipe(args)
    teacher = Teacher.load(args.teacher)
    torch.manual_seed(recipe.training.seed)
    model = backbones.build(MODEL)
    if args.start is not None:
        taken = begin_from(model, args.start)
        output.message(f"Of all weights {taken:.1%} are taken over; the others begin anew.")
    begun = _begun(args)
    trains = not (args.texture or args.finish)
    if trains and checkpoint.exists():
        _check_same_run(checkpoint, begun)
    data = load(args.images, args.work, context_length=CONTEXT_LENGTH, control=control)
    work.mkdir(parents=True, exist_ok=True)
    training = Pretraining(
        model,
        teacher,
        data,
        settings=recipe.training,
        normalise=(MEAN, STD),
        device=device.choose(args.device),
        begun=begun,
    )
    if trains:
        steps = mark_of(checkpoint).steps if checkpoint.exists() else 0
        output.message(f"Training goes on behind step {steps}." if steps else "Training begins.")
        training.run(checkpoint, control)
    elif args.finish:
        training.resume(checkpoint)
    if args.texture:
        training.fit_texture(recipe.last, control)
    else:
        output.message(f"The last step begins, behind {training.steps} steps of training.")
        training.finish(recipe.last, control)
    write(training.average, data.vocabulary.phrases, out)
    output.text(f"The starter stands in {out}.")


def _recipe(args: argparse.Namespace) -> Recipe:
    recipe = AFRESH if args.start is None else AGAIN
    training = replace(
        recipe.training, seconds=args.minutes * 60, planned=args.steps, until=args.until
    )
    if not args.trial:
        return replace(recipe, training=training)
    few = replace(training, planned=4, batch=4, small_size=64, first_views=64)
    return Recipe(few, replace(recipe.last, views=8, steps=2, batch=4))


def _begun(args: argparse.Namespace) -> dict[str, str]:
    """What tells runs apart: by it, no run goes on from the checkpoint of another one."""
    start = "" if args.start is None else file_hash(weights_file(args.start))
    return {"images": digest(args.images), "teacher": file_hash(args.teacher), "start": start}


def _check_same_run(checkpoint: Path, begun: Mapping[str, str]) -> None:
    kept = mark_of(checkpoint).begun
    others = " and ".join(f"--{n}" for n, value in begun.items() if kept.get(n) != value)
    if others:
        raise NearlError(
            f"The checkpoint in {checkpoint.parent} is of a run with another {others}.",
            "Name another folder by --work, or take that run's last step by --finish.",
        )


if __name__ == "__main__":
    sys.exit(main())
