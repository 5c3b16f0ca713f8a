"""Python's cyclic garbage collection, kept in the GUI thread.

Left to itself it runs in whichever thread happens to allocate the next object. Cycles that hold Qt
objects (a closed dialog, say) are then destroyed in a worker thread, which ends the process.
"""

import gc

from PySide6.QtCore import QObject, QTimer

_EVERY_MS = 200


class Collecting(QObject):
    """Collects from a timer of the GUI thread while it is open; nobody else does meanwhile."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        gc.disable()
        self._settled = False
        self._timer = QTimer(self)
        self._timer.setInterval(_EVERY_MS)
        self._timer.timeout.connect(self._collect_due)
        self._timer.start()

    def settle(self) -> None:
        """Leave out what is there by now, such as torch's modules, from every later search.

        Without it a search of everything takes the window some 100 ms, again and again; until then
        there is none.
        """
        gc.freeze()
        self._settled = True

    def close(self) -> None:
        """Collect what is left and hand back; once the workers have ended."""
        self._timer.stop()
        if self._settled:
            gc.unfreeze()
        gc.collect()
        gc.enable()

    def _collect_due(self) -> None:
        """Collect the oldest generation that is due, by CPython's own thresholds."""
        pairs = zip(gc.get_count(), gc.get_threshold(), strict=True)
        due = [generation for generation, (count, most) in enumerate(pairs) if count > most]
        if due:
            gc.collect(min(due[-1], 2 if self._settled else 1))
