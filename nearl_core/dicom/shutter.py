"""Display shutters, DICOM PS3.3 C.7.6.11: what stands outside of them is not meant to be seen."""

import numpy as np
from numpy.typing import NDArray
from pydicom.dataset import Dataset

from nearl_core.dicom.groups import FrameHeader
from nearl_core.dicom.tags import number, numbers, texts

_MOST_VERTICES = 1024
Mask = NDArray[np.bool_]


def shutter_of(header: FrameHeader, rows: int, columns: int, *, aspect: float) -> Mask | None:
    """What all shutters of a frame cover.

    Args:
        header: Of the frame.
        rows: Of the picture.
        columns: Of the picture.
        aspect: Height of a pixel over its width; a circle's radius counts pixels along a row.

    Returns:
        Rows x columns, True where covered; None where nothing is, or everything would be.
    """
    place = header.holder("FrameDisplayShutterSequence", "ShutterShape")
    if place is None:
        return None
    seen = np.ones((rows, columns), np.bool_)
    for shape in texts(place, "ShutterShape"):
        inside = None
        if shape.upper() == "RECTANGULAR":
            inside = _rectangle(place, rows, columns)
        elif shape.upper() == "CIRCULAR":
            inside = _circle(place, rows, columns, aspect)
        elif shape.upper() == "POLYGONAL":
            inside = _polygon(place, rows, columns)
        if inside is not None:
            seen &= inside
    return ~seen if seen.any() and not seen.all() else None


def _rectangle(place: Dataset, rows: int, columns: int) -> Mask | None:
    """Edges are 1-based columns and rows, and part of what is seen."""
    left, right = (number(place, f"Shutter{side}VerticalEdge") for side in ("Left", "Right"))
    upper, lower = (number(place, f"Shutter{side}HorizontalEdge") for side in ("Upper", "Lower"))
    if left is None or right is None or upper is None or lower is None:
        return None
    inside = np.zeros((rows, columns), np.bool_)
    inside[
        max(int(upper) - 1, 0) : max(int(lower), 0), max(int(left) - 1, 0) : max(int(right), 0)
    ] = True
    return inside


def _circle(place: Dataset, rows: int, columns: int, aspect: float) -> Mask | None:
    centre, radius = (
        numbers(place, "CenterOfCircularShutter"),
        number(place, "RadiusOfCircularShutter"),
    )
    if len(centre) != 2 or radius is None or radius <= 0:
        return None
    down = (np.arange(rows) - (centre[0] - 1)) * aspect
    across = np.arange(columns) - (centre[1] - 1)
    return np.asarray(down[:, None] ** 2 + across[None, :] ** 2 <= radius**2)


def _polygon(place: Dataset, rows: int, columns: int) -> Mask | None:
    """Even-odd: along each row, every crossing of an edge changes sides."""
    vertices = numbers(place, "VerticesOfThePolygonalShutter")[: 2 * _MOST_VERTICES]
    points = [
        (down - 1, across - 1) for down, across in zip(vertices[::2], vertices[1::2], strict=False)
    ]
    if len(points) < 3:
        return None
    turns = np.zeros((rows, columns + 1), np.uint8)
    for (y0, x0), (y1, x1) in zip(points, (*points[1:], points[0]), strict=True):
        if y0 == y1:
            continue
        first, last = sorted((y0, y1))
        rows_crossed = np.arange(max(int(np.ceil(first)), 0), min(int(np.ceil(last)), rows))
        crossing = x0 + (rows_crossed - y0) * (x1 - x0) / (y1 - y0)
        columns_after = np.clip(np.ceil(crossing), 0, columns).astype(np.intp)
        np.bitwise_xor.at(turns, (rows_crossed, columns_after), 1)
    inside = np.bitwise_xor.accumulate(turns, axis=1)[:, :columns]
    return np.equal(inside, 1)
