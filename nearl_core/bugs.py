"""What is kept of a bug: where in the code it happened, and nothing of what was worked on.

Messages of exceptions can hold paths, names and values of patients, so they are left out.
"""

import platform
import sys
import traceback
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path
from typing import Final

from nearl_core.settings import settings_folder

_MAX_LOG_BYTES: Final = 1 << 20


def version() -> str:
    """Which NEARL Desk this is."""
    try:
        return metadata.version("nearl-desk")
    except metadata.PackageNotFoundError:
        return "(source)"


def report(error: BaseException) -> str:
    """A report that can be passed on: kinds of errors, modules, lines; no message, no path."""
    lines = [
        f"NEARL Desk {version()}, Python {platform.python_version()}, "
        f"{platform.system()} {platform.machine()}",
    ]
    seen: set[int] = set()
    current: BaseException | None = error
    while current is not None and id(current) not in seen:
        seen.add(id(current))
        lines.append(_kind(current))
        lines += [f"  {_step(frame)}" for frame in traceback.extract_tb(current.__traceback__)]
        current = current.__cause__ or current.__context__
    return "\n".join(lines)


def place(error: BaseException) -> str:
    """In a line: the kind of error, and where it was raised."""
    steps = traceback.extract_tb(error.__traceback__)
    return f"{_kind(error)} at {_step(steps[-1])}" if steps else _kind(error)


def log(error: BaseException) -> Path | None:
    """Append a report to the log; returns its file, or None where none can be written."""
    path = settings_folder() / "bugs.log"
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        if path.exists() and path.stat().st_size > _MAX_LOG_BYTES:
            path.replace(path.with_name("bugs.old.log"))
        with path.open("a", encoding="utf-8") as file:
            file.write(f"--- {datetime.now(UTC).isoformat(timespec='seconds')}\n{report(error)}\n")
    except OSError:
        return None
    return path


def _kind(error: BaseException) -> str:
    return f"{type(error).__module__}.{type(error).__qualname__}"


def _step(frame: traceback.FrameSummary) -> str:
    return f"{_module(frame.filename)}:{frame.lineno} {frame.name}"


def _module(filename: str) -> str:
    """The file below the folder that it was imported from, which says nothing of the machine."""
    path = Path(filename)
    roots = [Path(__file__).parent.parent, *(Path(entry) for entry in sys.path if entry)]
    for root in sorted(roots, key=lambda root: -len(root.parts)):
        if path.is_relative_to(root):
            return path.relative_to(root).as_posix()
    return path.name
