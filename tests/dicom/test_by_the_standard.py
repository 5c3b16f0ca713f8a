"""Any grey file against the standard: cells to stored values to greys, calculated independently."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from nearl_core.dicom import read
from nearl_core.scans.display import to_grey
from tests.dicom.making import BIG_ENDIAN, DEFLATED, EXPLICIT, IMPLICIT, dicom, item

PLACES = ("root", "shared", "frame")
Array = NDArray[Any]


@dataclass(frozen=True)
class Case:
    """What a file says; of two frames."""

    syntax: str
    allocated: int
    stored: int
    high: int
    signed: bool
    seed: int
    rescale: tuple[str, str] | None
    rescale_at: str
    window: tuple[float, float]
    shape: str
    window_at: str
    photometric: str
    presentation: str | None


@st.composite
def cases(draw: st.DrawFn) -> Case:
    allocated = draw(st.sampled_from([8, 16, 32]))
    stored = draw(st.integers(max(2, allocated - 8), allocated))
    slope = st.sampled_from(["1", "2", "-1", "0.5", "-0.0027", "1.5e1"])
    intercept = st.sampled_from(["0", "-1024", "100000", "-0.5"])
    shape = draw(st.sampled_from(["LINEAR", "LINEAR_EXACT", "SIGMOID"]))
    widths = [1, 2, 255.5, 4096] + ([] if shape == "LINEAR" else [0.25])
    return Case(
        syntax=draw(st.sampled_from([IMPLICIT, EXPLICIT, BIG_ENDIAN, DEFLATED])),
        allocated=allocated,
        stored=stored,
        high=draw(st.integers(stored - 1, allocated - 1)),
        signed=draw(st.booleans()),
        seed=draw(st.integers(0, 1000)),
        rescale=draw(st.none() | st.tuples(slope, intercept)),
        rescale_at=draw(st.sampled_from(PLACES)),
        window=(draw(st.integers(-200, 3000)) / 2, draw(st.sampled_from(widths))),
        shape=shape,
        window_at=draw(st.sampled_from(PLACES)),
        photometric=draw(st.sampled_from(["MONOCHROME1", "MONOCHROME2"])),
        presentation=draw(st.sampled_from([None, "IDENTITY", "INVERSE"])),
    )


def cells_of(case: Case) -> tuple[Array, Array]:
    """Cells with chance in all bits that are not stored, and the values in them (PS3.5 8.1.1)."""
    cells = np.random.default_rng(case.seed).integers(0, 1 << case.allocated, (2, 5, 7))
    values = (cells >> (case.high - case.stored + 1)) & ((1 << case.stored) - 1)
    if case.signed:
        values = np.where(values >> (case.stored - 1), values - (1 << case.stored), values)
    return cells.astype(f"u{case.allocated // 8}"), values


def elements_of(case: Case) -> dict[str, Any]:
    """Each group of elements at the place that the case names (PS3.3 C.7.6.16)."""
    groups: dict[str, dict[str, Any]] = {place: {} for place in PLACES}
    window = {"WindowCenter": str(case.window[0]), "WindowWidth": str(case.window[1])}
    said = [("FrameVOILUTSequence", case.window_at, window | {"VOILUTFunction": case.shape})]
    if case.rescale is not None:
        rescale = {"RescaleSlope": case.rescale[0], "RescaleIntercept": case.rescale[1]}
        said.append(("PixelValueTransformationSequence", case.rescale_at, rescale))
    for group, place, held in said:
        groups[place] |= held if place == "root" else {group: [item(**held)]}
    return groups["root"] | {
        "SharedFunctionalGroupsSequence": [item(**groups["shared"])],
        "PerFrameFunctionalGroupsSequence": [item(**groups["frame"]) for _ in range(2)],
    }


def greys(case: Case, values: Array) -> Array:
    """PS3.3 C.11.1.1 and C.11.2.1.2 to C.11.2.1.3, 0 to 255, not rounded."""
    slope, intercept = case.rescale or ("1", "0")
    x = values.astype(np.float64) * float(slope) + float(intercept)
    c, w = case.window
    if case.shape == "SIGMOID":
        grey = 255 / (1 + np.exp(np.clip(-4 * (x - c) / w, -700, 700)))
    else:
        c, w = (c - 0.5, w - 1) if case.shape == "LINEAR" else (c, w)
        ramp = ((x - c) / w + 0.5) * 255 if w else x
        grey = np.where(x <= c - w / 2, 0, np.where(x > c + w / 2, 255, ramp))
    inverted = case.photometric == "MONOCHROME1" or case.presentation == "INVERSE"
    return 255 - grey if inverted else grey


@settings(max_examples=80)
@given(cases())
def test_values_and_greys(tmp_path_factory: pytest.TempPathFactory, case: Case) -> None:
    cells, values = cells_of(case)
    path = dicom(
        tmp_path_factory.getbasetemp() / "by-the-standard.dcm",
        cells,
        syntax=case.syntax,
        BitsStored=case.stored,
        HighBit=case.high,
        PixelRepresentation=int(case.signed),
        PhotometricInterpretation=case.photometric,
        PresentationLUTShape=case.presentation,
        **elements_of(case),
    )
    stored = read.stored(path)
    assert stored.dtype == np.dtype(f"{'i' if case.signed else 'u'}{case.allocated // 8}")
    assert np.array_equal(stored, values)
    for index in range(2):
        shown = to_grey(read.frame(path, index)[0])
        assert np.abs(shown - greys(case, values[index])).max() <= 0.5 + 1e-6
