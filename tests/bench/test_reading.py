"""`bench reading` measures what it says, on files that are read rightly."""

import json
from pathlib import Path

import numpy as np
import pytest

from nearl_core.bench import made, reading
from nearl_core.cli import main
from nearl_core.dicom import read


def test_each_figure_is_told(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reading, "ROWS", 1100)
    monkeypatch.setattr(reading, "COLUMNS", 1200)
    assert main(["bench", "reading", "--json", "--turns", "1"]) == 0
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    figures = {str(line["figure"]): line for line in lines}
    wanted = ("small", "uncompressed", "jpeg_ls", "jpeg_2000")
    assert {f"{name}_guard_cost" for name in wanted} <= set(figures)
    for line in lines:
        assert line["value"] is not None
        assert line["met"] == (None if line["goal"] is None else line["value"] <= line["goal"])
    # A coarse picture is there before the whole one.
    assert figures["jpeg_2000_preview"]["value"] < figures["jpeg_2000_shown"]["value"]


def test_the_made_up_files_are_sound(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, "ROWS", 300)
    monkeypatch.setattr(reading, "COLUMNS", 280)
    expected = made.image(300, 280)
    paths = reading._made(tmp_path)
    for name in ("native", "jpeg_2000", "jpeg_ls"):
        assert np.array_equal(read.stored(paths[name]), expected)
    assert read.info(paths["small"])[0].rows == 256
