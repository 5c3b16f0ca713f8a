"""The guarded child processes of one reader: lent to one request each, watched, replaced."""

import contextlib
import math
import threading
import time
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from nearl_core.errors import ScanError
from nearl_core.scans.child import Child, ChildDiedError
from nearl_core.scans.wire import REMEDY, Json

Array = NDArray[np.generic]

_WATCH_S = 0.05
"""How often the watch looks at children that are at work."""

_MAX_DEATHS_AT_START = 3


class Children:
    """Children that are started when they are needed; any thread may ask, and borrows one.

    Args:
        most: How many there are at the same time.
        time_limit_s: For each request.
        memory_limit_bytes: For each child.
    """

    def __init__(self, most: int, *, time_limit_s: float, memory_limit_bytes: int) -> None:
        self._most = most
        self._time_limit_s = time_limit_s
        self._memory_limit_bytes = memory_limit_bytes
        lock = threading.RLock()
        self._changed = threading.Condition(lock)
        self._at_work = threading.Condition(lock)
        self._idle: list[Child] = []
        self._busy: set[Child] = set()
        self._starting = 0
        self._watch: threading.Thread | None = None
        self._closed = False

    def ask(self, request: Json) -> tuple[Json, Sequence[Array]]:
        """One request and its answer.

        Raises:
            ScanError: If a child answers with a reason, dies of the request, or all were closed.
        """
        child = self._borrow()
        spoilt = child.has_answered
        try:
            return self._answer(child, request)
        except ChildDiedError:
            if not spoilt or child.killed_for or self._closed:
                raise self._reason(child) from None
        # A decoder can write where it should not, and the child dies of the file after the one
        # that made it: this file is asked for once more, since it may have done nothing.
        child = self._borrow()
        try:
            return self._answer(child, request)
        except ChildDiedError:
            raise self._reason(child) from None

    def _answer(self, child: Child, request: Json) -> tuple[Json, Sequence[Array]]:
        """One child's answer; it is given back, or replaced where it died.

        Raises:
            ChildDiedError: If it died.
            ScanError: If it answers with a reason.
        """
        try:
            answer = child.ask(request, time_limit_s=self._time_limit_s)
        except ChildDiedError:
            self._replace(child)
            raise
        except ScanError:
            self._give_back(child)
            raise
        except BaseException:
            # The call was interrupted: its answer may still come, so the child is of no use.
            self._replace(child)
            raise
        self._give_back(child)
        return answer

    def close(self) -> None:
        """End all children and wait for them; calls that are waiting get a ScanError."""
        with self._changed:
            self._closed = True
            idle, self._idle = self._idle, []
            self._changed.notify_all()
            self._at_work.notify_all()
            watch = self._watch
        for child in idle:
            child.close(kill=False)
        if watch is not None:
            watch.join()
        with self._changed:
            self._changed.wait_for(lambda: not self._busy and not self._starting)

    def _reason(self, child: Child) -> ScanError:
        if self._closed:
            return ScanError("Reading was stopped.")
        if child.killed_for == "time":
            limit = f"{self._time_limit_s:g} s"
            return ScanError(f"Reading took longer than the limit of {limit}.", REMEDY)
        if child.killed_for == "memory":
            limit = f"{self._memory_limit_bytes / (1 << 30):.3g} GB"
            return ScanError(f"Reading needs more memory than the limit of {limit}.", REMEDY)
        return ScanError("The decoder failed on this file.", REMEDY)

    def _borrow(self) -> Child:
        for _ in range(_MAX_DEATHS_AT_START):
            child = self._idle_or_new()
            try:
                child.wait_ready()
            except (ChildDiedError, OSError):
                self._drop(child)
            else:
                if child.alive:
                    return child
                self._drop(child)
        raise ScanError(
            "The process that reads scans does not start.", "Install the application anew."
        )

    def _idle_or_new(self) -> Child:
        with self._changed:
            self._changed.wait_for(lambda: self._closed or self._idle or self._count() < self._most)
            if self._closed:
                raise ScanError("Reading was stopped.")
            if self._idle:
                # The one used last is the warmest.
                child = self._idle.pop()
                self._busy.add(child)
                self._at_work.notify_all()
                return child
            self._starting += 1
        fresh: Child | None = None
        try:
            fresh = Child(self._memory_limit_bytes)
        except OSError as error:
            raise ScanError("The process that reads scans does not start.") from error
        finally:
            with self._changed:
                self._starting -= 1
                if fresh is not None:
                    self._busy.add(fresh)
                    # Also after `close`, whose watch may have gone: this one ends at once.
                    self._keep_watch()
                    self._at_work.notify_all()
                self._changed.notify_all()
        return fresh

    def _count(self) -> int:
        return len(self._idle) + len(self._busy) + self._starting

    def _give_back(self, child: Child) -> None:
        with self._changed:
            self._busy.discard(child)
            closed = self._closed
            if not closed:
                self._idle.append(child)
            self._changed.notify_all()
        if closed:
            child.close(kill=True)

    def _drop(self, child: Child) -> None:
        child.close(kill=True)
        with self._changed:
            self._busy.discard(child)
            self._changed.notify_all()

    def _replace(self, child: Child) -> None:
        """Drop a child, and start its successor before anyone waits for it."""
        self._drop(child)
        with self._changed:
            if self._closed or self._count() >= self._most:
                return
            self._starting += 1
        fresh = None
        try:
            with contextlib.suppress(OSError):
                fresh = Child(self._memory_limit_bytes)
        finally:
            with self._changed:
                self._starting -= 1
                if fresh is not None and not self._closed:
                    # The first in the list is taken last: it has still to import its readers.
                    self._idle.insert(0, fresh)
                    fresh = None
                self._changed.notify_all()
        if fresh is not None:
            fresh.close(kill=True)

    def _keep_watch(self) -> None:
        """Start the watch; called with the lock held."""
        if self._watch is None or not self._watch.is_alive():
            self._watch = threading.Thread(target=self._watching, name="scan-guard", daemon=True)
            self._watch.start()

    def _watching(self) -> None:
        while True:
            with self._changed:
                # Sleeps for good while nothing is at work.
                self._at_work.wait_for(lambda: self._closed or self._busy)
                if self._closed and not self._busy:
                    return
                now = time.monotonic()
                for child in self._busy:
                    child.check(math.inf if self._closed else now)
            time.sleep(_WATCH_S)
