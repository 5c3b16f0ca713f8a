r"""Which other computers a path may lead to: on Windows a path alone is enough to ask one.

Looking at `\\server\share\file` sends that server who is logged in here, with a hash that the
password can be worked out from. So what a project's database names, which can come from anyone, is
looked at only on servers that the project lies on itself, or that were named on this computer: by
adding files from there, or looking there for moved ones.
"""

import json
import os
import re
import sys
from collections.abc import Iterable
from contextlib import suppress
from functools import cached_property
from pathlib import Path
from typing import Final

from nearl_core.errors import ScanError
from nearl_core.links import followed
from nearl_core.scans.whole import write_whole
from nearl_core.settings import settings_folder

WINDOWS = sys.platform == "win32"
_FILE: Final = "servers.json"
_LOCAL: Final = re.compile(r"\\\\[?.]\\([a-z]:|volume\{[0-9a-f-]+\})(\\|$)")
_SHARE: Final = re.compile(r"\\\\(?:[?.]\\unc\\)?([^\\]*)")
_REMEDY: Final = "If you trust it, add a folder of that place, then open the project again."


def server_of(path: str | os.PathLike[str]) -> str:
    """The server that a path leads to, in lower case; "" where it stays on this computer.

    Of a device that is no drive it is `?` or `.`, which nobody names.
    """
    if not WINDOWS:
        return ""
    text = os.fspath(path).replace("/", "\\").lower()
    if text.startswith("\\??\\"):
        text = "\\\\?\\" + text[4:]
    if not text.startswith("\\\\") or _LOCAL.match(text):
        return ""
    found = _SHARE.match(text)
    return found[1] if found and found[1] else "?"


def named() -> frozenset[str]:
    """The servers that were named on this computer."""
    with suppress(OSError, ValueError, RecursionError):
        held = json.loads((settings_folder() / _FILE).read_text("utf-8"))
        return frozenset(one for one in held if isinstance(one, str) and one not in ("?", "."))
    return frozenset()


def name(paths: Iterable[Path]) -> None:
    """Remember the servers of paths that somebody chose on this computer."""
    new = {server_of(path) for path in paths} - {"", "?", "."}
    known = named()
    if new <= known:
        return
    text = json.dumps(sorted(known | new)).encode()
    with suppress(OSError):  # they are asked for again then
        settings_folder().mkdir(parents=True, exist_ok=True)
        write_whole(settings_folder() / _FILE, lambda stream: stream.write(text))


class Trusted:
    """The servers that what stands in one folder may name."""

    def __init__(self, folder: Path) -> None:
        self._folder: Final = folder

    @cached_property
    def _servers(self) -> frozenset[str]:
        return named() | {server_of(self._folder), server_of(followed(self._folder))}

    def refusal(self, path: str | os.PathLike[str]) -> str:
        """Why a path is not looked at, or ""."""
        server = server_of(path)
        if not server or server in self._servers:
            return ""
        place = f"the computer {server}" if server.strip("?.") else "a device"
        return f"This lies on {place}, which nobody named on this one. {_REMEDY}"

    def require(self, paths: Iterable[Path]) -> None:
        """Refuse paths that are not to be looked at.

        Raises:
            ScanError: If there is one.
        """
        for path in paths:
            refusal = self.refusal(path)
            if refusal:
                raise ScanError(refusal)
