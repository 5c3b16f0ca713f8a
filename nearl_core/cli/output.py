"""What commands print: results on stdout, everything else on stderr."""

import json
import sys
import time
from collections.abc import Mapping, Sequence
from typing import Final, TextIO

from nearl_core.control import Progress, RunControl

_LISTED: Final = 10
_EVERY_S: Final = 0.2
_EVERY_S_IN_LOGS: Final = 5.0


class Output:
    """Results as JSON lines or as text, messages, and progress.

    Attributes:
        as_json: Whether results are JSON lines.
    """

    def __init__(
        self, *, as_json: bool, stdout: TextIO | None = None, stderr: TextIO | None = None
    ) -> None:
        self.as_json = as_json
        self._out = stdout or sys.stdout
        self._err = stderr or sys.stderr
        self._on_terminal = self._err.isatty()
        self._reported = time.monotonic()
        self._width = 0

    def result(self, record: Mapping[str, object], text: str) -> None:
        """One result: a JSON line, or the text; it has left this process when this returns."""
        self._clear()
        self._out.write((to_json(record) if self.as_json else text) + "\n")
        self._out.flush()

    def text(self, text: str) -> None:
        """A line that is for people only; nothing where results are JSON."""
        if not self.as_json:
            self._clear()
            self._out.write(text + "\n")

    def some(self, lines: Sequence[str]) -> None:
        """The first of some lines for people, set in, and how many more there are."""
        for line in lines[:_LISTED]:
            self.text(f"  {line}")
        if len(lines) > _LISTED:
            self.text(f"  and {len(lines) - _LISTED} more")

    def message(self, text: str) -> None:
        """A line on stderr."""
        self._clear()
        self._err.write(" ".join(text.splitlines()) + "\n")
        self._err.flush()

    def control(self) -> RunControl:
        """A control that reports progress here."""
        return RunControl(report=self.progress)

    def progress(self, progress: Progress) -> None:
        """Show progress now and then: in place on a terminal, as lines elsewhere."""
        now = time.monotonic()
        last = progress.total > 0 and progress.done >= progress.total
        wait = _EVERY_S if self._on_terminal else _EVERY_S_IN_LOGS
        if now - self._reported < wait and not (last and self._width):
            return
        self._reported = now
        line = _line(progress)
        if self._on_terminal:
            self._err.write("\r" + line.ljust(self._width))
            self._width = len(line)
        else:
            self._err.write(line + "\n")
        self._err.flush()

    def flush(self) -> None:
        """Let everything out."""
        self._clear()
        self._out.flush()
        self._err.flush()

    def _clear(self) -> None:
        if self._width:
            self._err.write("\r" + " " * self._width + "\r")
            self._err.flush()
            self._width = 0


def to_json(record: Mapping[str, object]) -> str:
    """One line of JSON; names that are not UTF-8 on disk are escaped, so that it is always."""
    line = json.dumps(record, ensure_ascii=False)
    try:
        line.encode("utf-8")
    except UnicodeEncodeError:
        return json.dumps(record)
    return line


def _line(progress: Progress) -> str:
    parts = [progress.text or "Working"]
    if progress.unit == "bytes":
        parts.append(f"{progress.done / 1e6:.1f} of {progress.total / 1e6:.1f} MB")
    elif progress.total:
        parts.append(f"{progress.done} of {progress.total}")
    elif progress.done:
        parts.append(str(progress.done))
    parts += [f"{name} {value:.4g}" for name, value in progress.values]
    return " · ".join(parts)
