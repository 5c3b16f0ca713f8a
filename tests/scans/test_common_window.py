"""Frames of one scan share a window where the file lists none, so that their greys compare."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from nearl_core.scans import decode
from nearl_core.scans.display import to_grey
from nearl_core.scans.guard import ScanReader
from nearl_core.scans.stack import write_stack
from nearl_core.scans.windows import automatic
from nearl_core.types import Frame
from tests.dicom.making import JPEG_2000, dicom, item, ramp
from tests.hostile.making import j2k

FRAMES = np.stack([ramp(dtype="u2", step=step) + 100 for step in (1, 9, 3)])
OF_ALL = automatic(FRAMES)


def test_all_frames_of_a_file_share_one_window(tmp_path: Path) -> None:
    path = dicom(tmp_path / "a", FRAMES)
    assert decode.window(path) == OF_ALL
    # What `render` writes of a frame is its own.
    assert to_grey(decode.frame(path, 0)[0]).max() == 255
    with ScanReader(workers=1) as reader:
        assert reader.window(path) == OF_ALL
        assert reader.frame(path, 1)[0].automatic
        assert reader.window(dicom(tmp_path / "b", FRAMES[0])) is None


def test_padding_and_slope_count_for_it(tmp_path: Path) -> None:
    path = dicom(tmp_path / "a", FRAMES, PixelPaddingValue=100, RescaleSlope="2")
    assert decode.window(path) == automatic(FRAMES[FRAMES > 100] * 2)


def test_files_of_a_stack_and_pages_share_one_window(tmp_path: Path) -> None:
    files = [dicom(tmp_path / str(k), frame) for k, frame in enumerate(FRAMES)]
    stack = tmp_path / "p.nearl" / "stacks" / "1.stack"
    stack.parent.mkdir(parents=True)
    write_stack(stack, files)
    assert decode.window(stack) == OF_ALL
    files[1].write_bytes(b"gone")
    assert decode.window(stack) == automatic(FRAMES[::2])
    pages = [Image.fromarray(frame) for frame in FRAMES]
    pages[0].save(tmp_path / "a.tif", save_all=True, append_images=pages[1:])
    assert decode.window(tmp_path / "a.tif") == OF_ALL


def test_a_frame_that_is_damaged_is_left_out(tmp_path: Path) -> None:
    streams = [j2k(frame) for frame in FRAMES]
    streams[1] = streams[1][:100]
    path = dicom(tmp_path / "a", FRAMES, syntax=JPEG_2000, frames=streams)
    assert decode.window(path) == automatic(FRAMES[::2])


def test_frames_that_list_windows_or_are_as_they_are_keep_to_them(tmp_path: Path) -> None:
    own = item(FrameVOILUTSequence=[item(WindowCenter="1", WindowWidth="2")])
    listed = dicom(tmp_path / "a", FRAMES, SharedFunctionalGroupsSequence=[own])
    plain = dicom(tmp_path / "b", FRAMES.astype("u1"))
    colour = dicom(tmp_path / "c", np.zeros((2, 4, 4, 3), "u1"), samples=3)
    assert [decode.window(path) for path in (listed, plain, colour)] == [None] * 3
    assert not decode.frame(listed, 0)[0].automatic
    assert not decode.frame(plain, 0)[0].automatic


def test_of_too_many_values_the_middle_frame_speaks(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = dicom(tmp_path / "a", FRAMES)
    monkeypatch.setattr(decode, "MOST_VALUES", FRAMES.size - 1)
    assert decode.window(path) == automatic(FRAMES[1])


def test_a_frame_as_read_tells_that_its_window_is_automatic(tmp_path: Path) -> None:
    Image.fromarray(FRAMES[0]).save(tmp_path / "a.png")
    Image.fromarray(FRAMES[0].astype("u1")).save(tmp_path / "b.png")
    automatic_ones: list[Frame] = [decode.frame(tmp_path / f"{k}.png", 0)[0] for k in "ab"]
    assert [frame.automatic for frame in automatic_ones] == [True, False]
