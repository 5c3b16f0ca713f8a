"""PyTorch's libraries are loaded while other threads go on."""

import subprocess
import sys

import pytest

SCRIPT = """
import sys, threading
from nearl_core import torch_libraries

turns, loaded = 0, threading.Event()

def count():
    global turns
    while not loaded.wait(0.001):
        turns += 1

other = threading.Thread(target=count)
other.start()
torch_libraries.load()
loaded.set()
other.join()
maps = open("/proc/self/maps").read()
print(turns, "torch" in sys.modules, "libtorch_cpu" in maps, "libtorch_python" in maps)
import torch
print(float(torch.ones(2).sum()))
"""


@pytest.mark.skipif(sys.platform != "linux", reason="looks into /proc")
def test_other_threads_go_on_while_the_libraries_load() -> None:
    ended = subprocess.run(
        [sys.executable, "-c", SCRIPT], capture_output=True, text=True, check=True, timeout=120
    )
    first, total = ended.stdout.splitlines()
    turns, *there = first.split()
    assert there == ["False", "True", "True"]
    assert int(turns) > 3  # with the interpreter's lock held it would be one at most
    assert total == "2.0"
