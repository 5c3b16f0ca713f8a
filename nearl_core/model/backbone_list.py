"""Which backbones there are and where they stand.

Nothing here loads a model, so that a list of backbones costs no seconds.
"""

from dataclasses import dataclass
from pathlib import Path

from nearl_core.errors import BackboneError
from nearl_core.model.backbone_folder import CONFIG, WEIGHTS
from nearl_core.servers import Trusted
from nearl_core.settings import data_folder

_RESOURCES = Path(__file__).resolve().parents[2] / "resources"
SHIPPED = _RESOURCES / "backbones"
ARCHITECTURES = _RESOURCES / "architectures"
"""Shapes of backbones that open_clip does not know by name; no weights."""
_SHIPPED_LICENCE = "CC BY-SA 4.0"
_SHIPPED_FROM = "a few kinds of scans and about a hundred words"
_GENERAL = "photographs and texts of the web"


@dataclass(frozen=True)
class HubBackbone:
    """A backbone that can be fetched.

    Attributes:
        repository: Hub repository in open_clip's layout.
        architecture: open_clip's name of it, or of a folder of `ARCHITECTURES`.
        licence: Of the weights.
        megabytes: What is downloaded, about; 10^6 bytes each.
        learned_from: What it was trained on, in a few words.
    """

    name: str
    repository: str
    architecture: str
    licence: str
    megabytes: int
    learned_from: str = _GENERAL


HUB = (
    HubBackbone(
        "BiomedCLIP",
        "microsoft/BiomedCLIP-PubMedBERT_256-vit_base_patch16_224",
        "BiomedCLIP",
        "MIT",
        784,
        "figures and captions of biomedical articles",
    ),
    HubBackbone(
        "ViT-B-16", "timm/vit_base_patch16_clip_224.openai", "ViT-B-16-quickgelu", "MIT", 599
    ),
    HubBackbone(
        "ViT-B-32", "timm/vit_base_patch32_clip_224.openai", "ViT-B-32-quickgelu", "MIT", 605
    ),
    HubBackbone(
        "ViT-L-14", "timm/vit_large_patch14_clip_224.openai", "ViT-L-14-quickgelu", "MIT", 1711
    ),
    HubBackbone("LAION-ViT-B-16", "laion/CLIP-ViT-B-16-laion2B-s34B-b88K", "ViT-B-16", "MIT", 599),
    HubBackbone("LAION-ViT-B-32", "laion/CLIP-ViT-B-32-laion2B-s34B-b79K", "ViT-B-32", "MIT", 605),
    HubBackbone("SigLIP-ViT-B-16", "timm/ViT-B-16-SigLIP", "ViT-B-16-SigLIP", "Apache-2.0", 813),
)


@dataclass(frozen=True)
class BackboneEntry:
    """A line of the list of backbones.

    Attributes:
        folder: None for one that is still to be fetched.
        hub: What can be fetched under this name, or None.
        begun: Whether a download was stopped on its way.
    """

    name: str
    folder: Path | None
    hub: HubBackbone | None = None
    begun: bool = False

    @property
    def licence(self) -> str:
        """Of the weights; empty where it is not known."""
        if self.hub is not None:
            return self.hub.licence
        shipped = self.folder is not None and self.folder.parent == SHIPPED
        return _SHIPPED_LICENCE if shipped else ""

    @property
    def learned_from(self) -> str:
        """What it was trained on, in a few words; empty where it is not known."""
        if self.hub is not None:
            return self.hub.learned_from
        shipped = self.folder is not None and self.folder.parent == SHIPPED
        return _SHIPPED_FROM if shipped else ""

    @property
    def megabytes(self) -> int:
        """Of the weights here, or of what would be fetched; 10^6 bytes each."""
        if self.folder is None:
            return 0 if self.hub is None else self.hub.megabytes
        return round(sum(f.stat().st_size for f in self.folder.glob("*.safetensors")) / 1e6)


def added_folder() -> Path:
    """Where fetched and added backbones stand."""
    return data_folder() / "backbones"


def entries() -> list[BackboneEntry]:
    """All backbones: shipped, added, and those that could be fetched."""
    found: dict[str, BackboneEntry] = {}
    for parent in (SHIPPED, added_folder()):
        for folder in sorted(parent.iterdir()) if parent.is_dir() else ():
            if (folder / CONFIG).is_file():
                found[folder.name] = BackboneEntry(folder.name, folder)
    for hub in HUB:
        here = found[hub.name].folder if hub.name in found else None
        begun = here is None and unfinished_folder(hub.name).is_dir()
        found[hub.name] = BackboneEntry(hub.name, here, hub, begun)
    return list(found.values())


def unfinished_folder(name: str) -> Path:
    """Where a backbone stands until it is whole: under its own name, which errors tell."""
    return added_folder() / ".unfinished" / name


def hub_backbone(name: str) -> HubBackbone | None:
    """What can be fetched under a name, or None."""
    return next((hub for hub in HUB if hub.name == name), None)


def present_folder(name: str) -> Path | None:
    """The folder of a backbone that is here, by its name or by a path to such a folder."""
    for entry in entries():
        if entry.name == name and entry.folder is not None:
            return entry.folder
    if Trusted(added_folder()).refusal(name):  # a project can name any
        return None
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
    refusal = Trusted(added_folder()).refusal(name)
    if refusal:
        raise BackboneError(
            "The backbone lies on another computer.",
            f"Copy it here with `python -m nearl_core backbones add {name}`.",
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
