"""Reading DICOM files: header, one frame, all stored values. Called in a guarded process."""

import re
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from pydicom.dataset import Dataset

from nearl_core.dicom import geometry
from nearl_core.dicom.burned_in import burned_in
from nearl_core.dicom.codecs import refuse_syntax
from nearl_core.dicom.colour import every_rgb, palette_rgb, rgb_of
from nearl_core.dicom.grey import grey_frame
from nearl_core.dicom.groups import FrameHeader
from nearl_core.dicom.layout import Layout
from nearl_core.dicom.modalities import known
from nearl_core.dicom.overlays import overlay_of
from nearl_core.dicom.shutter import shutter_of
from nearl_core.dicom.source import Source, opened
from nearl_core.dicom.stored import NO_YBR, StoredPixels
from nearl_core.dicom.tags import data, items, text
from nearl_core.errors import ScanError
from nearl_core.scans.raster import to_srgb
from nearl_core.types import Frame, Identity, ScanInfo

PREVIEW_VALUES = 1 << 20
"""How many values a preview has at most: a tenth of a second of JPEG 2000."""

_HOLDS_MORE = "The file holds more frames than its header says; those are not shown."
_SEGMENTATIONS = ("1.2.840.10008.5.1.4.1.1.66.4", "1.2.840.10008.5.1.4.1.1.66.7")
_NOBODY = re.compile(
    "(patient)?(id|name)?(anon|anonym|anonymous|anonymi[sz]ed|deidentified|nobody|noname|unknown"
    "|unnamed|none|null|nil|na|removed|redacted|hidden|blank|empty|dummy|test|xx+)(patient)?"
    "(id|name)?|patient|patientid|patientname|name|noid"
)
"""What stands for nobody, letters and digits alone and in small letters."""


def info(path: Path) -> tuple[ScanInfo, Identity]:
    """What a file says of itself and of whose it is; its pixels are not decoded.

    Raises:
        ScanError: If it can't be read, or holds no picture that can be shown.
    """
    with opened(path) as source:
        layout = StoredPixels(source).layout
        refuse_syntax(source.syntax)
        return _info(source, layout, 0, ()), _identity(source)


def frame(path: Path, index: int = 0) -> tuple[Frame, ScanInfo]:
    """One frame, and what the file says of it.

    Raises:
        ScanError: If it can't be read, decoded, or does not exist.
    """
    with opened(path) as source:
        pixels = StoredPixels(source)
        raw = pixels.raw(index)
        stored = pixels.cleaned(raw)
        overlay = overlay_of(source.dataset, raw, index, little_endian=source.little_endian)
        shown, notices = _shown(source, pixels.seen_layout(index), stored, index, overlay)
        shown = replace(shown, shutter=_shutter(source, pixels.layout, index))
        if pixels.holds_more:
            notices = (*notices, _HOLDS_MORE)
        return shown, _info(source, pixels.layout, index, notices)


def frames(path: Path, indices: Iterable[int]) -> Iterator[Frame]:
    """Many frames of one file, its header read once; without overlay and shutter.

    Frames that can't be decoded are left out.

    Raises:
        ScanError: If the file can't be read.
    """
    with opened(path) as source:
        pixels = StoredPixels(source)
        for index in indices:
            with suppress(ScanError):
                stored = pixels.frame(index)
                yield _shown(source, pixels.seen_layout(index), stored, index, None)[0]


def preview(path: Path, index: int = 0) -> tuple[Frame, ScanInfo] | None:
    """One frame at a lower resolution, without overlay; None where the whole is as fast.

    Raises:
        ScanError: As `frame`.
    """
    with opened(path) as source:
        pixels = StoredPixels(source)
        coarse = pixels.coarse(index, most=PREVIEW_VALUES)
        if coarse is None:
            return None
        shown, notices = _shown(source, pixels.seen_layout(index), coarse, index, None)
        return shown, _info(source, pixels.layout, index, notices)


def stored(path: Path) -> NDArray[np.generic]:
    """The stored values of all frames: frames x rows x columns [x 3], one frame without the first.

    Raises:
        ScanError: If they can't be read or decoded.
    """
    with opened(path) as source:
        return StoredPixels(source).every()


