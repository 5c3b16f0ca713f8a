"""Which kind of picture an export takes, and how each is read and written."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Final

from nearl_core.control import RunControl
from nearl_core.export import images
from nearl_core.export.content import Pictures
from nearl_core.export.images import FrameReader, Taken, write_images
from nearl_core.export.rows import Row
from nearl_core.types import Scan

_RECIPES: Final[Mapping[Pictures, str]] = {
    Pictures.NONE: "",
    Pictures.SHOWN: images.RECIPE,
}


def recipe_of(kind: Pictures) -> str:
    """How pictures of a kind are made, in a sentence; "" where there are none."""
    return _RECIPES[kind]


def take(
    folder: Path,
    rows: Sequence[Row],
    scans: Iterable[Scan],
    *,
    kind: Pictures,
    pixels_checked: bool,
    place: Callable[[Row], str],
    reader: FrameReader,
    control: RunControl,
) -> Taken:
    """Write the pictures of a kind.

    Args:
        folder: The export's.
        rows: What is exported.
        scans: Those of the project.
        kind: Not NONE.
        pixels_checked: Whether a reader has said that no picture names anyone.
        place: The folder of a row's picture.
        reader: Decodes.
        control: Asked at each picture.

    Raises:
        Cancelled: If the control says so.
        OSError: If a picture can't be written.
    """
    del kind
    return write_images(
        folder,
        rows,
        scans,
        place=place,
        read=images.shown_of(reader, pixels_checked=pixels_checked),
        write=images.write_shown,
        reader=reader,
        control=control,
    )
