"""Which device the engine works on."""

import shutil

import torch

from nearl_core.errors import NearlError
from nearl_core.words import counted

TOO_LITTLE_MEMORY = (
    "There is too little memory to train.",
    "Close other programs, or choose a smaller backbone.",
)


def choose(name: str | None = None) -> torch.device:
    """The named device, or the best there is: CUDA, then MPS, then CPU.

    Raises:
        NearlError: If the named one is not there.
    """
    count = torch.cuda.device_count() if torch.cuda.is_available() else 0
    cuda = ["cuda", *(f"cuda:{place}" for place in range(count))] if count else []
    present = [*cuda, *(["mps"] if _has_mps() else []), "cpu"]
    if name is not None and name not in present:
        raise NearlError(
            f"The device {name!r} is not there.", f"Choose one of: {', '.join(present)}."
        )
    return torch.device(name or present[0])


def describe(device: torch.device) -> str:
    """A few words for the status bar."""
    if device.type == "cuda":
        return f"GPU {torch.cuda.get_device_name(device)}"
    if device.type == "mps":
        return "Apple GPU"
    threads = torch.get_num_threads()
    return f"CPU, {counted(threads, 'thread')}"


def notice(device: torch.device) -> str:
    """A sentence where a graphics card lies idle, else ""."""
    if device.type == "cpu" and torch.version.cuda is None and shutil.which("nvidia-smi"):
        return (
            "An NVIDIA card is there but this PyTorch can't use it. Install the CUDA build: "
            "pip install torch --index-url https://download.pytorch.org/whl/cu128"
        )
    return ""


def out_of_memory(error: RuntimeError) -> bool:
    """Whether an error of torch says that memory is used up, on any device."""
    said = ("out of memory", "not enough memory", "can't allocate memory")  # CUDA and MPS; CPU
    return isinstance(error, torch.OutOfMemoryError) or any(s in str(error) for s in said)


def _has_mps() -> bool:
    return bool(torch.backends.mps.is_available())
