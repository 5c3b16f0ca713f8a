"""Which kind of picture an export takes, and how each is read and written."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Final

from nearl_core.errors import ScanError
from nearl_core.export.content import Pictures
from nearl_core.export.images import FrameReader, Kind, Shot, Wanted, reading
from nearl_core.export.names import frame_ending, scan_name
from nearl_core.export.rows import Row
from nearl_core.scans.display import to_rgb
from nearl_core.scans.stack import ENDING, read_stack
from nearl_core.scans.volume import write_volume
from nearl_core.scans.written import write_png, write_values
from nearl_core.types import Disguise

Read = Callable[[Wanted], Shot]

_FRAME: Final = "Of a stack the frame that the decision names, else the middle one."


def kind_of(
    wanted: Pictures,
    folder: Path,
    rows: Iterable[Row],
    *,
    key: bytes,
    pixels_checked: bool,
    reader: FrameReader,
) -> Kind:
    """How pictures of a kind are made.

    Args:
        wanted: Not NONE.
        folder: The export's.
        rows: What is exported, for pseudonyms.
        key: Of the export, for UIDs.
        pixels_checked: Whether a reader has said that no picture names anyone.
        reader: Decodes.
    """
    read = reading(reader, pixels_checked=pixels_checked)
    if wanted is Pictures.STORED:
        return _stored(reader, read)
    if wanted is Pictures.COPY:
        patients = {row.scan_id: row.patient for row in rows}
        return _copies(reader, read, folder, patients, key=key, pixels_checked=pixels_checked)
    recipe = (
        "Modality LUT, the file's default window (automatic where it has none), presentation; "
        "8-bit RGB PNG at the stored rows x columns, without overlays or aspect correction. "
        f"{_FRAME}"
    )
    return Kind(read, _write_shown, whole=False, recipe=recipe)


def _write_shown(stem: Path, shot: Shot) -> str:
    write_png(stem.with_name(f"{stem.name}.png"), to_rgb(shot.frame))
    return ".png"


def _stored(reader: FrameReader, read: Read) -> Kind:
    def with_values(one: Wanted) -> Shot:
        _look_at_each(read, one)
        return replace(read(one), values=reader.stored(one.scan.path, rgb=True))

    recipe = (
        "The stored values, before the Modality LUT: PNG of 8 or 16 bits where they are whole and "
        "not negative, else TIFF of 32 bits; colour as RGB without an ICC profile, of palettes "
        "and YBR with 8 bits; stacks as NIfTI (.nii.gz) of columns x rows x frames, spacing 1, "
        "since their place in the patient is not exported. "
        "Whole stacks, whichever frame a decision names."
    )
    return Kind(with_values, _write_stored, whole=True, recipe=recipe)


def _write_stored(stem: Path, shot: Shot) -> str:
    values = shot.values
    if values is None:
        raise ScanError("There are no stored values.")
    colour = values.ndim > 2 and values.shape[-1] == 3 and values.dtype in ("u1", "u2")
    if values.ndim - int(colour) > 2:
        if colour and values.dtype != "u1":
            raise ScanError("A NIfTI volume can't hold colours of 16 bits.")
        write_volume(stem.with_name(f"{stem.name}.nii.gz"), values, colour=colour)
        return ".nii.gz"
    return write_values(stem, values)


def _copies(
    reader: FrameReader,
    read: Read,
    folder: Path,
    patients: Mapping[int, str],
    *,
    key: bytes,
    pixels_checked: bool,
) -> Kind:
    def copied(one: Wanted) -> Shot:
        shot = read(one)
        _look_at_each(read, one)
        files: Sequence[Path] = (one.scan.path,)
        endings = [".dcm"]
        if one.scan.path.suffix == ENDING:
            files = read_stack(one.scan.path)
            endings = [f"{frame_ending(frame)}.dcm" for frame in range(len(files))]
        stem = folder / one.whole_stem
        stem.parent.mkdir(parents=True, exist_ok=True)
        patient = patients[one.scan.id]
        disguise = Disguise(key, patient, scan_name(one.scan.id), pixels_checked)
        made = [stem.with_name(f"{stem.name}{ending}") for ending in endings]
        try:
            for file, copy in zip(files, made, strict=True):
                reader.copy(file, copy, disguise)
        except ScanError:
            for copy in made:  # of a stack the whole or nothing
                copy.unlink(missing_ok=True)
            raise
        return replace(shot, ending=endings[len(files) // 2])

    recipe = (
        "De-identified DICOM copies (PS3.15 annex E, Basic Profile, method 113100, and beyond it: "
        "only what a picture needs to be shown and measured is kept). Stored values, native, "
        "explicit little endian; colour as 8-bit RGB. Files that are no DICOM: Secondary Captures. "
        "Of a series or study a copy of each frame's file; tables name the middle one."
    )
    return Kind(copied, lambda _stem, shot: shot.ending, whole=True, recipe=recipe)


def _look_at_each(read: Read, one: Wanted) -> None:
    """Read every frame of a stack of files: any of them may be the one with text in it.

    Raises:
        ScanError: As reading does.
    """
    if one.scan.path.suffix == ENDING:
        for frame in range(one.scan.frames):
            read(replace(one, frame=frame))
