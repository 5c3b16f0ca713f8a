"""Which backbones there are, where they stand, and what a folder of one must hold.

A backbone is a folder in open_clip's local layout:

- `open_clip_config.json` with `model_cfg` and `preprocess_cfg`;
- `open_clip_model.safetensors` (or one other `*.safetensors`);
- tokenizer files, where the text tower does not use CLIP's own;
- `SHA256SUMS`, written when it was added, checked whenever it is loaded;
- `words.txt`, only for a backbone that knows few words: the ones that it learned.

Nothing here loads a model, so that a list of backbones costs no seconds.
"""

import hashlib
import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from safetensors import SafetensorError, safe_open

from nearl_core.errors import BackboneError
from nearl_core.settings import data_folder

SHIPPED = Path(__file__).resolve().parents[2] / "resources" / "backbones"
CONFIG, WEIGHTS = "open_clip_config.json", "open_clip_model.safetensors"
SUMS, WORDS = "SHA256SUMS", "words.txt"
UNFINISHED = ".partial"
_TIMM_NAME = re.compile(r"[a-z0-9_]+(\.[a-z0-9_]+)?")  # no path, and no scheme such as hf-hub:
_AGAIN = "Copy or fetch the whole folder again."


@dataclass(frozen=True)
class HubBackbone:
    """A backbone that can be fetched.

    Attributes:
        repository: Hub repository in open_clip's layout.
        architecture: open_clip's name of it.
        licence: Of the weights.
    """

    name: str
    repository: str
    architecture: str
    licence: str


HUB = (
    HubBackbone("ViT-B-16", "timm/vit_base_patch16_clip_224.openai", "ViT-B-16-quickgelu", "MIT"),
    HubBackbone("ViT-B-32", "timm/vit_base_patch32_clip_224.openai", "ViT-B-32-quickgelu", "MIT"),
    HubBackbone("ViT-L-14", "timm/vit_large_patch14_clip_224.openai", "ViT-L-14-quickgelu", "MIT"),
    HubBackbone("LAION-ViT-B-16", "laion/CLIP-ViT-B-16-laion2B-s34B-b88K", "ViT-B-16", "MIT"),
    HubBackbone("LAION-ViT-B-32", "laion/CLIP-ViT-B-32-laion2B-s34B-b79K", "ViT-B-32", "MIT"),
)


@dataclass(frozen=True)
class BackboneEntry:
    """A line of the list of backbones; `folder` is None for one that is still to be fetched."""

    name: str
    folder: Path | None
    licence: str = ""


# --- which there are -------------------------------------------------------------------------


def added_folder() -> Path:
    """Where fetched and added backbones stand."""
    return data_folder() / "backbones"


def entries() -> list[BackboneEntry]:
    """All backbones: shipped, added, and those that could be fetched."""
    found: dict[str, BackboneEntry] = {}
    for parent in (SHIPPED, added_folder()):
        for folder in sorted(parent.iterdir()) if parent.is_dir() else ():
            if (folder / CONFIG).is_file() and folder.suffix != UNFINISHED:
                found[folder.name] = BackboneEntry(folder.name, folder)
    for hub in HUB:
        present = found.get(hub.name)
        folder_here = None if present is None else present.folder
        found[hub.name] = BackboneEntry(hub.name, folder_here, hub.licence)
    return list(found.values())


def hub_backbone(name: str) -> HubBackbone | None:
    """What can be fetched under a name, or None."""
    return next((hub for hub in HUB if hub.name == name), None)


def present_folder(name: str) -> Path | None:
    """The folder of a backbone that is here, by its name or by a path to such a folder."""
    for entry in entries():
        if entry.name == name and entry.folder is not None:
            return entry.folder
    return Path(name).absolute() if name and Path(name).is_dir() else None


def folder_of(name: str) -> Path:
    """The folder of a backbone that is here, by its name or by a path to such a folder.

    Raises:
        BackboneError: If there is none.
    """
    folder = present_folder(name)
    if folder is not None:
        return folder
    if hub_backbone(name) is not None:
        raise BackboneError(
            f"The backbone {name} is not on this machine.",
            f"Fetch it with `python -m nearl_core backbones get {name}`, or add a folder.",
        )
    if Path(name).is_file():
        raise BackboneError(
            f"{Path(name).name} is a single file; files such as .pt and .bin can run code.",
            f"Give the folder that holds {CONFIG} and {WEIGHTS}.",
        )
    raise BackboneError(
        f"There is no backbone {name!r}.",
        f"Choose one of: {', '.join(entry.name for entry in entries())}.",
    )


# --- what a folder holds ---------------------------------------------------------------------


def read_config(folder: Path) -> dict[str, Any]:
    """The folder's configuration, with `model_cfg` and `preprocess_cfg`.

    Raises:
        BackboneError: If it is missing, says nothing of model or preprocessing, or asks for
            towers that can't be walked block by block.
    """
    try:
        config = json.loads((folder / CONFIG).read_text("utf-8"))
    except (OSError, ValueError) as error:
        raise BackboneError(
            f"The backbone folder {folder.name} has no readable {CONFIG}.", _AGAIN
        ) from error
    if not isinstance(config, dict) or not isinstance(config.get("model_cfg"), dict):
        raise BackboneError(f"{CONFIG} in {folder.name} has no model_cfg.", _AGAIN)
    check_native(config["model_cfg"], name=folder.name)
    prepared = config.get("preprocess_cfg")
    if not isinstance(prepared, dict) or not {"mean", "std"} <= set(prepared):
        raise BackboneError(
            f"{CONFIG} in {folder.name} does not say how images are prepared (preprocess_cfg).",
            "Add the preprocess_cfg with mean and std that the weights were trained with.",
        )
    return config


def check_native(model_cfg: dict[str, Any], *, name: str) -> None:
    """Make sure that both towers are of a kind that can be walked block by block.

    Raises:
        BackboneError: If not, or if a name in it could be looked up online.
    """
    vision, text = model_cfg.get("vision_cfg"), model_cfg.get("text_cfg")
    if (
        not isinstance(vision, dict)
        or not isinstance(text, dict)
        or not _TIMM_NAME.fullmatch(str(vision.get("timm_model_name") or "none"))
        or text.get("hf_model_name")
        or isinstance(vision.get("layers"), list)  # a ResNet
        or "multimodal_cfg" in model_cfg
    ):
        raise BackboneError(
            f"The towers of the backbone {name} are not vision and text transformers.",
            "Choose a ViT backbone such as starter, ViT-B-16 or ViT-B-32.",
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
        raise BackboneError(
            f"The backbone folder {folder.name} has {what}.{refused}",
            f"Keep the weights in one {WEIGHTS}.",
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
    weights, sums = weights_file(folder), folder / SUMS
    digest = file_hash(weights)
    if sums.is_file():
        recorded = [line.split() for line in sums.read_text("utf-8", "replace").splitlines()]
        if [digest, weights.name] not in recorded:
            raise BackboneError(
                f"The weights of the backbone {folder.name} are not the ones that were added.",
                _AGAIN,
            )
    return digest
