"""Reads a pickled checkpoint once and writes it as safetensors; runs in a process of its own.

No module imports this one: `convert.py` starts it. PyTorch's restricted unpickler
(`weights_only=True`) builds tensors and plain containers only. It is an unpickler all the same,
so it runs where it can take no more memory and time than it was given, and what it writes is
checked as any other weights.
"""

import os
from collections.abc import Mapping, Sequence

import torch
from safetensors.torch import save_file
from torch import Tensor

from nearl_core.limits import limit_memory


def main(arguments: Sequence[str]) -> None:
    """Convert a file.

    Args:
        arguments: The pickled file, the file to write, and the memory limit in bytes.
    """
    source, target, limit_bytes = arguments
    limit_memory(int(limit_bytes))
    found = torch.load(source, map_location="cpu", weights_only=True, mmap=True)
    save_file(state_of(found), target)
    os._exit(0)  # nothing of what was read is asked to tidy up


def state_of(found: object) -> dict[str, Tensor]:
    """The named weights of a checkpoint, as open_clip stores them.

    Raises:
        ValueError: If there is anything else in it.
    """
    if isinstance(found, Mapping) and isinstance(found.get("state_dict"), Mapping):
        found = found["state_dict"]
    if not isinstance(found, Mapping) or not found:
        raise ValueError("no named weights")
    state = {}
    for name, value in found.items():
        if not isinstance(name, str) or not isinstance(value, Tensor):
            raise ValueError("something that is no weight")
        state[name.removeprefix("module.")] = value.detach().clone().contiguous()
    return state
