"""The checkpoint of a run: all that going on needs, in one safetensors file."""

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor

from nearl_core.errors import NearlError


@dataclass(frozen=True)
class Mark:
    """How far a run is.

    Attributes:
        elapsed: Seconds of training, pauses not counted.
        steps: Steps of training.
        begun: What the run began from, by name: hashes of its images, its teacher, its start.
    """

    elapsed: float = 0.0
    steps: int = 0
    begun: Mapping[str, str] = field(default_factory=dict)


def write(path: Path, tensors: Mapping[str, Tensor], mark: Mark) -> None:
    """Write it beside and rename, so that an older one stays until this one is whole."""
    said = {
        "elapsed": str(mark.elapsed),
        "steps": str(mark.steps),
        "begun": json.dumps(dict(mark.begun)),
    }
    beside = path.with_suffix(".partial")
    save_file({k: v.detach().clone().contiguous() for k, v in tensors.items()}, beside, said)
    beside.replace(path)


def mark_of(path: Path) -> Mark:
    """How far the run of a checkpoint is.

    Raises:
        NearlError: If it can't be read.
    """
    with readable(path), safe_open(path, "pt") as file:
        said = file.metadata()
        begun = json.loads(said.get("begun", "{}"))
        return Mark(float(said["elapsed"]), int(said["steps"]), begun)


def read(path: Path) -> dict[str, Tensor]:
    """The tensors of a checkpoint.

    Raises:
        NearlError: If it can't be read.
    """
    with readable(path), safe_open(path, "pt") as file:
        return {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118


@contextmanager
def readable(path: Path) -> Iterator[None]:
    """Within it, what is wrong with a checkpoint's contents is said in one sentence."""
    try:
        yield
    except (SafetensorError, OSError, RuntimeError, KeyError, TypeError, ValueError) as error:
        raise NearlError(
            f"The checkpoint {path} can't be read, or is of another model.",
            "Delete it to train anew, or name another folder by --work.",
        ) from error
