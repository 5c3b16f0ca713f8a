"""Stacks as NIfTI-1 files, with nothing in the header but their shape."""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray


def write_volume(path: Path, values: NDArray[np.generic], *, colour: bool) -> None:
    """Write a stack as columns x rows x frames, so that a reader sees it as it was.

    Args:
        path: Ends in `.nii.gz`.
        values: Frames x rows x columns, or with 3 colours of 8 bits behind them.
        colour: Whether there are colours.

    Raises:
        OSError: If it can't be written.
    """
    import nibabel

    turned = values.transpose(2, 1, 0, 3) if colour else values.transpose(2, 1, 0)
    if colour:
        kind = np.dtype([("R", "u1"), ("G", "u1"), ("B", "u1")])
        turned = np.ascontiguousarray(turned).view(kind)[..., 0]
    volume = nibabel.Nifti1Image(turned, np.eye(4), dtype=turned.dtype)
    nibabel.save(volume, path)


def residue(data: bytes) -> list[str]:
    """Why such a file may not leave: words in its header, or more than a header and values.

    Args:
        data: The whole file.
    """
    import gzip

    import nibabel

    try:
        volume = nibabel.Nifti1Image.from_bytes(gzip.decompress(data))
    except (OSError, EOFError, ValueError, nibabel.filebasedimages.ImageFileError):
        return ["it can't be read"]
    words = ("descrip", "aux_file", "intent_name", "db_name", "data_type")
    found = [word for word in words if bytes(volume.header[word]).strip(b"\0")]
    return [f"its header holds {word}" for word in found] + ["it has extensions"] * bool(
        len(volume.header.extensions)
    )
