"""Exporting a project: chosen, written beside, verified, renamed."""

import os
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path, PureWindowsPath
from secrets import token_bytes
from typing import Final

from nearl_core.control import RunControl
from nearl_core.errors import ExportError, UsageError
from nearl_core.export import card, leakage, manifest
from nearl_core.export.beside import beside
from nearl_core.export.choice import Choice, chosen, require_source
from nearl_core.export.content import Content, Format, Pictures, Recipe
from nearl_core.export.evidence import Evidence, evidence_of
from nearl_core.export.formats import FORMATS, format_of
from nearl_core.export.imagefolder import Places
from nearl_core.export.images import FrameReader, LeftOut, Taken, write_images
from nearl_core.export.pictures import kind_of
from nearl_core.export.rows import Row, collect, with_splits
from nearl_core.export.split import NAMES, fractions_of
from nearl_core.export.verify import verify
from nearl_core.store.project import Project
from nearl_core.store.readings import readings
from nearl_core.types import LabelSet, Scan, State

DEFAULT_SPLIT: Final = (70.0, 15.0, 15.0)

__all__ = ["DEFAULT_SPLIT", "FORMATS", "ExportReport", "export"]


@dataclass(frozen=True)
class ExportReport:
    """What an export holds.

    Attributes:
        folder: Where it stands.
        format: Such as "csv".
        rows, scans, patients, images: How many there are.
        patients_known: Whether of each scan it is known whose it is; else it counts as a patient.
        splits: Name and number of scans of each.
        left_out: Scans that have no picture, or are not in it, with reasons.
        notices: Sentences that the reader should see.
        leakage: Whether anything stands in two splits, in a sentence.
    """

    folder: Path
    format: str
    rows: int
    scans: int
    patients: int
    patients_known: bool
    images: int
    splits: tuple[tuple[str, int], ...]
    left_out: tuple[LeftOut, ...]
    notices: tuple[str, ...]
    leakage: str


