"""What the folder of a backbone must hold.

A backbone is a folder in open_clip's local layout:

- `open_clip_config.json` with `model_cfg` and `preprocess_cfg`;
- `open_clip_model.safetensors` (or one other `*.safetensors`);
- tokenizer files, where the text tower does not use CLIP's own;
- `config.json`, where the text tower is one of transformers: its shape;
- `reference.safetensors`: the features of a fixed picture and text (`reference.py`);
- `SHA256SUMS`, written when it was added, checked whenever it is loaded;
- `words.txt`, only for a backbone that knows few words: the ones that it learned.

Nothing here loads a model or asks the network.
"""

import hashlib
import json
import re
from pathlib import Path
from typing import Any

from safetensors import SafetensorError, safe_open

from nearl_core.errors import BackboneError, VersionError
from nearl_core.types import Version

CONFIG, WEIGHTS = "open_clip_config.json", "open_clip_model.safetensors"
SUMS, WORDS = "SHA256SUMS", "words.txt"
TEXT_CONFIG = "config.json"
_TIMM_NAME = re.compile(r"[a-z0-9_]+(\.[a-z0-9_]+)?")  # no path, and no scheme such as hf-hub:
_TEXT_TYPES = ("bert", "roberta", "xlm-roberta")
_TOKENIZERS = (
    "tokenizer.json",
    "vocab.txt",
    "tokenizer.model",
    "spiece.model",
    "sentencepiece.bpe.model",
)
_DEEPEST = 1000
"""Layers of a tower: many times what any has, and few enough to find out that they don't fit."""
_AGAIN = "Copy or fetch the whole folder again."


def read_config(folder: Path) -> dict[str, Any]:
    """The folder's configuration, with `model_cfg` and `preprocess_cfg`.

    Raises:
        BackboneError: If it is missing, says nothing of model or preprocessing, or asks for
            towers that can't be walked block by block.
    """
    try:
        config = _said(folder / CONFIG)
    except (OSError, ValueError) as error:
        raise BackboneError(
            f"The backbone folder {folder.name} has no readable {CONFIG}.", _AGAIN
        ) from error
    if not isinstance(config, dict) or not isinstance(config.get("model_cfg"), dict):
        raise BackboneError(f"{CONFIG} in {folder.name} has no model_cfg.", _AGAIN)
    check_towers(config["model_cfg"], name=folder.name)
    if text_model(config):
        read_text_config(folder)
    prepared = config.get("preprocess_cfg")
    if not isinstance(prepared, dict) or not {"mean", "std"} <= set(prepared):
        raise BackboneError(
            f"{CONFIG} in {folder.name} does not say how images are prepared (preprocess_cfg).",
            "Add the preprocess_cfg with mean and std that the weights were trained with.",
        )
    return config


def _said(file: Path) -> Any:  # noqa: ANN401 - what a file holds
    """What stands in a JSON file.

    Raises:
        OSError: If it can't be read, or is a device or a pipe, which may never end.
        ValueError: If it is no JSON, or nested deeper than anything that is meant.
    """
    if not file.is_file():
        raise FileNotFoundError
    try:
        return json.loads(file.read_text("utf-8"))
    except RecursionError as error:
        raise ValueError("nested too deeply") from error


def text_model(config: dict[str, Any]) -> str:
    """The name of a text tower of transformers in a configuration, or ""."""
    return config["model_cfg"]["text_cfg"].get("hf_model_name") or ""


def own_tokenizer(config: dict[str, Any]) -> str:
    """The name of a tokenizer that is not CLIP's own in a configuration, or ""."""
    return config["model_cfg"]["text_cfg"].get("hf_tokenizer_name") or ""


def check_towers(model_cfg: dict[str, Any], *, name: str) -> None:
    """Make sure that both towers are of a kind that can be walked block by block.

    Raises:
        BackboneError: If not, or if a name in it could be looked up online.
    """
    vision, text = model_cfg.get("vision_cfg"), model_cfg.get("text_cfg")
    if (
        not isinstance(vision, dict)
        or not isinstance(text, dict)
        or not _TIMM_NAME.fullmatch(str(vision.get("timm_model_name") or "none"))
        or isinstance(vision.get("layers"), list)  # a ResNet
        or any(_depth(tower) > _DEEPEST for tower in (vision, text))
        or "multimodal_cfg" in model_cfg
    ):
        raise BackboneError(
            f"The towers of the backbone {name} are not vision and text transformers.",
            "Choose a ViT backbone such as starter, BiomedCLIP or ViT-B-16.",
        )


def _depth(tower: dict[str, Any]) -> float:
    """How many layers a tower asks for; nothing else says so before they are all made."""
    layers = tower.get("layers")
    return layers if isinstance(layers, (int, float)) else 0


def read_text_config(folder: Path) -> dict[str, Any]:
    """The shape of a text tower of transformers, from the folder and never from elsewhere.

    Raises:
        BackboneError: If it is missing, is no BERT, or asks for code of its own.
    """
    try:
        config = _said(folder / TEXT_CONFIG)
    except (OSError, ValueError) as error:
        raise BackboneError(
            f"The backbone {folder.name} has no readable {TEXT_CONFIG} for its text tower.",
            "Copy it from the repository that hf_model_name names into the backbone's folder.",
        ) from error
    if not isinstance(config, dict) or config.get("model_type") not in _TEXT_TYPES:
        raise BackboneError(
            f"The text tower of the backbone {folder.name} is no BERT.",
            "Choose a backbone with the text tower of CLIP, SigLIP or BERT.",
        )
    _refuse_code(config, folder)
    return config


