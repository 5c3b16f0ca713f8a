"""Thumbnails that are kept in memory: the latest few thousand."""

from collections import OrderedDict

from PySide6.QtGui import QPixmap

THUMBNAIL_SIDE = 80
"""Pixels; shown at 40 points, so sharp on a screen of twice the density."""
_KEPT = 3000


class ThumbnailStore:
    """Pixmaps by scan, least recently used dropped; about 25 kB each.

    A null one stands for what could not be made.
    """

    def __init__(self) -> None:
        self._pixmaps: OrderedDict[int, QPixmap] = OrderedDict()

    def get(self, scan_id: int) -> QPixmap | None:
        """The thumbnail of a scan, or None while there is none."""
        pixmap = self._pixmaps.get(scan_id)
        if pixmap is not None:
            self._pixmaps.move_to_end(scan_id)
        return pixmap

    def put(self, scan_id: int, pixmap: QPixmap) -> None:
        """Keep a thumbnail."""
        self._pixmaps[scan_id] = pixmap
        self._pixmaps.move_to_end(scan_id)
        while len(self._pixmaps) > _KEPT:
            self._pixmaps.popitem(last=False)

    def forget_missing(self, scan_id: int) -> bool:
        """Forget those that could not be made, if that of a scan is one of them."""
        pixmap = self._pixmaps.get(scan_id)
        if pixmap is None or not pixmap.isNull():
            return False
        for missing in [known for known, kept in self._pixmaps.items() if kept.isNull()]:
            del self._pixmaps[missing]
        return True

    def clear(self) -> None:
        """Forget all."""
        self._pixmaps.clear()
