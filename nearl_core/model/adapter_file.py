"""Adapters on disk: safetensors with their provenance in the header."""

import json
import os
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path

from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor

from nearl_core.errors import VersionError
from nearl_core.inner_folders import make_inner
from nearl_core.model.nearl import Nearl, NearlConfig

FORMAT = "1"


def write(
    path: Path, nearl: Nearl, *, extra: Mapping[str, Tensor], provenance: Mapping[str, object]
) -> None:
    """Write adapters beside, flush, rename.

    Args:
        path: Ends in `.safetensors`.
        nearl: The adapters.
        extra: Further tensors that belong to the version, such as its head.
        provenance: What it was made from; JSON values.

    Raises:
        OSError: If it can't be written.
    """
    tensors = {f"nearl.{name}": value for name, value in nearl.state_dict().items()}
    tensors |= {f"extra.{name}": value for name, value in extra.items()}
    held = {name: value.detach().cpu().contiguous() for name, value in tensors.items()}
    about = {
        "format": FORMAT,
        "config": json.dumps(asdict(nearl.config)),
        "provenance": json.dumps(dict(provenance)),
    }
    beside = path.with_suffix(".partial")
    make_inner(path.parent)
    save_file(held, beside, about)
    with beside.open("rb+") as file:
        os.fsync(file.fileno())
    beside.replace(path)


def read(path: Path) -> tuple[Nearl, dict[str, Tensor], dict[str, object]]:
    """The adapters, the further tensors and the provenance.

    Raises:
        VersionError: If the file is missing, broken or of a newer format.
    """
    if path.suffix != ".safetensors":
        raise VersionError(
            f"{path.name} is not a .safetensors file.", "Only safetensors are opened."
        )
    try:
        with safe_open(path, "pt") as file:
            about = file.metadata() or {}
            if about.get("format", FORMAT) != FORMAT:
                raise VersionError(
                    f"The adapters {path.name} are of a newer format.", "Update NEARL Desk."
                )
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
        config = NearlConfig(**json.loads(about["config"]))
        nearl = Nearl(config)
        nearl.load_state_dict(_under(tensors, "nearl."))
        provenance = dict(json.loads(about["provenance"]).items())
    except (
        SafetensorError,
        OSError,
        KeyError,
        TypeError,
        AttributeError,
        ValueError,
        RuntimeError,
    ) as error:
        raise VersionError(
            f"The adapters {path.name} can't be read.",
            "Activate another version, or train a new one.",
        ) from error
    return nearl.eval().requires_grad_(False), _under(tensors, "extra."), provenance


def _under(tensors: Mapping[str, Tensor], prefix: str) -> dict[str, Tensor]:
    return {k.removeprefix(prefix): v for k, v in tensors.items() if k.startswith(prefix)}
