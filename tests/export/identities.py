"""Fifty invented people, hidden in every place of a scan that can hold a word."""

import gzip
import io
import itertools
import struct
import warnings
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image
from PIL.PngImagePlugin import PngInfo
from pydicom.dataset import Dataset, FileDataset, FileMetaDataset
from pydicom.tag import Tag
from pydicom.uid import UID, CTImageStorage, ExplicitVRLittleEndian, JPEGBaseline8Bit

from tests.dicom.making import capsule, item
from tests.support.scans import disc

_FIRST = ("Zelbina", "Thorvin", "Quessa", "Marlok", "Ivrenna", "Dovrick", "Yulmara")
_LAST = ("Quorvex", "Haldrim", "Sovanti", "Brekkuld", "Vintorra", "Ollmerz", "Kajdrun", "Pexwell")


@dataclass(frozen=True)
class Person:
    """One invented person, no two of whom share a word or a number."""

    number: int

    @property
    def family(self) -> str:
        return f"{_LAST[self.number % 8]}{chr(97 + self.number // 8)}x{self.number:02d}"

    @property
    def given(self) -> str:
        return f"{_FIRST[self.number % 7]}{chr(97 + self.number // 7)}y{self.number:02d}"

    @property
    def id(self) -> str:
        return f"{7_310_407_001 + self.number * 1_000_003}"

    @property
    def born(self) -> str:
        return f"{1917 + self.number}{1 + self.number % 12:02d}{11 + self.number % 17:02d}"

    @property
    def text(self) -> str:
        return f"{self.family}^{self.given} {self.id} {self.born}"

    @property
    def uid(self) -> str:
        return f"1.2.752.{self.id}.{self.born}"

    @property
    def words(self) -> tuple[str, ...]:
        """What must not be found anywhere; a birth date alone could be chance in pixels."""
        return self.family, self.given, self.id


PEOPLE = tuple(Person(number) for number in range(50))


def seed(folder: Path) -> list[Path]:
    """Write the scans; every person stands in at least one of them."""
    people = itertools.cycle(PEOPLE)
    dicom = folder / f"{next(people).family} {next(people).given}"
    dicom.mkdir(parents=True)
    made = []
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # pydicom is right: these values do not belong there
        for number, fill in enumerate((_header, _nested, _hidden, _numbers)):
            made.append(_dicom(dicom / f"{next(people).text[:40]}-{number}.dcm", people, fill))
        made.append(_compressed(dicom / f"{next(people).family}.dcm", people))
    made += _pictures(folder / next(people).text, people)
    return made


def _dicom(
    path: Path, people: Iterator[Person], fill: Callable[[Dataset, Iterator[Person]], bytes]
) -> Path:
    person = next(people)
    meta = FileMetaDataset()
    meta.TransferSyntaxUID = ExplicitVRLittleEndian
    meta.MediaStorageSOPClassUID = CTImageStorage
    meta.MediaStorageSOPInstanceUID = UID(f"{person.uid}.9")
    meta.SourceApplicationEntityTitle = person.family[:16]
    meta.ImplementationVersionName = person.given[:16]
    meta.PrivateInformationCreatorUID = UID(person.uid)
    meta.PrivateInformation = person.text.encode()
    dataset = FileDataset(path, {}, file_meta=meta, preamble=next(people).text.encode().ljust(128))
    dataset.SOPClassUID, dataset.SOPInstanceUID = CTImageStorage, f"{person.uid}.9"
    dataset.StudyInstanceUID, dataset.SeriesInstanceUID = f"{person.uid}.1", f"{person.uid}.2"
    dataset.FrameOfReferenceUID = next(people).uid
    dataset.Modality = "CT"
    values = disc(24, seed=person.number).astype(np.uint16) * 8
    # Twelve bits are stored; what stands above them is an old place for overlays.
    hidden = np.frombuffer(person.text.encode().ljust(36), np.uint8)
    values[0, : len(hidden[:24])] |= (hidden[:24].astype(np.uint16) & 0xF) << 12
    dataset.Rows = dataset.Columns = 24
    dataset.SamplesPerPixel, dataset.PhotometricInterpretation = 1, "MONOCHROME2"
    dataset.BitsAllocated, dataset.BitsStored, dataset.HighBit = 16, 12, 11
    dataset.PixelRepresentation = 0
    dataset.PatientName, dataset.PatientID = person.text.split(" ")[0], person.id
    dataset.PatientBirthDate = person.born
    behind = fill(dataset, people)
    text = next(people).text.encode()
    dataset.PixelData = values.tobytes() + text + b" " * (len(text) % 2)
    dataset["PixelData"].VR = "OW"
    dataset.save_as(path, enforce_file_format=True)
    path.write_bytes(path.read_bytes() + behind)
    return path


