"""The demo project: which scans, whose decisions, and what stands on disk."""

from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nearl_core import demo
from nearl_core.control import RunControl
from nearl_core.dicom import shipped
from nearl_core.errors import Cancelled, ProjectError, ScanError
from nearl_core.scans.guard import ScanReader
from nearl_core.store.project import Project
from nearl_core.types import Scan


@pytest.fixture(scope="module")
def found() -> Iterator[list[demo.DemoScan]]:
    with ScanReader() as reader:
        yield demo.demo_scans(reader, RunControl())


def test_the_scans_are_those_of_the_installed_package(found: list[demo.DemoScan]) -> None:
    folder = shipped.shipped_folder()
    assert all(scan.path.is_relative_to(folder) for scan in found)
    assert len(found) == len({scan.path for scan in found}) >= 40


def test_one_picture_in_several_encodings_counts_once(found: list[demo.DemoScan]) -> None:
    same = {f"MR_small{kind}.dcm" for kind in ("", "_RLE", "_bigendian", "_implicit", "_expb")}
    assert len(same & {scan.path.name for scan in found}) == 1


def test_each_label_has_scans_and_each_type_its_label(found: list[demo.DemoScan]) -> None:
    counts = Counter(scan.label_id for scan in found)
    assert set(counts) == set(demo.demo_label_set().ids)
    labels = {scan.path.name: scan.label_id for scan in found}
    assert labels["CT_small.dcm"] == "ct"
    assert labels["examples_rgb_color.dcm"] == "ultrasound"
    assert labels["6154"] == "x-ray"
    assert labels["liver_1frame.dcm"] == "other"


@pytest.mark.parametrize(
    ("modality", "label"), [("CT", "ct"), ("mr ", "mri"), ("DX", "x-ray"), ("", "other")]
)
def test_the_header_tells_the_label(modality: str, label: str) -> None:
    assert demo.label_of_modality(modality) == label


@given(st.lists(st.integers(0, 2**15 - 1), min_size=4, max_size=4))
def test_byte_order_and_type_make_no_other_picture(values: list[int]) -> None:
    little = np.array(values, dtype="<u2").reshape(2, 2)
    assert demo.picture_hash(little) == demo.picture_hash(little.astype(">i4"))
    assert demo.picture_hash(little) != demo.picture_hash(little.reshape(1, 4))
    assert demo.picture_hash(little) != demo.picture_hash(little + 1)


@given(st.lists(st.sampled_from(["ct", "mri", "other"]), max_size=30))
def test_headers_decide_most_of_each_label_and_leave_the_rest(labels: list[str]) -> None:
    scans = [Scan(id=n, path=Path(f"{n}.dcm")) for n in range(len(labels))]
    decisions, left = demo.demo_decisions(scans, {s.path: labels[s.id] for s in scans})
    decided = [decision.scan_id for decision in decisions]
    assert sorted(decided + [scan.id for scan in left]) == list(range(len(labels)))
    assert all(decision.verdict.labels == (labels[decision.scan_id],) for decision in decisions)
    assert {labels[n] for n in decided} == set(labels)
    assert len(left) == sum(count // 3 for count in Counter(labels).values())


def test_the_project_holds_the_scans_and_no_decision(
    tmp_path: Path, found: list[demo.DemoScan]
) -> None:
    folder = demo.create_demo(tmp_path / "demo.nearl", RunControl())
    with Project.open(folder) as project:
        assert [scan.path for scan in project.scans()] == [scan.path for scan in found]
        assert not any(scan.problem for scan in project.scans())
        assert project.label_set().names == demo.demo_label_set().names
        assert project.standing() == []
        assert all(scan.patient_known for scan in project.scans() if scan.path.name == "4528")


def test_a_project_that_is_there_is_left_alone(tmp_path: Path) -> None:
    Project.create(tmp_path / "demo.nearl", demo.demo_label_set()).close()
    with pytest.raises(ProjectError):
        demo.create_demo(tmp_path / "demo.nearl", RunControl())
    with Project.open(tmp_path / "demo.nearl") as project:
        assert project.scans() == []


def test_a_cancelled_demo_makes_nothing(tmp_path: Path) -> None:
    control = RunControl()
    control.cancel()
    with pytest.raises(Cancelled):
        demo.create_demo(tmp_path / "demo.nearl", control)
    assert list(tmp_path.iterdir()) == []


def test_missing_scans_get_a_sentence_and_a_remedy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shipped, "find_spec", lambda _: None)
    with pytest.raises(ScanError) as caught:
        shipped.shipped_folder()
    assert "pydicom" in caught.value.remedy
