"""The starter's folder: its shape, what a run takes over from one, and how one is written."""

import json
from pathlib import Path
from typing import Any

from safetensors.torch import load_file, save_file
from torch import nn

from nearl_core.errors import BackboneError
from nearl_core.model import backbone_folder, backbones, hybrid, reference
from nearl_core.pretrain.captions import words

CONTEXT_LENGTH = 77
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
        "context_length": CONTEXT_LENGTH,
        "vocab_size": 49408,
        "width": 128,
        "heads": 4,
        "layers": 6,
    },
}
MEAN, STD = (0.5, 0.5, 0.5), (0.25, 0.25, 0.25)
LEAST_TAKEN = 0.5
"""Part of the weights that a start must have: with less, it is of another model."""


def begin_from(model: nn.Module, folder: Path) -> float:
    """Take over what a folder's weights have of the same name and shape; the rest begins anew.

    Returns:
        How much of all weights was taken over, in (0, 1].

    Raises:
        BackboneError: If the folder has no weights, or those of another model.
    """
    own = model.state_dict()
    kept = load_file(backbone_folder.weights_file(folder))
    fits = {n: v for n, v in kept.items() if n in own and v.shape == own[n].shape}
    taken = float(sum(v.numel() for v in fits.values()) / sum(v.numel() for v in own.values()))
    if taken < LEAST_TAKEN:
        raise BackboneError(
            f"The weights in {folder.name} are of another model: {taken:.0%} of them fit.",
            "Name the folder of a starter by --start.",
        )
    model.load_state_dict(fits, strict=False)
    return taken


def write(model: nn.Module, phrases: tuple[str, ...], out: Path) -> None:
    """Write a backbone folder in open_clip's local layout, the weights in float16."""
    out.mkdir(parents=True, exist_ok=True)
    state = {name: value.half().contiguous() for name, value in model.state_dict().items()}
    weights = out / backbone_folder.WEIGHTS
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
