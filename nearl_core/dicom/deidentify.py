"""Copies of scans under the Basic Profile of DICOM PS3.15 annex E, put together anew.

Nothing of the file goes through but what `profile.py` lets: the pixels are decoded and written as
plain values, so that no comment of a codec, no overlay in unused bits and no padding leaves.
Called in a guarded process.
"""

import hashlib
import hmac
import math
from collections.abc import Iterable
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from pydicom._uid_dict import UID_dictionary
from pydicom.datadict import dictionary_VR, keyword_for_tag
from pydicom.dataelem import DataElement
from pydicom.dataset import Dataset, FileDataset, FileMetaDataset
from pydicom.sequence import Sequence
from pydicom.uid import UID, ExplicitVRLittleEndian, SecondaryCaptureImageStorage
from pydicom.valuerep import DSfloat

from nearl_core.dicom import profile
from nearl_core.dicom.colour import every_rgb
from nearl_core.dicom.layout import Layout
from nearl_core.dicom.profile import Action
from nearl_core.dicom.source import Source, opened
from nearl_core.dicom.stored import StoredPixels
from nearl_core.dicom.tags import BROKEN, data, items, numbers, text, texts
from nearl_core.errors import NotWrittenError
from nearl_core.types import Disguise

_DEPTH: Final = 8
_LEVELS: Final = ("Study", "Series", "SOP")
_STORAGE: Final = "1.2.840.10008.5.1.4.1.1"
_SUCCESSORS: Final = {  # ultrasound multi-frame, nuclear medicine, ultrasound
    f"{_STORAGE}.3": f"{_STORAGE}.3.1",
    f"{_STORAGE}.5": f"{_STORAGE}.20",
    f"{_STORAGE}.6": f"{_STORAGE}.6.1",
}
_DUMMY_DATE: Final = "19000101"
_BINARY: Final = ("US", "SS", "UL", "SL", "FL", "FD")
_MODALITIES: Final = frozenset(
    [
        "CR",
        "CT",
        "DX",
        "ES",
        "GM",
        "IO",
        "IVOCT",
        "IVUS",
        "MG",
        "MR",
        "NM",
        "OCT",
        "OP",
        "OPT",
        "OT",
        "PT",
        "PX",
        "RF",
        "RG",
        "SC",
        "SM",
        "US",
        "XA",
        "XC",
    ]
)
_TYPE_2: Final = (
    "PatientBirthDate",
    "PatientSex",
    "StudyDate",
    "StudyTime",
    "AccessionNumber",
    "ReferringPhysicianName",
    "StudyID",
    "SeriesNumber",
    "Manufacturer",
)


def write_copy(path: Path, out: Path, disguise: Disguise) -> None:
    """Write a de-identified copy of a DICOM file.

    Args:
        path: The file.
        out: Where the copy goes.
        disguise: Under which names.

    Raises:
        ScanError: If it can't be read or decoded.
        NotWrittenError: If the copy can't be written.
    """
    with opened(path) as source:
        pixels = StoredPixels(source)
        copy = _cleaned(source.dataset, disguise, little_endian=source.little_endian)
        copy.SOPClassUID = _sop_class(text(source.dataset, "SOPClassUID"))
        modality = text(source.dataset, "Modality").upper()
        copy.Modality = modality if modality in _MODALITIES else "OT"
        _add_pixels(copy, source, pixels)
        identity = [text(source.dataset, f"{level}InstanceUID") for level in _LEVELS]
    _save(copy, out, disguise, identity)


def _sop_class(uid: str) -> UID:
    """The kind of object, if the standard knows it: the present one for one that is retired."""
    current = UID(_SUCCESSORS.get(uid, uid))
    known = UID_dictionary.get(current)
    if known is None or known[1] != "SOP Class" or known[3] == "Retired":
        return UID(SecondaryCaptureImageStorage)
    return current


def write_capture(values: NDArray[np.generic], out: Path, disguise: Disguise) -> None:
    """Write the values of a picture that is no DICOM file as a Secondary Capture.

    Args:
        values: [Frames x] rows x columns [x 3]; uint8 or uint16.
        out: Where it goes.
        disguise: Under which names.

    Raises:
        NotWrittenError: If it can't be written.
    """
    copy = Dataset()
    kinds = {1: "1", 8: "2", 16: "3"}
    colour = values.ndim > 2 and values.shape[-1] == 3
    frames = values.ndim - (1 if colour else 0) == 3
    number = ".4" if colour else f".{kinds[8 * values.dtype.itemsize]}"
    copy.SOPClassUID = UID(SecondaryCaptureImageStorage + (number if frames else ""))
    copy.Modality, copy.ConversionType = "OT", "WSD"
    copy.PatientOrientation = ""
    if frames:
        copy.FrameIncrementPointer = 0x00182001  # page number vector
        copy.PageNumberVector = list(range(1, len(values) + 1))
    _set_values(copy, values, "RGB" if colour else "MONOCHROME2", bits=8 * values.dtype.itemsize)
    _save(copy, out, disguise, ["", "", ""])


