"""The guard answers for every file, whatever its child processes go through."""

import gc
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import psutil
import pytest

from nearl_core.errors import ScanError
from nearl_core.scans import child, decode
from nearl_core.scans.guard import ScanReader
from nearl_core.scans.wire import DamagedAnswerError, unpack_specs
from nearl_core.types import VoiLut
from tests.dicom.making import dicom, item, noise, ramp
from tests.support.scans import disc, write_png


@pytest.fixture(scope="module")
def reader() -> Iterator[ScanReader]:
    with ScanReader() as shared:
        yield shared


def worker(monkeypatch: pytest.MonkeyPatch, serve: str, *, times: int = 1_000) -> None:
    """Replace the product's child by one that misbehaves, the first `times` times."""
    code = (
        "import json, os, struct, sys, time\n"
        "from nearl_core.scans.worker import READY\n"
        "out = sys.stdout.buffer\n"
        "out.write(READY); out.flush()\n"
        "prefix = sys.stdin.buffer.read(4)\n"
        "if len(prefix) == 4: sys.stdin.buffer.read(struct.unpack('<I', prefix)[0])\n"
        "def say(text): out.write(struct.pack('<I', len(text)) + text); out.flush()\n"
        f"{serve}\n"
    )
    real = child.worker_command
    started: list[int] = []

    def command(argument: str, limit: int) -> list[str]:
        started.append(1)
        if len(started) > times:
            return real(argument, limit)
        root = str(Path(child.__file__).parents[2])
        return [sys.executable, "-c", f"import sys; sys.path.insert(0, {root!r})\n{code}", argument]

    monkeypatch.setattr(child, "worker_command", command)


def alive_children() -> list[psutil.Process]:
    found = psutil.Process().children()
    return [p for p in found if "nearl_core.scans" in " ".join(p.cmdline())]


# --- what comes through ----------------------------------------------------------------------


def test_frames_come_through_unchanged(reader: ScanReader, tmp_path: Path) -> None:
    table = item(LUTDescriptor=[3, 0, 16], LUTData=np.array([1, 2, 3], "<u2").tobytes())
    table["LUTData"].VR = "OW"
    path = dicom(
        tmp_path / "a",
        noise((2, 9, 8), "u2", below=90),
        PixelPaddingValue=7,
        WindowCenter=["1", "2"],
        WindowWidth=["3", "4"],
        VOILUTSequence=[table],
        PhotometricInterpretation="MONOCHROME1",
        PixelSpacing=["1", "2"],
        CineRate=5,
    )
    found, info = reader.frame(path, 1)
    bare, bare_info = decode.frame(path, 1)
    assert np.array_equal(found.values, bare.values)
    assert found.padding is not None
    assert bare.padding is not None
    assert np.array_equal(found.padding, bare.padding)
    assert found.windows[:2] == bare.windows[:2]
    assert isinstance(found.windows[2], VoiLut)
    assert found.windows[2].entries.tolist() == [1, 2, 3]
    assert found.inverted
    assert info == bare_info
    assert reader.info(path) == decode.info(path)
    assert np.array_equal(reader.stored(path), decode.stored(path))


def test_frames_can_be_written_to_and_outlive_the_reader(tmp_path: Path) -> None:
    path = write_png(tmp_path / "a.png", disc())
    with ScanReader(workers=1) as own:
        first = own.frame(path)[0].values
        own.frame(write_png(tmp_path / "b.png", 255 - disc()))
    assert np.array_equal(first, disc())


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such names")
def test_any_name(reader: ScanReader, tmp_path: Path) -> None:
    path = tmp_path / os.fsdecode(b"\xff\xfe\n'\".png")
    write_png(tmp_path / "a.png", disc()).rename(path)
    assert np.array_equal(reader.frame(path)[0].values, disc())


def test_relative_paths_follow_the_caller(
    reader: ScanReader, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_png(tmp_path / "a.png", disc())
    monkeypatch.chdir(tmp_path)
    assert reader.info(Path("a.png"))[0].rows == 32


def test_many_threads_at_once(tmp_path: Path) -> None:
    pictures = [write_png(tmp_path / f"{index}.png", disc(seed=index)) for index in range(24)]
    before = set(alive_children())
    with ScanReader(workers=2) as own:
        answers = list(own.each(pictures, own.frame))
        assert len(set(alive_children()) - before) <= 2
    assert [path for path, _ in answers] == pictures
    for index, (_, answer) in enumerate(answers):
        assert not isinstance(answer, ScanError)
        assert np.array_equal(answer[0].values, disc(seed=index))


def test_each_answers_errors_in_place(reader: ScanReader, tmp_path: Path) -> None:
    good, bad = write_png(tmp_path / "a.png", disc()), tmp_path / "b.png"
    answers = dict(reader.each([bad, good, bad], reader.info))
    assert isinstance(answers[bad], ScanError)
    assert not isinstance(answers[good], ScanError)


# --- faults ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("content", "reason"),
    [(b"", "empty"), (b"no scan at all", "no scan"), (b"\x89PNG\r\n\x1a\nrest", "damaged")],
)
def test_reasons_hold_no_path(
    reader: ScanReader, tmp_path: Path, content: bytes, reason: str
) -> None:
    path = tmp_path / "Doe^Jane.png"
    path.write_bytes(content)
    with pytest.raises(ScanError, match=reason) as caught:
        reader.frame(path)
    assert "Doe" not in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no named pipes in folders")