_TEXTS = [
    "OtherPatientNames",
    "PatientAddress",
    "PatientComments",
    "AdditionalPatientHistory",
    "ReferringPhysicianName",
    "OperatorsName",
    "InstitutionName",
    "InstitutionAddress",
    "StudyDescription",
    "SeriesDescription",
    "ProtocolName",
    "DeviceSerialNumber",
    "StationName",
    "ImageComments",
    "PerformedProcedureStepDescription",
    "Manufacturer",
    "ManufacturerModelName",
    "ContentCreatorName",
    "ContentDescription",
    "DerivationDescription",
    "AcquisitionComments",
    "WindowCenterWidthExplanation",
    "ScanOptions",
    "ContrastBolusAgent",
    "RequestingPhysician",
]


def _header(dataset: Dataset, people: Iterator[Person]) -> bytes:
    for keyword in _TEXTS:
        short = keyword in ("StationName", "ScanOptions")
        setattr(dataset, keyword, next(people).family if short else next(people).text)
    for keyword in ("AccessionNumber", "StudyID", "BodyPartExamined", "PatientPosition"):
        setattr(dataset, keyword, next(people).family.upper())
    dataset.ImageType = ["ORIGINAL", next(people).family.upper()]
    dataset.RescaleType = next(people).family
    dataset.StudyDate = dataset.ContentDate = next(people).born
    dataset.PatientInsurancePlanCodeSequence = [item(CodeMeaning=next(people).text)]
    return b""


def _nested(dataset: Dataset, people: Iterator[Person]) -> bytes:
    deep = item(PersonName=next(people).text, TextValue=next(people).text)
    deep.add_new(Tag(0x0011, 0x0010), "LO", next(people).text)
    deep.add_new(Tag(0x0011, 0x1001), "UT", next(people).text)
    step = item(ScheduledProcedureStepDescription=next(people).text, ContentSequence=[deep])
    dataset.RequestAttributesSequence = [item(ReasonForTheRequestedProcedure="x")]
    dataset.RequestAttributesSequence[0].ScheduledProtocolCodeSequence = [step]
    dataset.ReferencedStudySequence = [item(ReferencedSOPInstanceUID=next(people).uid)]
    lut = item(LUTDescriptor=[4, 0, 16], LUTExplanation=next(people).text)
    lut.add_new(Tag(0x0028, 0x3006), "US", [0, 9, 99, 999])
    dataset.VOILUTSequence = [lut]
    frame = item(FrameComments=next(people).text, StackID=next(people).family[:16])
    dataset.PerFrameFunctionalGroupsSequence = [item(FrameContentSequence=[frame])]
    dataset.DimensionOrganizationSequence = [item(DimensionOrganizationUID=next(people).uid)]
    icon = item(Rows=1, Columns=40, BitsAllocated=8, SamplesPerPixel=1)
    icon.PixelData = next(people).text.encode().ljust(40)
    icon["PixelData"].VR = "OB"
    dataset.IconImageSequence = [icon]
    dataset.OriginalAttributesSequence = [item(ReasonForTheAttributeModification=next(people).text)]
    return b""