def uid_of(key: bytes, uid: str) -> UID:
    """A UID in place of another: the same for the same one under one key, and no way back.

    It is derived from a UUID as DICOM PS3.5 B.2 has it, here one of keyed-hash bits.
    """
    digest = bytearray(hmac.new(key, uid.encode("utf-8", "replace"), hashlib.sha256).digest()[:16])
    digest[6] = digest[6] & 0x0F | 0x80  # version 8, RFC 9562 section 5.8
    digest[8] = digest[8] & 0x3F | 0x80
    return UID(f"2.25.{int.from_bytes(digest, 'big')}")


def _cleaned(
    dataset: Dataset, disguise: Disguise, *, little_endian: bool, depth: int = 0
) -> Dataset:
    """A data set of what may stay."""
    copy = Dataset()
    for tag in list(dataset.keys()):
        keyword = keyword_for_tag(tag)
        action = profile.action_of(int(tag))
        if not keyword or action is Action.REMOVE or int(tag) >> 16 < 8:
            continue
        element = (
            _kept(dataset, keyword, disguise, little_endian=little_endian, depth=depth)
            if action is None
            else _replaced(dataset, keyword, action, disguise)
        )
        if element is not None:
            copy.add(element)
    return copy


def _replaced(
    dataset: Dataset, keyword: str, action: Action, disguise: Disguise
) -> DataElement | None:
    """What the table's action makes of an attribute."""
    vr = dictionary_VR(keyword)
    if action is Action.UID:
        mapped = [uid_of(disguise.key, uid) for uid in texts(dataset, keyword) if uid]
        return DataElement(keyword, "UI", mapped) if vr == "UI" and mapped else None
    if action is Action.DUMMY:
        dummies = {"DA": _DUMMY_DATE, "TM": "000000", "DT": f"{_DUMMY_DATE}000000"}
        return DataElement(keyword, vr, dummies[vr]) if vr in dummies else None
    return None if vr == "SQ" else DataElement(keyword, vr, None)


def _kept(
    dataset: Dataset, keyword: str, disguise: Disguise, *, little_endian: bool, depth: int
) -> DataElement | None:
    """An attribute that the table does not name, if what it holds may stay."""
    if keyword in profile.SEQUENCES and depth < _DEPTH:
        inner = [
            _cleaned(item, disguise, little_endian=little_endian, depth=depth + 1)
            for item in items(dataset, keyword)
        ]
        return DataElement(keyword, "SQ", Sequence(inner)) if inner else None
    if keyword == "LUTData":
        return _table(dataset, little_endian=little_endian)
    if keyword in profile.NUMBERS:
        return _numbers(dataset, keyword)
    if keyword in profile.TERMS:
        terms = [one for one in texts(dataset, keyword) if one in profile.TERMS[keyword]]
        return DataElement(keyword, dictionary_VR(keyword), terms) if terms else None
    if keyword in profile.POINTERS:
        return _pointers(dataset, keyword)
    return None


def _numbers(dataset: Dataset, keyword: str) -> DataElement | None:
    """An attribute's numbers, written anew from their values."""
    try:
        held = dataset[keyword]
        listed: Iterable[Any] = held.value if held.VM > 1 else [held.value]
        found = [float(one) for one in listed if one is not None and one != ""]
    except BROKEN:
        return None
    sound = all(math.isfinite(one) and abs(one) <= profile.LARGEST_NUMBER for one in found)
    if not found or not sound:
        return None
    vr = dictionary_VR(keyword)
    if vr not in ("DS", *_BINARY[4:]):
        whole = [int(one) for one in found]
        return DataElement(keyword, _whole_vr(vr, whole), whole)
    if vr == "DS":
        return DataElement(keyword, vr, [DSfloat(one, auto_format=True) for one in found])
    return DataElement(keyword, vr, found)


def _table(dataset: Dataset, *, little_endian: bool) -> DataElement | None:
    """As many entries of a look-up table as its descriptor promises, as little endian words."""
    descriptor = numbers(dataset, "LUTDescriptor")
    plain = data(dataset, "LUTData", little_endian=little_endian)
    count = int(descriptor[0]) or 1 << 16 if len(descriptor) == 3 else 0
    wide = len(plain) >= 2 * count
    kind = ("<" if little_endian else ">") + ("u2" if wide else "u1")
    size = count * (2 if wide else 1)
    if not count or len(plain) < size:
        return None
    entries = np.frombuffer(plain[:size], kind).astype("<u2")
    return DataElement("LUTData", "OW", entries.tobytes())


