"""Walking a folder finds the scans, and nothing in it can stop the walk."""

import itertools
import os
import stat
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from nearl_core import servers
from nearl_core.cli import main
from nearl_core.scans.find import find
from nearl_core.types import SkippedFile
from tests.dicom.making import dicom, ramp
from tests.support.scans import disc, write_png

posix = pytest.mark.skipif(sys.platform == "win32", reason="POSIX has these, Windows has not")


def names(folder: Path) -> list[str]:
    return [found.name for found in find([folder]) if isinstance(found, Path)]


def reasons(*paths: Path) -> dict[str, str]:
    return {f.path.name: f.reason for f in find(paths) if isinstance(f, SkippedFile)}


def test_told_by_content_in_order_of_numbers(tmp_path: Path) -> None:
    write_png(tmp_path / "IM10.png", disc()).rename(tmp_path / "IM10")
    dicom(tmp_path / "IM2.txt", ramp())
    write_png(tmp_path / "sub" / "a.png", disc())
    (tmp_path / "fake.dcm").write_text("no scan")
    assert names(tmp_path) == ["IM2.txt", "IM10", "a.png"]
    assert reasons(tmp_path) == {"fake.dcm": "This is no scan."}


def test_an_archive_is_told_from_a_document(tmp_path: Path) -> None:
    for name in ("study.zip", "table.xlsx"):
        (tmp_path / name).write_bytes(b"PK\3\4 and what it holds")
    (tmp_path / "disc.7z").write_bytes(b"7z\xbc\xaf\x27\x1c and more")
    unpack = "This is an archive: unpack it first."
    assert reasons(tmp_path) == {
        "disc.7z": unpack,
        "study.zip": unpack,
        "table.xlsx": "This is no scan.",
    }


def test_dicom_without_preamble(tmp_path: Path) -> None:
    whole = dicom(tmp_path / "a", ramp(), syntax="1.2.840.10008.1.2").read_bytes()
    (tmp_path / "a").write_bytes(whole[whole.index(b"\x08\x00\x16\x00", 132) :])
    assert names(tmp_path) == ["a"]


def test_dicom_whose_preamble_is_a_tiff_header(tmp_path: Path) -> None:
    whole = dicom(tmp_path / "a", ramp()).read_bytes()
    (tmp_path / "a").write_bytes(b"II*\0" + whole[4:])
    from nearl_core.scans import decode

    assert names(tmp_path) == ["a"]
    assert decode.info(tmp_path / "a")[0].columns == 20


def test_dicom_without_picture_says_what_it_is(tmp_path: Path) -> None:
    path = dicom(tmp_path / "a", ramp())
    report = "1.2.840.10008.5.1.4.1.1.88.11"
    old = "1.2.840.10008.5.1.4.1.1.2"
    whole = path.read_bytes()
    at = whole.index(old.encode())
    field = whole[at - 2 : at + 26]
    path.write_bytes(
        whole.replace(field, len(report + "\0").to_bytes(2, "little") + report.encode() + b"\0", 1)
    )
    assert reasons(path)["a"] == "This holds no picture but a structured report."


def test_empty_hidden_and_resource_files(tmp_path: Path) -> None:
    (tmp_path / "empty.dcm").write_bytes(b"")
    (tmp_path / ".DS_Store").write_bytes(b"\0" * 100)
    write_png(tmp_path / "x.png", disc()).rename(tmp_path / "._x.png")
    write_png(tmp_path / ".scan.png", disc())
    write_png(tmp_path / ".git" / "a.png", disc())
    write_png(tmp_path / "old.nearl" / "cache" / "a.png", disc())
    assert names(tmp_path) == [".scan.png"]
    assert set(reasons(tmp_path)) == {"empty.dcm", "old.nearl"}
    assert "macOS" in reasons(tmp_path / "._x.png")["._x.png"]


def test_missing_and_odd_paths_are_answered(tmp_path: Path) -> None:
    assert reasons(tmp_path / "nowhere")["nowhere"] == "There is no such file."
    assert len(list(find([Path("a\0b")]))) == 1


