"""Reading an export again: hashes, counts, pictures, and that nothing leaked."""

import json
import struct
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from nearl_core.control import RunControl
from nearl_core.errors import ExportError
from nearl_core.export import manifest
from nearl_core.export.content import Format, Record
from nearl_core.export.formats import format_of
from nearl_core.export.split import leaks
from nearl_core.store.hashes import file_sha256

_SIGNATURE: Final = b"\x89PNG\r\n\x1a\n"
_CHUNKS: Final = frozenset({b"IHDR", b"PLTE", b"IDAT", b"IEND"})
_CHANNELS: Final = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}  # PNG, table 11.1


@dataclass(frozen=True)
class VerifyReport:
    """What reading an export again found.

    Attributes:
        files, rows, images: How many there are.
        problems: Sentences; empty where all is well.
    """

    files: int
    rows: int
    images: int
    problems: tuple[str, ...]

    @property
    def ok(self) -> bool:
        """Whether all is well."""
        return not self.problems


def verify(folder: Path, control: RunControl | None = None) -> VerifyReport:
    """Read an export again, from its manifest on.

    Raises:
        Cancelled: If the control says so.
        ExportError: If there is no manifest that can be read.
    """
    control = control or RunControl()
    content = _manifest(folder)
    kind = format_of(content["format"])
    problems = _files(folder, content, control)
    rows = _rows(folder, kind)
    problems += _counts(content, rows)
    images: list[dict[str, Any]] = content["images"]
    placed = [(row["patient"], row["split"]) for row in (*images, *rows)]
    if leaks(placed):
        problems.append("A patient stands in two splits.")
    names = {entry["image"] for entry in images}
    found = set()
    for done, (name, data) in enumerate(_pictures(folder, kind, sorted(names))):
        control.step(done, len(names), "Reading pictures again")
        found.add(name)
        problems += _picture(name, data)
    if found != names:
        problems.append("The pictures are not those of the manifest.")
    return VerifyReport(len(content["files"]), len(rows), len(images), tuple(problems))


def _manifest(folder: Path) -> dict[str, Any]:
    try:
        content: dict[str, Any] = json.loads((folder / manifest.FILE).read_text(encoding="utf-8"))
        if content["format_version"] != manifest.FORMAT_VERSION:
            raise ExportError("The export was made by another version.", "Export again.")
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ExportError(
            "The export has no manifest that can be read.", "Export again."
        ) from error
    return content


def _files(folder: Path, content: Mapping[str, Any], control: RunControl) -> list[str]:
    problems = []
    listed = {entry["path"]: entry for entry in content["files"]}
    for done, (name, entry) in enumerate(listed.items()):
        control.step(done, len(listed), "Verifying files")
        file = folder / name
        if not file.is_file():
            problems.append(f"{name} is missing.")
        elif file.stat().st_size != entry["bytes"] or file_sha256(file) != entry["sha256"]:
            problems.append(f"{name} is not what was written.")
    there = {one.relative_to(folder).as_posix() for one in folder.rglob("*") if one.is_file()}
    problems += [f"{name} is not listed." for name in sorted(there - set(listed) - {manifest.FILE})]
    folded = {name.casefold() for name in there}
    if len(folded) < len(there):
        problems.append("Two files differ in case only.")
    return problems


def _rows(folder: Path, kind: Format) -> list[Record]:
    try:
        return kind.read(folder)
    except (OSError, ValueError, LookupError) as error:
        raise ExportError("The exported table can't be read again.", "Export again.") from error


def _counts(content: Mapping[str, Any], rows: list[Record]) -> list[str]:
    said = content["counts"]
    found = (len(rows), len({row["scan"] for row in rows}), {row["split"] for row in rows})
    if found != (said["rows"], said["scans"], set(said["splits"])):
        return ["The counts of the manifest are not those of the files."]
    return []


def _pictures(folder: Path, kind: Format, names: list[str]) -> Iterator[tuple[str, bytes]]:
    """Names and bytes, from the files or from what holds them."""
    if kind.files is not None:
        yield from kind.files(folder)
        return
    for name in names:
        try:
            data = (folder / name).read_bytes()
        except OSError:
            data = b""  # told as no picture
        yield name, data


def _picture(name: str, data: bytes) -> list[str]:
    """A picture is whole and holds nothing but pixels."""
    if name.endswith(".png"):
        return _png(name, data)
    if name.endswith(".dcm"):
        from nearl_core.dicom.residue import residue
    elif name.endswith(".nii.gz"):
        from nearl_core.scans.volume import residue
    else:
        from nearl_core.scans.written import residue
    return [f"{name} is not clean: {problem}." for problem in residue(data)]


def _png(name: str, data: bytes) -> list[str]:
    """Walk a PNG's chunks (PNG specification, section 5): whole, and nothing but pixels."""
    try:
        chunks = _chunks(data)
        width, height, depth, colour = struct.unpack(">IIBB", chunks[0][1][:10])
        if any(kind not in _CHUNKS for kind, _ in chunks):
            return [f"{name} holds more than pixels."]
        pixels = zlib.decompress(b"".join(body for kind, body in chunks if kind == b"IDAT"))
        row_bytes = (width * depth * _CHANNELS[colour] + 7) // 8 + 1
        if len(pixels) != row_bytes * height:
            return [f"{name} is not a whole picture."]
    except (ValueError, KeyError, IndexError, struct.error, zlib.error):
        return [f"{name} is not a picture that can be read."]
    return []


def _chunks(data: bytes) -> list[tuple[bytes, bytes]]:
    if not data.startswith(_SIGNATURE):
        raise ValueError("no PNG")
    place = len(_SIGNATURE)
    found = []
    while place < len(data):
        (length,) = struct.unpack_from(">I", data, place)
        kind = data[place + 4 : place + 8]
        body = data[place + 8 : place + 8 + length]
        (checksum,) = struct.unpack_from(">I", data, place + 8 + length)
        if zlib.crc32(kind + body) != checksum:
            raise ValueError("damaged")
        found.append((kind, body))
        place += length + 12
    if not found or found[0][0] != b"IHDR" or found[-1][0] != b"IEND":
        raise ValueError("not whole")
    return found
