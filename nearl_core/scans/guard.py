"""ScanReader: scans are decoded in child processes, because a codec can hang, abort or balloon.

Children are started anew (never forked: a fork deadlocks under threads), read one scan at a time,
and are replaced when they die. Requests and answers are JSON, pixels come through shared memory,
and nothing that a child says is unpickled or believed unchecked.
"""

import os
from collections import deque
from collections.abc import Callable, Generator, Iterable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self, TypeVar

import numpy as np
from numpy.typing import NDArray

from nearl_core.errors import ScanError
from nearl_core.scans.display import enlarged
from nearl_core.scans.pool import Children
from nearl_core.scans.wire import (
    pack_disguise,
    pack_window,
    part_of,
    unpack_frame,
    unpack_identity,
    unpack_info,
    unpack_infos,
    unpack_size,
    unpack_tags,
    unpack_window,
    well_formed,
)
from nearl_core.types import Disguise, Frame, Identity, ScanInfo, TagLine, Window

Array = NDArray[np.generic]
S = TypeVar("S")
T = TypeVar("T")


@dataclass(frozen=True)
class Picture:
    """A frame as a reader sees it.

    Attributes:
        png: Encoded, 8 bits.
        rows, columns: Its size.
    """

    png: bytes
    rows: int
    columns: int


