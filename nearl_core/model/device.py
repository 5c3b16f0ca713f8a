"""Which device the engine works on, what it can do, and how its work is timed."""

import shutil
import time
from collections.abc import Callable
from typing import TypeVar

import torch

from nearl_core.control import Pace, RunControl
from nearl_core.errors import NearlError, TrainingError
from nearl_core.words import counted

T = TypeVar("T")
TOO_LITTLE_MEMORY = (
    "There is too little memory to train.",
    "Close other programs, or choose a smaller backbone.",
)


def choose(name: str | None = None) -> torch.device:
    """The named device, or the best there is: CUDA, then MPS, then CPU.

    Raises:
        NearlError: If the named one is not there.
    """
    cards = torch.cuda.device_count() if _has_cuda() else 0
    cuda = ["cuda", *(f"cuda:{place}" for place in range(cards))] if cards else []
    present = [*cuda, *(["mps"] if _has_mps() else []), "cpu"]
    if name is not None and name not in present:
        why = "" if cards or not name.startswith("cuda") else f": {_without_cuda()}"
        raise NearlError(
            f"The device {name!r} is not there{why}.", f"Choose one of: {', '.join(present)}."
        )
    return torch.device(name or present[0])


def use(device: torch.device) -> None:
    """Let float32 be float32: a card's convolutions would keep 10 of its 23 bits (TF32).

    Then a feature in float32 is the CPU's to rounding, whatever its batch.
    """
    if device.type == "cuda":
        torch.backends.cudnn.allow_tf32 = False


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
    if device.type != "cpu" or not shutil.which("nvidia-smi") or _has_cuda():
        return ""
    if torch.version.cuda is None:
        return (
            "An NVIDIA card is there but this PyTorch can't use it. Install the CUDA build: "
            "pip install torch --index-url https://download.pytorch.org/whl/cu128"
        )
    return f"An NVIDIA card is there, but {_without_cuda()}. Everything runs on the CPU."


def has_bfloat16(device: torch.device) -> bool:
    """Whether a device computes in bfloat16 by itself.

    CUDA says so of cards before Ampere (compute capability 8) too, which only imitate it.
    """
    if device.type == "cuda":
        return bool(torch.version.hip) or torch.cuda.get_device_capability(device) >= (8, 0)
    return device.type == "cpu" and processor_has("_is_avx512_bf16_supported")


def processor_has(question: str) -> bool:
    """What PyTorch says of the processor; False where it is too old to be asked."""
    ask: Callable[[], bool] = getattr(torch.cpu, question, lambda: False)
    return ask()


def wait(device: torch.device) -> None:
    """Until a card has done what it was given; a CPU always has."""
    if device.type == "cuda":
        torch.cuda.synchronize(device)
    elif device.type == "mps":
        torch.mps.synchronize()


def clock(device: torch.device) -> Callable[[], float]:
    """What tells how long work takes, in seconds.

    On a CPU the time of this thread's processor, which other programs don't lengthen; else the
    time by the clock once the card has done its work.
    """

    def waited() -> float:
        wait(device)
        return time.perf_counter()

    return time.thread_time if device.type == "cpu" else waited


def peak_memory(device: torch.device) -> float | None:
    """The most that PyTorch held on a card, MB; None where it is not told."""
    return torch.cuda.max_memory_allocated(device) / (1 << 20) if device.type == "cuda" else None


def release(device: torch.device) -> None:
    """Give memory that PyTorch keeps for later back to the card, for other programs."""
    if device.type == "cuda":
        torch.cuda.empty_cache()
    elif device.type == "mps":
        torch.mps.empty_cache()


def out_of_memory(error: RuntimeError) -> bool:
    """Whether an error of torch says that memory is used up, on any device."""
    said = (
        *("out of memory", "ALLOC_FAILED"),  # CUDA and MPS; CUDA's libraries
        *("not enough memory", "can't allocate memory"),  # CPU
    )
    return isinstance(error, torch.OutOfMemoryError) or any(s in str(error) for s in said)


def as_many_as_fit(
    count: int, pace: Pace, work: Callable[[slice], T], control: RunControl
) -> list[T]:
    """What is made of so many things, part by part; other work is let in between.

    Args:
        count: How many there are.
        pace: How many at once, by the time that they take; out of memory halves the most.
        work: Makes a part, and waits for the device.
        control: Checked after each part, outside of the work's own context.

    Raises:
        TrainingError: If memory is too little for one.
        Cancelled: If asked to stop.
    """
    made, place = list[T](), 0
    while place < count:
        part = slice(place, min(place + pace.size, count))
        try:
            with pace.go():
                made.append(work(part))
        except RuntimeError as error:
            if not out_of_memory(error):
                raise
            if pace.size == 1:
                raise TrainingError(*TOO_LITTLE_MEMORY) from error
            pace.size = pace.most = pace.size // 2
            continue
        place = part.stop
        control.check()
    return made


def _has_cuda() -> bool:
    return torch.cuda.is_available() and _computes()


def _computes() -> bool:
    """Whether the card does: PyTorch also sees cards that it has no kernels for."""
    try:
        return float(torch.ones(2, 2, device="cuda").sum()) == 4
    except RuntimeError:
        return False


def _without_cuda() -> str:
    if torch.cuda.is_available():
        return (
            "PyTorch can't compute on it: its driver or the card is too old for this PyTorch, or "
            "other programs fill its memory"
        )
    if torch.version.cuda is None:
        return "this PyTorch is built without CUDA"
    return "PyTorch finds no NVIDIA card that its CUDA can use; see what nvidia-smi says"


def _has_mps() -> bool:
    return bool(torch.backends.mps.is_available())
