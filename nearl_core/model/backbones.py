"""Backbones: how they are loaded. The only door to open_clip.

What a backbone's folder holds: `backbone_folder.py`.
"""

import importlib.util
import logging
import zlib
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
from nearl_core.errors import BackboneError
from nearl_core.model import preprocessing, reference
from nearl_core.model.backbone_folder import (
    check_tokenizer,
    check_towers,
    checked_hash,
    identity,
    own_tokenizer,
    read_config,
    read_text_config,
    read_words,
    text_model,
    weights_file,
    write_sums,
)
from nearl_core.model.backbone_list import ARCHITECTURES, folder_of, hub_backbone, present_folder
from nearl_core.model.preprocessing import Preprocessing
from nearl_core.model.towers import OpenClip, image_tower, text_tower

RANDOM = "random"
Tokenize = Callable[[Sequence[str]], Tensor]
"""Texts to token ids: P x T, int64."""


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
    tokenize: Tokenize
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
    check_tokenizer(folder, config)
    prepare = preprocessing.of_config(config, name=folder.name)
    digest = checked_hash(folder)
    check_transformers(folder.name, config)
    try:
        model = _open(f"local-dir:{folder}", **_own_text(folder, config))
        with _quiet():
            # By its name: open_clip prefers a pickled file to a safetensors one of another name.
            open_clip.load_checkpoint(model, str(weights_file(folder)))
        tokenizer = _tokenizer(folder, config)
    except (
        ArithmeticError,
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
    if (folder / reference.FILE).is_file():
        reference.check(folder, reference.features(model, prepare, tokenizer))
    own, words = identity(digest, config), read_words(folder)
    return Backbone(folder.name, own, model, prepare, tokenizer, words)


def seal(folder: Path) -> None:
    """Record the hash and the reference features of a new backbone, which is loaded for it.

    A reference that came with the folder is compared and kept.

    Raises:
        BackboneError: If it does not load as it should.
    """
    write_sums(folder)
    loaded = load(str(folder))
    if not (folder / reference.FILE).is_file():
        found = reference.features(loaded.model, loaded.preprocessing, loaded.tokenize)
        reference.write(folder, found)


def random(name: str, *, seed: int = 0) -> Backbone:
    """A backbone's architecture, or one that open_clip knows by this name, with random weights.

    Raises:
        BackboneError: If there is none, or it is not a pair of transformers.
    """
    folder, hub = present_folder(name), hub_backbone(name)
    architecture = name if hub is None else hub.architecture
    if folder is None:
        folder = next((f for f in ARCHITECTURES.iterdir() if f.name == architecture), None)
    config = _architecture(architecture) if folder is None else read_config(folder)
    source = architecture if folder is None else f"local-dir:{folder}"
    own_text = {} if folder is None else _own_text(folder, config)
    prepare = preprocessing.of_config(config, name=name)
    if text_model(config):
        check_transformers(name, config)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        model = _open(source, **own_text)
    own = own_tokenizer(config)
    tokenizer = _stand_in(folder, config) if own else open_clip.get_tokenizer(source)
    return Backbone(name, RANDOM, model, prepare, tokenizer, None)


def _architecture(name: str) -> dict[str, Any]:
    """The configuration of an architecture that open_clip knows, with the usual preprocessing."""
    if name not in open_clip.list_models():
        raise BackboneError(f"There is no architecture {name!r}.", "Choose one such as ViT-B-16.")
    model_cfg = open_clip.get_model_config(name)
    check_towers(model_cfg, name=name)
    usual = {"mean": open_clip.OPENAI_DATASET_MEAN, "std": open_clip.OPENAI_DATASET_STD}
    config = {"model_cfg": model_cfg, "preprocess_cfg": usual}
    if text_model(config):
        raise BackboneError(
            f"The shape of the text tower of {name} stands on the network only.",
            "Choose a CLIP, a SigLIP or BiomedCLIP.",
        )
    return config


def _open(source: str, **changes: Any) -> OpenClip:  # noqa: ANN401
    """A frozen model whose towers can be used, with random weights."""
    with _quiet():
        model = open_clip.create_model(
            source, load_weights=False, precision="fp32", device="cpu", **changes
        )
    image_tower(model), text_tower(model)  # raise what is wrong with them
    return model.eval().requires_grad_(False)


def _own_text(folder: Path, config: dict[str, Any]) -> dict[str, Any]:
    """What makes open_clip look for a text tower of transformers in the folder, not online."""
    if not text_model(config):
        return {}
    text = config["model_cfg"]["text_cfg"]
    return {"text_cfg": {**text, "hf_model_name": str(folder), "hf_model_pretrained": False}}


def _tokenizer(folder: Path, config: dict[str, Any]) -> Tokenize:
    safe = {"local_files_only": True, "trust_remote_code": False} if own_tokenizer(config) else {}
    with _quiet():
        return open_clip.get_tokenizer(f"local-dir:{folder}", **safe)  # type: ignore[no-any-return]


def _stand_in(folder: Path | None, config: dict[str, Any]) -> Tokenize:
    """A tokenizer for random weights, to which words mean nothing: a number for each word.

    The real one would have to be fetched. Texts start with 1, end with 2 and are filled with 0.
    """
    text = config["model_cfg"]["text_cfg"]
    shape = read_text_config(folder) if folder and text_model(config) else text
    length, words = int(text.get("context_length", 77)), int(shape["vocab_size"]) - 3

    def tokenize(texts: Sequence[str]) -> Tensor:
        tokens = torch.zeros(len(texts), length, dtype=torch.long)
        for row, text in zip(tokens, texts, strict=True):
            named = [3 + zlib.crc32(word.encode()) % words for word in text.lower().split()]
            whole = [1, *named[: length - 2], 2]
            row[: len(whole)] = torch.tensor(whole)
        return tokens

    return tokenize


def check_transformers(name: str, config: dict[str, Any]) -> None:
    """Make sure that the package is there, if texts need it.

    Raises:
        BackboneError: If not.
    """
    needed = text_model(config) or own_tokenizer(config)
    if needed and importlib.util.find_spec("transformers") is None:
        raise BackboneError(
            f"The texts of the backbone {name} need the package transformers.",
            "Install it with `pip install transformers` and start anew.",
        )


def build(model_cfg: dict[str, Any]) -> OpenClip:
    """A new open_clip model of a `model_cfg` that names no pretrained part, to be trained."""
    shape = {key: value for key, value in model_cfg.items() if key != "custom_text"}
    custom = model_cfg.get("custom_text", False)
    return open_clip.CustomTextCLIP(**shape) if custom else open_clip.CLIP(**shape)


def clip_tokenizer(context_length: int) -> Tokenize:
    """CLIP's own byte-pair tokenizer, which open_clip carries with it."""
    return open_clip.SimpleTokenizer(context_length=context_length)  # type: ignore[no-any-return]


@contextmanager
def _quiet() -> Iterator[None]:
    """open_clip logs warnings about what we do on purpose, such as random weights."""
    before = logging.root.manager.disable
    logging.disable(logging.CRITICAL)
    try:
        yield
    finally:
        logging.disable(before)
