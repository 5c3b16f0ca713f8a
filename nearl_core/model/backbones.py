"""Backbones: how they are loaded, added and fetched. The only door to open_clip.

What a backbone's folder holds: `backbone_folder.py`.
"""

import logging
import shutil
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import open_clip
import torch
from safetensors import SafetensorError
from torch import Tensor

import nearl_core.model.hybrid  # noqa: F401  # timm learns the name of the starter's tower
from nearl_core.control import RunControl
from nearl_core.errors import BackboneError
from nearl_core.model import preprocessing
from nearl_core.model.backbone_folder import CONFIG as CONFIG
from nearl_core.model.backbone_folder import (
    HUB,
    UNFINISHED,
    WEIGHTS,
    added_folder,
    check_native,
    checked_hash,
    folder_of,
    hub_backbone,
    identity,
    present_folder,
    read_config,
    read_words,
    weights_file,
)
from nearl_core.model.backbone_folder import WORDS as WORDS
from nearl_core.model.backbone_folder import entries as entries
from nearl_core.model.backbone_folder import file_hash as file_hash
from nearl_core.model.backbone_folder import write_sums as write_sums
from nearl_core.model.preprocessing import Preprocessing
from nearl_core.model.towers import OpenClip, image_tower, text_tower

_KEPT = ("*.json", "*.txt", "*.model", "README.md", "LICENSE*")
RANDOM = "random"


@dataclass(frozen=True, eq=False)
class Backbone:
    """A loaded, frozen CLIP with what belongs to it.

    Attributes:
        hash: Over weights and configuration (`identity`); "random" for random weights.
        words: The words that its text tower has learned; None where it knows the language.
    """

    name: str
    hash: str
    model: Any
    preprocessing: Preprocessing
    tokenize: Callable[[Sequence[str]], Tensor]
    words: frozenset[str] | None

    @property
    def logit_scale(self) -> float:
        """The scale of its cosines."""
        return float(self.model.logit_scale.exp())

    @property
    def parameters(self) -> int:
        """Number of weights."""
        return sum(p.numel() for p in self.model.parameters())


def load(name: str) -> Backbone:
    """Load a backbone on the CPU, frozen, in float32.

    Raises:
        BackboneError: If it is missing, incomplete, changed or not a pair of transformers.
    """
    folder = folder_of(name)
    config = read_config(folder)
    prepare = preprocessing.of_config(config, name=folder.name)
    digest = checked_hash(folder)
    try:
        model, tokenizer = _open(f"local-dir:{folder}", load_weights=True)
    except ImportError as error:
        raise BackboneError(
            f"The tokenizer of the backbone {folder.name} needs the package transformers.",
            "Install it with `pip install transformers`.",
        ) from error
    except (
        RuntimeError,
        ValueError,
        OSError,
        KeyError,
        TypeError,
        AttributeError,
        AssertionError,
        SafetensorError,
    ) as error:
        raise BackboneError(
            f"The backbone {folder.name} can't be loaded: its weights and configuration don't fit.",
            "Fetch or copy its folder again.",
        ) from error
    own, words = identity(digest, config), read_words(folder)
    return Backbone(folder.name, own, model, prepare, tokenizer, words)


def random(name: str, *, seed: int = 0) -> Backbone:
    """A backbone's architecture, or one that open_clip knows by this name, with random weights.

    Raises:
        BackboneError: If there is none, or it is not a pair of transformers.
    """
    folder, hub = present_folder(name), hub_backbone(name)
    if folder is not None:
        source = f"local-dir:{folder}"
        prepare = preprocessing.of_config(read_config(folder), name=name)
    else:
        source = name if hub is None else hub.architecture
        prepare = _usual_preprocessing(source)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        model, tokenizer = _open(source, load_weights=False)
    return Backbone(name, RANDOM, model, prepare, tokenizer, None)


def _usual_preprocessing(architecture: str) -> Preprocessing:
    if architecture not in open_clip.list_models():
        raise BackboneError(
            f"There is no architecture {architecture!r}.", "Choose one such as ViT-B-16."
        )
    model_cfg = open_clip.get_model_config(architecture)
    check_native(model_cfg, name=architecture)
    usual = {"mean": open_clip.OPENAI_DATASET_MEAN, "std": open_clip.OPENAI_DATASET_STD}
    config = {"model_cfg": model_cfg, "preprocess_cfg": usual}
    return preprocessing.of_config(config, name=architecture)


def _open(source: str, *, load_weights: bool) -> tuple[OpenClip, Callable[[Sequence[str]], Tensor]]:
    """A frozen model whose towers can be used, and its tokenizer."""
    with _quiet():
        model = open_clip.create_model(
            source, load_weights=load_weights, precision="fp32", device="cpu"
        )
        tokenizer = open_clip.get_tokenizer(source)
    image_tower(model), text_tower(model)  # raise what is wrong with them
    return model.eval().requires_grad_(False), tokenizer


