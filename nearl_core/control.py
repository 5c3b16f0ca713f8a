"""RunControl: how long work reports its progress and is asked to stop."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace

from nearl_core.errors import Cancelled


@dataclass(frozen=True)
class Progress:
    """One report of a running job.

    Attributes:
        done: Steps done.
        total: Steps in all, or 0 while it is not known.
        text: What is being done, in a few words; no path, no patient data.
        values: Named figures of this step, such as ("loss", 0.42).
        unit: What the steps are where they have a unit: "bytes".
    """

    done: int
    total: int
    text: str = ""
    values: tuple[tuple[str, float], ...] = ()
    unit: str = ""


def _ignore(progress: Progress) -> None:
    del progress


@dataclass(frozen=True)
class RunControl:
    """Passed into long work, which calls `step` at each step.

    Attributes:
        report: Called with each Progress, in the thread that does the work.
        between: Called at each step; the engine thread serves waiting rankings there.
    """

    report: Callable[[Progress], None] = _ignore
    between: Callable[[], None] = lambda: None
    _cancelled: threading.Event = field(default_factory=threading.Event)

    def cancel(self) -> None:
        """Ask the work to stop at its next step; safe from any thread."""
        self._cancelled.set()

    def renamed(self, text: str) -> "RunControl":
        """A control of a part of the work: its reports carry `text`, cancelling stops both."""
        return replace(self, report=lambda p: self.report(replace(p, text=text)))

    @property
    def cancelled(self) -> bool:
        """Whether the work was asked to stop."""
        return self._cancelled.is_set()

    def check(self) -> None:
        """Raise Cancelled if the work was asked to stop, else let waiting work in."""
        if self._cancelled.is_set():
            raise Cancelled
        self.between()

    def step(
        self,
        done: int,
        total: int,
        text: str = "",
        values: tuple[tuple[str, float], ...] = (),
        *,
        unit: str = "",
    ) -> None:
        """Report one step, then check for cancellation."""
        self.report(Progress(done, total, text, values, unit))
        self.check()


@dataclass
class Pace:
    """How much to do at once, so that waiting work never waits much longer than `seconds`.

    Attributes:
        size: What to do at once next.
        most: Never more than this.
        seconds: What one go should take.
    """

    size: int
    most: int
    seconds: float = 0.2

    @contextmanager
    def go(self) -> Iterator[None]:
        """Measure one go of `size`, and choose the next size by it."""
        started = time.monotonic()
        yield
        used = time.monotonic() - started
        if used > self.seconds:
            self.size = max(1, self.size // 2)
        elif used < self.seconds / 3:
            self.size = min(self.most, self.size * 2)
