"""Decoding processes that one test of the desk hands on to the next.

They are the ones that a desk starts: two of them take longer to start than the rest of most of its
tests, and what they answer does not depend on what they were asked before.
"""

import threading

from nearl_core.scans.child import Child


class HandedOn(Child):
    """A child that goes back to its shelf where others end, as long as nothing is wrong with it."""

    def __init__(self, shelf: "Shelf", memory_limit_bytes: int) -> None:
        super().__init__(memory_limit_bytes)
        self._shelf = shelf

    def close(self, *, kill: bool) -> None:
        """End it only where it can't be handed on."""
        fit = not kill and not self.killed_for and self.alive
        if not self._shelf.take_back(self, fit=fit):
            super().close(kill=kill)

    def renew(self) -> None:
        """Forget who asked it."""
        self.has_answered, self.deadline = False, None


class Shelf:
    """So many children of one memory limit; who asks for more, or for others, gets new ones."""

    def __init__(self, most: int, memory_limit_bytes: int) -> None:
        self._most = most
        self._limit = memory_limit_bytes
        self._lock = threading.Lock()
        self._resting: list[Child] = []
        self._lent: list[Child] = []
        self._open = True

    def fill(self) -> None:
        """Start new ones for those that ended."""
        with self._lock:
            for _ in range(self._most - len(self._resting) - len(self._lent)):
                self._resting.append(HandedOn(self, self._limit))

    def child(self, memory_limit_bytes: int) -> Child:
        """What `Child` makes elsewhere."""
        with self._lock:
            if self._resting and memory_limit_bytes == self._limit:
                self._lent.append(self._resting.pop())
                return self._lent[-1]
        return Child(memory_limit_bytes)

    def take_back(self, child: HandedOn, *, fit: bool) -> bool:
        """Whether it is kept for the next one."""
        with self._lock:
            if child in self._lent:
                self._lent.remove(child)
            kept = fit and self._open
            if kept:
                child.renew()
                self._resting.append(child)
        return kept

    def close(self) -> None:
        """End all that rest; the others end when they come back."""
        with self._lock:
            self._open = False
            resting, self._resting = self._resting, []
        for child in resting:
            child.close(kill=False)
