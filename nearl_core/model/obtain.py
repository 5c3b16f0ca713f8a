"""How backbones come to this machine: copied from a folder or fetched from a hub."""

import json
import os
import shutil
from fnmatch import fnmatch
from pathlib import Path

from nearl_core.control import RunControl
from nearl_core.errors import BackboneError
from nearl_core.model import hub
from nearl_core.model.backbone_folder import (
    CONFIG,
    TEXT_CONFIG,
    WEIGHTS,
    check_tokenizer,
    checked_hash,
    read_config,
    weights_file,
)
from nearl_core.model.backbone_list import (
    ARCHITECTURES,
    HUB,
    HubBackbone,
    added_folder,
    entries,
    hub_backbone,
    unfinished_folder,
)
from nearl_core.model.backbones import check_transformers, seal
from nearl_core.model.convert import to_safetensors
from nearl_core.model.hub import HubFile, Listing

SOURCE = "source.json"
_PICKLED = "open_clip_pytorch_model.bin"
_WEIGHTS = (WEIGHTS, "open_clip_pytorch_model.safetensors", _PICKLED)
"""What open_clip's repositories call them, the best first."""
_GIVE = f"Give the folder that holds {CONFIG} and {WEIGHTS}."
_KEPT = ("*.json", "*.txt", "*.model", "README.md", "LICENSE*")


def add(source: Path, *, name: str | None = None, control: RunControl | None = None) -> Path:
    """Copy a backbone folder into the added ones, checked, and load it once.

    Raises:
        BackboneError: If it is incomplete, changed since its hash was recorded, holds no
            weights that can be read safely, does not load, or its name is taken or none.
        Cancelled: If asked to stop.
    """
    source, control = Path(os.path.abspath(source)), control or RunControl()
    _require_folder(source)
    pickled = source / _PICKLED
    converts = pickled.is_file() and not any(source.glob("*.safetensors"))
    if not converts:
        checked_hash(source)
    target = _free_place(source.name if name is None else name)
    beside = unfinished_folder(target.name)
    shutil.rmtree(beside, ignore_errors=True)
    files = {f for kept in _KEPT for f in source.glob(kept) if f.is_file()}
    try:
        _copy(files if converts else {*files, weights_file(source)}, beside, control)
        _complete(beside)
        if converts:
            to_safetensors(pickled, beside / WEIGHTS, control, name=target.name)
        return _settle(beside, target)
    except BaseException:
        shutil.rmtree(beside, ignore_errors=True)
        raise


def _require_folder(source: Path) -> None:
    if not source.name:
        raise BackboneError(f"{source} is a whole disk and no folder of a backbone.", _GIVE)
    if not source.is_dir():
        what = "a single file; files such as .pt and .bin can run code" if source.exists() else ""
        raise BackboneError(f"{source.name} is {what or 'not there'}.", _GIVE)


def _free_place(name: str) -> Path:
    """Where a backbone of a name will stand, which no other one has."""
    if name in ("", "..") or Path(name).name != name:
        raise BackboneError(f"{name!r} is no name of a folder.", "Give one without a slash.")
    if any(entry.name == name and entry.folder is not None for entry in entries()):
        raise BackboneError(
            f"There is a backbone {name} already.", "Give the new one another name."
        )
    return added_folder() / name


def _copy(files: set[Path], folder: Path, control: RunControl) -> None:
    try:
        folder.mkdir(parents=True)
        for done, file in enumerate(sorted(files)):
            control.step(done, len(files), "copying")
            shutil.copyfile(file, folder / file.name)
    except OSError as error:
        raise BackboneError(
            f"The backbone could not be copied: {error.strerror}.",
            "Check that there is room for it and that it may be read.",
        ) from error


