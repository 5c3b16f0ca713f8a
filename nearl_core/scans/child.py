"""One guarded child process, as its guard sees it."""

import contextlib
import itertools
import json
import math
import os
import struct
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import psutil
from numpy.typing import NDArray

from nearl_core.scans.shared import FileExchange, argument_of, new_exchange
from nearl_core.scans.wire import (
    MAX_HEADER_BYTES,
    DamagedAnswerError,
    Json,
    unpack_error,
    unpack_specs,
)
from nearl_core.scans.worker import READY

Array = NDArray[np.generic]

_START_LIMIT_S = 60.0
"""A cold disk under a busy machine can take this long to import the readers."""

_KEEPING = {
    "MALLOC_MMAP_THRESHOLD_": str(32 << 20),
    "MALLOC_TRIM_THRESHOLD_": str(128 << 20),
    "MALLOC_TOP_PAD_": str(32 << 20),
}
"""For glibc: what a child frees it keeps for its next scan, up to 128 MB. Pages that the system
takes and gives back cost more than the copying of pixels."""

_numbers = itertools.count()


def worker_command(exchange_argument: str, memory_limit_bytes: int) -> list[str]:
    """The command line of a child.

    The child finds this very package, and never a module in the folder that it is started in (-P).
    """
    root = str(Path(__file__).resolve().parents[2])
    code = (
        f"import sys; sys.path.insert(0, {root!r}); "
        "from nearl_core.scans.worker import main; main(sys.argv[1:])"
    )
    return [sys.executable, "-P", "-c", code, exchange_argument, str(memory_limit_bytes)]


class ChildDiedError(Exception):
    """A child ended, was ended, or said what can't be understood."""


class Child:
    """One child process.

    Attributes:
        deadline: By `time.monotonic`, when it is to be ended; None while it rests.
        killed_for: "time" or "memory" where the watch ended it.
        has_answered: Whether it has answered a request, with pixels or a reason.
    """

    def __init__(self, memory_limit_bytes: int) -> None:
        self._limit = memory_limit_bytes
        self._exchange = new_exchange(f"nearl-{os.getpid()}-{next(_numbers)}")
        keep = self._exchange.descriptors if isinstance(self._exchange, FileExchange) else ()
        # One thread each: a pool of threads in every child reserves memory that none of them uses.
        settings = {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}
        self._process = subprocess.Popen(
            worker_command(argument_of(self._exchange), memory_limit_bytes),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            pass_fds=keep,
            env={**os.environ, **settings, **_KEEPING},
            creationflags=getattr(subprocess, "CREATE_NO_WINDOW", 0),
        )
        self.deadline: float | None = None
        self.killed_for = ""
        self.has_answered = False
        self._ready = False

    @property
    def alive(self) -> bool:
        """Whether it runs; a child that ended is reaped here."""
        return self._process.poll() is None

    def wait_ready(self) -> None:
        """Wait until it has imported its readers.

        Raises:
            ChildDiedError: If it ends before.
        """
        if not self._ready:
            self.deadline = time.monotonic() + _START_LIMIT_S
            if self._receive(len(READY)) != READY:
                raise ChildDiedError
            self._ready = True

    def ask(self, request: Json, *, time_limit_s: float) -> tuple[Json, list[Array]]:
        """One request and its answer.

        Raises:
            ChildDiedError: If it does not answer.
            ScanError: If it answers with a reason.
        """
        text = json.dumps({**request, "limit_s": time_limit_s}).encode("ascii")
        self.deadline = time.monotonic() + time_limit_s
        try:
            stdin = self._process.stdin
            assert stdin is not None
            stdin.write(struct.pack("<I", len(text)) + text)
            stdin.flush()
            (length,) = struct.unpack("<I", self._receive(4))
            if length > MAX_HEADER_BYTES:
                raise ChildDiedError
            answer = json.loads(self._receive(length))
            if not isinstance(answer, dict):
                raise ChildDiedError
            if answer.get("exhausted"):
                self.killed_for = "memory"
                raise ChildDiedError
            if not answer.get("ok"):
                self.has_answered = True
                raise unpack_error(answer)
            specs = unpack_specs(answer.get("arrays"), limit=self._limit)
            arrays = self._exchange.read(specs)
            self.has_answered = True
            return answer, arrays
        except (OSError, ValueError, DamagedAnswerError) as error:
            raise ChildDiedError from error
        finally:
            self.deadline = None

    def check(self, now: float) -> None:
        """End it when it is over its time, or, where no limit of the system holds, its memory."""
        deadline = self.deadline
        if now == math.inf or (deadline is not None and now > deadline):
            self.killed_for = self.killed_for or "time"
            self._process.kill()
        elif deadline is not None and self._ready and sys.platform != "linux":
            with contextlib.suppress(psutil.Error):
                if psutil.Process(self._process.pid).memory_info().rss > self._limit:
                    self.killed_for = self.killed_for or "memory"
                    self._process.kill()

    def close(self, *, kill: bool) -> None:
        """End it and reap it."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        with contextlib.suppress(OSError):
            self._process.stdin.close()
        if kill:
            self._process.kill()
        try:
            self._process.wait(timeout=1.0)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._process.stdout.close()
        self._exchange.close()

    def _receive(self, length: int) -> bytes:
        stdout = self._process.stdout
        assert stdout is not None
        found = stdout.read(length)
        if len(found) < length:
            raise ChildDiedError
        return found