class ScanReader:
    """Reads scans in guarded child processes; any thread may call, each call borrows a child.

    Nothing is started before the first call. Use it as a context manager, or call `close`.

    Args:
        workers: How many scans are read at the same time, at most.
        time_limit_s: For each file.
        memory_limit_bytes: For each file.
    """

    def __init__(
        self,
        *,
        workers: int = 2,
        time_limit_s: float = 10.0,
        memory_limit_bytes: int = 2 << 30,
    ) -> None:
        self._workers = max(workers, 1)
        self._children = Children(
            self._workers, time_limit_s=time_limit_s, memory_limit_bytes=memory_limit_bytes
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def info(self, path: Path) -> tuple[ScanInfo, Identity]:
        """What a file says of itself and of whose it is; no pixels are decoded.

        Raises:
            ScanError: If it can't be read, or holds no picture that can be shown.
        """
        answer, _ = self._children.ask({"what": "info", "path": os.path.abspath(path)})
        with well_formed():
            return unpack_info(part_of(answer, "info")), unpack_identity(answer["identity"])

    def infos(self, paths: Sequence[Path]) -> list[tuple[ScanInfo, Identity] | ScanError]:
        """What many files say of themselves, asked for at once: much less is said a file.

        Where one of them ends the child or takes too long, they are asked one by one.
        """
        request = {"what": "infos", "paths": [os.path.abspath(path) for path in paths]}
        try:
            answer, _ = self._children.ask(request)
            with well_formed():
                return unpack_infos(answer["infos"], len(paths))
        except ScanError:
            return [said for _, said in self.each(paths, self.info)]

    def frame(self, path: Path, frame: int = 0) -> tuple[Frame, ScanInfo]:
        """One frame of a scan, and what the file says of it.

        Raises:
            ScanError: If it can't be read, decoded, or does not exist.
        """
        request = {"what": "frame", "path": os.path.abspath(path), "frame": frame}
        answer, arrays = self._children.ask(request)
        with well_formed():
            return unpack_frame(part_of(answer, "frame"), arrays), unpack_info(
                part_of(answer, "info")
            )

    def preview(self, path: Path, frame: int = 0) -> tuple[Frame, ScanInfo] | None:
        """One frame at a lower resolution, for the eye until the whole is there.

        Returns:
            The frame, enlarged to its full rows and columns; None where the whole is as fast.

        Raises:
            ScanError: As `frame`.
        """
        request = {"what": "preview", "path": os.path.abspath(path), "frame": frame}
        answer, arrays = self._children.ask(request)
        if answer.get("frame") is None:
            return None
        with well_formed():
            coarse = unpack_frame(part_of(answer, "frame"), arrays)
            info = unpack_info(part_of(answer, "info"))
            return enlarged(coarse, info.rows, info.columns), info

    def window(self, path: Path) -> Window | None:
        """One automatic window for all frames of a scan whose file lists none; else None.

        Raises:
            ScanError: If the scan can't be read.
        """
        answer, _ = self._children.ask({"what": "window", "path": os.path.abspath(path)})
        with well_formed():
            return None if answer["window"] is None else unpack_window(answer["window"])

    def picture(
        self, path: Path, frame: int = 0, *, window: Window | None = None
    ) -> tuple[Picture, ScanInfo]:
        """What a reader would see of one frame, made in the child: little crosses over.

        Args:
            path: Of the scan.
            frame: Counted from 0.
            window: In place of the file's own; None for that.

        Raises:
            ScanError: As `frame`.
        """
        request: dict[str, object] = {"what": "picture", "path": os.path.abspath(path)}
        request |= {"frame": frame, "window": None if window is None else pack_window(window)}
        answer, arrays = self._children.ask(request)
        with well_formed():
            rows, columns = unpack_size(answer["size"])
            encoded = arrays[0].tobytes()
            return Picture(encoded, rows, columns), unpack_info(part_of(answer, "info"))

    def stored(self, path: Path, *, rgb: bool = False) -> Array:
        """The stored values of all frames.

        Args:
            path: Of the scan.
            rgb: Whether colours that DICOM keeps as YBR or by a palette become RGB.

        Returns:
            Frames x rows x columns [x 3]; one frame without the first.

        Raises:
            ScanError: If they can't be read or decoded.
        """
        request = {"what": "stored", "path": os.path.abspath(path), "rgb": rgb}
        _, arrays = self._children.ask(request)
        with well_formed():
            return arrays[0]

    def tags(self, path: Path, *, identity: bool = False) -> tuple[TagLine, ...]:
        """The DICOM header of a file, line by line; () for other files.

        Args:
            path: Of the file.
            identity: Whether values that may tell who it is come along; without it they never
                leave the child process.

        Raises:
            ScanError: If it can't be read.
        """
        request = {"what": "tags", "path": os.path.abspath(path), "identity": identity}
        answer, _ = self._children.ask(request)
        with well_formed():
            return unpack_tags(answer["tags"])

    def copy(self, path: Path, out: Path, disguise: Disguise) -> None:
        """Write a de-identified DICOM copy (PS3.15 annex E, Basic Profile).

        Args:
            path: The scan; pictures of other kinds become Secondary Captures.
            out: Where the copy goes; the folder is there.
            disguise: Under which names.

        Raises:
            ScanError: If it can't be read, decoded or written.
        """
        request: dict[str, object] = {"what": "copy", "path": os.path.abspath(path)}
        self._children.ask(
            {**request, "out": os.path.abspath(out), "disguise": pack_disguise(disguise)}
        )

    def each(
        self, scans: Iterable[S], read: Callable[[S], T]
    ) -> Generator[tuple[S, T | ScanError], None, None]:
        """Read many files, as many at a time as there are workers, answered in their order.

        Nothing is read any more once the generator is closed.

        Args:
            scans: Paths, or whatever `read` takes; a few are taken ahead of the answers.
            read: Called in several threads; a ScanError of it is that file's answer.
        """

        def one(scan: S) -> T | ScanError:
            try:
                return read(scan)
            except ScanError as error:
                return error

        waiting: deque[tuple[S, Future[T | ScanError]]] = deque()
        with ThreadPoolExecutor(self._workers, thread_name_prefix="scan-each") as pool:
            try:
                for scan in scans:
                    waiting.append((scan, pool.submit(one, scan)))
                    if len(waiting) > 2 * self._workers:
                        first, answer = waiting.popleft()
                        yield first, answer.result()
                while waiting:
                    first, answer = waiting.popleft()
                    yield first, answer.result()
            finally:
                pool.shutdown(wait=False, cancel_futures=True)

    def close(self) -> None:
        """End all children and wait for them; calls that are waiting get a ScanError."""
        self._children.close()
