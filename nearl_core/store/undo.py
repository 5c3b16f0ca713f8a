"""Undo and redo, as a rule over a log that only grows.

Each reader has one line of decisions, across scans and restarts. An undo takes back the last
decision in effect by appending one that restores what stood on that scan before; a redo takes back
the last undo in the same manner; a new decision clears what could be redone. Ids give the order,
never the clock.
"""

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True)
class Step:
    """What the rule needs to know of a decision.

    Attributes:
        repeat: Whether it is a repeat: repeats of a scan never stand, so they restore one another
            and nothing else.
    """

    id: int
    scan_id: int
    undoes: int | None = None
    redoes: int | None = None
    repeat: bool = False


@dataclass(frozen=True)
class Undo:
    """What an undo has to append.

    Attributes:
        scan_id: The scan that it is about.
        undoes: The decision that it takes back.
        restores: The decision whose verdict stands again, or None for unseen.
        repeat: Whether what it takes back is a repeat.
    """

    scan_id: int
    undoes: int
    restores: int | None
    repeat: bool = False


@dataclass(frozen=True)
class Redo:
    """What a redo has to append.

    Attributes:
        scan_id: The scan that it is about.
        redoes: The undo that it takes back.
        restores: The decision whose verdict stands again.
    """

    scan_id: int
    redoes: int
    restores: int


class UndoLine:
    """One reader's line: apply every step in the order of ids, then ask what comes next."""

    def __init__(self, steps: Iterable[Step] = ()) -> None:
        self._done: list[Step] = []
        self._of_scan: dict[tuple[int, bool], list[int]] = {}
        self._undone: list[tuple[int, Step]] = []
        for step in steps:
            self.apply(step)

    def apply(self, step: Step) -> None:
        """Take one committed decision into account."""
        if step.undoes is not None:
            self._take_back(step)
            return
        if step.redoes is None:
            self._undone.clear()
        self._undone = [
            (undo_id, taken) for undo_id, taken in self._undone if undo_id != step.redoes
        ]
        self._done.append(step)
        self._of_scan.setdefault(_track(step), []).append(step.id)

    def _take_back(self, step: Step) -> None:
        """It is not always the last one: where copies were merged, others may have come between."""
        for place in range(len(self._done) - 1, -1, -1):
            taken = self._done[place]
            if taken.id == step.undoes:
                del self._done[place]
                self._of_scan[_track(taken)].remove(taken.id)
                self._undone.append((step.id, taken))
                return

    @property
    def done(self) -> tuple[Step, ...]:
        """What is in effect, in order: a redo in place of what it brought back."""
        return tuple(self._done)

    def next_undo(self) -> Undo | None:
        """What an undo would do now; None when nothing is left."""
        if not self._done:
            return None
        last = self._done[-1]
        before = self._of_scan[_track(last)][:-1]
        return Undo(last.scan_id, last.id, before[-1] if before else None, last.repeat)

    def next_redo(self) -> Redo | None:
        """What a redo would do now; None when nothing is left."""
        if not self._undone:
            return None
        undo_id, taken = self._undone[-1]
        return Redo(taken.scan_id, undo_id, taken.id)


def _track(step: Step) -> tuple[int, bool]:
    return step.scan_id, step.repeat
