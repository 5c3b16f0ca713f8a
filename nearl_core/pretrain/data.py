"""The pretraining images: read once, kept as one array beside the checkpoint."""

from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch.nn import functional as F

from nearl_core.control import RunControl
from nearl_core.errors import NearlError
from nearl_core.model.backbones import clip_tokenizer
from nearl_core.pretrain.captions import TEMPLATES, vocabulary
from nearl_core.pretrain.loop import PretrainData
from nearl_core.scans import display, raster

SIDE = 144


def classes_of(root: Path) -> tuple[str, ...]:
    """The classes SET/CLASS of a folder SET/CLASS/*.jpg.

    Raises:
        NearlError: If there is none.
    """
    found = tuple(
        f"{folder.parent.name}/{folder.name}"
        for folder in sorted(root.glob("*/*"))
        if folder.is_dir()
    )
    if not found:
        raise NearlError(f"There is no SET/CLASS folder in {root}.", "Give the pretraining folder.")
    return found


def load(root: Path, work: Path, *, context_length: int, control: RunControl) -> PretrainData:
    """All images at 144 x 144 with their classes and phrases."""
    classes = classes_of(root)
    files = [(f, c) for c, name in enumerate(classes) for f in sorted((root / name).iterdir())]
    phrases = vocabulary(classes)
    tokenize = clip_tokenizer(context_length)
    tokens = torch.stack([tokenize([t.format(p) for t in TEMPLATES]) for p in phrases.phrases])
    images = torch.from_numpy(np.asarray(_images([f for f, _ in files], work, control)))
    places = torch.tensor([c for _, c in files])
    return PretrainData(images.permute(0, 3, 1, 2).contiguous(), places, phrases, tokens)


def _images(files: list[Path], work: Path, control: RunControl) -> NDArray[np.uint8]:
    """N x 144 x 144 x 3, uint8."""
    cached = work / f"images-{len(files)}.npy"
    if cached.exists():
        return np.asarray(np.load(cached))
    images = np.zeros((len(files), SIDE, SIDE, 3), np.uint8)
    for place, file in enumerate(files):
        images[place] = _squared(display.to_rgb(raster.frame(file)[0]))
        if place % 500 == 0:
            control.step(place, len(files), "reading images")
    work.mkdir(parents=True, exist_ok=True)
    np.save(cached, images)
    return images


def _squared(rgb: NDArray[np.uint8]) -> NDArray[np.uint8]:
    image = torch.from_numpy(rgb).permute(2, 0, 1)[None]
    resized = F.interpolate(image, size=(SIDE, SIDE), mode="bicubic", antialias=True)
    return np.asarray(resized[0].permute(1, 2, 0))
