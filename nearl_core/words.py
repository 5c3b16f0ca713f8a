"""Words that sentences of the desk and the command line share."""

from collections.abc import Sequence


def counted(count: int, what: str) -> str:
    """So many of something that takes an s: "1 scan", "2 scans"."""
    return f"{count} {what}{'' if count == 1 else 's'}"


def some(names: Sequence[str], most: int) -> str:
    """The first few of some names, and how many more there are."""
    more = len(names) - most
    return ", ".join(names[:most]) + (f" and {more} more" if more > 0 else "")
