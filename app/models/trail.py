"""The way back through a queue whose order changes while its scans are decided."""


class Trail:
    """Scans that were on screen, one after another, as they were decided."""

    def __init__(self) -> None:
        self._behind: list[int] = []
        self._ahead: list[int] = []

    def went_on(self, scan_id: int) -> None:
        """A scan was decided, and another one is about to follow."""
        self._behind = [one for one in self._behind if one != scan_id] + [scan_id]
        self._ahead.clear()

    def step(self, rows: int, here: int) -> int | None:
        """The scan before this one (-1), or the one that a way back came from (1)."""
        out, into = (self._behind, self._ahead) if rows < 0 else (self._ahead, self._behind)
        while abs(rows) == 1 and out:
            found = out.pop()
            if found != here:
                into.append(here)
                return found
        self._ahead.clear()  # on through the rows from here
        return None
