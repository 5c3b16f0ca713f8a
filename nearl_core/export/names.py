"""Names that are safe on every file system and say nothing of anyone."""

import re
import unicodedata
from collections.abc import Iterable
from typing import Final

_BAD: Final = re.compile(r'[<>:"/\\|?*\x00-\x1f\x7f]')
_DEVICE: Final = re.compile(r"(con|prn|aux|nul|com[0-9¹²³]|lpt[0-9¹²³])(\..*)?", re.IGNORECASE)
_MAX_BYTES: Final = 100


def scan_name(scan_id: int) -> str:
    """The pseudonym of a scan: its number in the project."""
    return f"scan-{scan_id:06d}"


def picture_name(scan_id: int, frame: int) -> str:
    """The file name of one exported frame, without its ending."""
    return f"{scan_name(scan_id)}{frame_ending(frame)}"


def frame_ending(frame: int) -> str:
    """What follows the name of a scan in that of one of its frames."""
    return f"_f{frame:03d}"


def folder_names(labels: Iterable[tuple[str, str]]) -> dict[str, str]:
    """A folder name for each label, out of pairs of id and name.

    Windows and macOS take names that differ in case or in composition only for one, so such
    labels get a number.
    """
    taken: set[str] = set()
    names: dict[str, str] = {}
    for label_id, name in labels:
        stem = _safe(name)
        candidate, number = stem, 1
        while _folded(candidate) in taken:
            number += 1
            candidate = f"{stem}-{number}"
        taken.add(_folded(candidate))
        names[label_id] = candidate
    return names


def _folded(name: str) -> str:
    return unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", name).casefold())


def _safe(name: str) -> str:
    visible = "".join(
        mark
        for mark in unicodedata.normalize("NFC", name)
        if unicodedata.category(mark) not in {"Cc", "Cf", "Cs", "Co", "Cn"}
    )
    plain = _BAD.sub("_", visible).strip(" ")
    plain = plain.encode("utf-8")[:_MAX_BYTES].decode("utf-8", "ignore")
    plain = plain.rstrip(". ")  # Windows drops them
    if plain.startswith((".", "-", "~")):
        plain = "_" + plain  # hidden, or taken for an option
    if _DEVICE.fullmatch(plain):
        plain = "_" + plain
    return plain or "label"


def plain(text: str) -> str:
    """Text that Markdown takes for text, also in a table."""
    for mark in "\\`*_[]<>|#":
        text = text.replace(mark, "\\" + mark)
    return " ".join(text.split())