def test_named_pipe_is_not_waited_for(reader: ScanReader, tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(ScanError, match="regular"):
        reader.frame(tmp_path / "pipe")


def test_deep_nesting(reader: ScanReader, tmp_path: Path) -> None:
    whole = dicom(tmp_path / "a", ramp()).read_bytes()
    at = whole.index(b"\x08\x00\x60\x00CS")
    sequence = b"\x08\x00\x40\x11SQ\0\0\xff\xff\xff\xff\xfe\xff\x00\xe0\xff\xff\xff\xff"
    (tmp_path / "b").write_bytes(whole[:at] + sequence * 20_000)
    with pytest.raises(ScanError):
        reader.frame(tmp_path / "b")


def test_many_files_are_asked_for_at_once_and_each_has_its_answer(tmp_path: Path) -> None:
    paths = [tmp_path / f"{number}.png" for number in range(5)]
    for path in paths:
        write_png(path, disc())
    paths[2].write_bytes(b"nothing")
    with ScanReader(workers=1) as reader:
        said = reader.infos(paths)
        assert isinstance(said[2], ScanError)
        assert [x[0].rows for x in said if not isinstance(x, ScanError)] == [32] * 4


def test_time_limit_costs_one_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write_png(tmp_path / "a.png", disc())
    worker(monkeypatch, "time.sleep(600)", times=1)
    with ScanReader(workers=1, time_limit_s=0.3) as own:
        started = time.monotonic()
        with pytest.raises(ScanError, match=r"longer than the limit of 0\.3 s"):
            own.frame(path)
        assert time.monotonic() - started < 5
    with ScanReader(workers=1) as own:
        assert own.frame(path)[0].values.shape == (32, 32)


@pytest.mark.parametrize("serve", ["os.abort()", "os._exit(0)", "os.kill(os.getpid(), 9)"])
def test_child_that_dies_costs_one_file_and_is_replaced(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, serve: str
) -> None:
    path = write_png(tmp_path / "a.png", disc())
    before = len(alive_children())
    worker(monkeypatch, serve, times=1)
    with ScanReader(workers=1) as own:
        with pytest.raises(ScanError, match="decoder failed"):
            own.frame(path)
        assert own.frame(path)[0].values.shape == (32, 32)
        assert len(alive_children()) == before + 1


SPOILT = """
say(b'{"ok": false, "reason": "damaged"}'); sys.stdin.buffer.read(4); os.abort()
""".strip()
"""A decoder that wrote where it should not: its child answers, and dies at the next file."""


def test_a_file_does_not_pay_for_the_one_before_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write_png(tmp_path / "a.png", disc())
    worker(monkeypatch, SPOILT, times=1)
    with ScanReader(workers=1) as own:
        with pytest.raises(ScanError, match="damaged"):
            own.frame(path)
        assert own.frame(path)[0].values.shape == (32, 32)


def test_a_file_that_kills_two_children_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write_png(tmp_path / "a.png", disc())
    worker(monkeypatch, SPOILT, times=1)
    real = child.worker_command
    with ScanReader(workers=1) as own:
        with pytest.raises(ScanError, match="damaged"):
            own.frame(path)
        worker(monkeypatch, "os.abort()", times=1)
        with pytest.raises(ScanError, match="decoder failed"):
            own.frame(path)
        monkeypatch.setattr(child, "worker_command", real)
        assert own.frame(path)[0].values.shape == (32, 32)


LIES = [
    "say(b'no json')",
    "say(b'[]')",
    "say(b'{}')",
    "say(json.dumps({'ok': True, 'arrays': [['object', [1], 0]]}).encode())",
    "say(json.dumps({'ok': True, 'arrays': [['uint8', [-4], 0]]}).encode())",
    "say(json.dumps({'ok': True, 'arrays': [['uint8', [1 << 60], 0]]}).encode())",
    "say(json.dumps({'ok': True, 'arrays': [['uint8', [9, 9], 0]], 'frame': 3}).encode())",
    "say(json.dumps({'ok': True, 'arrays': []}).encode())",
    "out.write(b'\\xff\\xff\\xff\\xff'); out.flush()",
]


@pytest.mark.parametrize("serve", LIES)
def test_nothing_that_a_child_says_is_believed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, serve: str
) -> None:
    path = write_png(tmp_path / "a.png", disc())
    worker(monkeypatch, serve)
    with ScanReader(workers=1, time_limit_s=5) as own, pytest.raises(ScanError):
        own.frame(path)


