"""Finding a label by what the reader types of its name."""

import unicodedata
from collections.abc import Sequence


def matches(names: Sequence[str], text: str) -> list[int]:
    """Places of the names that hold every typed word, the likeliest first; of no text all.

    Capitals and accents do not count. A name that begins with the text goes before one with words
    that do, and that before one that holds it anywhere.
    """
    wanted = _plain(text)
    found = [(_rank(_plain(name), wanted), place) for place, name in enumerate(names)]
    return [place for rank, place in sorted(found) if rank < _MISSED]


_MISSED = 3


def _rank(name: str, wanted: str) -> int:
    if name.startswith(wanted):
        return 0
    words = wanted.split()
    if all(any(part.startswith(word) for part in name.split()) for word in words):
        return 1
    return 2 if all(word in name for word in words) else _MISSED


def _plain(text: str) -> str:
    apart = unicodedata.normalize("NFKD", text.strip())
    return "".join(sign for sign in apart if not unicodedata.combining(sign)).casefold()
