"""Finds threads and child processes that outlive the tests that started them."""

import threading
from dataclasses import dataclass, field

import psutil

GRACE_SECONDS = 5.0


@dataclass
class LeakWatch:
    """Remembers what ran before, and who started what since.

    Attributes:
        threads: Non-daemon threads that were there, or were noted, by thread.
        children: Child processes likewise.
    """

    threads: dict[threading.Thread, str] = field(default_factory=dict)
    children: dict[psutil.Process, str] = field(default_factory=dict)

    def note(self, starter: str) -> None:
        """Write down everything new as started by `starter`; "" for what is not watched."""
        for thread in _threads():
            self.threads.setdefault(thread, starter)
        for child in _children():
            self.children.setdefault(child, starter)

    def leaked(self) -> list[str]:
        """Who left what behind, after a grace in which it may still end."""
        threads = {t: who for t, who in self.threads.items() if who}
        children = {c: who for c, who in self.children.items() if who}
        for thread in threads:
            thread.join(GRACE_SECONDS)
        _, alive = psutil.wait_procs(list(children), timeout=GRACE_SECONDS)
        left = [f"thread {t.name!r} of {who}" for t, who in threads.items() if t.is_alive()]
        return left + [f"process {c.pid} ({_command(c)}) of {children[c]}" for c in alive]


def _threads() -> list[threading.Thread]:
    return [t for t in threading.enumerate() if not t.daemon and t is not threading.main_thread()]


def _children() -> list[psutil.Process]:
    # The resource tracker of multiprocessing belongs to the interpreter and ends with it.
    children = psutil.Process().children()
    return [child for child in children if "resource_tracker" not in _command(child)]


def _command(process: psutil.Process) -> str:
    try:
        return " ".join(process.cmdline())
    except psutil.Error:
        return "ended"
