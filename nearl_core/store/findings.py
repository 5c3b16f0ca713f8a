"""What a check says of what it could not mend."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Finding:
    """Something wrong that could not be mended.

    Attributes:
        message: One sentence.
        remedy: What to do.
        scan_ids: The scans that it is about.
    """

    message: str
    remedy: str
    scan_ids: tuple[int, ...] = ()