def export(
    project: Project,
    out: Path,
    *,
    format: str,
    split: Sequence[float] = DEFAULT_SPLIT,
    seed: int = 0,
    pictures: Pictures | None = None,
    choice: Choice | None = None,
    pixels_checked: bool = False,
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
        pictures: What stands for a scan's pixels; None for what the format is used to.
        choice: Which decisions; None for all of them in tables and, where a scan can have one
            word only, for those that its readers agree on.
        pixels_checked: Whether a reader has said that no picture names anyone; else scans that
            may have text burned into them are left out.
        reader: Decodes.
        control: Progress and cancellation.

    Raises:
        Cancelled: If the control says so.
        UsageError: If the format or the split is not known, or they do not go together.
        ExportError: If there is nothing to export, the place can't be used or it did not verify.
    """
    kind = format_of(format)
    control = control or RunControl()
    recipe = Recipe(
        format=format,
        fractions=fractions_of(split),
        seed=seed,
        pictures=_pictures(kind, format, pictures),
        choice=(choice or Choice()).for_format(each=kind.each),
        pixels_checked=pixels_checked,
        project=project.id,
        # Where it is named by a path, that may say whose computer this is.
        backbone=PureWindowsPath(project.backbone).name,
    )
    control.step(0, 0, "Reading decisions")
    job = _Job(
        project,
        kind,
        recipe,
        project.label_set(),
        project.scans(),
        reader,
        control,
        token_bytes(32),
    )
    return job.run(out)


def _pictures(kind: Format, name: str, wanted: Pictures | None) -> Pictures:
    """What stands for pixels in this format.

    Raises:
        UsageError: If the format can't hold what is wanted.
    """
    if wanted is None or wanted is kind.pictures:
        return kind.pictures
    if wanted in kind.others:
        return wanted
    if wanted in (Pictures.SHOWN, Pictures.NONE):
        return kind.pictures  # folders of pictures hold pictures, DICOM copies are copies
    holding = ", ".join(one for one, other in FORMATS.items() if wanted in other.others)
    raise UsageError(f"The format {name} can't hold stored values.", f"These can: {holding}.")


@dataclass(frozen=True)
class _Job:
    project: Project
    kind: Format
    recipe: Recipe
    label_set: LabelSet
    scans: Sequence[Scan]
    reader: FrameReader
    control: RunControl
    key: bytes = field(default_factory=lambda: token_bytes(32), repr=False)

    def run(self, out: Path) -> ExportReport:
        """Export to a folder."""
        found = readings(self.project)
        decided = (*found.reads, *found.adjudications)
        require_source(self.recipe.choice, found.sources)
        everything = collect(self.scans, decided, self.label_set, sources=found.sources)
        rows, left_out = self.choose(everything)
        rows = with_splits(rows, self.scans, self.recipe.fractions, seed=self.recipe.seed)
        rows = self.held(rows)  # split before: a scan's part is the same in every format
        with beside(out, apart_from=self.project.folder) as folder:
            taken = self.pictures(folder, rows)
            content = Content(folder, taken.rows, self.recipe, self.label_set, self.key)
            left_out = [*left_out, *taken.left_out]
            evidence = self.finish(content, everything, left_out, taken)
        return _report(content, out, left_out=left_out, evidence=evidence)

    def choose(self, rows: list[Row]) -> tuple[list[Row], list[LeftOut]]:
        """The rows that the choice takes.

        Raises:
            ExportError: If nothing is left, or the format can't hold the labels.
        """
        if self.label_set.multi_label and not self.kind.multi_label:
            # A folder for each combination would read as so many labels of their own.
            raise ExportError(
                "Folders of pictures can't hold scans with several labels.",
                "Export as csv or jsonl with pictures, or in another format.",
            )
        return chosen(rows, self.recipe.choice, self.label_set)

    def held(self, rows: list[Row]) -> list[Row]:
        """Those rows that the format has a place for.

        Raises:
            ExportError: If there is none.
        """
        zeros = self.kind.zeros and self.label_set.multi_label
        if self.kind.only_labelled and not zeros:
            rows = [row for row in rows if row.state == State.LABELLED]
        elif self.kind.only_assessed or zeros:
            rows = [row for row in rows if row.state != State.UNASSESSABLE]
        if not rows:
            raise ExportError(
                "There is nothing to export: no scan has a label that its readers agree on.",
                "Label some scans, or export as csv or jsonl.",
            )
        return rows

    def pictures(self, folder: Path, rows: list[Row]) -> Taken:
        """Write the pictures; a table keeps rows whose picture can't be made, others can't."""
        if self.recipe.pictures is Pictures.NONE:
            return Taken(rows, [], [], recipe="")
        kind = kind_of(
            self.recipe.pictures,
            folder,
            rows,
            key=self.key,
            pixels_checked=self.recipe.pixels_checked,
            reader=self.reader,
        )
        taken = write_images(
            folder,
            rows,
            self.scans,
            place=self.kind.place(self.label_set),
            kind=kind,
            reader=self.reader,
            control=self.control,
        )
        if self.kind.pictures is not Pictures.NONE:
            taken = replace(taken, rows=[row for row in taken.rows if row.image])
        if not taken.rows:
            reason = taken.left_out[0].reason if taken.left_out else ""
            raise ExportError(
                f"None of the scans can be exported. {reason}".strip(),
                "Check where their files are, and whether text may stand in their pixels.",
            )
        return taken

    def finish(
        self, content: Content, everything: list[Row], left_out: list[LeftOut], taken: Taken
    ) -> Evidence:
        """Write tables, reports, card and manifest, then read everything again."""
        leaks = leakage.examine(
            content.rows,
            taken.seen,
            patients={scan.id: scan.patient for scan in self.scans},
            studies=self.project.studies(),
            control=self.control,
        )
        leakage.write(content.folder, leaks)
        self.kind.write(content)
        pictures = taken.recipe
        evidence = evidence_of(
            content, everything, left_out, leaks, versions=self.project.versions()
        )
        card.write(content, evidence, left_out=left_out, pictures=pictures)
        in_folders = self.recipe.format == "imagefolder"
        manifest.write(
            content,
            left_out=left_out,
            folders=Places(self.label_set).folders if in_folders else {},
            pictures=pictures,
        )
        found = verify(content.folder, self.control)
        if not found.ok:
            raise ExportError(
                f"The export did not verify: {found.problems[0]}",
                "Export again, to another disk if it happens twice.",
            )
        return evidence


def _report(
    content: Content, out: Path, *, left_out: Sequence[LeftOut], evidence: Evidence
) -> ExportReport:
    rows = content.rows
    in_split: dict[str, set[int]] = {name: set() for name in NAMES[len(content.recipe.fractions)]}
    for row in rows:
        in_split[row.split].add(row.scan_id)
    return ExportReport(
        folder=Path(os.path.abspath(out)),
        format=content.recipe.format,
        rows=len(rows),
        scans=len({row.scan_id for row in rows}),
        patients=len({row.patient for row in rows}),
        patients_known=not evidence.leakage.unknown,
        images=len({row.image for row in rows if row.image}),
        splits=tuple((name, len(ids)) for name, ids in in_split.items()),
        left_out=tuple(left_out),
        notices=evidence.notices,
        leakage=evidence.leakage.sentence,
    )
