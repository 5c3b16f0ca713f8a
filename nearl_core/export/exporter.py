"""Exporting a project: chosen, written beside, verified, renamed."""

import os
import re
import secrets
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from nearl_core.control import RunControl
from nearl_core.errors import ExportError, UsageError
from nearl_core.export import card, csv, jsonl, manifest
from nearl_core.export.imagefolder import Places, choose
from nearl_core.export.images import FrameReader, LeftOut, write_images
from nearl_core.export.manifest import Recipe
from nearl_core.export.rows import Row, collect, with_splits
from nearl_core.export.split import NAMES, fractions_of
from nearl_core.export.verify import verify
from nearl_core.store.hashes import file_sha256
from nearl_core.store.project import Project
from nearl_core.types import LabelSet, Scan

FORMATS: Final = ("csv", "jsonl", "imagefolder")
DEFAULT_SPLIT: Final = (70.0, 15.0, 15.0)


@dataclass(frozen=True)
class ExportReport:
    """What an export holds.

    Attributes:
        folder: Where it stands.
        format: Such as "csv".
        rows, scans, patients, images: How many there are.
        splits: Name and number of scans of each.
        left_out: Scans that have no picture, or are not in it, with reasons.
        notices: Sentences that the reader should see.
    """

    folder: Path
    format: str
    rows: int
    scans: int
    patients: int
    images: int
    splits: tuple[tuple[str, int], ...]
    left_out: tuple[LeftOut, ...]
    notices: tuple[str, ...]


def export(
    project: Project,
    out: Path,
    *,
    format: str,
    split: Sequence[float] = DEFAULT_SPLIT,
    seed: int = 0,
    images: bool = False,
    reader: FrameReader,
    control: RunControl | None = None,
) -> ExportReport:
    """Export what readers decided; the folder is there whole and verified, or not at all.

    Args:
        project: May be open read-only.
        out: A folder that does not exist or is empty.
        format: One of FORMATS.
        split: Parts of train; train, test; or train, validation, test.
        seed: Of the split.
        images: Whether tables come with pictures; folders of pictures always do.
        reader: Decodes.
        control: Progress and cancellation.

    Raises:
        Cancelled: If the control says so.
        UsageError: If the format or the split is not known.
        ExportError: If there is nothing to export, the place can't be used or it did not verify.
    """
    if format not in FORMATS:
        raise UsageError(f"There is no format {format!r}.", f"There are {', '.join(FORMATS)}.")
    control = control or RunControl()
    fractions = fractions_of(split)
    control.step(0, 0, "Reading decisions")
    scans = project.scans()
    label_set = project.label_set()
    rows = collect(scans, project.standing(), label_set)
    left_out: list[LeftOut] = []
    if format == "imagefolder":
        rows, left_out = choose(rows, label_set)
    rows = with_splits(rows, scans, fractions, seed=seed)
    with_images = images or format == "imagefolder"
    recipe = Recipe(format, fractions, seed, with_images, project.id, project.backbone)
    with _beside(project, out) as folder:
        job = _Job(folder, recipe, label_set, scans, reader, control)
        rows, unread = job.pictures(rows)
        notices = job.finish(rows, [*left_out, *unread])
    return _report(rows, out, recipe, left_out=[*left_out, *unread], notices=notices)


@dataclass(frozen=True)
class _Job:
    folder: Path
    recipe: Recipe
    label_set: LabelSet
    scans: Sequence[Scan]
    reader: FrameReader
    control: RunControl

    def pictures(self, rows: list[Row]) -> tuple[list[Row], list[LeftOut]]:
        """Write the pictures; a table keeps rows whose picture can't be made, a folder can't."""
        if not self.recipe.images:
            return rows, []
        in_folders = self.recipe.format == "imagefolder"
        rows, unread = write_images(
            self.folder,
            rows,
            self.scans,
            place=Places(self.label_set) if in_folders else _by_split,
            reader=self.reader,
            control=self.control,
        )
        if in_folders:
            rows = [row for row in rows if row.image]
        if not rows:
            raise ExportError("None of the scans can be read.", "Check where their files are.")
        return rows, unread

    def finish(self, rows: list[Row], left_out: list[LeftOut]) -> tuple[str, ...]:
        """Write tables, card and manifest, then read everything again."""
        if self.recipe.format == "csv":
            csv.write(self.folder, rows)
        elif self.recipe.format == "jsonl":
            jsonl.write(self.folder, rows)
        notices = _notices(rows, self.recipe, self.folder)
        card.write(
            self.folder,
            rows,
            recipe=self.recipe,
            label_set=self.label_set,
            left_out=left_out,
            notices=notices,
        )
        in_folders = self.recipe.format == "imagefolder"
        manifest.write(
            self.folder,
            rows,
            recipe=self.recipe,
            label_set=self.label_set,
            left_out=left_out,
            folders=Places(self.label_set).folders if in_folders else {},
        )
        found = verify(self.folder, self.control)
        if not found.ok:
            raise ExportError(
                f"The export did not verify: {found.problems[0]}",
                "Export again, to another disk if it happens twice.",
            )
        return notices


