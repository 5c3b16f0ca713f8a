"""Codes of labels: as they are typed, and as DICOM writes them."""

import hashlib
import re
from dataclasses import dataclass
from typing import Final

PRIVATE: Final = "99NEARL"
"""The coding scheme of labels that have no code of a public one."""

_NAMES: Final = (
    ("SCT", "SNOMED SNOMEDCT SNOMED-CT"),
    ("RADLEX", "RID"),
    ("LN", "LOINC"),
    ("I10", "ICD10 ICD-10"),
    ("I10C", "ICD10CM ICD-10-CM"),
)
_SCHEMES: Final = {name: scheme for scheme, names in _NAMES for name in names.split()}
"""Names that people write, and designators of PS3.16 table 8-1; others are taken as they are."""
_CODE: Final = re.compile(
    r"(?:((?=[0-9_-]*[A-Za-z])[A-Za-z0-9_-]+)(?: *: *| +))?([A-Za-z]*[0-9][A-Za-z0-9.\-]*)"
)
_LONGEST: Final = 16


@dataclass(frozen=True)
class Code:
    """A coded concept.

    Attributes:
        value: At most 16 characters.
        scheme: Coding Scheme Designator.
        meaning: At most 64 characters.
    """

    value: str
    scheme: str
    meaning: str


def public_code(text: str, meaning: str) -> Code | None:
    """A code with its scheme ("SCT 233604007", "RID5350"); None where it names none that fits.

    Args:
        text: As it was typed, or "".
        meaning: The label's name.
    """
    found = _CODE.fullmatch(text.strip())
    if found is None:
        return None
    scheme, value = (found[1] or "").upper(), found[2]
    if not scheme and value.upper().startswith("RID"):
        scheme = "RID"
    designator = _SCHEMES.get(scheme, scheme)
    if not designator or len(value) > _LONGEST or len(designator) > _LONGEST:
        return None
    return Code(value, designator, meaning[:64])


def code_of(text: str, *, label_id: str, name: str) -> Code:
    """The concept of a label: its own code, else a private one.

    Args:
        text: The label's code, or "".
        label_id: Its stable id.
        name: Its name.
    """
    return public_code(text, name) or private_code(label_id, name)


def private_code(value: str, meaning: str) -> Code:
    """A concept of this program's own scheme; a long value becomes a hash of itself."""
    if len(value) > _LONGEST or "\\" in value:
        value = hashlib.sha256(value.encode()).hexdigest()[:_LONGEST]
    return Code(value, PRIVATE, meaning.replace("\\", "/")[:64])
