"""Codes of labels, as people type them and as DICOM writes them."""

import pytest

from app.models.label_drafts import code_note
from nearl_core.codes import PRIVATE, Code, code_of, public_code


@pytest.mark.parametrize(
    ("text", "scheme", "value"),
    [
        ("SCT 233604007", "SCT", "233604007"),
        ("sct:233604007", "SCT", "233604007"),
        (" SNOMED-CT : 233604007 ", "SCT", "233604007"),
        ("RID5350", "RADLEX", "RID5350"),
        ("RADLEX RID5350", "RADLEX", "RID5350"),
        ("LOINC 24627-2", "LN", "24627-2"),
        ("ICD-10 J18.9", "I10", "J18.9"),
        ("I10C J18.9", "I10C", "J18.9"),
        ("99HOSP A1", "99HOSP", "A1"),
    ],
)
def test_a_code_with_its_scheme_is_understood(text: str, scheme: str, value: str) -> None:
    assert public_code(text, "Pneumonia") == Code(value, scheme, "Pneumonia")
    assert code_note(text) == ""


@pytest.mark.parametrize(
    "text", ["233604007", "J18.9", "233604007 12", "SCT 12345678901234567", "SCT pneumonia", "SCT"]
)
def test_a_code_without_a_scheme_is_said_to_be_left_out(text: str) -> None:
    assert code_of(text, label_id="pneumonia", name="Pneumonia").scheme == PRIVATE
    assert "leave this code out" in code_note(text)


def test_a_label_without_a_code_has_a_private_one_and_needs_no_note() -> None:
    assert code_of("", label_id="x", name="X") == Code("x", PRIVATE, "X")
    assert code_note(" ") == ""
