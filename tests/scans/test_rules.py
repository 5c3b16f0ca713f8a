"""The rules that docs/scans.md lists have the tests that it names."""

import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
USUAL = "dicom/test_showing.py"


def test_each_rule_has_the_tests_that_it_names() -> None:
    text = (ROOT / "docs" / "scans.md").read_text("utf-8").split("## Each rule and its test")[1]
    rows = [line.split("|")[2] for line in text.split("\n## ")[0].splitlines() if "|" in line][2:]
    assert len(rows) > 30
    missing = []
    for row in rows:
        file, named = USUAL, 0
        for word in re.findall("`([^`]+)`", row):
            if word.endswith(".py"):
                file = word
            elif f"def test_{word}(" not in (ROOT / "tests" / file).read_text("utf-8"):
                missing.append(f"{file}: {word}")
            named += 1
        assert named, row
    assert not missing
