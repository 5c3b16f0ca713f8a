"""Whatever is in a folder, each path has its answer, and nothing hangs, dies or stays behind."""

import sys
from pathlib import Path

import pytest

from tests.hostile.everything import write_traps
from tests.hostile.running import faults, render

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="the traps are POSIX's")


@pytest.mark.filterwarnings("ignore")
def test_each_hostile_path_has_its_answer(tmp_path: Path) -> None:
    """A selection; `python -m tests.hostile` renders all of them."""
    traps = write_traps(tmp_path / "in", quick=True)
    watched = render([trap.path for trap in traps], tmp_path / "out")
    assert not faults(traps, watched)
    assert len(traps) > 150
    # Pictures are made in the children: what hostile files weigh never reaches the caller.
    assert watched.memory_bytes < 200 << 20
