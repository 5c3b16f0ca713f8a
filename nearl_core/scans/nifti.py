"""NIfTI volumes as stacks of frames, seen as radiologists do: the only door to nibabel.

A volume is cut along its third axis, as it was acquired, or what comes nearest; frames follow the
normal of the plane as those of a DICOM series do (towards the head, the right or the back).
"""

import gzip
import math
import os
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, cast

import nibabel
import numpy as np
from nibabel.filebasedimages import ImageFileError
from nibabel.orientations import io_orientation
from nibabel.spatialimages import HeaderDataError
from numpy.typing import NDArray

from nearl_core.errors import ScanError
from nearl_core.scans.orientation import Edges, edges_of, letters
from nearl_core.scans.rescale import rescaled
from nearl_core.scans.windows import automatic
from nearl_core.types import Frame, Identity, ScanInfo, Window, WindowShape

MAX_BYTES = 1 << 30
"""The most that a volume may hold; a bomb of a few MB inflates to any size."""

_UNORIENTED = "The file does not say how the patient lay."
_MM = {"mm": 1.0, "unknown": 1.0, "meter": 1000.0, "micron": 0.001}
_COLOURS = ("R", "G", "B")
_DAMAGED = (
    ArithmeticError,
    AttributeError,
    EOFError,
    HeaderDataError,
    ImageFileError,
    LookupError,
    OSError,
    TypeError,
    ValueError,
    zlib.error,
)
"""What nibabel raises for damaged files."""

# For each plane's normal axis (x, y, z of the patient): what runs right, down, and through it.
_PLANES = (
    ((1, 1), (2, -1), (0, -1)),  # sagittal: right is posterior, down is the feet
    ((0, 1), (2, -1), (1, 1)),  # coronal: right is the patient's left
    ((0, 1), (1, 1), (2, 1)),  # axial: right is the patient's left, down is posterior
)

Array = NDArray[np.generic]


@dataclass(frozen=True)
class Plan:
    """How the values of a file are seen.

    Attributes:
        shape: Of the values as the file has them: i, j, k and whatever follows.
        dtype: Of one value, in the file's byte order.
        offset: Of the first value in the file, in bytes.
        axes: Which voxel axes run right, down and through the frames.
        steps: 1 or -1 along each of them.
        slope, intercept: From stored values to what they mean; 1 and 0 for colour.
        calibrated: The values shown black and white by the file's word, or None.
        info: What the file says of itself.
    """

    shape: tuple[int, ...]
    dtype: np.dtype[np.generic]
    offset: int
    axes: tuple[int, ...]
    steps: tuple[int, ...]
    slope: float
    intercept: float
    calibrated: tuple[float, float] | None
    info: ScanInfo


@dataclass(frozen=True, eq=False)
class Volume:
    """One file that was read.

    Attributes:
        plan: How its values are seen.
        stacks: Stacks (of a time series) x frames x rows x columns: a view of what was stored.
        window: One for all frames, or None for colour.
    """

    plan: Plan
    stacks: Array
    window: Window | None

    def stored(self, index: int) -> Array:
        """The stored values of one frame: rows x columns [x 3]."""
        stack, frame = divmod(index, self.stacks.shape[1])
        seen = self.stacks[stack, frame]
        if self.window is None:
            return np.stack([seen[name] for name in _COLOURS], axis=-1)
        return np.ascontiguousarray(seen)


class _Kept:
    """The volume that was read last: scrolling asks for one frame after another.

    Attributes:
        key: Path, size and time of its file.
        volume: What was read, or None.
    """

    key: tuple[str, int, int] = ("", 0, 0)
    volume: Volume | None = None


_kept = _Kept()


def info(path: Path) -> tuple[ScanInfo, Identity]:
    """What the header of a file says; its values are not read.

    Raises:
        ScanError: If it is no volume that can be shown.
    """
    with _damage(), _stream(path) as stream:
        return _plan(stream).info, Identity()


