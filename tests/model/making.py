"""Tiny backbones, made by the tests themselves."""

import json
from collections.abc import Callable, Sequence
from dataclasses import asdict, replace
from functools import cache
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import save_file
from torch import Tensor

from nearl_core.model import backbones
from nearl_core.model.nearl import FULL, Design, Nearl, NearlClip, NearlConfig
from nearl_core.model.towers import ImageTower, OpenClip, TextTower, image_tower, text_tower

SIZE = 16
TEXTS = ["a disc", "an image of stripes on a wall", "pneumonia"]
PREPROCESSING = {"size": SIZE, "mean": [0.5] * 3, "std": [0.25] * 3, "resize_mode": "squash"}


def model_cfg(
    *, image_width: int = 32, image_depth: int = 3, text_width: int = 16, text_depth: int = 2
) -> dict[str, Any]:
    """An open_clip model small enough for a test."""
    vision = {"image_size": SIZE, "patch_size": 4, "head_width": 16}
    text = {"context_length": 77, "vocab_size": 49408, "heads": 2}
    return {
        "embed_dim": 8,
        "vision_cfg": vision | {"width": image_width, "layers": image_depth},
        "text_cfg": text | {"width": text_width, "layers": text_depth},
    }


def tiny_model(seed: int = 0, **shape: int) -> OpenClip:
    """A frozen open_clip model with random weights."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return backbones.build(model_cfg(**shape)).eval().requires_grad_(False)


def write_backbone(folder: Path, *, seed: int = 0) -> Path:
    """A whole backbone folder with its hash, which loads."""
    folder.mkdir(parents=True)
    write_config(folder)
    save_file(tiny_model(seed).state_dict(), folder / "open_clip_model.safetensors")
    return folder


def write_config(folder: Path, **changes: object) -> None:
    """The configuration, with some of its parts replaced; None leaves one out."""
    config = {"model_cfg": model_cfg(), "preprocess_cfg": PREPROCESSING} | changes
    kept = {name: value for name, value in config.items() if value is not None}
    (folder / "open_clip_config.json").write_text(json.dumps(kept))


def tokens(texts: list[str] = TEXTS) -> Tensor:
    """CLIP's tokens: P x 77."""
    return _tokenizer()(texts)


@cache
def _tokenizer() -> Callable[[Sequence[str]], Tensor]:
    return backbones.clip_tokenizer(77)  # takes a while to make


def pictures(count: int = 2, *, seed: int = 1) -> Tensor:
    """B x 3 x 16 x 16, normalised."""
    return torch.randn(count, 3, SIZE, SIZE, generator=torch.Generator().manual_seed(seed))


def walked_images(tower: ImageTower, images: Tensor) -> Tensor:
    """Features, not normalised, block by block."""
    x = tower.embed(images)
    assert x.shape[-1] == tower.width
    for layer in range(tower.depth):
        x = tower.block(layer, x)
    return tower.pool(x)


def walked_texts(tower: TextTower, texts: Tensor) -> Tensor:
    """Features, not normalised, block by block."""
    x = tower.embed(texts)
    assert x.shape[-1] == tower.width
    for layer in range(tower.depth):
        x = tower.block(layer, x, texts)
    return tower.pool(x, texts)


def adapted_clip(
    model: OpenClip,
    *,
    first_layer: int = 0,
    fresh: bool = False,
    split_attention: bool = False,
    design: Design = FULL,
) -> tuple[NearlClip, Nearl]:
    """Adapters of rank 16 over a model, with random U and scales unless fresh."""
    image = image_tower(model, split_attention=split_attention)
    text = text_tower(model, split_attention=split_attention)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(2)
        shape = (image.width, text.width, image.depth, text.depth)
        config = NearlConfig(*shape, rank=16, queries=3, first_layer=first_layer)
        nearl = Nearl(replace(config, **asdict(design)))
        if not fresh:
            for side in (nearl.image, nearl.text):
                torch.nn.init.normal_(side.up)
                torch.nn.init.uniform_(side.scale, 0.5, 1.5)
    return NearlClip(image, text, nearl), nearl


def adapters_of_width(
    width: int, *, rank: int, first_layer: int = 0, design: Design = FULL
) -> Nearl:
    """Adapters whose updates are not zero, of towers of four layers, that of texts 32 wide."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        shape = (width, 32, 4, 4)
        parts = asdict(design)
        nearl = Nearl(NearlConfig(*shape, rank=rank, first_layer=first_layer, **parts))
        torch.nn.init.normal_(nearl.image.up, std=0.1)
        torch.nn.init.normal_(nearl.text.up, std=0.1)
        nearl.image.scale.data = torch.tensor([0.5, 1.0, 1.5, 2.0])
    return nearl.eval()
