"""Anatomical letters of directions in a patient, DICOM PS3.3 C.7.6.1.1.1."""

from collections.abc import Sequence

_AXES = (("R", "L"), ("A", "P"), ("F", "H"))
_OPPOSITE = dict(zip("RLAPFH", "LRPAHF", strict=True))
_LEAST = 0.2
"""An axis counts from this share of a direction on (about 12 degrees)."""

Edges = tuple[str, str, str, str]


def letters(direction: Sequence[float]) -> str:
    """The letters of a direction (+x left, +y posterior, +z head), its largest part first."""
    parts = sorted(zip(direction, _AXES, strict=True), key=lambda part: -abs(part[0]))
    return "".join(pair[value > 0] for value, pair in parts if abs(value) >= _LEAST)


def is_direction(text: str) -> bool:
    """Whether these are one to three letters of directions."""
    return 0 < len(text) <= 3 and set(text) <= set(_OPPOSITE)


def edges_of(right: str, bottom: str) -> Edges:
    """Letters of the left, right, top and bottom edge, from those of two of them."""
    return _turned(right), right, _turned(bottom), bottom


def _turned(text: str) -> str:
    return "".join(_OPPOSITE[letter] for letter in text)