def frame(path: Path, index: int = 0) -> tuple[Frame, ScanInfo]:
    """One frame.

    Raises:
        ScanError: If it can't be read, or does not exist.
    """
    volume = _volume(path)
    plan = volume.plan
    if not 0 <= index < plan.info.frames:
        raise ScanError(f"There is no frame {index}; the scan has {plan.info.frames}.")
    seen = volume.stored(index)
    if volume.window is None:
        return Frame(seen), plan.info
    if (plan.slope, plan.intercept) != (1.0, 0.0):
        seen = rescaled(seen, plan.slope, plan.intercept)
    return Frame(seen, windows=(volume.window,)), plan.info


def stored(path: Path) -> Array:
    """The stored values of all frames, as they are shown; one frame without the first axis.

    Raises:
        ScanError: If they can't be read.
    """
    volume = _volume(path)
    frames = [volume.stored(index) for index in range(volume.plan.info.frames)]
    return frames[0] if len(frames) == 1 else np.stack(frames)


def forget() -> None:
    """Let go of what was read last, before another kind of file is read."""
    _kept.volume = None


def _volume(path: Path) -> Volume:
    """Read a file, unless it is the one that was read last."""
    with _damage():
        status = path.stat()
        key = (os.fspath(path), status.st_size, status.st_mtime_ns)
        if _kept.volume is None or key != _kept.key:
            # Dropped first: two volumes together may be more than the limit.
            _kept.volume = None
            _kept.volume, _kept.key = _read(path), key
        return _kept.volume


@contextmanager
def _damage() -> Iterator[None]:
    try:
        yield
    except _DAMAGED as error:
        raise ScanError("The NIfTI file is damaged or cut short.") from error


@contextmanager
def _stream(path: Path) -> Iterator[BinaryIO]:
    with path.open("rb") as raw:
        packed = raw.read(2) == b"\x1f\x8b"
        raw.seek(0)
        if not packed:
            yield raw
            return
        with gzip.GzipFile(fileobj=raw, mode="rb") as inflated:
            yield cast("BinaryIO", inflated)


def _read(path: Path) -> Volume:
    with _stream(path) as stream:
        plan = _plan(stream)
        stream.seek(plan.offset)
        wanted = math.prod(plan.shape) * plan.dtype.itemsize
        # Never more than the header says, however far a packed file would grow.
        plain = stream.read(wanted)
    if len(plain) < wanted:
        raise ScanError("The NIfTI file is cut short.")
    values = np.frombuffer(plain, plan.dtype).reshape(plan.shape, order="F")
    native = values.astype(values.dtype.newbyteorder("="), copy=False)
    spatial = native.reshape((*_spatial(plan.shape), -1))
    right, down, through = plan.axes
    turned = spatial.transpose(3, through, down, right)
    stacks = turned[:, :: plan.steps[2], :: plan.steps[1], :: plan.steps[0]]
    return Volume(plan, stacks, None if stacks.dtype.names else _window(plan, stacks))


def _window(plan: Plan, stacks: Array) -> Window:
    """One for all frames: greys that change from frame to frame can't be compared."""
    if plan.calibrated is not None:
        low, high = plan.calibrated
        return Window(low / 2 + high / 2, high - low, WindowShape.LINEAR_EXACT, "calibrated")
    plain = automatic(stacks)
    centre = plain.centre * plan.slope + plan.intercept
    return Window(centre, plain.width * abs(plan.slope), WindowShape.LINEAR_EXACT)


