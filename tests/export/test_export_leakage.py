"""Twins across splits: copies that were made smaller, cut or saved anew, and what only looks so."""

import io
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from nearl_core.control import RunControl
from nearl_core.errors import Cancelled
from nearl_core.export.images import SIDE, Seen, cuts_of, miniature_of
from nearl_core.export.leakage import Leakage, examine
from nearl_core.export.rows import Row
from nearl_core.store.project import Project
from nearl_core.store.scans import NewScan
from nearl_core.types import Identity, Label, LabelSet, ScanInfo
from tests.export.running import run
from tests.support.projects import LABELS, decide, new_project

Picture = NDArray[np.uint8]


def _picture(seed: int, *, size: int = 160) -> Picture:
    """A bright disc on black, as all of a kind have it, with spots of its own."""
    chosen = np.random.default_rng(seed)
    spots = Image.fromarray(chosen.integers(0, 256, (12, 12), np.uint8))
    inside = np.asarray(spots.resize((size, size), Image.Resampling.BICUBIC)) // 4 + 120
    y, x = np.mgrid[:size, :size] / size - 0.5
    return np.where(x**2 + y**2 < 0.2, inside, 0).astype(np.uint8)


def _examined(pictures: list[Picture]) -> Leakage:
    """Each picture in the other split than the one before it."""
    splits = ("train", "test")
    rows = [
        Row(
            n,
            f"scan-{n}",
            "p",
            True,
            splits[n % 2],
            1,
            None,
            "",
            "labelled",
            *((),) * 3,
            "r",
            "",
            False,
            "",
            "",
            (),
            None,
            "",
        )
        for n in range(len(pictures))
    ]
    seen = [
        Seen(n, picture.tobytes().hex(), miniature_of(picture), cuts_of(picture))
        for n, picture in enumerate(pictures)
    ]
    return examine(rows, seen, patients={}, studies={}, control=RunControl())


def _resized(picture: Picture, size: int) -> Picture:
    image = Image.fromarray(picture).resize((size, size), Image.Resampling.BILINEAR)
    return np.asarray(image)


def _saved(picture: Picture) -> Picture:
    file = io.BytesIO()
    Image.fromarray(picture).save(file, "JPEG", quality=60)
    return np.asarray(Image.open(file))


@pytest.mark.parametrize(
    "change",
    [
        lambda picture: _resized(picture, 57),
        lambda picture: _resized(picture, 233),
        _saved,
        lambda picture: picture[1:, 1:],
        lambda picture: (picture * 0.9 + 9).astype(np.uint8),
    ],
    ids=["smaller", "larger", "saved anew", "cut by a row and a column", "another window"],
)
def test_a_changed_copy_is_nearly_identical(change: Callable[[Picture], Picture]) -> None:
    pictures = [_picture(seed) for seed in range(7)]
    found = _examined([*pictures, change(pictures[0])])
    assert [(pair.first, pair.second) for pair in found.nearly] == [(0, 7)]
    assert not found.identical


@pytest.mark.parametrize("size", [40, 57, 64, 96])
@pytest.mark.parametrize(
    "change",
    [
        lambda picture: picture[1:, 1:],
        lambda picture: picture[:-1, 1:],
        lambda picture: picture[:-1, :-1],
        lambda picture: picture[1:-1, 1:-1],
    ],
    ids=["upper left", "lower left", "lower right", "all around"],
)
def test_a_small_picture_that_is_cut_by_a_pixel_is_nearly_identical(
    size: int, change: Callable[[Picture], Picture]
) -> None:
    pictures = [_picture(seed, size=size) for seed in range(7)]
    found = _examined([*pictures, change(pictures[0])])
    assert [(pair.first, pair.second) for pair in found.nearly] == [(0, 7)]
    # The other way round: the copy that is not cut comes last.
    found = _examined([change(pictures[0]), *pictures[1:], pictures[0]])
    assert [(pair.first, pair.second) for pair in found.nearly] == [(0, 7)]


def test_small_pictures_of_one_kind_are_no_twins() -> None:
    assert _examined([_picture(seed, size=64) for seed in range(30)]).none


def test_pictures_of_one_kind_and_blank_ones_are_no_twins() -> None:
    blank = [np.full((9, 9 + n), 10 * n, np.uint8) for n in range(4)]
    assert _examined([_picture(seed) for seed in range(30)] + blank).none


def test_a_miniature_is_the_mean_of_its_cells() -> None:
    picture = np.arange(48 * 60, dtype=np.uint16).reshape(48, 60) % 256
    expected = picture.repeat(SIDE, 0).repeat(SIDE, 1).reshape(SIDE, 48, SIDE, 60).mean((1, 3))
    assert np.abs(miniature_of(picture.astype(np.uint8)) - expected).max() <= 0.5
    assert miniature_of(np.full((1, 1, 3), 77, np.uint8)).tolist() == [[77] * SIDE] * SIDE


def test_looking_for_twins_can_be_stopped() -> None:
    control = RunControl()
    control.cancel()
    seen = [Seen(n, str(n), miniature_of(_picture(n))) for n in range(2)]
    rows = [
        Row(
            n,
            "",
            "p",
            True,
            split,
            1,
            None,
            "",
            "",
            *((),) * 3,
            "",
            "",
            False,
            "",
            "",
            (),
            None,
            "",
        )
        for n, split in enumerate(("train", "test"))
    ]
    with pytest.raises(Cancelled):
        examine(rows, seen, patients={}, studies={}, control=control)


@pytest.mark.parametrize(
    ("patients", "start", "end"),
    [
        (("A", "B", "C"), "No patient or study stands in two splits", "compare)."),
        (("", "", ""), "No study stands in two splits", "; patients could not be told apart."),
        (
            ("A", "", ""),
            "No patient or study stands in two splits",
            "; patients could not be told apart for 2 scans.",
        ),
    ],
    ids=["known", "unknown", "partly"],
)
def test_nothing_is_claimed_of_patients_that_are_not_known(
    tmp_path: Path, patients: tuple[str, ...], start: str, end: str
) -> None:
    with Project.create(tmp_path / "p", LABELS) as project:
        for number, patient in enumerate(patients, 1):
            path = tmp_path / f"{number}.png"
            project.add_scans([NewScan(path, ScanInfo(32, 32), Identity(patient))])
            decide(project, number, "disc")
        report = run(project, tmp_path / "out")
    assert report.leakage.startswith(start)
    assert report.leakage.endswith(end)
    assert report.patients_known is all(patients)


def test_names_stand_as_they_are_but_on_the_card(tmp_path: Path) -> None:
    label_set = LabelSet((Label("a", "melanocytic_nevus"), Label("b", "other")))
    with new_project(tmp_path, scans=9, label_set=label_set) as project:
        for number in range(1, 10):
            decide(project, number, "a" if number == 1 else "b")
        report = run(project, tmp_path / "out")
    assert any("has no scan of: melanocytic_nevus." in notice for notice in report.notices)
    assert r"has no scan of: melanocytic\_nevus." in (tmp_path / "out" / "README.md").read_text()
