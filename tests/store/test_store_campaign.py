"""A short run of the fault campaign; `python -m tests.store.campaign` is the whole of it."""

import subprocess
import sys

import pytest

from tests.store import small_disk
from tests.support import failing_disk


@pytest.mark.skipif(not failing_disk.available(), reason="needs Linux and a C compiler")
def test_nothing_acknowledged_is_lost_whatever_fails() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "tests.store.campaign", "--kills", "3", "--every", "60"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    last = done.stdout.splitlines()[-1]
    assert int(last.split()[0]) > 70, last
    assert last.endswith("0 decisions lost, 0 bugs"), last


@pytest.mark.skipif(not small_disk.available(), reason="needs a file system of its own")
def test_nothing_acknowledged_is_lost_on_a_disk_that_is_really_full() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "tests.store.small_disk", "--step", "131072"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    last = done.stdout.splitlines()[-1]
    assert int(last.split()[0]) > 25, last
    assert last.endswith("0 decisions lost, 0 bugs"), last
