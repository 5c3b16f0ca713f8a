"""Many things taken portion by portion."""

from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from typing import TypeVar

T = TypeVar("T")


def portions(items: Sequence[T], size: int) -> Iterator[Sequence[T]]:
    """So many at a time, in their order; the last portion holds what is left."""
    return (items[start : start + size] for start in range(0, len(items), size))


def growing(items: Iterable[T], first: int, most: int) -> Iterator[list[T]]:
    """Portions that double up to the largest, as they come: the first ones are there at once."""
    source, size = iter(items), first
    while portion := list(islice(source, size)):
        yield portion
        size = min(2 * size, most)
