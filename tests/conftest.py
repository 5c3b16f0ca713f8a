"""What every test stands on: no network, no display, an own home, nothing left behind."""

import atexit
import os
import shutil
import signal
import tempfile
from collections.abc import Iterator
from pathlib import Path

import hypothesis
import pytest

from nearl_core.scans import pool
from nearl_core.settings import Settings
from tests.support import network
from tests.support.leaks import LeakWatch
from tests.support.order import LONG
from tests.support.scans import write_folder
from tests.support.shelf import Shelf

hypothesis.settings.register_profile("work", deadline=None)
hypothesis.settings.register_profile("ci", deadline=None, derandomize=True, print_blob=True)
hypothesis.settings.load_profile("ci" if os.environ.get("CI") else "work")

# Before anything imports torch or the hub or opens Qt, which read these once.
os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
# Two processes of several threads each would wait for one another on two processors.
_threads = 1 if "PYTEST_XDIST_WORKER" in os.environ else min(4, os.cpu_count() or 1)
os.environ.setdefault("OMP_NUM_THREADS", str(_threads))
os.environ["HF_HUB_OFFLINE"] = "1"
# For what stands longer than one test; each test gets its own on top.
_session_home = tempfile.mkdtemp(prefix="nearl-tests-")
atexit.register(shutil.rmtree, _session_home, ignore_errors=True)
os.environ["NEARL_HOME"] = _session_home

network.refuse_internet()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put the longest files of the later folders first."""
    items.sort(key=lambda item: item.nodeid.split("::")[0] not in LONG)


@pytest.fixture(scope="module", autouse=True)
def module_leaks() -> Iterator[LeakWatch]:
    """Fails the module that leaves threads or child processes behind, and names their test.

    A whole module and not each test, so that a module may share one engine or scan reader.
    """
    watch = LeakWatch()
    watch.note("")
    yield watch
    left = watch.leaked()
    assert not left, "left running: " + "; ".join(left)


@pytest.fixture(autouse=True)
def _starter_of_leaks(request: pytest.FixtureRequest, module_leaks: LeakWatch) -> Iterator[None]:
    yield
    module_leaks.note(request.node.name)


@pytest.fixture(autouse=True)
def _no_network() -> Iterator[None]:
    network.take_attempts()
    yield
    attempts = network.take_attempts()
    assert not attempts, f"the network was reached for, and the refusal swallowed: {attempts}"


@pytest.fixture(autouse=True)
def nearl_home(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of settings and logs, empty and this test's own."""
    home = tmp_path_factory.mktemp("home")
    monkeypatch.setenv("NEARL_HOME", str(home))
    return home


@pytest.fixture(scope="session")
def _shelf() -> Iterator[Shelf]:
    usual = Settings()
    shelf = Shelf(usual.workers, usual.memory_limit_mb << 20)
    yield shelf
    shelf.close()


@pytest.fixture
def children_handed_on(
    _shelf: Shelf, module_leaks: LeakWatch, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Scan readers with the usual limits borrow their processes, which outlive this test."""
    _shelf.fill()
    module_leaks.note("")
    monkeypatch.setattr(pool, "Child", _shelf.child)


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The real images and reference files beside the repository; skips where they are not."""
    beside = Path(__file__).resolve().parent.parent.parent / "shared" / "data"
    folder = Path(os.environ.get("NEARL_SHARED_DATA", beside))
    if not folder.is_dir():
        pytest.skip(f"needs the data at {folder} (NEARL_SHARED_DATA names another place)")
    return folder


@pytest.fixture
def scan_folder(tmp_path: Path) -> Path:
    """A folder of tiny scans: disc-0..3.png, stripes-0..3.png, ct.dcm of the patient P1."""
    return write_folder(tmp_path / "scans")


@pytest.fixture
def interruptible() -> Iterator[None]:
    """Children that heed an interrupt, even where a shell started the tests in the background."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)
