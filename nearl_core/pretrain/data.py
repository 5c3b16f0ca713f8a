"""The pretraining images: read once, kept as one array beside the checkpoint."""

import hashlib
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


def files_of(root: Path) -> list[tuple[Path, int]]:
    """All images with the places of their classes.

    Raises:
        NearlError: If there is none.
    """
    names = enumerate(classes_of(root))
    found = [(file, place) for place, name in names for file in sorted((root / name).iterdir())]
    if not found:
        raise NearlError(f"There is no image in {root}.", "Give the pretraining folder.")
    return found


def digest(root: Path) -> str:
    """What tells sets of images apart without reading them: over paths and sizes, in hexadecimal.

    Raises:
        NearlError: If there is none.
    """
    lines = [f"{f.relative_to(root).as_posix()} {f.stat().st_size}" for f, _ in files_of(root)]
    return hashlib.sha256("\n".join(lines).encode("utf-8", "surrogateescape")).hexdigest()


def load(root: Path, work: Path, *, context_length: int, control: RunControl) -> PretrainData:
    """All images at 144 x 144 with their classes and phrases.

    Raises:
        NearlError: If there is none, or one can't be read.
    """
    classes, files = classes_of(root), files_of(root)
    phrases = vocabulary(classes)
    tokenize = clip_tokenizer(context_length)
    tokens = torch.stack([tokenize([t.format(p) for t in TEMPLATES]) for p in phrases.phrases])
    cached = work / f"images-{digest(root)[:16]}.npy"
    images = torch.from_numpy(np.asarray(_images([f for f, _ in files], cached, control)))
    places = torch.tensor([c for _, c in files])
    return PretrainData(images.permute(0, 3, 1, 2).contiguous(), places, phrases, tokens)


def _images(files: list[Path], cached: Path, control: RunControl) -> NDArray[np.uint8]:
    """N x 144 x 144 x 3, uint8."""
    if cached.exists():
        return np.asarray(np.load(cached))
    images = np.zeros((len(files), SIDE, SIDE, 3), np.uint8)
    for place, file in enumerate(files):
        control.step(place, len(files), "reading images")
        images[place] = _squared(display.to_rgb(raster.frame(file)[0]))
    cached.parent.mkdir(parents=True, exist_ok=True)
    beside = cached.with_suffix(".partial.npy")
    np.save(beside, images)
    beside.replace(cached)
    return images


def _squared(rgb: NDArray[np.uint8]) -> NDArray[np.uint8]:
    image = torch.from_numpy(rgb).permute(2, 0, 1)[None]
    resized = F.interpolate(image, size=(SIDE, SIDE), mode="bicubic", antialias=True)
    return np.asarray(resized[0].permute(1, 2, 0))