def _by_split(row: Row) -> str:
    return f"images/{row.split}"


def _report(
    rows: Sequence[Row],
    out: Path,
    recipe: Recipe,
    *,
    left_out: Sequence[LeftOut],
    notices: tuple[str, ...],
) -> ExportReport:
    in_split: dict[str, set[int]] = {name: set() for name in NAMES[len(recipe.fractions)]}
    for row in rows:
        in_split[row.split].add(row.scan_id)
    return ExportReport(
        folder=Path(os.path.abspath(out)),
        format=recipe.format,
        rows=len(rows),
        scans=len({row.scan_id for row in rows}),
        patients=len({row.patient for row in rows}),
        images=len({row.image for row in rows if row.image}),
        splits=tuple((name, len(ids)) for name, ids in in_split.items()),
        left_out=tuple(left_out),
        notices=notices,
    )


def _notices(rows: Sequence[Row], recipe: Recipe, folder: Path) -> tuple[str, ...]:
    notices = []
    kinds = sorted({row.kind for row in rows})
    for name, fraction in zip(NAMES[len(recipe.fractions)], recipe.fractions, strict=True):
        here = {row.kind for row in rows if row.split == name}
        lacking = [kind for kind in kinds if kind not in here]
        if fraction > 0 and lacking:
            notices.append(f"The split {name} has no scan of: {card.plain(', '.join(lacking))}.")
    twins = _twins(rows, folder)
    if twins:
        notices.append(
            f"{twins} pictures are identical to one in another split, under another patient."
        )
    return tuple(notices)


def _twins(rows: Sequence[Row], folder: Path) -> int:
    """Pictures whose very pixels stand in more than one split."""
    splits: dict[str, set[str]] = {}
    pictures: dict[str, set[str]] = {}
    for row in rows:
        if row.image:
            digest = file_sha256(folder / row.image)
            splits.setdefault(digest, set()).add(row.split)
            pictures.setdefault(digest, set()).add(row.image)
    return sum(len(pictures[digest]) for digest, found in splits.items() if len(found) > 1)


@contextmanager
def _beside(project: Project, out: Path) -> Iterator[Path]:
    """A folder beside the wanted one that takes its name at the end, or is gone."""
    out = Path(os.path.abspath(out))
    if out == project.folder or out.is_relative_to(project.folder):
        raise ExportError("The export can't stand in the project.", "Choose another folder.")
    try:
        if out.exists() and (not out.is_dir() or any(out.iterdir())):
            raise ExportError(f"{out.name} is not empty.", "Choose a new or an empty folder.")
        out.parent.mkdir(parents=True, exist_ok=True)
        _remove_dead(out)
        folder = out.with_name(f"{out.name}.partial-{os.getpid()}-{secrets.token_hex(4)}")
        folder.mkdir()
        try:
            yield folder
            if out.exists():
                out.rmdir()  # Windows does not rename onto an empty folder
            folder.rename(out)
        finally:
            shutil.rmtree(folder, ignore_errors=True)
    except OSError as error:
        raise ExportError(
            f"The export can't be written ({error.strerror or type(error).__name__}).",
            "Check the place and the free space of the disk, then export again.",
        ) from error


def _remove_dead(out: Path) -> None:
    """Remove what an export to this place left when it was killed."""
    import psutil

    pattern = re.compile(re.escape(out.name) + r"\.partial-([0-9]+)-[0-9a-f]{8}")
    for beside in out.parent.iterdir():
        match = pattern.fullmatch(beside.name)
        if match and beside.is_dir() and not psutil.pid_exists(int(match[1])):
            shutil.rmtree(beside, ignore_errors=True)