def check_tokenizer(folder: Path, config: dict[str, Any]) -> None:
    """Make sure that the tokenizer is there, if it is not CLIP's own, which open_clip carries.

    Raises:
        BackboneError: If it is missing or asks for code of its own.
    """
    named = own_tokenizer(config)
    if not named:
        return
    if not any((folder / name).is_file() for name in _TOKENIZERS):
        raise BackboneError(
            f"The backbone {folder.name} has no tokenizer: its folder holds no "
            f"{' or '.join(_TOKENIZERS[:2])}.",
            f"Copy the tokenizer's files of {named} into the backbone's folder.",
        )
    own = folder / "tokenizer_config.json"
    try:
        _refuse_code(_said(own) if own.exists() else {}, folder)
    except (OSError, ValueError) as error:
        raise BackboneError(
            f"The tokenizer of the backbone {folder.name} can't be read.", _AGAIN
        ) from error


def _refuse_code(config: dict[str, Any], folder: Path) -> None:
    if "auto_map" in config:  # the name of a Python file that transformers would import
        raise BackboneError(
            f"The backbone {folder.name} asks for Python code of its own, which is not run.",
            "Choose a backbone whose towers transformers and timm know.",
        )


def weights_file(folder: Path) -> Path:
    """The safetensors file of a folder; beside others, the one that open_clip names.

    Raises:
        BackboneError: If there is none, it is not clear which, or it can't be read.
    """
    named, files = folder / WEIGHTS, sorted(folder.glob("*.safetensors"))
    chosen = [named] if named in files else files
    if len(chosen) != 1:
        what = "several files *.safetensors" if files else "no .safetensors file"
        pickled = any(folder.glob("*.pt")) or any(folder.glob("*.bin"))
        refused = " A .pt or .bin file can run code and is not opened." if pickled else ""
        convert = pickled and ", or let `python -m nearl_core backbones add` convert a .bin"
        raise BackboneError(
            f"The backbone folder {folder.name} has {what}.{refused}",
            f"Keep the weights in one {WEIGHTS}{convert or ''}.",
        )
    try:
        with safe_open(chosen[0], "numpy") as file:
            file.keys()
    except (SafetensorError, OSError) as error:
        raise BackboneError(
            f"The weights of the backbone {folder.name} can't be read.", _AGAIN
        ) from error
    return chosen[0]


def read_words(folder: Path) -> frozenset[str] | None:
    """The words that its text tower has learned; None where it knows the language."""
    file = folder / WORDS
    if not file.is_file():
        return None
    return frozenset(file.read_text("utf-8", errors="replace").split())


def file_hash(path: Path) -> str:
    """SHA-256 of a file, in hexadecimal digits."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def write_sums(folder: Path) -> None:
    """Record the hash of the weights, so that a later change is noticed."""
    weights = weights_file(folder)
    (folder / SUMS).write_text(f"{file_hash(weights)}  {weights.name}\n", "utf-8")


def identity(digest: str, config: dict[str, Any]) -> str:
    """What tells backbones apart: SHA-256 over the weights' hash and the configuration.

    The same weights prepared or activated otherwise make other features.
    """
    text = f"{digest}\n{json.dumps(config, sort_keys=True)}"
    return hashlib.sha256(text.encode()).hexdigest()


def checked_hash(folder: Path) -> str:
    """The hash of the weights, compared with the one that was recorded, if any was.

    Raises:
        BackboneError: If the weights are not the ones that were added.
    """
    weights = weights_file(folder)
    digest, recorded = file_hash(weights), _recorded(folder)
    if recorded is not None and [digest, weights.name] not in recorded:
        raise BackboneError(
            f"The weights of the backbone {folder.name} are not the ones that were added.",
            _AGAIN,
        )
    return digest


def recorded_identity(folder: Path) -> str | None:
    """What a backbone is (`identity`) by what was recorded of its weights, which are not read.

    Raises:
        BackboneError: If there is no backbone in the folder.
    """
    weights, config = weights_file(folder), read_config(folder)
    for digest, *name in _recorded(folder) or ():
        if name == [weights.name]:
            return identity(digest, config)
    return None


def require_made_for(digest: str, version: Version) -> None:
    """Refuse a version that was made for another backbone than the one of this identity.

    Raises:
        VersionError: If it was.
    """
    if version.backbone_hash != digest:
        raise VersionError(
            f"The version {version.id} was made for another backbone or an earlier edition of it.",
            "Your decisions are kept and teach this one; train a new version.",
        )


def _recorded(folder: Path) -> list[list[str]] | None:
    """Hashes and names of files, or None where none were recorded."""
    sums = folder / SUMS
    if not sums.is_file():
        return None
    lines = sums.read_text("utf-8", "replace").splitlines()
    return [line.split() for line in lines if line.strip()]
