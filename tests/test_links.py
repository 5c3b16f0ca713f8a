"""Chains of links longer than any system follows: a sentence for whoever names one."""

from pathlib import Path

import pytest

from nearl_core import decisions_file
from nearl_core.importing.matching import match
from nearl_core.importing.statements import Statement
from nearl_core.types import Scan
from tests.support.projects import LABELS


@pytest.fixture
def chained(tmp_path: Path) -> Path:
    """The first of more links than Python may call itself."""
    last = tmp_path / "end"
    for number in range(1100):
        link = tmp_path / str(number)
        link.symlink_to(last)
        last = link
    return last


def test_a_decision_for_a_chain_of_links_is_told_to_name_no_scan(
    tmp_path: Path, chained: Path
) -> None:
    table = tmp_path / "decisions.csv"
    table.write_text(f"path,label\n{chained},disc\n", "utf-8")
    scans = [Scan(1, tmp_path / "other")]
    with pytest.raises(decisions_file.DecisionsFileError, match="is not a scan of this project"):
        decisions_file.read(table, scans=scans, label_set=LABELS, reader="a")


def test_an_import_that_names_a_chain_of_links_finds_no_scan(tmp_path: Path, chained: Path) -> None:
    said = [Statement(str(chained), ("disc",))]
    assert not match(said, [Scan(1, tmp_path / "other")], folder=tmp_path, by_hash={}).found