def fetch(name: str, control: RunControl) -> Path:
    """Download a backbone from its hub; a stopped download goes on where it was.

    One that is here and whole is left as it is. Weights that the hub has only pickled are
    converted once (`convert.py`).

    Raises:
        BackboneError: If it is not known, the network is not there, there is no room for it, or
            it does not load.
        Cancelled: If asked to stop; what is here stays for the next time.
    """
    known = hub_backbone(name)
    if known is None:
        raise BackboneError(
            f"There is no backbone {name!r} to fetch.",
            f"Choose one of: {', '.join(hub.name for hub in HUB)}.",
        )
    target = added_folder() / name
    if _is_whole(target):
        return target
    control.step(0, 0, f"asking for {name}")
    beside = unfinished_folder(name)
    source = hub.listing(known.repository)
    weights = _download(known, source, beside, control)
    if weights.name == _PICKLED:
        to_safetensors(weights, beside / WEIGHTS, control, name=name)
        weights.unlink()
    control.check()
    try:
        return _settle(beside, target)
    except BackboneError:
        shutil.rmtree(beside, ignore_errors=True)
        raise


def _download(known: HubBackbone, source: Listing, folder: Path, control: RunControl) -> Path:
    """Bring what belongs to a backbone into a folder, the weights last."""
    weights = next((f for name in _WEIGHTS for f in source.files if f.name == name), None)
    if weights is None:
        raise BackboneError(
            f"{source.repository} holds no weights in open_clip's layout.",
            "Choose another backbone, or add a folder copied from another machine.",
        )
    small = [f for f in source.files if any(fnmatch(f.name, kept) for kept in _KEPT)]
    files = [*small, weights]
    _prepare(folder, files)
    total, before = sum(f.size for f in files), 0
    for file in files:
        if file is weights:
            _complete(folder)  # what is missing is said before the long part

        def report(here: int, before: int = before) -> None:
            control.step(before + here, total, f"fetching {known.name}", unit="bytes")

        report(0)
        hub.download(source, file, folder, report)
        before += file.size
    origin = {"repository": source.repository, "commit": source.commit}
    (folder / SOURCE).write_text(json.dumps({**origin, "sha256": weights.sha256}) + "\n", "utf-8")
    return folder / weights.name


def _prepare(folder: Path, files: list[HubFile]) -> None:
    """Make the folder, remove what does not belong to it, and make sure that there is room."""
    folder.mkdir(parents=True, exist_ok=True)
    wanted = {f.name for f in files} | {hub.part_of(f, folder).name for f in files}
    for file in folder.iterdir():
        if file.is_file() and file.name not in wanted:
            file.unlink()
    missing = sum(f.size - hub.part_size(hub.part_of(f, folder)) for f in files)
    pickled = sum(f.size for f in files if f.name == _PICKLED)  # is there twice for a while
    free = shutil.disk_usage(folder).free
    if missing + pickled > free:
        raise BackboneError(
            f"There is no room for the backbone: it needs {(missing + pickled) / 1e6:.0f} MB and "
            f"{free / 1e6:.0f} MB are free.",
            "Make room on the disk and try again.",
        )


def _complete(folder: Path) -> None:
    """Give a folder the shape of its text tower where it is known, and check all but the weights.

    Raises:
        BackboneError: If preprocessing, tokenizer or a package is missing.
    """
    shape = folder / TEXT_CONFIG
    if not shape.is_file():
        for known in ARCHITECTURES.iterdir():
            if _text_model(known) == _text_model(folder) is not None:
                shutil.copyfile(known / TEXT_CONFIG, shape)
    config = read_config(folder)
    check_tokenizer(folder, config)
    check_transformers(folder.name, config)


def _text_model(folder: Path) -> object:
    """The name of a text tower of transformers, or None."""
    try:
        text: object = json.loads((folder / CONFIG).read_text("utf-8"))["model_cfg"]["text_cfg"]
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return text.get("hf_model_name") if isinstance(text, dict) else None


def _is_whole(folder: Path) -> bool:
    try:
        read_config(folder)
        checked_hash(folder)
    except BackboneError:
        return False
    return True


def _settle(beside: Path, target: Path) -> Path:
    """Give a finished folder its name, if it loads."""
    seal(beside)
    shutil.rmtree(target, ignore_errors=True)  # a broken one; a whole one is never replaced
    beside.rename(target)
    return target