def stored_rgb(path: Path) -> NDArray[np.generic]:
    """As `stored`, colours as RGB whatever the file keeps: of palettes and YBR with 8 bits.

    Raises:
        ScanError: As `stored`, or if a palette is missing or damaged.
    """
    with opened(path) as source:
        pixels = StoredPixels(source)
        layout = pixels.layout
        seen = (pixels.seen_layout(at).photometric for at in range(layout.frames))
        if layout.photometric == "PALETTE COLOR" or (
            layout.samples == 3 and not NO_YBR.issuperset(seen)
        ):
            return every_rgb(source, pixels)
        return pixels.every()


def _shown(
    source: Source,
    layout: Layout,
    values: NDArray[np.generic],
    index: int,
    overlay: NDArray[np.bool_] | None,
) -> tuple[Frame, tuple[str, ...]]:
    if layout.photometric == "PALETTE COLOR":
        rgb = palette_rgb(
            values, source.dataset, signed=layout.signed, little_endian=source.little_endian
        )
        return Frame(_in_srgb(rgb, source), overlay=overlay), ()
    if layout.samples == 3:
        rgb = rgb_of(values, layout)
        return Frame(_in_srgb(rgb, source), overlay=overlay), ()
    grey = grey_frame(
        values,
        FrameHeader(source.dataset, index),
        layout,
        little_endian=source.little_endian,
        overlay=overlay,
    )
    return grey.frame, grey.notices


def _shutter(source: Source, layout: Layout, index: int) -> NDArray[np.bool_] | None:
    header = FrameHeader(source.dataset, index)
    return shutter_of(header, layout.rows, layout.columns, aspect=geometry.aspect(header))


def _in_srgb(rgb: NDArray[np.uint8], source: Source) -> NDArray[np.uint8]:
    """Through the ICC profile of the file, or of its optical path, where there is one."""
    for place in (source.dataset, *items(source.dataset, "OpticalPathSequence")[:1]):
        profile = data(place, "ICCProfile", little_endian=source.little_endian)
        if profile:
            return to_srgb(rgb, profile)
    return rgb


def _info(source: Source, layout: Layout, index: int, notices: tuple[str, ...]) -> ScanInfo:
    header = FrameHeader(source.dataset, index)
    return ScanInfo(
        rows=layout.rows,
        columns=layout.columns,
        frames=layout.frames,
        modality=_modality(source.dataset),
        aspect=geometry.aspect(header),
        spacing_mm=geometry.spacing_mm(header),
        spacing_at=geometry.spacing_at(header),
        regions=geometry.regions(source.dataset),
        edges=geometry.edges(header),
        place=geometry.slice_place(header),
        laterality=geometry.laterality(header),
        view=geometry.view(header),
        unit=geometry.unit(header) if layout.samples == 1 else "",
        frames_per_second=geometry.frames_per_second(source.dataset) if layout.frames > 1 else None,
        notices=notices,
        burned_in=burned_in(source.dataset),
    )


def _modality(dataset: Dataset) -> str:
    """As the file says; a segmentation is one whatever it says."""
    stored_as = text(dataset, "SOPClassUID")
    return "SEG" if stored_as in _SEGMENTATIONS else known(text(dataset, "Modality"))


def _identity(source: Source) -> Identity:
    """Patient ID with its issuer, else the name and birth date; study, series and image UIDs.

    What de-identification leaves behind names nobody, and would make one patient of them all.
    """
    dataset = source.dataset
    patient = text(dataset, "PatientID")
    if _names_someone(patient):
        patient = f"{text(dataset, 'IssuerOfPatientID')}:{patient}"
    else:
        name, born = text(dataset, "PatientName"), text(dataset, "PatientBirthDate")
        patient = f"{name}:{born}" if _names_someone(name) else ""
    levels = ("StudyInstanceUID", "SeriesInstanceUID", "SOPInstanceUID")
    study, series, image = (text(dataset, level) for level in levels)
    return Identity(patient=patient, study=study, series=series, image=image)


def _names_someone(value: str) -> bool:
    """Whether a name or number of a patient tells patients apart at all."""
    letters = re.sub(r"[\W_]+", "", value).casefold()
    return bool(letters.strip("0")) and not _NOBODY.fullmatch(letters)
