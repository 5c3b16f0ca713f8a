"""NIfTI volumes are stacks, seen as radiologists do, whichever way they were stored."""

import gzip
import itertools
import struct
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import nibabel
import numpy as np
import pytest
from nibabel.orientations import axcodes2ornt, inv_ornt_aff, ornt_transform
from numpy.typing import NDArray

from nearl_core.errors import ScanError
from nearl_core.scans import decode, nifti
from nearl_core.scans.display import to_grey
from nearl_core.scans.find import find
from nearl_core.scans.orientation import Edges
from nearl_core.types import Window

Array = NDArray[Any]
CODES = [
    "".join(code)
    for order in itertools.permutations(("RL", "AP", "SI"))
    for code in itertools.product(*order)
]


def written(path: Path, values: Array, affine: Array | None = None, **header: Any) -> Path:
    """A file of these values; header fields by name."""
    image = nibabel.Nifti1Image(values, np.eye(4) if affine is None else affine)
    for name, value in header.items():
        image.header[name] = value
    nibabel.save(image, path)
    return path


def head_in_space(codes: str, spacing: Sequence[float] = (1, 2, 3)) -> tuple[Array, Array]:
    """A volume stored along `codes` whose values tell where they stand: 100 r + 10 a + s."""
    r, a, s = np.indices((4, 5, 6))
    values = (100 * r + 10 * a + s).astype(np.int16)
    affine = np.diag([*spacing, 1.0])
    turn = ornt_transform(axcodes2ornt("RAS"), axcodes2ornt(codes))
    stored = nibabel.orientations.apply_orientation(values, turn)
    return stored, affine @ inv_ornt_aff(turn, values.shape)


@pytest.mark.parametrize("codes", CODES)
def test_every_orientation_is_seen_as_radiologists_do(tmp_path: Path, codes: str) -> None:
    values, affine = head_in_space(codes)
    path = written(tmp_path / "a.nii", values, affine)
    stack = decode.stored(path)
    info, _ = decode.info(path)
    r, a, s = stack // 100, stack // 10 % 10, stack % 10
    # Where each of them falls or rises along frames, rows and columns, for this plane.
    ways: dict[str, tuple[list[tuple[Array, int, int]], Edges, tuple[float, float]]] = {
        "SI": ([(s, 0, 1), (a, 1, -1), (r, 2, -1)], ("R", "L", "A", "P"), (2, 1)),
        "AP": ([(a, 0, -1), (s, 1, -1), (r, 2, -1)], ("R", "L", "H", "F"), (3, 1)),
        "RL": ([(r, 0, 1), (s, 1, -1), (a, 2, -1)], ("A", "P", "H", "F"), (3, 2)),
    }
    steps, edges, spacing = next(ways[plane] for plane in ways if codes[2] in plane)
    for part, axis, sign in steps:
        assert (np.diff(part, axis=axis) == sign).all()
    assert info.edges == edges
    assert info.spacing_mm == pytest.approx(spacing)
    assert info.aspect == pytest.approx(spacing[0] / spacing[1])
    assert (info.frames, info.rows, info.columns) == stack.shape


def test_packed_volume_with_scale_and_one_window(tmp_path: Path) -> None:
    values, affine = head_in_space("LAS")
    path = written(tmp_path / "a.nii.gz", values, affine, scl_slope=2, scl_inter=-1000)
    stack = decode.stored(path)
    windows = set()
    for index in range(len(stack)):
        frame, info = decode.frame(path, index)
        assert np.array_equal(frame.values, stack[index].astype(int) * 2 - 1000)
        windows.add(frame.windows)
    assert info.frames == len(stack) == 6
    (window,) = windows.pop()
    assert isinstance(window, Window)
    assert (window.centre, window.width) == (345 * 1 - 1000 + 0.0, 345 * 2.0)
    assert not windows


def test_calibrated_window_is_the_files(tmp_path: Path) -> None:
    path = written(tmp_path / "a.nii", head_in_space("RAS")[0], cal_min=10, cal_max=50)
    (window,) = decode.frame(path, 0)[0].windows
    assert isinstance(window, Window)
    assert (window.centre, window.width) == (30, 40)


def test_time_series_goes_on_behind_the_first_stack(tmp_path: Path) -> None:
    values = np.arange(2 * 3 * 4 * 5).reshape(2, 3, 4, 5).astype(np.float32)
    path = written(tmp_path / "a.nii", values)
    stack = decode.stored(path)
    assert stack.shape == (20, 3, 2)
    assert np.array_equal(stack[4], values[::-1, ::-1, 0, 1].T)
    assert np.array_equal(decode.frame(path, 4)[0].values, stack[4])


@pytest.mark.parametrize("shape", [(5,), (5, 4), (5, 4, 1), (1, 1, 1)])
def test_few_dimensions(tmp_path: Path, shape: tuple[int, ...]) -> None:
    values = np.arange(int(np.prod(shape))).reshape(shape).astype(np.uint8)
    frame, info = decode.frame(written(tmp_path / "a.nii", values), 0)
    assert frame.values.shape == (info.rows, info.columns)
    assert to_grey(frame).shape == (info.rows, info.columns)


