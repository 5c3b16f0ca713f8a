"""The net under the tests holds: it refuses the network and finds what is left running."""

import asyncio
import socket
import subprocess
import sys
import threading
from pathlib import Path

import psutil
import pydicom
import pytest

from nearl_core.scans import pool
from nearl_core.scans.guard import ScanReader
from tests.support import leaks, network
from tests.support.leaks import LeakWatch
from tests.support.order import LONG
from tests.support.shelf import Shelf


def test_an_internet_socket_is_refused() -> None:
    with pytest.raises(network.NetworkRefusedError):
        socket.create_connection(("192.0.2.1", 80), timeout=1)
    with pytest.raises(network.NetworkRefusedError):
        socket.getaddrinfo("example.org", 443)
    assert len(network.take_attempts()) >= 2


def test_a_swallowed_refusal_is_still_known() -> None:
    with pytest.raises(network.NetworkRefusedError):
        socket.socket(socket.AF_INET6)
    assert any("socket" in attempt for attempt in network.take_attempts())


def test_an_event_loop_still_runs() -> None:
    async def answer() -> int:
        return await asyncio.get_running_loop().run_in_executor(None, lambda: 42)

    assert asyncio.run(answer()) == 42


def test_a_thread_left_running_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(leaks, "GRACE_SECONDS", 0.01)
    watch = LeakWatch()
    watch.note("")
    end = threading.Event()
    thread = threading.Thread(target=end.wait, name="forgotten")
    thread.start()
    watch.note("test_x")
    try:
        assert watch.leaked() == ["thread 'forgotten' of test_x"]
    finally:
        end.set()
        thread.join()
    assert watch.leaked() == []


def test_a_child_process_left_running_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(leaks, "GRACE_SECONDS", 0.01)
    watch = LeakWatch()
    watch.note("")
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as child:
        watch.note("test_y")
        (left,) = watch.leaked()
        assert left.startswith(f"process {child.pid} ")
        assert left.endswith(" of test_y")
    assert watch.leaked() == []


def test_a_decoding_process_is_handed_on_unless_it_ended(
    scan_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def children() -> set[psutil.Process]:
        return set(psutil.Process().children()) - before

    def read(limit: int) -> None:
        with ScanReader(workers=1, memory_limit_bytes=limit) as reader:
            assert reader.info(scan_folder / "ct.dcm")[0].rows == 32

    before = set(psutil.Process().children())
    shelf = Shelf(1, 2 << 30)
    monkeypatch.setattr(pool, "Child", shelf.child)
    shelf.fill()
    (first,) = children()
    for limit in (2 << 30, 2 << 30, 1 << 30):
        read(limit)
        assert children() == {first}
    first.kill()
    first.wait()
    read(2 << 30)
    assert children() == set()
    shelf.fill()
    assert len(children()) == 1
    shelf.close()
    assert children() == set()


def test_the_files_that_begin_first_are_there() -> None:
    root = Path(__file__).resolve().parents[1]
    assert all((root / name).is_file() for name in LONG)


def test_the_made_up_folder_holds_what_it_says(scan_folder: Path) -> None:
    names = sorted(path.name for path in scan_folder.iterdir())
    assert names == ["ct.dcm"] + [f"{kind}-{n}.png" for kind in ("disc", "stripes") for n in "0123"]
    dataset = pydicom.dcmread(scan_folder / "ct.dcm")
    assert (dataset.PatientID, dataset.pixel_array.shape) == ("P1", (32, 32))
