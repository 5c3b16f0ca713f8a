"""Making very many small values at once, and saving very many decisions."""

import gc
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from typing import Final, TypeVar

from nearl_core.control import RunControl
from nearl_core.portions import portions

T = TypeVar("T")
Write = Callable[[Callable[[], None]], None]
"""Has something done where the project is written."""
TOGETHER: Final = 100
"""Decisions in one transaction: a reader's own waits behind no more than some 70 ms of them."""


def save_in_parts(
    items: Sequence[T],
    save: Callable[[Sequence[T]], None],
    control: RunControl,
    text: str,
    write: Write,
) -> None:
    """Save decisions in small transactions.

    Raises:
        Cancelled: If the control says so; what was saved stays.
        ProjectError: If they can't be saved.
    """
    done = 0
    for part in portions(items, TOGETHER):
        control.step(done, len(items), text)
        write(partial(save, part))
        done += len(part)


@contextmanager
def collecting_later() -> Iterator[None]:
    """Put the garbage collector off.

    It would walk the growing pile of values again and again, for a third of the whole time, and
    find nothing.
    """
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()