def _hidden(dataset: Dataset, people: Iterator[Person]) -> bytes:
    def put(group: int, element: int, vr: str, value: Any) -> None:
        dataset.add_new(Tag(group, element), vr, value)

    put(0x0009, 0x0010, "LO", next(people).text)
    put(0x0009, 0x1001, "UN", next(people).text.encode())
    put(0x0009, 0x1002, "SQ", [item(PatientName=next(people).text)])
    put(0x0029, 0x0010, "LO", "SIEMENS CSA HEADER")
    put(0x0029, 0x1010, "OB", next(people).text.encode())
    put(0x0008, 0x9FFE, "UN", next(people).text.encode())  # no attribute of the standard
    put(0x5000, 0x0022, "LO", next(people).text)
    put(0x5000, 0x3000, "OB", next(people).text.encode())
    overlay = next(people).text.encode().ljust(72)
    for element, vr, value in (
        (0x0010, "US", 24),
        (0x0011, "US", 24),
        (0x0022, "LO", next(people).text),
        (0x0040, "CS", "G"),
        (0x0050, "SS", [1, 1]),
        (0x0100, "US", 1),
        (0x0102, "US", 0),
        (0x1500, "LO", next(people).text),
        (0x3000, "OB", overlay),
        (0x4000, "LT", next(people).text),
    ):
        put(0x6000, element, vr, value)
    put(0x0028, 0x2000, "OB", next(people).text.encode() + b" ")
    padding = next(people).text.encode()
    padding += b" " * (len(padding) % 2)
    trailing = struct.pack("<HH2s2xI", 0xFFFC, 0xFFFC, b"OB", len(padding)) + padding
    return trailing + next(people).text.encode()


def _numbers(dataset: Dataset, people: Iterator[Person]) -> bytes:
    """Numbers of identity where numbers stand."""
    dataset.AcquisitionNumber = int(next(people).born)
    dataset.SeriesNumber = int(next(people).born)
    dataset.InstanceNumber = int(next(people).born)
    dataset.SliceLocation = next(people).id
    dataset.PixelSpacing = [next(people).id, "1"]
    dataset.WindowCenter, dataset.WindowWidth = "500", "1000"
    dataset.add_new(Tag(0x0018, 0x1030), "UT", next(people).text)
    dataset.EncryptedAttributesSequence = [item(EncryptedContent=next(people).text.encode())]
    dataset.PatientSize, dataset.PatientWeight = "1.7", "70"
    dataset.ClinicalTrialSubjectID = next(people).text
    dataset.SpecificCharacterSet = "ISO_IR 192"
    dataset.MedicalAlerts = next(people).text + " ÄÖÜ"
    return b""


def _compressed(path: Path, people: Iterator[Person]) -> Path:
    """A JPEG inside DICOM that has comments, EXIF and bytes behind its end."""
    out = io.BytesIO()
    exif = Image.Exif()
    exif[0x013B] = next(people).text
    Image.fromarray(disc(24)).save(out, "JPEG", comment=next(people).text.encode(), exif=exif)
    stream = out.getvalue()
    person = next(people)
    meta = FileMetaDataset()
    meta.TransferSyntaxUID = JPEGBaseline8Bit
    dataset = FileDataset(path, {}, file_meta=meta, preamble=b"\0" * 128)
    dataset.SOPClassUID, dataset.SOPInstanceUID = CTImageStorage, person.uid
    dataset.Modality, dataset.PatientID, dataset.PatientName = "CT", person.id, person.text
    dataset.Rows = dataset.Columns = 24
    dataset.SamplesPerPixel, dataset.PhotometricInterpretation = 1, "MONOCHROME2"
    dataset.BitsAllocated = dataset.BitsStored = 8
    dataset.HighBit, dataset.PixelRepresentation = 7, 0
    dataset.PixelData = capsule([stream + next(people).text.encode()])
    dataset["PixelData"].VR = "OB"
    dataset["PixelData"].is_undefined_length = True
    dataset.save_as(path, enforce_file_format=True)
    return path


def _pictures(folder: Path, people: Iterator[Person]) -> list[Path]:
    folder.mkdir()
    picture = Image.fromarray(disc(24))
    info = PngInfo()
    info.add_text("Patient", next(people).text)
    info.add_text("Packed", next(people).text, zip=True)
    info.add_itxt("Comment", next(people).text, lang="de", tkey=next(people).given)
    png = folder / f"{next(people).text}.png"
    picture.save(png, pnginfo=info, exif=_exif(next(people)))
    png.write_bytes(png.read_bytes() + next(people).text.encode())
    jpeg = folder / f"{next(people).id}.jpg"
    comment = next(people).text.encode()
    picture.save(jpeg, comment=comment, exif=_exif(next(people)), xmp=_xmp(next(people)))
    tags = {270: next(people).text, 315: next(people).text, 305: next(people).given}
    tiff = folder / f"{next(people).family}.tif"
    picture.save(tiff, tiffinfo={**tags, 65000: next(people).text})
    deep = folder / f"{next(people).given}-16.png"
    Image.fromarray(disc(24).astype(np.uint16) * 99).save(deep, pnginfo=info)
    gif = folder / f"{next(people).born} {next(people).family}.gif"
    picture.save(gif, save_all=True, append_images=[picture], comment=next(people).text.encode())
    webp = folder / f"{next(people).family}.webp"
    picture.convert("RGB").save(webp, exif=_exif(next(people)), xmp=_xmp(next(people)))
    return [png, jpeg, tiff, deep, gif, webp, _volume(folder, people)]


