"""The commands `render` and `pixels`, as a script sees them."""

import json
import os
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from nearl_core.cli import main
from nearl_core.cli.scans import output_name
from tests.dicom.making import add_overlay, dicom, noise, ramp
from tests.support.scans import disc, write_png

Lines = list[dict[str, object]]


def run(capsys: pytest.CaptureFixture[str], *arguments: object, code: int = 0) -> Lines:
    assert main([str(argument) for argument in arguments]) == code
    return [json.loads(line) for line in capsys.readouterr().out.splitlines()]


def test_each_path_has_its_answer_as_it_was_given(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    write_png(tmp_path / "a.png", disc())
    dicom(tmp_path / "b", ramp(), WindowCenter="40", WindowWidth="20")
    (tmp_path / "c.dcm").write_bytes(b"nothing")
    monkeypatch.chdir(tmp_path)
    given = ["./a.png", "b", "c.dcm", "gone", "./a.png"]
    lines = run(capsys, "render", "--json", *given, "--to", tmp_path / "out")
    assert [line["path"] for line in lines] == given
    assert [line["ok"] for line in lines] == [True, True, False, False, True]
    assert lines[0] == lines[4]
    assert all(line["reason"] for line in lines if not line["ok"])
    with Image.open(str(lines[0]["png"])) as picture:
        assert picture.mode == "L"
        assert np.array_equal(np.asarray(picture), disc())
    assert (lines[1]["frames"], lines[1]["width"], lines[1]["height"]) == (1, 20, 16)


def test_frame_and_window(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    pixels = noise((3, 5, 6), "u2", below=1000)
    path = dicom(tmp_path / "a", pixels)
    to = ("--to", tmp_path / "out")
    (line,) = run(capsys, "render", "--json", path, *to, "--frame", 2, "--window", 500, 2)
    with Image.open(str(line["png"])) as picture:
        assert np.array_equal(np.asarray(picture) > 128, pixels[2] > 499)
    (line,) = run(capsys, "render", "--json", path, *to, "--frame", 9)
    assert "no frame 9" in str(line["reason"])


def test_a_picture_is_as_it_was_stored(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The first frame, without overlay, shutter and aspect: those are the viewer's."""
    pixels = noise((2, 5, 6))
    shutter: dict[str, Any] = {"ShutterShape": "RECTANGULAR"} | {
        f"Shutter{edge}Edge": "2"
        for edge in ("LeftVertical", "RightVertical", "UpperHorizontal", "LowerHorizontal")
    }
    path = dicom(tmp_path / "a", pixels, PixelSpacing=["3", "1"], **shutter)
    add_overlay(path, np.ones((5, 6), np.uint8))
    (line,) = run(capsys, "render", "--json", path, "--to", tmp_path / "out")
    assert (line["frames"], line["width"], line["height"]) == (2, 6, 5)
    with Image.open(str(line["png"])) as picture:
        assert np.array_equal(np.asarray(picture), pixels[0])


def test_stored_values(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    pixels = noise((3, 5, 6), "i2", below=1000)
    path = dicom(tmp_path / "a", pixels, RescaleSlope="2", RescaleIntercept="1")
    (line,) = run(capsys, "pixels", "--json", path, "--to", tmp_path / "out")
    assert (line["shape"], line["dtype"]) == ([3, 5, 6], "int16")
    assert np.array_equal(np.load(str(line["npy"])), pixels)


def test_folder_is_answered_with_its_scans_but_not_with_our_output(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in ("a", "b", "sub/a"):
        write_png(tmp_path / f"{name}.png", disc())
    for _ in range(2):
        lines = run(capsys, "render", "--json", tmp_path, "--to", tmp_path / "out")
        assert [line["path"] for line in lines] == [
            str(tmp_path / name) for name in ("a.png", "b.png", "sub/a.png")
        ]
    assert len({line["png"] for line in lines}) == 3


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such names")
def test_names_never_leave_the_folder(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    names = [
        b"\xff\xfe.png",
        b"..\\..\\x.png",
        b"a\nb.png",
        b"-rf.png",
        b"%2e%2e%2f.png",
        b"...png",
    ]
    paths = []
    for name in names:
        paths.append(tmp_path / "in" / os.fsdecode(name))
        write_png(tmp_path / "in" / "x.png", disc()).rename(paths[-1])
    out = tmp_path / "out"
    lines = run(capsys, "render", "--json", *paths, "--to", out)
    assert [os.fsencode(str(line["path"])) for line in lines] == [os.fsencode(p) for p in paths]
    written = {Path(str(line["png"])) for line in lines}
    assert len(written) == len(names)
    assert {path.parent for path in written} == {out}
    assert set(out.iterdir()) == written


def test_a_link_in_the_output_folder_is_not_followed(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = write_png(tmp_path / "a.png", disc())
    victim = tmp_path / "victim"
    victim.write_text("mine")
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / output_name(path, ".png")).symlink_to(victim)
    run(capsys, "render", "--json", path, "--to", tmp_path / "out")
    assert victim.read_text() == "mine"


@pytest.mark.parametrize(
    "more", [["--window", "1", "0"], ["--window", "1", "nan"], ["--frame", "-1"], ["--frame", "x"]]
)
def test_wrong_usage(tmp_path: Path, capsys: pytest.CaptureFixture[str], more: list[str]) -> None:
    run(capsys, "render", "--json", tmp_path, "--to", tmp_path / "out", *more, code=2)


def test_output_folder_that_can_not_be_made(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "file").write_text("")
    assert main(["render", str(tmp_path), "--to", str(tmp_path / "file")]) == 3
    assert "Name another" in capsys.readouterr().err
