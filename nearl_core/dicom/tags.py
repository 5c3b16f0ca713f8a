"""Values of a DICOM data set as the file gives them; one that is not valid counts as absent."""

import math
import struct
from collections.abc import Sequence

from pydicom.datadict import tag_for_keyword
from pydicom.dataset import Dataset
from pydicom.errors import BytesLengthException, InvalidDicomError

BROKEN = (
    ArithmeticError,
    AttributeError,
    BytesLengthException,
    EOFError,
    InvalidDicomError,
    LookupError,
    NotImplementedError,
    OSError,
    RecursionError,
    StopIteration,
    TypeError,
    ValueError,
    struct.error,
)
"""What pydicom raises for values and files that are not well formed (far more than its own)."""


def element(dataset: Dataset, keyword: str) -> object:
    """The value as pydicom reads it, or None where it is absent or can't be read."""
    try:
        return dataset.get(keyword)
    except BROKEN:
        return _raw(dataset, keyword)


def _raw(dataset: Dataset, keyword: str) -> object:
    """The bytes of a value that pydicom can't convert."""
    tag = tag_for_keyword(keyword)
    try:
        return dataset.get_item(tag).value if tag is not None else None
    except BROKEN:
        return None


def _parts(value: object) -> Sequence[object]:
    if value is None:
        return ()
    if isinstance(value, bytes):
        # A known tag written as UN, or text that is no number: read it as text.
        return value.decode("latin-1").split("\\")
    if isinstance(value, str):
        return value.split("\\")
    return value if isinstance(value, Sequence) else (value,)


def texts(dataset: Dataset, keyword: str) -> tuple[str, ...]:
    """The values as text, without outer blanks and NULs."""
    return tuple(str(part).strip(" \0\t\r\n") for part in _parts(element(dataset, keyword)))


def text(dataset: Dataset, keyword: str) -> str:
    """The first value as text, or ""."""
    return next(iter(texts(dataset, keyword)), "")


def numbers(dataset: Dataset, keyword: str) -> tuple[float, ...]:
    """The values as finite numbers, or () where one of them is not."""
    found = each_number(dataset, keyword)
    whole = tuple(number for number in found if number is not None)
    return whole if len(whole) == len(found) else ()


def each_number(dataset: Dataset, keyword: str) -> tuple[float | None, ...]:
    """The values as finite numbers, each None where it is not."""
    return tuple(map(_finite, _parts(element(dataset, keyword))))


def _finite(part: object) -> float | None:
    if isinstance(part, str):
        part = part.strip(" \0")
        # Where computers are set to write so, programs put a comma for the point.
        part = part.replace(",", ".") if "." not in part else part
    try:
        number = float(part)  # type: ignore[arg-type]
    except BROKEN:
        return None
    return number if math.isfinite(number) else None


def number(dataset: Dataset, keyword: str) -> float | None:
    """The first value as a finite number, or None."""
    return next(iter(numbers(dataset, keyword)), None)


def integer(dataset: Dataset, keyword: str, default: int) -> int:
    """The first value as a whole number, or the default."""
    value = number(dataset, keyword)
    return default if value is None else int(value)


def items(dataset: Dataset, keyword: str) -> tuple[Dataset, ...]:
    """The items of a sequence, or () where there is none."""
    value = element(dataset, keyword)
    if isinstance(value, (str, bytes)) or not isinstance(value, Sequence):
        return ()
    try:
        return tuple(item for item in value if isinstance(item, Dataset))
    except BROKEN:
        return ()


def data(dataset: Dataset, keyword: str, *, little_endian: bool) -> bytes:
    """The bytes of a value, little endian where it is a list of 16-bit words; b"" if absent."""
    value = element(dataset, keyword)
    if isinstance(value, bytes):
        return value
    if value is None or isinstance(value, str):
        return b""
    try:
        # US or SS values come as numbers: put them back into words.
        words = [int(part) & 0xFFFF for part in _parts(value)]  # type: ignore[call-overload]
    except BROKEN:
        return b""
    return struct.pack(f"{'<' if little_endian else '>'}{len(words)}H", *words)
