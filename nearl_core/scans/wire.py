"""What crosses between the guard and its children: JSON headers and raw arrays, nothing pickled."""

import math
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import astuple, dataclass

import numpy as np
from numpy.typing import NDArray

from nearl_core.errors import NotWrittenError, ScanError
from nearl_core.types import (
    Disguise,
    Frame,
    Identity,
    Region,
    ScanInfo,
    SlicePlace,
    SpacingAt,
    TagLine,
    VoiLut,
    Window,
    WindowShape,
)

REMEDY = "Leave it out, or write it anew with other software."
MAX_HEADER_BYTES = 16 << 20
"""The longest header that is believed."""

_KINDS = frozenset("biuf")
Json = Mapping[str, object]
Array = NDArray[np.generic]


@dataclass(frozen=True)
class ArraySpec:
    """Where an array stands in the shared memory.

    Attributes:
        dtype: NumPy's short name, such as "uint16"; native byte order.
        offset: Of its first byte.
    """

    dtype: str
    shape: tuple[int, ...]
    offset: int

    @property
    def nbytes(self) -> int:
        """Length in bytes."""
        return math.prod(self.shape) * np.dtype(self.dtype).itemsize


class DamagedAnswerError(Exception):
    """An answer of a child that is not well formed."""


@contextmanager
def well_formed() -> Iterator[None]:
    """An answer that is not well formed is a file that can't be read."""
    try:
        yield
    except (DamagedAnswerError, LookupError, TypeError, ValueError) as error:
        raise ScanError("The decoder failed on this file.", REMEDY) from error


def specs_of(arrays: Sequence[Array]) -> list[ArraySpec]:
    """Places for arrays, one behind another, each on a multiple of 64 bytes."""
    specs, offset = [], 0
    for array in arrays:
        specs.append(ArraySpec(array.dtype.name, array.shape, offset))
        offset += (array.nbytes + 63) // 64 * 64
    return specs


def pack_specs(specs: Sequence[ArraySpec]) -> list[object]:
    """For JSON."""
    return [[spec.dtype, list(spec.shape), spec.offset] for spec in specs]


def unpack_specs(value: object, *, limit: int) -> list[ArraySpec]:
    """From JSON, believing nothing.

    Args:
        value: What `pack_specs` made.
        limit: The most bytes that all arrays may need.

    Raises:
        DamagedAnswerError: If it is not well formed or needs more.
    """
    try:
        specs = [ArraySpec(str(d), tuple(int(n) for n in s), int(o)) for d, s, o in value]  # type: ignore[attr-defined]
        kinds = {np.dtype(spec.dtype).kind for spec in specs}
    except (TypeError, ValueError) as error:
        raise DamagedAnswerError from error
    sound = all(min((*spec.shape, 0)) >= 0 and spec.offset >= 0 for spec in specs)
    if not sound or not kinds <= _KINDS or sum(spec.nbytes for spec in specs) > limit:
        raise DamagedAnswerError
    return specs


def pack_info(info: ScanInfo) -> dict[str, object]:
    """For JSON."""
    return {
        "rows": info.rows,
        "columns": info.columns,
        "frames": info.frames,
        "modality": info.modality,
        "aspect": info.aspect,
        "spacing_mm": info.spacing_mm,
        "spacing_at": info.spacing_at.value,
        "regions": [
            [part.left, part.top, part.right, part.bottom, part.spacing_mm] for part in info.regions
        ],
        "edges": info.edges,
        "laterality": info.laterality,
        "view": info.view,
        "unit": info.unit,
        "frames_per_second": info.frames_per_second,
        "notices": info.notices,
        "burned_in": info.burned_in,
        "place": None if info.place is None else astuple(info.place),
    }


def unpack_info(value: Json) -> ScanInfo:
    """From JSON."""
    spacing, rate = value["spacing_mm"], value["frames_per_second"]
    left, right, top, bottom = (str(edge) for edge in _listed(value["edges"]))
    return ScanInfo(
        rows=_whole(value["rows"]),
        columns=_whole(value["columns"]),
        frames=_whole(value["frames"]),
        modality=str(value["modality"]),
        aspect=_real(value["aspect"]),
        spacing_mm=None if spacing is None else _pair(spacing),
        spacing_at=SpacingAt(str(value["spacing_at"])),
        regions=tuple(_region(part) for part in _listed(value["regions"])),
        edges=(left, right, top, bottom),
        laterality=str(value["laterality"]),
        view=str(value["view"]),
        unit=str(value["unit"]),
        frames_per_second=None if rate is None else _real(rate),
        notices=tuple(str(notice) for notice in _listed(value["notices"])),
        burned_in=str(value["burned_in"]),
        place=None if value["place"] is None else _place(value["place"]),
    )


def unpack_infos(value: object, count: int) -> list[tuple[ScanInfo, Identity] | ScanError]:
    """So many answers on files, each what it says of itself or why it can't be read."""
    found: list[tuple[ScanInfo, Identity] | ScanError] = []
    for entry in _listed(value):
        if not isinstance(entry, dict):
            raise DamagedAnswerError
        if "reason" in entry:
            found.append(unpack_error(entry))
        else:
            info = unpack_info(part_of(entry, "info"))
            found.append((info, unpack_identity(entry["identity"])))
    if len(found) != count:
        raise DamagedAnswerError
    return found


def part_of(answer: Json, key: str) -> Json:
    """The object under a key of an answer."""
    value = answer[key]
    if not isinstance(value, dict):
        raise DamagedAnswerError
    return value


def pack_tags(lines: Sequence[TagLine]) -> list[object]:
    """For JSON."""
    return [[x.tag, x.name, x.vr, x.value, x.depth, x.hidden] for x in lines]


