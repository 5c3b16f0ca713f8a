"""Words that sentences of the desk and the command line share."""


def counted(count: int, what: str) -> str:
    """So many of something that takes an s: "1 scan", "2 scans"."""
    return f"{count} {what}{'' if count == 1 else 's'}"