@posix
def test_pipes_devices_and_loops(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.dcm")
    os.symlink("/dev/zero", tmp_path / "device")
    os.symlink(".", tmp_path / "loop")
    os.symlink("self", tmp_path / "self")
    os.symlink(tmp_path / "gone", tmp_path / "dangling")
    write_png(tmp_path / "a.png", disc())
    assert names(tmp_path) == ["a.png"]
    assert set(reasons(tmp_path)) == {"pipe.dcm", "device", "self", "dangling"}


@posix
def test_folders_nested_deeper_than_calls_can_be(tmp_path: Path) -> None:
    """And links to links without end beside them."""
    write_png(tmp_path / "z.png", disc())
    os.symlink("z.png", tmp_path / "link-0")
    for index in range(1200):
        os.symlink(f"link-{index}", tmp_path / f"link-{index + 1}")
    place = os.open(tmp_path, os.O_RDONLY)
    try:
        for _ in range(1200):
            os.mkdir("d", dir_fd=place)
            below = os.open("d", os.O_RDONLY, dir_fd=place)
            os.close(place)
            place = below
        assert names(tmp_path)[-1] == "z.png"
        assert "The file can't be read." in reasons(tmp_path).values()
        out = tmp_path / "out"
        assert main(["render", str(tmp_path), "--to", str(out), "--json"]) == 0
    finally:
        os.close(place)
        # Python's own way of removing it calls itself once a folder.
        subprocess.run(["rm", "-r", str(tmp_path / "d")], check=True)


@posix
def test_links_to_folders_elsewhere_are_told_and_left_alone(tmp_path: Path) -> None:
    """A folder that came from somebody else may link to the whole disk."""
    chosen, mine = tmp_path / "chosen", tmp_path / "mine"
    for folder in (chosen / "a", mine):
        write_png(folder / "1.png", disc(seed=1))
    os.symlink(mine, chosen / "out")
    os.symlink("/", chosen / "all")
    os.symlink(mine, chosen / ".hidden")
    os.symlink("a", chosen / "b")
    os.symlink(mine / "1.png", chosen / "file.png")
    why = "This is a link to a folder elsewhere: add that folder itself."
    assert list(find([chosen])) == [
        chosen / "a" / "1.png",
        SkippedFile(chosen / "all", why),
        chosen / "file.png",
        SkippedFile(chosen / "out", why),
    ]
    assert list(find([chosen / "out"])) == [chosen / "out" / "1.png"]  # it was chosen


@posix
def test_links_to_computers_that_nobody_named_are_not_asked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(servers, "WINDOWS", True)
    monkeypatch.setenv("NEARL_HOME", str(tmp_path / "home"))
    chosen = tmp_path / "chosen"
    write_png(chosen / "1.png", disc(seed=1))
    os.symlink("//evil.example/share/2.png", chosen / "2.png")
    os.symlink("2.png", chosen / "3.png")
    found = list(find([chosen]))
    assert found[0] == chosen / "1.png"
    assert [(one.path.name, one.reason) for one in found[1:] if isinstance(one, SkippedFile)] == [
        (name, "This is a link to another computer, which nobody named on this one.")
        for name in ("2.png", "3.png")
    ]


@posix
def test_folder_that_may_not_be_read(tmp_path: Path) -> None:
    write_png(tmp_path / "shut" / "a.png", disc())
    write_png(tmp_path / "z.png", disc())
    (tmp_path / "shut").chmod(0)
    try:
        if os.access(tmp_path / "shut", os.R_OK):
            pytest.skip("this user may read everything")
        assert names(tmp_path) == ["z.png"]
        assert reasons(tmp_path) == {"shut": "The folder may not be read."}
    finally:
        (tmp_path / "shut").chmod(stat.S_IRWXU)


@posix
def test_names_that_are_not_utf8(tmp_path: Path) -> None:
    name = os.fsdecode(b"\xff\xfe\n.png")
    write_png(tmp_path / "a.png", disc()).rename(tmp_path / name)
    assert names(tmp_path) == [name]


def test_the_walk_is_lazy(tmp_path: Path) -> None:
    for index in range(50):
        write_png(tmp_path / f"{index:02}" / "a.png", disc(8))
    walk = find([tmp_path])
    first = list(itertools.islice(walk, 2))
    for folder in tmp_path.iterdir():
        if folder.name > "01":
            (folder / "a.png").unlink()
    assert len(first) == 2
    assert not [found for found in walk if isinstance(found, Path)]


def test_array_files_are_no_scans(tmp_path: Path) -> None:
    np.save(tmp_path / "a.npy", np.zeros(3))
    (tmp_path / "BM.txt").write_text("BM is how this text begins, as bitmaps do")
    assert set(reasons(tmp_path)) == {"a.npy", "BM.txt"}
