"""Scans divided among readers."""

from uuid import uuid4

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as some

from nearl_core.dividing import part_of
from nearl_core.errors import UsageError
from nearl_core.types import Division

NAMES = some.lists(some.sampled_from("abcdefgh"), min_size=2, max_size=6, unique=True)
HASHES = some.lists(some.binary(min_size=1, max_size=32), max_size=30)


def _parts(division: Division, patients: list[bytes]) -> np.ndarray:
    parts = [part_of(reader, division) for reader in division.readers]
    return np.array([part.holds(patients) for part in parts if part is not None])


@given(names=NAMES, shared=some.floats(0, 1), patients=HASHES)
def test_each_scan_falls_to_one_reader_or_to_all(
    names: list[str], shared: float, patients: list[bytes]
) -> None:
    held = _parts(Division(tuple(names), shared), patients).sum(0)
    assert set(held.tolist()) <= {1, len(names)}


@given(names=NAMES, patients=HASHES, more=HASHES)
def test_scans_that_are_added_move_no_others(
    names: list[str], patients: list[bytes], more: list[bytes]
) -> None:
    division = Division(tuple(names))
    longer = _parts(division, patients + more)
    assert (longer[:, : len(patients)] == _parts(division, patients)).all()


def test_parts_are_about_even_and_share_what_was_asked() -> None:
    patients = [uuid4().hex.encode() for _ in range(6000)]
    held = _parts(Division(("ada", "bo", "cy"), 0.2), patients)
    assert held.all(0).mean() == pytest.approx(0.2, abs=0.03)
    assert held.mean(1) == pytest.approx(0.2 + 0.8 / 3, abs=0.03)


def test_who_is_not_named_reads_all() -> None:
    division = Division(("ada", "bo"))
    assert part_of("cy", division) is None
    assert part_of("Ada ", division) == part_of("ada", division) is not None
    assert part_of("ada", Division(("ada",))) is None


@pytest.mark.parametrize(("readers", "shared"), [(("a", "A"), 0.1), (("a", " "), 0.1), ((), 1.5)])
def test_what_is_no_division_is_refused(readers: tuple[str, ...], shared: float) -> None:
    with pytest.raises(UsageError):
        Division(readers, shared)
