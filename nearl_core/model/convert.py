"""From pickled weights to safetensors, through a child process; nothing is unpickled here."""

import os
import subprocess
import sys
import time
from pathlib import Path

import psutil
from safetensors import SafetensorError, safe_open

from nearl_core.control import RunControl
from nearl_core.errors import BackboneError

_LIMIT_S = 900.0
_POLL_S = 0.1
_GIB = 1 << 30


def to_safetensors(pickled: Path, target: Path, control: RunControl, *, name: str) -> None:
    """Write the weights of a `.bin` as safetensors.

    Args:
        pickled: Is left as it is.
        target: Stands there only when it is whole.
        control: Is asked at each tenth of a second.
        name: Of the backbone, for what is said.

    Raises:
        BackboneError: If it holds anything but weights, is damaged, or takes too much memory or
            time.
        Cancelled: If asked to stop.
    """
    beside = target.with_name(f"{target.name}.part")
    limit_bytes = _memory_limit(pickled.stat().st_size)
    try:
        _run(_command(pickled, beside, limit_bytes), limit_bytes, control, name)
        with safe_open(beside, "numpy") as file:
            file.keys()
        beside.replace(target)
    except (OSError, SafetensorError) as error:
        raise BackboneError(
            f"The weights of the backbone {name} could not be converted: {pickled.name} is "
            "damaged or holds more than weights.",
            "Fetch or copy it again, or take a backbone that comes as safetensors.",
        ) from error
    finally:
        beside.unlink(missing_ok=True)


def _memory_limit(size: int) -> int:
    """What reading and writing so many bytes of weights may take."""
    return 4 * size + 2 * _GIB


def _command(pickled: Path, target: Path, limit_bytes: int) -> list[str]:
    """The child finds this very package, and never a module in the folder it starts in (-P)."""
    root = str(Path(__file__).resolve().parents[2])
    code = (
        f"import sys; sys.path.insert(0, {root!r}); "
        "from nearl_core.model.pickled import main; main(sys.argv[1:])"
    )
    return [sys.executable, "-P", "-c", code, str(pickled), str(target), str(limit_bytes)]


def _run(command: list[str], limit_bytes: int, control: RunControl, name: str) -> None:
    """Run the child to its end.

    Raises:
        OSError: If it fails or is over a limit.
    """
    process = subprocess.Popen(
        command,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
        creationflags=getattr(subprocess, "CREATE_NO_WINDOW", 0),
    )
    deadline = time.monotonic() + _LIMIT_S
    try:
        while process.poll() is None:
            control.step(0, 0, f"converting {name}")
            if time.monotonic() > deadline or _resident(process.pid) > limit_bytes:
                raise OSError("over its limit")
            time.sleep(_POLL_S)
        if process.returncode != 0:
            raise OSError("the child failed")
    finally:
        process.kill()
        process.wait()


def _resident(pid: int) -> int:
    """Memory of a process in bytes; 0 for one that has ended."""
    try:
        return int(psutil.Process(pid).memory_info().rss)
    except psutil.Error:
        return 0
