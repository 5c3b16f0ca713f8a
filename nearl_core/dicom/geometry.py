"""Where a frame lies and how it is to be shown: aspect, spacing, edges, cine."""

from pydicom.dataset import Dataset

from nearl_core.dicom.groups import FrameHeader
from nearl_core.dicom.tags import integer, items, number, numbers, text, texts
from nearl_core.scans.orientation import Edges, edges_of, is_direction, letters
from nearl_core.types import Region, SlicePlace, SpacingAt

_SPACINGS = ("PixelSpacing", "ImagerPixelSpacing", "NominalScannedPixelSpacing")
_CENTIMETRES = 3
_TURNS = (
    *("TemporalPositionIdentifier", "TriggerTime", "DiffusionBValue"),
    *("EchoTime", "EchoNumbers", "AcquisitionNumber"),
)
"""What tells frames of a series at one position apart, where their file says so."""
_SERIES_LIMIT = 10**6
"""Longer numbers of series are clocks, or stand for somebody: no console counts so far."""


def spacing_mm(header: FrameHeader) -> tuple[float, float] | None:
    """Row and column spacing in millimetres, or None; never from ultrasound regions."""
    for keyword in _SPACINGS:
        place = header.holder("PixelMeasuresSequence", keyword)
        found = numbers(place, keyword) if place is not None else ()
        if len(found) == 2 and min(found) > 0:
            return found[0], found[1]
    return None


def spacing_at(header: FrameHeader) -> SpacingAt:
    """Where `spacing_mm` is true.

    A projection that was not calibrated repeats its ImagerPixelSpacing as PixelSpacing, or gives
    it alone: then it is the detector's, and the body is smaller (PS3.3 10.7.1.3).
    """
    body = numbers(
        header.holder("PixelMeasuresSequence", "PixelSpacing") or header.root, "PixelSpacing"
    )
    detector = numbers(header.root, "ImagerPixelSpacing")
    if len(body) == 2:
        same = body == detector and not text(header.root, "PixelSpacingCalibrationType")
        return SpacingAt.DETECTOR if same else SpacingAt.BODY
    return SpacingAt.DETECTOR if len(detector) == 2 else SpacingAt.FILM


def regions(root: Dataset) -> tuple[Region, ...]:
    """The parts of an ultrasound picture that have a scale in centimetres both ways."""
    found = []
    for item in items(root, "SequenceOfUltrasoundRegions"):
        units = {integer(item, f"PhysicalUnits{axis}Direction", 0) for axis in "XY"}
        across, down = (number(item, f"PhysicalDelta{axis}") for axis in "XY")
        if units != {_CENTIMETRES} or not across or not down:
            continue
        left, top = (integer(item, f"RegionLocationMin{axis}0", 0) for axis in "XY")
        right, bottom = (integer(item, f"RegionLocationMax{axis}1", -1) for axis in "XY")
        found.append(Region(left, top, right, bottom, (10 * abs(down), 10 * abs(across))))
    return tuple(found)


def aspect(header: FrameHeader) -> float:
    """Height of a pixel over its width; 1 where the file says nothing."""
    spacing = spacing_mm(header)
    ratio = spacing or numbers(header.root, "PixelAspectRatio")
    if len(ratio) != 2 or min(ratio) <= 0:
        return 1.0
    return ratio[0] / ratio[1]


def edges(header: FrameHeader) -> Edges:
    """Anatomical letters of the left, right, top and bottom edge, DICOM PS3.3 C.7.6.1.1.1."""
    place = header.holder("PlaneOrientationSequence", "ImageOrientationPatient")
    cosines = numbers(place, "ImageOrientationPatient") if place is not None else ()
    if len(cosines) == 6:
        right, bottom = letters(cosines[:3]), letters(cosines[3:])
    else:
        stated = texts(header.root, "PatientOrientation")
        if len(stated) != 2 or not all(is_direction(part) for part in stated):
            return ("", "", "", "")
        right, bottom = stated
    return edges_of(right, bottom)


def slice_place(header: FrameHeader) -> SlicePlace:
    """Where a frame stands in its series, DICOM PS3.3 C.7.6.2.1.1."""
    position = _held(header, "PlanePositionSequence", "ImagePositionPatient")
    turned = _held(header, "PlaneOrientationSequence", "ImageOrientationPatient")
    x, y, z = position if len(position) == 3 else (0.0, 0.0, 0.0)
    a, b, c, d, e, f = turned if len(turned) == 6 else (0.0,) * 6
    instance, series = (number(header.root, of) for of in ("InstanceNumber", "SeriesNumber"))
    return SlicePlace(
        position=(x, y, z) if len(position) == 3 else None,
        orientation=(a, b, c, d, e, f) if any((a, b, c, d, e, f)) else None,
        number=None if instance is None else int(instance),
        turn=tuple(number(header.root, keyword) or 0.0 for keyword in _TURNS),
        series=int(series) if series is not None and 0 <= series < _SERIES_LIMIT else None,
    )


def _held(header: FrameHeader, group: str, keyword: str) -> tuple[float, ...]:
    place = header.holder(group, keyword)
    return () if place is None else numbers(place, keyword)


def laterality(header: FrameHeader) -> str:
    """R, L, B or U, or ""."""
    place = header.holder("FrameAnatomySequence", "FrameLaterality")
    found = text(place, "FrameLaterality") if place is not None else ""
    found = found or text(header.root, "ImageLaterality") or text(header.root, "Laterality")
    return found.upper() if found.upper() in ("R", "L", "B", "U") else ""


def view(header: FrameHeader) -> str:
    """The view position, a code string of at most 16 characters, or ""."""
    return text(header.root, "ViewPosition")[:16]


def unit(header: FrameHeader) -> str:
    """Of the values after the Modality LUT, or ""."""
    if header.shows_stored:
        return ""
    place = header.holder("PixelValueTransformationSequence", "RescaleType")
    stated = text(place, "RescaleType") if place is not None else ""
    if stated and stated.upper() != "US":
        return stated[:16]
    modality = text(header.root, "Modality")
    if modality == "PT":
        return text(header.root, "Units")[:16]
    rescaled = header.holder("PixelValueTransformationSequence", "RescaleIntercept") is not None
    return "HU" if modality == "CT" and rescaled else ""


def frames_per_second(root: Dataset) -> float | None:
    """Of a cine: RecommendedDisplayFrameRate, else CineRate, else FrameTime or its vector."""
    for keyword in ("RecommendedDisplayFrameRate", "CineRate"):
        rate = number(root, keyword)
        if rate is not None and rate > 0:
            return rate
    time_ms = number(root, "FrameTime")
    if time_ms is None or time_ms <= 0:
        # The first entry is the time before the first frame: nothing.
        steps = [step for step in numbers(root, "FrameTimeVector")[1:] if step > 0]
        time_ms = sum(steps) / len(steps) if steps else None
    return 1000.0 / time_ms if time_ms else None
