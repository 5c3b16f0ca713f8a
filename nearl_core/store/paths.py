"""How a scan's path is kept: relative to the project where both can move together.

A scan inside the project's folder, or beside it, is kept relative (`./…`, `../…`, with forward
slashes); any other one absolute, since a longer way up would break as soon as either moves.

A path to another computer that nobody named here is restored as one that leads nowhere
(`servers.py`).
"""

import json
import os
import re
from collections.abc import Iterable
from pathlib import Path
from typing import Final

from nearl_core import servers

_HERE: Final = "./"
_BESIDE: Final = "../"
_NOWHERE: Final = "not-looked-at/"
_ODD: Final = "json:"  # no absolute path and none of the relative ones begins so


class PathKeeper:
    """Turns paths into what the database keeps, and back."""

    def __init__(self, folder: Path) -> None:
        self._inside = _with_separator(str(folder))
        self._beside = _with_separator(str(folder.parent))
        self._folders: dict[str, Path] = {}
        self._folder, self._trusted = folder, servers.Trusted(folder)

    def keep(self, path: str | os.PathLike[str]) -> str:
        """What the database keeps for a path."""
        text = os.path.abspath(path)
        for prefix, short in ((self._inside, _HERE), (self._beside, _BESIDE)):
            if text.startswith(prefix):
                text = short + text[len(prefix) :].replace(os.sep, "/")
                break
        try:
            text.encode("utf-8")
        except UnicodeEncodeError:
            # A name that is not UTF-8 on disk; databases take no lone surrogates.
            return _ODD + json.dumps(text)
        return text

    def restore(self, kept: str) -> Path:
        """The absolute path of what `keep` gave."""
        kept = _plain(kept)
        folder, slash, name = kept.rpartition("/")
        if not slash or not name:
            return self._whole(kept)
        # Making a path is what takes most of listing 100,000 scans; one part is the least to do.
        if folder not in self._folders:
            self._folders[folder] = self._whole(folder + slash)
        return self._folders[folder] / name

    def _whole(self, kept: str) -> Path:
        if kept.startswith(_BESIDE):
            return Path(self._beside + kept[len(_BESIDE) :])
        if kept.startswith(_HERE):
            return Path(self._inside + kept[len(_HERE) :])
        if self._trusted.refusal(kept):
            return Path(self._inside + _NOWHERE + re.sub(r"[\\/?:]+", "/", kept).lstrip("/"))
        return Path(kept)

    def name(self, paths: Iterable[Path]) -> None:
        """Somebody chose these: what lies on the computers that they lead to may be looked at."""
        servers.name(paths)
        self._trusted = servers.Trusted(self._folder)
        self._folders.clear()

    def refusal(self, kept: str) -> str:
        """Why what is kept leads nowhere, or ""."""
        return self._trusted.refusal(_plain(kept))


def _plain(kept: str) -> str:
    if not kept.startswith(_ODD):
        return kept
    found = json.loads(kept[len(_ODD) :])
    if not isinstance(found, str):
        raise ValueError("a path is a text")
    return found


def _with_separator(text: str) -> str:
    return text if text.endswith(os.sep) else text + os.sep


def printable(text: str) -> str:
    """Text that every database takes: no NUL, no lone surrogates."""
    return text.replace("\0", "").encode("utf-8", "replace").decode("utf-8")