def _plan(stream: BinaryIO) -> Plan:
    """Read the header."""
    head = stream.read(8)
    stream.seek(0)
    kind = nibabel.Nifti2Header if head[4:7] == b"n+2" else nibabel.Nifti1Header
    header = kind.from_fileobj(stream)
    shape, dtype = _values(header)
    known = bool(header["sform_code"] > 0 or header["qform_code"] > 0)
    # NIfTI counts towards right, front and head; DICOM, and so we, towards left, back and head.
    directions = header.get_best_affine()[:3, :3] * np.array([[-1.0], [-1.0], [1.0]])
    if not np.isfinite(directions).all():
        raise ScanError("The NIfTI header gives no valid orientation.")
    axes, steps = _seen_axes(directions)
    slope, intercept = (1.0, 0.0) if dtype.names else _scale(header)
    zooms = np.linalg.norm(directions, axis=0) * _MM.get(header.get_xyzt_units()[0], 1.0)
    spacing = (float(zooms[axes[1]]), float(zooms[axes[0]]))
    sound = min(spacing) > 0 and math.isfinite(spacing[0] / spacing[1])
    spatial = _spatial(shape)
    found = ScanInfo(
        rows=spatial[axes[1]],
        columns=spatial[axes[0]],
        frames=math.prod(shape) // (spatial[axes[0]] * spatial[axes[1]]),
        aspect=spacing[0] / spacing[1] if sound else 1.0,
        spacing_mm=spacing if sound else None,
        edges=_edges(directions, axes, steps) if known else ("", "", "", ""),
        notices=() if known else (_UNORIENTED,),
    )
    # Values begin behind the header, also where it leaves their place at 0.
    offset = max(int(header["vox_offset"]), kind.single_vox_offset)
    ends = (float(header["cal_min"]), float(header["cal_max"]))
    calibrated = ends if all(map(math.isfinite, ends)) and ends[0] < ends[1] else None
    return Plan(shape, dtype, offset, axes, steps, slope, intercept, calibrated, found)


def _values(header: nibabel.Nifti1Header) -> tuple[tuple[int, ...], np.dtype[np.generic]]:
    """Shape and type of the values, if they can be shown."""
    dtype = header.get_data_dtype()
    shape = tuple(int(size) for size in header.get_data_shape())
    if not shape or min(shape) < 1:
        raise ScanError("The NIfTI header gives no valid size.")
    if dtype.kind not in "iuf" and (dtype.names or ())[:3] != _COLOURS:
        raise ScanError("The NIfTI file holds values that are no grey or colour.")
    if dtype.names is None and dtype.itemsize > 8:
        raise ScanError("The NIfTI file holds numbers of more than 64 bits.")
    if math.prod(shape) * dtype.itemsize > MAX_BYTES:
        raise ScanError("The NIfTI file holds more than 1 GB.")
    return shape, dtype


def _spatial(shape: tuple[int, ...]) -> tuple[int, ...]:
    """The sizes along i, j and k."""
    return (*shape, 1, 1)[:3]


def _scale(header: nibabel.Nifti1Header) -> tuple[float, float]:
    """Slope and intercept; a slope of 0, or none that is a number, means values as stored."""
    slope, intercept = float(header["scl_slope"]), float(header["scl_inter"])
    if slope == 0 or not math.isfinite(slope):
        return 1.0, 0.0
    return slope, intercept if math.isfinite(intercept) else 0.0


def _seen_axes(directions: NDArray[np.float64]) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """Which voxel axes run right, down and through the frames, and the step along each."""
    affine = np.eye(4)
    affine[:3, :3] = directions
    nearest = np.nan_to_num(io_orientation(affine), nan=-1.0)
    towards = [int(axis) for axis in nearest[:, 0]]
    if sorted(towards) != [0, 1, 2]:
        # An axis without length: as stored, rows downwards.
        return (0, 1, 2), (1, 1, 1)
    axes, steps = [], []
    for patient_axis, sign in _PLANES[towards[2]]:
        voxel_axis = towards.index(patient_axis)
        axes.append(voxel_axis)
        steps.append(1 if nearest[voxel_axis, 1] * sign > 0 else -1)
    return tuple(axes), tuple(steps)


def _edges(directions: NDArray[np.float64], axes: tuple[int, ...], steps: tuple[int, ...]) -> Edges:
    seen = []
    for voxel_axis, step in zip(axes[:2], steps[:2], strict=True):
        direction = directions[:, voxel_axis] * step
        length = max(float(np.linalg.norm(direction)), 1e-30)
        seen.append(letters((direction / length).tolist()))
    return edges_of(seen[0], seen[1])
