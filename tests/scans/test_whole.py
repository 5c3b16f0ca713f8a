"""Files that are written whole or not at all."""

from pathlib import Path
from typing import BinaryIO

from nearl_core.scans.whole import write_whole


def test_two_writers_of_one_place_do_not_disturb_each_other(tmp_path: Path) -> None:
    place = tmp_path / "a.png"

    def outer(stream: BinaryIO) -> None:
        write_whole(place, lambda other: other.write(b"second"))
        stream.write(b"first")

    write_whole(place, outer)
    assert place.read_bytes() == b"first"
    assert [file.name for file in tmp_path.iterdir()] == ["a.png"]
