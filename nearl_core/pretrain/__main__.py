"""`python -m nearl_core.pretrain`: train the starter backbone and write its folder.

It may be stopped and started again: it goes on from the checkpoint in the work folder.
"""

import argparse
import json
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file, save_file
from torch import nn

from nearl_core.control import Progress, RunControl
from nearl_core.errors import NearlError
from nearl_core.model import backbone_folder, backbones, device, hybrid, reference
from nearl_core.pretrain.captions import words
from nearl_core.pretrain.data import load
from nearl_core.pretrain.head import HeadSettings
from nearl_core.pretrain.loop import Pretraining, PretrainSettings
from nearl_core.pretrain.teacher import Teacher

MODEL: dict[str, Any] = {
    "embed_dim": 512,
    "vision_cfg": {
        "image_size": 224,
        "timm_model_name": hybrid.NAME,
        "timm_model_pretrained": False,
        "timm_pool": "token",
        "timm_proj": "linear",
        "timm_proj_bias": True,
    },
    "text_cfg": {
        "context_length": 77,
        "vocab_size": 49408,
        "width": 128,
        "heads": 4,
        "layers": 6,
    },
}
MEAN, STD = (0.5, 0.5, 0.5), (0.25, 0.25, 0.25)
CONTEXT_LENGTH = 77
AFRESH = PretrainSettings()
AGAIN = replace(AFRESH, rate=8e-4, warm_steps=40, small_part=0.45, average=0.995, seed=7)
"""From weights that have learned: a lower rate, and an average over fewer steps."""


def main() -> int:
    """Run the command."""
    parser = argparse.ArgumentParser(prog="python -m nearl_core.pretrain", description=__doc__)
    parser.add_argument("--images", type=Path, required=True, help="SET/CLASS/*.jpg")
    parser.add_argument("--teacher", type=Path, required=True, help="MobileNetV2 safetensors")
    parser.add_argument("--work", type=Path, default=Path("build/pretrain"))
    parser.add_argument("--out", type=Path, default=Path("build/starter"))
    parser.add_argument("--minutes", type=float, default=120.0)
    parser.add_argument("--start", type=Path, help="go on from the weights of this backbone folder")
    parser.add_argument(
        "--finish", action="store_true", help="take the last step from the checkpoint as it is"
    )
    parser.add_argument(
        "--texture",
        action="store_true",
        help="train nothing: make the texture's projections anew for the weights of --start",
    )
    parser.add_argument("--device", help="cuda, mps or cpu; else the best there is")
    args = parser.parse_args()
    try:
        _run(args, RunControl(report=_say))
    except NearlError as error:
        sys.stderr.write(f"{error}\n")
        return 3
    return 0


def _run(args: argparse.Namespace, control: RunControl) -> None:
    if args.texture and args.start is None:
        raise NearlError("Whose texture is meant is not said.", "Add --start FOLDER.")
    data = load(args.images, args.work, context_length=CONTEXT_LENGTH, control=control)
    settings = AFRESH if args.start is None else AGAIN
    settings = replace(settings, seconds=args.minutes * 60)
    torch.manual_seed(settings.seed)
    model = backbones.build(MODEL)
    if args.start is not None:
        begin_from(model, args.start)
    training = Pretraining(
        model,
        Teacher.load(args.teacher),
        data,
        settings=settings,
        normalise=(MEAN, STD),
        device=device.choose(args.device),
    )
    checkpoint = args.work / "checkpoint.safetensors"
    if args.finish and not checkpoint.exists():
        raise NearlError(f"There is no checkpoint in {args.work}.", "Train without --finish first.")
    if args.texture:
        training.fit_texture(HeadSettings(), control)
    elif args.finish:
        training.resume(checkpoint)
        training.finish(HeadSettings(), control)
    else:
        training.run(checkpoint, control)
        training.finish(HeadSettings(), control)
    write(training.average, data.vocabulary.phrases, args.out)


def begin_from(model: nn.Module, folder: Path) -> None:
    """Take over what a folder's weights have of the same name and shape; the rest begins anew."""
    own = model.state_dict()
    kept = load_file(folder / backbone_folder.WEIGHTS)
    fits = {n: v for n, v in kept.items() if n in own and v.shape == own[n].shape}
    model.load_state_dict(fits, strict=False)


def write(model: nn.Module, phrases: tuple[str, ...], out: Path) -> None:
    """Write a backbone folder in open_clip's local layout, the weights in float16."""
    out.mkdir(parents=True, exist_ok=True)
    state = {name: value.half().contiguous() for name, value in model.state_dict().items()}
    weights = out / "open_clip_model.safetensors"
    save_file(state, weights)
    weights.chmod(0o644)  # written for its owner alone, it could not be shipped
    preprocess = {
        "size": MODEL["vision_cfg"]["image_size"],
        "mean": MEAN,
        "std": STD,
        "interpolation": "bicubic",
        "resize_mode": "squash",
    }
    config = {"model_cfg": MODEL, "preprocess_cfg": preprocess}
    (out / backbone_folder.CONFIG).write_text(json.dumps(config, indent=2) + "\n", "utf-8")
    (out / backbone_folder.WORDS).write_text("\n".join(words(phrases)) + "\n", "utf-8")
    (out / reference.FILE).unlink(missing_ok=True)
    backbones.seal(out)


def _say(progress: Progress) -> None:
    values = " ".join(f"{name}={value:.3f}" for name, value in progress.values)
    sys.stderr.write(f"{progress.done} of {progress.total} {progress.text} {values}\n")


if __name__ == "__main__":
    sys.exit(main())