def _volume(folder: Path, people: Iterator[Person]) -> Path:
    """A packed NIfTI: words in its header, in extensions, behind its end and in the gzip header."""
    import nibabel

    image = nibabel.Nifti1Image(np.stack([disc(24, seed=n) for n in range(3)]), np.eye(4))
    for name in ("descrip", "aux_file", "intent_name", "db_name"):
        size = image.header[name].dtype.itemsize
        image.header[name] = next(people).text.encode()[:size]
    for code in (4, 6, 44):  # AFNI, a comment, and one that nobody gave out
        extension = nibabel.nifti1.Nifti1Extension(code, next(people).text.encode())
        image.header.extensions.append(extension)
    whole = image.to_bytes() + next(people).text.encode()
    path = folder / f"{next(people).family}.nii.gz"
    with path.open("wb") as raw:
        with gzip.GzipFile(next(people).text, "wb", fileobj=raw) as file:
            file.write(whole)
        raw.write(next(people).text.encode())
    return path


def _exif(person: Person) -> Image.Exif:
    exif = Image.Exif()
    exif[0x010E] = exif[0x013B] = person.text
    exif[0x9C9D] = person.text.encode("utf-16-le")  # what Windows calls the author
    return exif


def _xmp(person: Person) -> bytes:
    return f"<x:xmpmeta><dc:creator>{person.text}</dc:creator></x:xmpmeta>".encode()


ENCODINGS = ("utf-8", "utf-16-le", "utf-16-be", "utf-32-le")


def found_in(folder: Path) -> set[int]:
    """Numbers of the people that any byte or name below a folder tells of."""
    names = [path.relative_to(folder).as_posix() for path in folder.rglob("*")]
    streams = [" ".join(names).encode()]
    for path in folder.rglob("*"):
        if path.is_file():
            streams += _opened(path.read_bytes())
    lowered = [stream.lower() for stream in streams]
    patterns = {
        (word.lower().encode(encoding), person.number)
        for person in PEOPLE
        for word in person.words
        for encoding in ENCODINGS
    }
    whole = b"\n".join(lowered)
    return {number for pattern, number in patterns if pattern in whole}


def _opened(data: bytes) -> list[bytes]:
    """A file's bytes, and what is packed inside: gzip, PNG chunks, Parquet, pictures in them."""
    found = [data]
    if data.startswith(b"\x1f\x8b"):
        # What stands behind the end is among the bytes already.
        found += _opened(zlib.decompressobj(zlib.MAX_WBITS | 16).decompress(data))
    if data.startswith(b"\x89PNG"):
        found += _chunks(data)
    if data.startswith(b"PAR1"):
        import pyarrow.parquet

        table = pyarrow.parquet.read_table(io.BytesIO(data))
        pictures = [name for name in table.column_names if name == "image"]
        found += [
            str(table.schema.metadata).encode(),
            str(table.drop(pictures).to_pydict()).encode(),
        ]
        for row in (row for name in pictures for row in table.column(name).to_pylist()):
            found += [row["path"].encode(), *_opened(row["bytes"])]
    if data[128:132] == b"DICM" and b"\xff\xd8\xff" in data:
        found.append(data[data.index(b"\xff\xd8\xff") :])
    return found


def _chunks(data: bytes) -> list[bytes]:
    place, found, pixels = 8, [], b""
    while place + 12 <= len(data):
        (length,) = struct.unpack_from(">I", data, place)
        kind, body = data[place + 4 : place + 8], data[place + 8 : place + 8 + length]
        place += length + 12
        if kind == b"IDAT":
            pixels += body
        elif kind == b"zTXt":
            found.append(zlib.decompress(body.split(b"\0", 1)[1][1:]))
    return [*found, zlib.decompress(pixels)]
