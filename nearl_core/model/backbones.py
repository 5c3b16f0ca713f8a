"""Backbones: which there are, how they are loaded, added and fetched. The only door to open_clip.

A backbone is a folder in open_clip's local layout:

- `open_clip_config.json` with `model_cfg` and `preprocess_cfg`;
- `open_clip_model.safetensors` (or any one `*.safetensors`);
- tokenizer files, where the text tower does not use CLIP's own;
- `SHA256SUMS`, written when it was added, checked whenever it is loaded;
- `words.txt`, only for a backbone that knows few words: the ones that it learned.
"""

import hashlib
import json
import logging
import shutil
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import open_clip
import torch
from numpy.typing import NDArray
from safetensors import SafetensorError, safe_open
from torch import Tensor
from torch.nn import functional as F

from nearl_core.control import RunControl
from nearl_core.errors import BackboneError
from nearl_core.settings import data_folder

SHIPPED = Path(__file__).resolve().parents[2] / "resources" / "backbones"
CONFIG, SUMS, WORDS = "open_clip_config.json", "SHA256SUMS", "words.txt"
_FETCHED = ("*.safetensors", "*.json", "*.txt", "*.model", "README.md", "LICENSE*")
_RESIZE_MODES = ("shortest", "longest", "squash")


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
class Preprocessing:
    """From RGB pixels to what the image tower takes.

    Attributes:
        size: Side of the square in pixels.
        mean, std: Of each channel, for values in [0, 1].
        interpolation: "bicubic" or "bilinear".
        resize_mode: "shortest" (cut to the square), "longest" (filled) or "squash".
        fill: Value of the filling, 0 to 255.
    """

    size: int
    mean: tuple[float, ...]
    std: tuple[float, ...]
    interpolation: str = "bicubic"
    resize_mode: str = "shortest"
    fill: int = 0

    def __call__(self, rgb: NDArray[np.uint8]) -> Tensor:
        """Rows x columns x 3, uint8, to 3 x size x size, float32, normalised."""
        image = torch.from_numpy(np.ascontiguousarray(rgb)).permute(2, 0, 1)[None]
        image = self._squared(image)[0].float() / 255
        mean, std = (torch.tensor(v).view(3, 1, 1) for v in (self.mean, self.std))
        return (image - mean) / std

    def _squared(self, image: Tensor) -> Tensor:
        height, width = image.shape[-2:]
        if self.resize_mode == "squash":
            return self._resized(image, self.size, self.size)
        side = max(height, width) if self.resize_mode == "longest" else min(height, width)
        height, width = (max(1, round(n * self.size / side)) for n in (height, width))
        image = self._resized(image, height, width)
        if self.resize_mode == "longest":
            bottom, right = self.size - height, self.size - width
            edges = (right // 2, right - right // 2, bottom // 2, bottom - bottom // 2)
            return F.pad(image, edges, value=self.fill)
        top, left = (height - self.size) // 2, (width - self.size) // 2
        return image[..., top : top + self.size, left : left + self.size]

    def _resized(self, image: Tensor, height: int, width: int) -> Tensor:
        if image.shape[-2:] == (height, width):
            return image
        return F.interpolate(image, size=(height, width), mode=self.interpolation, antialias=True)


@dataclass(frozen=True, eq=False)
class Backbone:
    """A loaded, frozen CLIP with what belongs to it.

    Attributes:
        hash: SHA-256 of the weights' file; "random" for random weights.
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


@dataclass(frozen=True)
class BackboneEntry:
    """A line of the list of backbones; `folder` is None for one that is still to be fetched."""

    name: str
    folder: Path | None
    licence: str = ""


def added_folder() -> Path:
    """Where fetched and added backbones stand."""
    return data_folder() / "backbones"


def entries() -> list[BackboneEntry]:
    """All backbones: shipped, added, and those that could be fetched."""
    found: dict[str, BackboneEntry] = {}
    for parent in (SHIPPED, added_folder()):
        if parent.is_dir():
            for folder in sorted(parent.iterdir()):
                if (folder / CONFIG).is_file():
                    found[folder.name] = BackboneEntry(folder.name, folder)
    for hub in HUB:
        present = found.get(hub.name)
        folder = None if present is None else present.folder
        found[hub.name] = BackboneEntry(hub.name, folder, hub.licence)
    return list(found.values())


def folder_of(name: str) -> Path:
    """The folder of a backbone that is here, by its name or by a path to such a folder.

    Raises:
        BackboneError: If there is none.
    """
    for entry in entries():
        if entry.name == name and entry.folder is not None:
            return entry.folder
    if Path(name).is_dir():
        return Path(name)
    if any(hub.name == name for hub in HUB):
        raise BackboneError(
            f"The backbone {name} is not on this machine.",
            f"Fetch it with `python -m nearl_core backbones get {name}`, or add a folder.",
        )
    raise BackboneError(
        f"There is no backbone {name!r}.",
        f"Choose one of: {', '.join(entry.name for entry in entries())}.",
    )


def load(name: str) -> Backbone:
    """Load a backbone on the CPU, frozen, in float32.

    Raises:
        BackboneError: If it is missing, incomplete, changed or not a pair of transformers.
    """
    folder = folder_of(name)
    config, weights = read_config(folder), weights_file(folder)
    digest = file_hash(weights)
    _check_sum(folder, weights.name, digest)
    source = f"local-dir:{folder}"
    try:
        with _quiet():
            model = open_clip.create_model(source, precision="fp32", device="cpu")
            tokenizer = open_clip.get_tokenizer(source)
    except (RuntimeError, ValueError, OSError, KeyError, TypeError, AssertionError) as error:
        raise BackboneError(
            f"The backbone {folder.name} can't be loaded: its weights and configuration don't fit.",
            "Fetch or copy its folder again.",
        ) from error
    words_file = folder / WORDS
    words = frozenset(words_file.read_text("utf-8").split()) if words_file.is_file() else None
    frozen = model.eval().requires_grad_(False)
    return Backbone(folder.name, digest, frozen, preprocessing(config), tokenizer, words)


def random(architecture: str, *, seed: int = 0) -> Backbone:
    """An architecture that open_clip knows, with random weights.

    Raises:
        BackboneError: If open_clip doesn't know it.
    """
    if architecture not in open_clip.list_models():
        raise BackboneError(
            f"There is no architecture {architecture!r}.", "Choose one such as ViT-B-16."
        )
    torch.manual_seed(seed)
    with _quiet():
        model = open_clip.create_model(architecture, pretrained=None, device="cpu")
        tokenizer = open_clip.get_tokenizer(architecture)
    settings = open_clip.PreprocessCfg(size=model.visual.image_size)
    size = settings.size if isinstance(settings.size, int) else settings.size[0]
    prepare = Preprocessing(size, tuple(settings.mean), tuple(settings.std))
    frozen = model.eval().requires_grad_(False)
    return Backbone(architecture, "random", frozen, prepare, tokenizer, None)


def build(model_cfg: dict[str, Any]) -> Any:
    """A new open_clip CLIP of a `model_cfg`, to be trained."""
    return open_clip.CLIP(**model_cfg)


def clip_tokenizer(context_length: int) -> Callable[[Sequence[str]], Tensor]:
    """CLIP's own byte-pair tokenizer, which open_clip carries with it."""
    return open_clip.SimpleTokenizer(context_length=context_length)  # type: ignore[no-any-return]


# --- folders ---------------------------------------------------------------------------------


def add(source: Path, *, name: str | None = None) -> Path:
    """Copy a backbone folder into the added ones, checked, and load it once.

    Raises:
        BackboneError: If it is incomplete, holds no safetensors, or does not load.
    """
    if source.is_file():
        raise BackboneError(
            f"{source.name} is a single file; files such as .pt and .bin can run code.",
            f"Give the folder that holds {CONFIG} and a .safetensors file.",
        )
    read_config(source)
    weights_file(source)
    target = added_folder() / (name or source.resolve().name)
    if target.exists():
        raise BackboneError(
            f"There is a backbone {target.name} already.", f"Remove {target} first."
        )
    beside = target.with_name(f"{target.name}.partial")
    shutil.rmtree(beside, ignore_errors=True)
    beside.mkdir(parents=True)
    for pattern in _FETCHED:
        for file in source.glob(pattern):
            shutil.copy2(file, beside / file.name)
    return _settle(beside, target)


def fetch(name: str, control: RunControl) -> Path:
    """Download a backbone from its hub, safetensors only; a stopped download is resumed.

    Raises:
        BackboneError: If it is not known, the network is not there, or it does not load.
    """
    hub = next((hub for hub in HUB if hub.name == name), None)
    if hub is None:
        raise BackboneError(
            f"There is no backbone {name!r} to fetch.",
            f"Choose one of: {', '.join(hub.name for hub in HUB)}.",
        )
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import HfHubHTTPError, LocalEntryNotFoundError, OfflineModeIsEnabled

    target = added_folder() / name
    beside = target.with_name(f"{name}.partial")
    control.step(0, 0, f"fetching {name}")
    trouble = (HfHubHTTPError, LocalEntryNotFoundError, OfflineModeIsEnabled, OSError)
    try:
        snapshot_download(hub.repository, local_dir=beside, allow_patterns=list(_FETCHED))
    except trouble as error:
        raise BackboneError(
            f"The backbone {name} could not be fetched from {hub.repository}.",
            "Check the network and try again, or add a folder copied from another machine.",
        ) from error
    shutil.rmtree(beside / ".cache", ignore_errors=True)
    control.check()
    return _settle(beside, target)


def write_sums(folder: Path) -> None:
    """Record the hash of the weights, so that a later change is noticed."""
    weights = weights_file(folder)
    (folder / SUMS).write_text(f"{file_hash(weights)}  {weights.name}\n", "utf-8")


def _settle(beside: Path, target: Path) -> Path:
    write_sums(beside)
    load(str(beside))
    beside.rename(target)
    return target


def read_config(folder: Path) -> dict[str, Any]:
    """The folder's configuration.

    Raises:
        BackboneError: If it is missing or says nothing of model or preprocessing.
    """
    try:
        config = json.loads((folder / CONFIG).read_text("utf-8"))
    except (OSError, ValueError) as error:
        raise BackboneError(
            f"The backbone folder {folder.name} has no readable {CONFIG}.",
            "Copy the whole folder again.",
        ) from error
    if not isinstance(config, dict) or not isinstance(config.get("model_cfg"), dict):
        raise BackboneError(
            f"{CONFIG} in {folder.name} has no model_cfg.", "Copy the whole folder again."
        )
    prepared = config.get("preprocess_cfg")
    if not isinstance(prepared, dict) or not {"mean", "std"} <= set(prepared):
        raise BackboneError(
            f"{CONFIG} in {folder.name} does not say how images are prepared (preprocess_cfg).",
            "Add the preprocess_cfg with mean and std that the weights were trained with.",
        )
    return config


def preprocessing(config: dict[str, Any]) -> Preprocessing:
    """How a configuration wants its images prepared.

    Raises:
        BackboneError: If it asks for what is not known.
    """
    given = config["preprocess_cfg"]
    size = given.get("size", config["model_cfg"].get("vision_cfg", {}).get("image_size", 224))
    size = size if isinstance(size, int) else int(size[-1])
    interpolation = given.get("interpolation", "bicubic")
    mode = given.get("resize_mode", "shortest")
    if interpolation not in ("bicubic", "bilinear") or mode not in _RESIZE_MODES:
        raise BackboneError(
            f"The preprocessing {interpolation}/{mode} is not known.", "Use another backbone."
        )
    mean, std = (tuple(float(v) for v in given[key]) for key in ("mean", "std"))
    return Preprocessing(size, mean, std, interpolation, mode, int(given.get("fill_color", 0)))


def weights_file(folder: Path) -> Path:
    """The one safetensors file of a folder.

    Raises:
        BackboneError: If there is none, several, or it can't be read.
    """
    files = sorted(folder.glob("*.safetensors"))
    if len(files) != 1:
        what = "several" if files else "no"
        pickled = any(folder.glob("*.pt")) or any(folder.glob("*.bin"))
        refused = " A .pt or .bin file can run code and is not opened." if pickled else ""
        raise BackboneError(
            f"The backbone folder {folder.name} has {what} .safetensors file.{refused}",
            "Convert the weights to one open_clip_model.safetensors.",
        )
    try:
        with safe_open(files[0], "pt") as file:
            file.keys()
    except (SafetensorError, OSError) as error:
        raise BackboneError(
            f"The weights of the backbone {folder.name} can't be read.", "Copy them again."
        ) from error
    return files[0]


def file_hash(path: Path) -> str:
    """SHA-256 of a file, in hexadecimal digits."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _check_sum(folder: Path, name: str, digest: str) -> None:
    sums = folder / SUMS
    if not sums.is_file():
        return
    if f"{digest}  {name}" not in sums.read_text("utf-8").splitlines():
        raise BackboneError(
            f"The weights of the backbone {folder.name} are not the ones that were added.",
            "Copy or fetch the folder again.",
        )


@contextmanager
def _quiet() -> Iterator[None]:
    """open_clip logs warnings about what we do on purpose, such as random weights."""
    before = logging.root.manager.disable
    logging.disable(logging.CRITICAL)
    try:
        yield
    finally:
        logging.disable(before)
