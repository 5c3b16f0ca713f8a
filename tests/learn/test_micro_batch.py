"""How many views pass at once: soon enough for others, and no fewer than that takes."""

from collections.abc import Callable

import pytest

from nearl_core.learn.micro_batch import MicroBatch

MOST = 32


def sizes(device: str, takes: Callable[[int], float], steps: int = 12) -> list[int]:
    """What is chosen on a device on which so many views take so long."""
    micro, found = MicroBatch.on(device, MOST), list[int]()
    for _ in range(steps):
        found.append(micro.size)
        micro.took(takes(micro.size))
    return found


@pytest.mark.parametrize("device", ["cpu", "cuda", "mps"])
@pytest.mark.parametrize(("each", "wanted"), [(0.0001, 32), (0.004, 8), (0.04, 1), (1.0, 1)])
def test_where_views_take_the_time_as_many_pass_as_are_soon_enough(
    device: str, each: float, wanted: int
) -> None:
    assert set(sizes(device, lambda views: each * views)[-6:]) <= {wanted, 2 * wanted}


def test_where_a_card_waits_for_its_next_step_all_pass_at_once() -> None:
    found = sizes("cuda", lambda views: 0.1 + 0.0005 * views)
    assert found[:3] == [16, 8, 16]
    assert set(found[3:]) == {MOST}


def test_the_largest_size_that_costs_no_more_is_kept() -> None:
    found = sizes("cuda", lambda views: max(0.1, 0.0125 * views), steps=20)
    assert set(found[-5:]) == {8}


def test_a_cpu_never_makes_others_wait_longer_for_a_gain() -> None:
    assert sizes("cpu", lambda views: 0.1 + 0.001 * views)[-1] == 1


def test_want_of_memory_halves_for_good() -> None:
    micro = MicroBatch.on("cuda", MOST)
    assert micro.halve()
    for _ in range(5):
        micro.took(0.001)
    assert micro.size == 8
    assert micro.halve()
    assert micro.halve()
    assert micro.halve()
    assert not micro.halve()
    assert micro.size == 1
