"""How many views pass at once: as many as let other work in soon enough."""

from dataclasses import dataclass, field

SECONDS = 0.2
"""What the way back of a micro-batch, about twice its way there, should take at most."""
FIRST = {"cpu": 2, "mps": 2}
"""Views of the first one; on other devices 16."""
_FEWER_PAY = 0.75
"""Half the views take this part of the time at most where it is the views that take it."""


@dataclass
class MicroBatch:
    """The size of the next micro-batches.

    A card that waits for its next small step takes as long for few views as for many; there fewer
    at once would only make it wait more often.

    Attributes:
        size: Views.
        most: Never more than this.
        may_wait: Whether views may not be what takes the time.
    """

    size: int
    most: int
    may_wait: bool
    _took: dict[int, float] = field(default_factory=dict)

    @classmethod
    def on(cls, device: str, most: int) -> "MicroBatch":
        """To begin with on a type of device."""
        return cls(min(FIRST.get(device, 16), most), most, may_wait=device != "cpu")

    def took(self, seconds: float) -> None:
        """The longest way there since the last time; chooses the next size."""
        self._took[self.size] = seconds
        if seconds < SECONDS / 8:
            self.size = min(self.most, 2 * self.size)
        elif seconds > SECONDS / 3:
            self.size = self._when_long(seconds)

    def _when_long(self, seconds: float) -> int:
        size, larger = self.size, min(self.most, 2 * self.size)
        half, double = self._took.get(size // 2), self._took.get(2 * size)
        if self.may_wait and double is not None and seconds > _FEWER_PAY * double:
            return larger
        if self.may_wait and half is not None and half > _FEWER_PAY * seconds:
            return larger if double is None else size
        return max(1, size // 2)

    def halve(self) -> bool:
        """Take half of the views from now on, for want of memory; False if there is one alone."""
        if self.size == 1:
            return False
        self.size = self.most = self.size // 2
        return True