def _whole_vr(vr: str, whole: list[int]) -> str:
    """One VR where the standard leaves a choice, such as US or SS."""
    if " or " in vr:
        return "SS" if min(whole) < 0 else "US"
    return vr


def _pointers(dataset: Dataset, keyword: str) -> DataElement | None:
    """Tags that the standard knows."""
    try:
        held = dataset[keyword]
        tags = [int(tag) for tag in (held.value if held.VM > 1 else [held.value])]
    except BROKEN:
        return None
    if not tags or not all(keyword_for_tag(tag) for tag in tags):
        return None
    return DataElement(keyword, "AT", tags)


def _add_pixels(copy: Dataset, source: Source, pixels: StoredPixels) -> None:
    layout = pixels.layout
    if layout.samples == 3 or layout.photometric == "PALETTE COLOR":
        _set_values(copy, every_rgb(source, pixels), "RGB", bits=8)
        return
    values = pixels.every()
    _set_values(copy, values, layout.photometric, bits=_bits_of(values, layout))


def _bits_of(values: NDArray[np.generic], layout: Layout) -> int:
    """Bits that hold every value: a lossy codec overshoots what the header promises."""
    if layout.real:
        return layout.allocated
    least, most = int(values.min()), int(values.max())
    needed = max(most.bit_length(), (-least - 1).bit_length() if least < 0 else 0)
    return min(max(layout.stored, needed + int(layout.signed)), 8 * values.dtype.itemsize)


def _set_values(copy: Dataset, values: NDArray[np.generic], photometric: str, *, bits: int) -> None:
    """The Image Pixel module, little endian and native."""
    colour = photometric == "RGB"
    shape = values.shape[:-1] if colour else values.shape
    allocated = 8 * values.dtype.itemsize
    copy.Rows, copy.Columns = shape[-2:]
    if len(shape) == 3:
        copy.NumberOfFrames = shape[0]
    copy.SamplesPerPixel = 3 if colour else 1
    copy.PhotometricInterpretation = photometric
    if colour:
        copy.PlanarConfiguration = 0
    copy.BitsAllocated = allocated
    plain = values.astype(values.dtype.newbyteorder("<"), copy=False).tobytes()
    if values.dtype.kind == "f":
        keyword = "FloatPixelData" if allocated == 32 else "DoubleFloatPixelData"
        setattr(copy, keyword, plain)
        return
    copy.BitsStored, copy.HighBit = bits, bits - 1
    copy.PixelRepresentation = int(values.dtype.kind == "i")
    vr = "OB" if allocated <= 8 else "OW"
    copy.add(DataElement("PixelData", vr, plain + b"\0" * (len(plain) % 2)))


def _save(copy: Dataset, out: Path, disguise: Disguise, identity: list[str]) -> None:
    """Give the copy its new identity and write it."""
    for level, uid in zip(_LEVELS, identity, strict=True):
        # Frames of a stack of files are of one study and series, and each is an object.
        name = uid or f"{level} of {out.stem if level == 'SOP' else disguise.scan}"
        setattr(copy, f"{level}InstanceUID", uid_of(disguise.key, name))
    copy.PatientName = copy.PatientID = disguise.patient
    for keyword in _TYPE_2:
        if keyword not in copy:
            setattr(copy, keyword, None)
    copy.setdefault("InstanceNumber", DataElement("InstanceNumber", "IS", 1))
    copy.DeidentificationMethod = "DICOM PS3.15 Basic Profile; only what a picture needs is kept"
    code = Dataset()
    code.CodeValue, code.CodingSchemeDesignator, code.CodeMeaning = profile.METHOD
    copy.DeidentificationMethodCodeSequence = Sequence([code])
    copy.LongitudinalTemporalInformationModified = "REMOVED"
    if disguise.pixels_checked:
        copy.PatientIdentityRemoved, copy.BurnedInAnnotation = "YES", "NO"
    meta = FileMetaDataset()
    meta.TransferSyntaxUID = ExplicitVRLittleEndian
    meta.MediaStorageSOPClassUID = copy.SOPClassUID
    meta.MediaStorageSOPInstanceUID = copy.SOPInstanceUID
    whole = FileDataset(out, copy, file_meta=meta, preamble=b"\0" * 128)
    try:
        whole.save_as(out, enforce_file_format=True)
    except OSError as error:
        out.unlink(missing_ok=True)
        raise NotWrittenError(
            f"The copy can't be written ({_cause(error)}).",
            "Check the place and the free space of the disk, then export again.",
        ) from error


def _cause(error: BaseException) -> str:
    """What the system said; pydicom raises its own error over it."""
    found: BaseException | None = error
    while found is not None:
        if isinstance(found, OSError) and found.strerror:
            return found.strerror
        found = found.__cause__ or found.__context__
    return type(error).__name__
