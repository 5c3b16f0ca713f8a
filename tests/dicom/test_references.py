"""Real files with reference pixels and DCMTK's renderings, where they are at hand."""

import csv
import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from nearl_core.errors import ScanError
from nearl_core.scans import decode
from nearl_core.scans.display import to_grey
from nearl_core.scans.windows import automatic

# DCMTK 3.6.7 reads windows and rescale from the root of a file alone, and takes padding into its
# automatic window (docs/scans.md says what that hides). With the window that it chose for these
# files, from minimum to maximum of everything, they agree with it too.
OWN_WINDOW = (
    "dicomParser__encapsulated__multi-frame__CT0012",
    "jpeg2000-multiframe-multifragments",
    "CT1_JPLL",
)


@dataclass(frozen=True)
class Row:
    """One row of the manifest that can be opened or must be refused."""

    file: Path
    expect: str
    values: dict[str, str]


@pytest.fixture(scope="module")
def rows(shared_data: Path) -> list[Row]:
    folder = shared_data / "dicom"
    with (folder / "manifest.csv").open(newline="", encoding="utf-8") as stream:
        return [Row(folder / row["file"], row["expect"], row) for row in csv.DictReader(stream)]


def opened(rows: list[Row]) -> Iterator[Row]:
    return (row for row in rows if row.expect == "open")


def digest(values: NDArray[np.generic]) -> str:
    little = values.astype(values.dtype.newbyteorder("<"), copy=False)
    return hashlib.sha256(np.ascontiguousarray(little).tobytes()).hexdigest()


def test_stored_pixels(rows: list[Row]) -> None:
    wrong = []
    for row in opened(rows):
        values = decode.stored(row.file)
        says = row.values
        shape = "x".join(map(str, values.shape))
        assert (shape, values.dtype.name) == (says["raw_shape"], says["raw_dtype"]), row.file.name
        if digest(values) != says["raw_sha256"]:
            off = abs(float(values.mean()) - float(says["raw_mean"]))
            if not float(says["tolerance"]) or off > 0.5:
                wrong.append(row.file.name)
    assert not wrong


def test_files_without_sound_pictures_are_refused(rows: list[Row]) -> None:
    refused = [row for row in rows if row.expect in ("refuse", "no-image")]
    opened_anyway = []
    for row in refused:
        try:
            decode.stored(row.file)
        except ScanError:
            continue
        opened_anyway.append(row.file.name)
    assert not opened_anyway


def test_renderings(rows: list[Row], shared_data: Path) -> None:
    far = {}
    for row in opened(rows):
        reference = row.values["ref_png"]
        if not reference or row.values["ref_trust"] == "no":
            continue
        frame = decode.frame(row.file, 0)[0]
        other = any(name in row.file.name for name in OWN_WINDOW)
        shown = to_grey(frame, automatic(frame.values) if other else None)
        with Image.open(shared_data / "dicom" / reference) as picture:
            expected = np.asarray(picture).astype(float)
        difference = np.abs(averaged(shown, int(row.values["ref_scale"])) - expected).mean()
        if difference > 2:
            far[row.file.name] = round(float(difference), 2)
    assert not far


def averaged(shown: NDArray[np.uint8], scale: int) -> NDArray[np.float64]:
    rows, columns = (size // scale * scale for size in shown.shape[:2])
    blocks = shown[:rows, :columns].astype(np.float64)
    blocks = blocks.reshape(rows // scale, scale, columns // scale, scale, *shown.shape[2:])
    means: NDArray[np.float64] = blocks.mean(axis=(1, 3))
    return means