@pytest.mark.parametrize("names", ["RGB", "RGBA"])
def test_colour(tmp_path: Path, names: str) -> None:
    rgb = np.zeros((4, 3, 2), [(name, "u1") for name in names])
    rgb["G"] = 200
    frame, info = decode.frame(written(tmp_path / "a.nii", rgb), 0)
    assert frame.is_colour
    assert frame.values.tolist() == np.full((3, 4, 3), (0, 200, 0)).tolist()
    assert info.frames == 2


def test_big_endian_and_the_second_version(tmp_path: Path) -> None:
    values, affine = head_in_space("RAS")
    expected = decode.stored(written(tmp_path / "a.nii", values, affine))
    header = nibabel.Nifti1Header(endianness=">")
    header.set_data_dtype(">i2")
    nibabel.save(nibabel.Nifti1Image(values, affine, header), tmp_path / "b.nii")
    nibabel.save(nibabel.Nifti2Image(values, affine), tmp_path / "c.nii.gz")
    for name in ("b.nii", "c.nii.gz"):
        found = decode.stored(tmp_path / name)
        assert np.array_equal(found, expected)
        assert found.dtype == np.int16


def test_no_letters_where_the_file_does_not_say(tmp_path: Path) -> None:
    nibabel.save(nibabel.Nifti1Image(head_in_space("RAS")[0], None), tmp_path / "a.nii")
    info, _ = decode.info(tmp_path / "a.nii")
    assert info.edges == ("", "", "", "")
    assert "does not say" in info.notices[0]


def test_content_decides_and_another_file_is_read_anew(tmp_path: Path) -> None:
    values, affine = head_in_space("RAS")
    written(tmp_path / "a.nii.gz", values, affine).rename(tmp_path / "scan")
    assert list(find([tmp_path])) == [tmp_path / "scan"]
    first = decode.stored(tmp_path / "scan")
    written(tmp_path / "b.nii", values + 1, affine).replace(tmp_path / "scan")
    assert np.array_equal(decode.stored(tmp_path / "scan"), first + 1)


def spoilt(tmp_path: Path, at: int, value: bytes) -> Path:
    content = bytearray(written(tmp_path / "a.nii", head_in_space("RAS")[0]).read_bytes())
    content[at : at + len(value)] = value
    (tmp_path / "b.nii").write_bytes(content)
    return tmp_path / "b.nii"


@pytest.mark.parametrize(
    ("at", "value", "reason"),
    [
        (42, struct.pack("<3h", 32767, 32767, 32767), "more than 1 GB"),
        (42, struct.pack("<h", 300), "cut short"),
        (42, struct.pack("<h", -3), "valid size|damaged"),
        (40, struct.pack("<h", 99), "damaged|size"),
        (70, struct.pack("<h", 32), "no grey or colour"),
        (70, struct.pack("<h", 1536), "64 bits|no grey|damaged"),
        (70, struct.pack("<h", 1), "damaged|no grey"),
        (108, struct.pack("<f", 1e30), "damaged|cut short"),
        (108, struct.pack("<f", float("nan")), "damaged"),
        (280, struct.pack("<f", float("inf")), "orientation|damaged"),
    ],
)
def test_headers_that_say_something_impossible(
    tmp_path: Path, at: int, value: bytes, reason: str
) -> None:
    with pytest.raises(ScanError, match=reason):
        decode.frame(spoilt(tmp_path, at, value), 0)


def test_bomb_is_not_inflated(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = written(tmp_path / "a.nii", np.zeros((4, 4, 4), np.uint8)).read_bytes()
    (tmp_path / "bomb").write_bytes(gzip.compress(whole + b"\0" * (64 << 20)))
    assert decode.stored(tmp_path / "bomb").shape == (4, 4, 4)
    monkeypatch.setattr(nifti, "MAX_BYTES", 10)
    with pytest.raises(ScanError, match="more than"):
        decode.info(tmp_path / "bomb")


@pytest.mark.parametrize("keep", [0.3, 0.9, 0.99])
def test_packed_file_that_is_cut_short(tmp_path: Path, keep: float) -> None:
    values = np.random.default_rng(0).integers(0, 99, (9, 9, 9)).astype(np.int16)
    path = written(tmp_path / "a.nii.gz", values)
    path.write_bytes(path.read_bytes()[: int(path.stat().st_size * keep)])
    with pytest.raises(ScanError):
        decode.frame(path, 0)


def test_values_begin_behind_the_header_whatever_it_says(tmp_path: Path) -> None:
    expected = decode.stored(written(tmp_path / "a.nii", head_in_space("RAS")[0]))
    assert np.array_equal(decode.stored(spoilt(tmp_path, 108, struct.pack("<f", 0))), expected)


@pytest.mark.parametrize(
    ("kind", "name"), [(nibabel.Nifti1Pair, "NIfTI"), (nibabel.AnalyzeImage, "ANALYZE")]
)
def test_one_half_of_a_pair_says_what_it_is(tmp_path: Path, kind: type, name: str) -> None:
    kind(np.zeros((4, 3, 2), "i2"), np.eye(4)).to_filename(str(tmp_path / "a.img"))
    with pytest.raises(ScanError, match=f"one half of an? {name} pair"):
        decode.info(tmp_path / "a.hdr")