def unpack_tags(value: object) -> tuple[TagLine, ...]:
    """From JSON."""
    found = []
    for entry in _listed(value):
        tag, name, vr, text, depth, hidden = _listed(entry)
        found.append(
            TagLine(str(tag), str(name), str(vr), str(text), _whole(depth), hidden is True)
        )
    return tuple(found)


def pack_disguise(disguise: Disguise) -> list[object]:
    """For JSON."""
    return [disguise.key.hex(), disguise.patient, disguise.scan, disguise.pixels_checked]


def unpack_disguise(value: object) -> Disguise:
    """From JSON."""
    key, patient, scan, checked = _listed(value)
    return Disguise(bytes.fromhex(str(key)), str(patient), str(scan), checked is True)


def pack_identity(identity: Identity) -> list[str]:
    """For JSON."""
    return [identity.patient, identity.study, identity.series, identity.image]


def unpack_identity(value: object) -> Identity:
    """From JSON."""
    patient, study, series, image = (str(part) for part in _listed(value))
    return Identity(patient, study, series, image)


def pack_frame(frame: Frame) -> tuple[dict[str, object], list[Array]]:
    """For JSON, and the arrays that it counts."""
    arrays: list[Array] = [frame.values]

    def put(array: Array | None) -> int | None:
        if array is None:
            return None
        arrays.append(array)
        return len(arrays) - 1

    windows: list[object] = []
    for window in frame.windows:
        if isinstance(window, VoiLut):
            windows.append(["table", window.first, put(window.entries), window.name])
        else:
            windows.append(pack_window(window))
    header: dict[str, object] = {
        "padding": put(frame.padding),
        "overlay": put(frame.overlay),
        "shutter": put(frame.shutter),
        "windows": windows,
        "inverted": frame.inverted,
        "automatic": frame.automatic,
    }
    return header, arrays


def pack_window(window: Window) -> list[object]:
    """For JSON."""
    return ["window", window.centre, window.width, window.shape.value, window.name]


def unpack_window(entry: object) -> Window:
    """From JSON."""
    _, centre, width, shape, name = _listed(entry)
    return Window(_real(centre), _real(width), WindowShape(str(shape)), str(name))


def unpack_frame(value: Json, arrays: Sequence[Array]) -> Frame:
    """From JSON and arrays.

    Raises:
        DamagedAnswerError: If they are not well formed.
    """
    try:
        values = arrays[0]
        frame = Frame(
            values,
            padding=_mask(value["padding"], arrays),
            windows=tuple(_window(entry, arrays) for entry in _listed(value["windows"])),
            inverted=value["inverted"] is True,
            overlay=_mask(value["overlay"], arrays),
            shutter=_mask(value["shutter"], arrays),
            automatic=value["automatic"] is True,
        )
    except (LookupError, TypeError, ValueError) as error:
        raise DamagedAnswerError from error
    colour = values.ndim == 3 and values.shape[2] == 3 and values.dtype == np.uint8
    if not colour and (values.ndim != 2 or not frame.windows):
        raise DamagedAnswerError
    return frame


def unpack_size(value: object) -> tuple[int, int]:
    """Rows and columns from JSON."""
    rows, columns = _listed(value)
    return _whole(rows), _whole(columns)


def pack_error(error: ScanError) -> dict[str, object]:
    """The reader's sentence for JSON."""
    unwritten = isinstance(error, NotWrittenError)
    return {
        "ok": False,
        "reason": error.message,
        "remedy": error.remedy,
        "unwritten": unwritten,
    }


def unpack_error(value: Json) -> ScanError:
    """The reader's sentence from JSON."""
    reason = str(value.get("reason") or "The decoder failed on this file.")
    kind = NotWrittenError if value.get("unwritten") is True else ScanError
    return kind(reason[:300], str(value.get("remedy", ""))[:300])


def _window(entry: object, arrays: Sequence[Array]) -> Window | VoiLut:
    kind, *parts = _listed(entry)
    if kind != "table":
        return unpack_window(entry)
    first, index, name = parts
    entries = arrays[_whole(index)]
    if entries.dtype != np.uint16 or entries.ndim != 1 or not entries.size:
        raise DamagedAnswerError
    return VoiLut(_whole(first), entries.astype(np.uint16, copy=False), str(name))


def _region(entry: object) -> Region:
    left, top, right, bottom, spacing = _listed(entry)
    return Region(_whole(left), _whole(top), _whole(right), _whole(bottom), _pair(spacing))


def _mask(index: object, arrays: Sequence[Array]) -> NDArray[np.bool_] | None:
    if index is None:
        return None
    mask = arrays[_whole(index)]
    if mask.dtype != np.bool_ or mask.shape != arrays[0].shape[:2]:
        raise DamagedAnswerError
    return mask.astype(np.bool_, copy=False)


def _listed(value: object) -> Sequence[object]:
    if not isinstance(value, list):
        raise DamagedAnswerError
    return value


def _pair(value: object) -> tuple[float, float]:
    first, second = _listed(value)
    return _real(first), _real(second)


def _place(value: object) -> SlicePlace:
    position, orientation, number, turn, series = _listed(value)
    where = None if position is None else tuple(map(_real, _listed(position)))
    turned = None if orientation is None else tuple(map(_real, _listed(orientation)))
    if (where is not None and len(where) != 3) or (turned is not None and len(turned) != 6):
        raise DamagedAnswerError
    return SlicePlace(
        position=where,
        orientation=turned,
        number=None if number is None else _whole(number),
        turn=tuple(map(_real, _listed(turn))),
        series=None if series is None else _whole(series),
    )


def _whole(value: object) -> int:
    if not isinstance(value, int):
        raise DamagedAnswerError
    return value


def _real(value: object) -> float:
    if not isinstance(value, (int, float)):
        raise DamagedAnswerError
    return float(value)
