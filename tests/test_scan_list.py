"""Scans as columns say what the scans said."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nearl_core.scan_list import ScanList
from nearl_core.types import Scan

texts = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=12)
names = texts.map(lambda text: text.replace("/", "") or "a").filter(lambda t: t not in (".", ".."))
scans = st.builds(
    Scan,
    id=st.integers(1, 10**12),
    path=st.lists(names, min_size=1, max_size=3).map(lambda parts: Path("/", *parts)),
    frames=st.integers(1, 10_000),
    modality=texts.map(lambda text: text.rstrip("\0")),
    patient=texts.map(lambda text: text.rstrip("\0")),
    patient_known=st.booleans(),
    problem=texts,
)
many = st.lists(scans, max_size=12, unique_by=lambda scan: scan.id)


@given(many)
def test_every_scan_comes_back_as_it_was(given_scans: list[Scan]) -> None:
    listed = ScanList.of(given_scans)
    assert list(listed.values()) == sorted(given_scans, key=lambda scan: scan.id)
    assert listed.get(0) is None


@given(many, st.integers(0, 12))
def test_adding_in_two_goes_is_adding_in_one(given_scans: list[Scan], cut: int) -> None:
    ordered = sorted(given_scans, key=lambda scan: scan.id)
    first = ScanList.of(ordered[:cut])
    both = first.with_scans(ordered[cut:])
    assert list(both.values()) == ordered
    assert list(first.values()) == ordered[:cut]
    assert both.broken.tolist() == [bool(scan.problem) for scan in ordered]


@given(many, texts)
def test_a_search_finds_what_stands_in_the_name(given_scans: list[Scan], text: str) -> None:
    listed = ScanList.of(given_scans)
    expected = [text.casefold() in scan.path.name.casefold() for scan in listed.values()]
    assert listed.named(text).tolist() == expected


@pytest.mark.parametrize("ids", [[4, 5, 6, 7], [4, 6, 7, 90], [4]])
def test_places_of_ids_in_their_order(ids: list[int]) -> None:
    listed = ScanList.of([Scan(id_, Path("/a")) for id_ in ids])
    asked = np.array([90, 7, 3, 4, 6, 100, -1, 5])
    expected = [ids.index(one) for one in asked.tolist() if one in ids]
    assert listed.places(asked).tolist() == expected
    assert not len(ScanList().places(asked))


def test_names_that_are_not_utf_8_are_kept() -> None:
    scan = Scan(1, Path("/data/\udce4.png"))
    assert ScanList.of([scan])[1] == scan


def test_asking_whether_a_scan_is_there_makes_none() -> None:
    restored: list[str] = []

    def restore(kept: str) -> Path:
        restored.append(kept)
        return Path(kept)

    listed = ScanList([(7, "/a.png", 1, "", "", False, "")], restore=restore)
    named = len(restored)
    assert 7 in listed
    assert 8 not in listed
    assert None not in listed
    assert len(restored) == named
