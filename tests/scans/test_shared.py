"""Arrays cross between a guard and its child whole, whatever their size."""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import pytest

from nearl_core.scans import shared
from nearl_core.scans.shared import FileExchange, argument_of, exchange_of, new_exchange
from nearl_core.scans.wire import DamagedAnswerError, specs_of

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="descriptors are POSIX's")


@contextmanager
def both_sides() -> Iterator[tuple[FileExchange, FileExchange]]:
    """The guard's side, and the child's as if the descriptors were inherited."""
    guard = new_exchange("test")
    assert isinstance(guard, FileExchange)
    copies = [os.dup(int(part)) for part in argument_of(guard).split(",")]
    child = exchange_of(",".join(map(str, copies)))
    assert isinstance(child, FileExchange)
    try:
        yield guard, child
    finally:
        child.close()
        guard.close()


@pytest.mark.parametrize("kept", [1 << 12, shared.KEPT_BYTES])
def test_arrays_come_out_as_they_were_put_in(monkeypatch: pytest.MonkeyPatch, kept: int) -> None:
    monkeypatch.setattr(shared, "KEPT_BYTES", kept)
    rng = np.random.default_rng(0)
    with both_sides() as (guard, child):
        for side in (3, 200, 5, 40):
            image = rng.integers(0, 60_000, (side, side), dtype=np.uint16)
            # Neither contiguous nor of one kind: as readers leave them.
            arrays = [image.T[::-1], image > 9, image.astype(np.float64), np.empty((0, 4), "i2")]
            specs = specs_of(arrays)
            child.write(arrays, specs)
            found = guard.read(specs)
            assert all(map(np.array_equal, found, arrays))
            assert [a.dtype for a in found] == [a.dtype for a in arrays]


def test_what_was_read_does_not_change_with_the_next_answer() -> None:
    first, second = np.zeros((9, 9), np.uint8), np.ones((9, 9), np.uint8)
    with both_sides() as (guard, child):
        child.write([first], specs_of([first]))
        found = guard.read(specs_of([first]))
        child.write([second], specs_of([second]))
        assert np.array_equal(found[0], first)


@pytest.mark.skipif(sys.platform != "linux", reason="seals are Linux's")
def test_no_child_can_cut_the_mapping_short() -> None:
    with both_sides() as (guard, child):
        for descriptor in child.descriptors[1:]:
            with pytest.raises(PermissionError):
                os.ftruncate(descriptor, 10)
        assert len(guard.descriptors) == 2


def test_large_answer_that_is_cut_short(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shared, "KEPT_BYTES", 100)
    image = np.ones((40, 40), np.uint8)
    with both_sides() as (guard, child):
        child.write([image], specs_of([image]))
        os.ftruncate(child.descriptors[0], 10)
        with pytest.raises(DamagedAnswerError):
            guard.read(specs_of([image]))
