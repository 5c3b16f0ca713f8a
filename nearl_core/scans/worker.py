"""A guarded child process: reads one scan at a time for `guard.py`.

Its input is length-prefixed JSON requests, its output length-prefixed JSON answers; arrays go
through `shared.py`. It ends with its input, at its first lack of memory, or by its own watchdog
when the guard is gone. It imports neither torch nor Qt.
"""

import faulthandler
import json
import logging
import os
import signal
import struct
import sys
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import BinaryIO

import numpy as np
from numpy.typing import NDArray

from nearl_core.errors import ScanError
from nearl_core.limits import limit_memory
from nearl_core.scans import decode
from nearl_core.scans.shared import FileExchange, MappedExchange, exchange_of
from nearl_core.scans.wire import (
    MAX_HEADER_BYTES,
    pack_error,
    pack_frame,
    pack_identity,
    pack_info,
    pack_specs,
    pack_tags,
    pack_window,
    specs_of,
    unpack_disguise,
    unpack_window,
)
from nearl_core.types import Frame, ScanInfo

READY = b"\0READY\0\0"
"""The first thing that a child says."""

_GRACE_S = 5.0
"""How long after the guard's limit a child ends itself."""

Array = NDArray[np.generic]
Answer = tuple[dict[str, object], Sequence[Array]]


def main(arguments: Sequence[str]) -> None:
    """Serve requests until the input ends.

    Args:
        arguments: The shared memory, and the memory limit in bytes.
    """
    exchange = exchange_of(arguments[0])
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    answers = _take_output()
    warnings.simplefilter("ignore")
    logging.disable(logging.CRITICAL)
    _import_readers()
    limit_memory(int(arguments[1]))
    answers.write(READY)
    answers.flush()
    while request := _next_request(sys.stdin.buffer):
        _serve(request, exchange, answers)


def _take_output() -> BinaryIO:
    """The real output, kept from libraries that print."""
    kept = os.dup(1)
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 1)
    os.dup2(nowhere, 2)
    os.close(nowhere)
    if sys.platform == "win32":
        import ctypes
        import msvcrt

        msvcrt.setmode(kept, os.O_BINARY)
        # No dialog for a child that crashes: critical errors, faults, missing files.
        ctypes.windll.kernel32.SetErrorMode(0x8003)
    return os.fdopen(kept, "wb")


def _import_readers() -> None:
    """Before the first request, so that its time is not spent on imports."""
    import nearl_core.dicom.read
    import nearl_core.scans.written  # noqa: F401


def _next_request(requests: BinaryIO) -> dict[str, object]:
    prefix = requests.read(4)
    if len(prefix) < 4:
        return {}
    text = requests.read(struct.unpack("<I", prefix)[0])
    request: dict[str, object] = json.loads(text)
    return request


def _serve(
    request: dict[str, object], exchange: FileExchange | MappedExchange, answers: BinaryIO
) -> None:
    # Works while a codec hangs, which no Python code can: when the guard was killed.
    limit_s = float(str(request["limit_s"]))
    faulthandler.dump_traceback_later(limit_s + _GRACE_S, exit=True, file=sys.stderr)
    exhausted = False
    try:
        header, arrays = _answered(request)
        specs = specs_of(arrays)
        exchange.write(arrays, specs)
        header["arrays"] = pack_specs(specs)
    except ScanError as error:
        header = pack_error(error)
    except MemoryError:
        exhausted = True
        header = {"ok": False, "exhausted": True}
    except RecursionError:
        header = {"ok": False, "reason": "The file is nested too deeply."}
    except BaseException as error:  # noqa: BLE001
        # A panic of a Rust codec is a BaseException; nothing of a file may end the answers.
        header = {"ok": False, "reason": f"The file can't be read ({type(error).__name__})."}
    text = json.dumps(header).encode("ascii")
    if len(text) > MAX_HEADER_BYTES:
        text = b'{"ok": false, "reason": "The header of the file is too large."}'
    answers.write(struct.pack("<I", len(text)) + text)
    answers.flush()
    faulthandler.cancel_dump_traceback_later()
    if exhausted:
        # What was allocated is in pieces: the next scan gets a fresh child.
        os._exit(0)


def _answered(request: dict[str, object]) -> Answer:
    what = request["what"]
    if what == "infos":
        return {"ok": True, "infos": [_info(path) for path in _paths(request)]}, ()
    path = Path(str(request["path"]))
    if what == "info":
        info, identity = decode.info(path)
        return {"ok": True, "info": pack_info(info), "identity": pack_identity(identity)}, ()
    if what == "tags":
        lines = decode.tags(path, identity=request["identity"] is True)
        return {"ok": True, "tags": pack_tags(lines)}, ()
    if what == "copy":
        decode.copy(path, Path(str(request["out"])), unpack_disguise(request["disguise"]))
        return {"ok": True}, ()
    if what == "stored":
        return {"ok": True}, (
            np.ascontiguousarray(decode.stored(path, rgb=request["rgb"] is True)),
        )
    if what == "window":
        common = decode.window(path)
        return {"ok": True, "window": None if common is None else pack_window(common)}, ()
    if what == "preview":
        coarse = decode.preview(path, int(str(request["frame"])))
        return ({"ok": True, "frame": None}, ()) if coarse is None else _frame(*coarse)
    frame, info = decode.frame(path, int(str(request["frame"])))
    if what == "picture":
        return _picture(frame, info, request["window"])
    return _frame(frame, info)


def _paths(request: dict[str, object]) -> list[Path]:
    listed = request["paths"]
    assert isinstance(listed, list)
    return [Path(str(path)) for path in listed]


def _info(path: Path) -> dict[str, object]:
    try:
        info, identity = decode.info(path)
    except ScanError as error:
        return {"reason": error.message, "remedy": error.remedy}
    return {"info": pack_info(info), "identity": pack_identity(identity)}


def _frame(frame: Frame, info: ScanInfo) -> Answer:
    header, arrays = pack_frame(frame)
    return {"ok": True, "info": pack_info(info), "frame": header}, arrays


def _picture(frame: Frame, info: ScanInfo, window: object) -> Answer:
    from nearl_core.scans.display import to_grey
    from nearl_core.scans.written import png_bytes

    grey = to_grey(frame, None if window is None else unpack_window(window))
    encoded = np.frombuffer(png_bytes(grey), np.uint8)
    return {"ok": True, "info": pack_info(info), "size": list(grey.shape[:2])}, (encoded,)


if __name__ == "__main__":
    main(sys.argv[1:])