@pytest.mark.skipif(sys.platform != "linux", reason="the limit is the watch's elsewhere")
def test_memory_limit_costs_one_file(tmp_path: Path) -> None:
    path = dicom(tmp_path / "a", np.zeros((4000, 4000), "u2"))
    small = write_png(tmp_path / "b.png", disc())
    with ScanReader(workers=1, memory_limit_bytes=20 << 20) as own:
        with pytest.raises(ScanError, match=r"more memory than the limit of 0\.0195 GB"):
            own.frame(path)
        assert own.frame(small)[0].values.shape == (32, 32)


def test_child_that_never_starts_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(child, "worker_command", lambda *_: [sys.executable, "-c", "pass"])
    with ScanReader() as own, pytest.raises(ScanError, match="does not start"):
        own.frame(write_png(tmp_path / "a.png", disc()))


def test_panic_is_a_reason(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A Rust codec's panic is a BaseException that `except Exception` lets through."""
    code = (
        "from nearl_core.scans import decode, worker; import sys\n"
        "class PanicException(BaseException): pass\n"
        "def panic(*_): raise PanicException('secret')\n"
        "decode.frame = panic\n"
        "worker.main(sys.argv[1:])"
    )
    root = str(Path(child.__file__).parents[2])
    prefix = f"import sys; sys.path.insert(0, {root!r})\n"
    monkeypatch.setattr(
        child, "worker_command", lambda a, m: [sys.executable, "-c", prefix + code, a, str(m)]
    )
    with ScanReader() as own, pytest.raises(ScanError, match="PanicException") as caught:
        own.frame(write_png(tmp_path / "a.png", disc()))
    assert "secret" not in str(caught.value)


# --- no one is left behind -------------------------------------------------------------------


def test_close_ends_children_and_waiting_calls(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write_png(tmp_path / "a.png", disc())
    worker(monkeypatch, "time.sleep(600)")
    own = ScanReader(workers=1, time_limit_s=500)
    failed: list[str] = []

    def call() -> None:
        try:
            own.frame(path)
        except ScanError as error:
            failed.append(error.message)

    threads = [threading.Thread(target=call) for _ in range(3)]
    for thread in threads:
        thread.start()
    deadline = time.monotonic() + 10
    while not own._children._busy and time.monotonic() < deadline:
        threading.Event().wait(0.01)
    started = time.monotonic()
    own.close()
    for thread in threads:
        thread.join(10)
    assert time.monotonic() - started < 5
    assert failed == ["Reading was stopped."] * 3
    with pytest.raises(ScanError, match="stopped"):
        own.frame(path)
    own.close()


def test_nothing_starts_before_the_first_call_and_nothing_stays(tmp_path: Path) -> None:
    before = set(alive_children())
    own = ScanReader()
    assert set(alive_children()) == before
    own.frame(write_png(tmp_path / "a.png", disc()))
    assert set(alive_children()) > before
    own.close()
    gc.collect()
    assert set(alive_children()) == before


@pytest.mark.skipif(sys.platform == "win32", reason="signals are POSIX's")
def test_children_end_when_their_guard_is_killed(tmp_path: Path) -> None:
    path = write_png(tmp_path / "a.png", disc())
    code = (
        "import sys, time; from pathlib import Path\n"
        "from nearl_core.scans.guard import ScanReader\n"
        "import psutil\n"
        "reader = ScanReader(workers=1); reader.frame(Path(sys.argv[1]))\n"
        "print(psutil.Process().children()[0].pid, flush=True); time.sleep(600)"
    )
    root = Path(child.__file__).parents[2]
    with subprocess.Popen(
        [sys.executable, "-c", code, str(path)], stdout=subprocess.PIPE, text=True, cwd=root
    ) as guard:
        assert guard.stdout is not None
        pid = int(guard.stdout.readline())
        orphan = psutil.Process(pid)
        guard.send_signal(signal.SIGKILL)
        guard.wait()
    gone, _ = psutil.wait_procs([orphan], timeout=10)
    assert gone or orphan.status() == psutil.STATUS_ZOMBIE


def test_child_imports_neither_torch_nor_qt() -> None:
    code = (
        "import nearl_core.scans.worker as w, sys; w._import_readers()\n"
        "bad = {'torch', 'PySide6', 'sqlalchemy', 'open_clip'} & set(sys.modules)\n"
        "sys.exit(bool(bad))"
    )
    root = Path(child.__file__).parents[2]
    assert subprocess.run([sys.executable, "-c", code], cwd=root, check=False).returncode == 0


@pytest.mark.parametrize("value", [None, 3, [["uint8"]], [["uint8", [1], "x"]], [["O", [1], 0]]])
def test_damaged_places_of_arrays(value: object) -> None:
    with pytest.raises(DamagedAnswerError):
        unpack_specs(value, limit=1000)
