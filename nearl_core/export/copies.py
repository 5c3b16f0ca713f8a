"""The files of a DICOM copy: one, or one a frame where a scan is a stack of several files."""

from pathlib import Path

from nearl_core.export.names import picture_name
from nearl_core.export.rows import Row


def copies(folder: Path, row: Row) -> list[str]:
    """All files of a row's picture, relative to the export; the row names one of them.

    Args:
        folder: The export's.
        row: With a picture.
    """
    image = Path(row.image)
    if image.suffix != ".dcm" or image.stem == row.scan:
        return [row.image]
    beside = (folder / image.parent).glob(f"{row.scan}_f*{image.suffix}")
    return sorted(file.relative_to(folder).as_posix() for file in beside)


def meant(folder: Path, row: Row) -> list[str]:
    """The files that a decision speaks of: of a stack of files the named frame's, else all."""
    files = copies(folder, row)
    if len(files) == 1 or row.frame is None:
        return files
    named = f"{picture_name(row.scan_id, row.frame)}.dcm"
    return [file for file in files if file.endswith(f"/{named}")]
