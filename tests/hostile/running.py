"""One `render` over hostile files, watched from outside: time, memory, what is left behind."""

import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import psutil

from tests.hostile.making import Trap

ROOT = Path(__file__).resolve().parents[2]


@dataclass
class Watched:
    """What one run did.

    Attributes:
        code: Its exit code.
        answers: The JSON lines.
        longest_s: The longest time between two answers.
        seconds: Of the whole run.
        memory_bytes: The most that the called process itself held.
        children_bytes: The most that one of its children held.
        left: Names of processes that outlived it.
        errors: What it said on stderr.
    """

    code: int = 0
    answers: list[dict[str, object]] = field(default_factory=list)
    longest_s: float = 0.0
    seconds: float = 0.0
    memory_bytes: int = 0
    children_bytes: int = 0
    left: list[str] = field(default_factory=list)
    errors: str = ""


def render(paths: Sequence[Path], to: Path) -> Watched:
    """Render them with one command."""
    watched = Watched()
    command = [sys.executable, "-m", "nearl_core", "render", "--json", "--to", str(to), "--"]
    with subprocess.Popen(
        [os.fsencode(part) for part in (*command, *map(str, paths))],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        cwd=ROOT,
        start_new_session=True,
    ) as process:
        watcher = threading.Thread(target=_watch, args=(process, watched))
        errors = threading.Thread(target=_drain, args=(process, watched))
        watcher.start()
        errors.start()
        _take(process, watched)
        watched.code = process.wait()
        watcher.join()
        errors.join()
    watched.left = _left(process.pid)
    return watched


def faults(traps: Sequence[Trap], watched: Watched, *, limit_s: float = 10.0) -> list[str]:
    """What a user would complain of; [] where all is well."""
    found = []
    if watched.code:
        found.append(f"exit code {watched.code}")
    if watched.errors:
        found.append(f"stderr: {watched.errors[-500:]}")
    if watched.left:
        found.append(f"left behind: {watched.left}")
    if watched.memory_bytes > 6 << 30:
        found.append(f"held {watched.memory_bytes >> 20} MB")
    if watched.longest_s > 2 * limit_s:
        found.append(f"no answer for {watched.longest_s:.1f} s")
    given = [str(trap.path) for trap in traps]
    answered = [str(answer["path"]) for answer in watched.answers]
    if answered != given:
        pairs = enumerate(zip(given, answered, strict=False))
        at = next((k for k, (asked, said) in pairs if asked != said), -1)
        found.append(f"{len(answered)} answers for {len(given)} paths; they part at {at}")
        return found
    for trap, answer in zip(traps, watched.answers, strict=True):
        if trap.opens is not None and trap.opens != answer["ok"]:
            found.append(f"{trap.path.name!r}: {answer}")
        if not answer["ok"] and not answer.get("reason"):
            found.append(f"{trap.path.name!r}: no reason")
    return found


def _take(process: "subprocess.Popen[bytes]", watched: Watched) -> None:
    assert process.stdout is not None
    started = last = time.monotonic()
    for line in process.stdout:
        now = time.monotonic()
        watched.longest_s, last = max(watched.longest_s, now - last), now
        watched.answers.append(json.loads(line))
    watched.seconds = time.monotonic() - started


def _drain(process: "subprocess.Popen[bytes]", watched: Watched) -> None:
    assert process.stderr is not None
    watched.errors = process.stderr.read().decode("utf-8", "replace")


def _watch(process: "subprocess.Popen[bytes]", watched: Watched) -> None:
    parent = psutil.Process(process.pid)
    while process.poll() is None:
        try:
            watched.memory_bytes = max(watched.memory_bytes, parent.memory_info().rss)
            for child in parent.children(recursive=True):
                rss = child.memory_info().rss
                watched.children_bytes = max(watched.children_bytes, rss)
        except psutil.Error:
            pass
        time.sleep(0.05)


def _left(session: int) -> list[str]:
    """Processes of the run's own session."""
    found = []
    for process in psutil.process_iter():
        try:
            if os.getsid(process.pid) == session:
                found.append(f"{process.name()} ({process.status()})")
        except (psutil.Error, ProcessLookupError, PermissionError):
            continue
    return found