def build(model_cfg: dict[str, Any]) -> OpenClip:
    """A new open_clip model of a `model_cfg` that names no pretrained part, to be trained."""
    shape = {key: value for key, value in model_cfg.items() if key != "custom_text"}
    custom = model_cfg.get("custom_text", False)
    return open_clip.CustomTextCLIP(**shape) if custom else open_clip.CLIP(**shape)


def clip_tokenizer(context_length: int) -> Callable[[Sequence[str]], Tensor]:
    """CLIP's own byte-pair tokenizer, which open_clip carries with it."""
    return open_clip.SimpleTokenizer(context_length=context_length)  # type: ignore[no-any-return]


# --- adding and fetching ---------------------------------------------------------------------


def add(source: Path, *, name: str | None = None) -> Path:
    """Copy a backbone folder into the added ones, checked, and load it once.

    Raises:
        BackboneError: If it is incomplete, changed since its hash was recorded, holds no
            safetensors, does not load, or its name is taken.
    """
    source = source.absolute()
    if not source.is_dir():
        what = "a single file; files such as .pt and .bin can run code" if source.exists() else ""
        raise BackboneError(
            f"{source.name} is {what or 'not there'}.",
            f"Give the folder that holds {CONFIG} and {WEIGHTS}.",
        )
    read_config(source)
    checked_hash(source)
    target = added_folder() / (name or source.name)
    if any(entry.name == target.name and entry.folder is not None for entry in entries()):
        raise BackboneError(
            f"There is a backbone {target.name} already.", "Give the new one another name."
        )
    beside = _beside(target)
    shutil.rmtree(beside, ignore_errors=True)
    try:
        beside.mkdir(parents=True)
        files = [weights_file(source), *(f for kept in _KEPT for f in source.glob(kept))]
        for file in files:
            shutil.copyfile(file, beside / file.name)
    except OSError as error:
        shutil.rmtree(beside, ignore_errors=True)
        raise BackboneError(
            f"The backbone {target.name} could not be copied: {error.strerror}.",
            "Check that there is room for it and that it may be read.",
        ) from error
    return _settle(beside, target)


def fetch(name: str, control: RunControl) -> Path:
    """Download a backbone from its hub, safetensors only; a stopped download is resumed.

    One that is here and whole is left as it is.

    Raises:
        BackboneError: If it is not known, the network is not there, or it does not load.
    """
    hub = hub_backbone(name)
    if hub is None:
        raise BackboneError(
            f"There is no backbone {name!r} to fetch.",
            f"Choose one of: {', '.join(hub.name for hub in HUB)}.",
        )
    target = added_folder() / name
    if _is_whole(target):
        return target
    control.step(0, 0, f"fetching {name}")
    beside = _beside(target)
    _download(hub.repository, beside, name=name)
    shutil.rmtree(beside / ".cache", ignore_errors=True)
    control.check()
    return _settle(beside, target)


def _download(repository: str, folder: Path, *, name: str) -> None:
    from huggingface_hub import HfApi, snapshot_download
    from huggingface_hub.errors import HfHubHTTPError, LocalEntryNotFoundError, OfflineModeIsEnabled

    # Its bases are the HTTP client's own errors, by whatever client this version uses.
    trouble: tuple[type[Exception], ...]
    trouble = (*HfHubHTTPError.__bases__, LocalEntryNotFoundError, OfflineModeIsEnabled, OSError)
    try:
        # Asked for first: without a network the download would call a part of it the whole.
        revision = HfApi().model_info(repository).sha
        patterns = [WEIGHTS, *_KEPT]
        snapshot_download(repository, revision=revision, local_dir=folder, allow_patterns=patterns)
    except trouble as error:
        raise BackboneError(
            f"The backbone {name} could not be fetched from {repository}.",
            "Check the network and try again, or add a folder copied from another machine.",
        ) from error


def _is_whole(folder: Path) -> bool:
    try:
        read_config(folder)
        checked_hash(folder)
    except BackboneError:
        return False
    return True


def _beside(target: Path) -> Path:
    return target.with_name(f"{target.name}{UNFINISHED}")


def _settle(beside: Path, target: Path) -> Path:
    """Give a finished folder its name, if it loads; else it is removed."""
    try:
        write_sums(beside)
        load(str(beside))
    except BackboneError:
        shutil.rmtree(beside, ignore_errors=True)
        raise
    shutil.rmtree(target, ignore_errors=True)  # a broken one; a whole one is never replaced
    beside.rename(target)
    return target


@contextmanager
def _quiet() -> Iterator[None]:
    """open_clip logs warnings about what we do on purpose, such as random weights."""
    before = logging.root.manager.disable
    logging.disable(logging.CRITICAL)
    try:
        yield
    finally:
        logging.disable(before)
