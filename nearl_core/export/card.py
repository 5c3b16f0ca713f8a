"""README.md of an export: the data card that a person reads first."""

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

from nearl_core.export.columns import COLUMNS
from nearl_core.export.images import RECIPE, LeftOut
from nearl_core.export.manifest import Recipe, counts
from nearl_core.export.rows import Row, followed
from nearl_core.types import FROZEN, LabelSet, Shown

FILE: Final = "README.md"


def write(
    folder: Path,
    rows: Sequence[Row],
    *,
    recipe: Recipe,
    label_set: LabelSet,
    left_out: Sequence[LeftOut],
    notices: Sequence[str],
) -> None:
    """Write the card."""
    parts = [
        _head(rows, recipe),
        _counts(rows, recipe),
        _labels(label_set),
        _suggestions(rows, recipe),
        _limits(rows, left_out, notices),
        _columns(recipe),
    ]
    text = "\n\n".join(parts) + "\n"
    (folder / FILE).write_text(text, encoding="utf-8", newline="\n")


def plain(text: str) -> str:
    """Text that Markdown takes for text, also in a table."""
    for mark in "\\`*_[]<>|#":
        text = text.replace(mark, "\\" + mark)
    return " ".join(text.split())


def _head(rows: Sequence[Row], recipe: Recipe) -> str:
    size = counts(rows)
    return (
        "# Labelled data set\n\n"
        f"{size['scans']} scans of {size['patients']} patients, {size['rows']} decisions by "
        f"{size['readers']} readers, exported as {recipe.format} by NEARL Desk.\n\n"
        "**For research and data set work only. Not a medical device; not for diagnosis.**\n\n"
        "Scans and patients stand under pseudonyms. The patients' are made anew for each export. "
        "No path, name, identifier, header or free text of the files is included. "
        "Text that is burned into the pixels is not removed: look at the pictures before you "
        "pass them on."
    )


def _counts(rows: Sequence[Row], recipe: Recipe) -> str:
    size: dict[str, Any] = counts(rows)
    names = list(size["splits"])
    kinds = sorted({kind for split in size["splits"].values() for kind in split["labels"]})
    shares = ", ".join(f"{fraction:.0%}" for fraction in recipe.fractions)
    lines = [
        "## Counts",
        "",
        f"Split by patient ({shares} asked for), stratified by label, seed {recipe.seed}. "
        "No patient stands in two splits.",
        "",
        "| | " + " | ".join(names) + " |",
        "|---|" + "---:|" * len(names),
    ]
    for what in ("scans", "patients", "rows"):
        cells = (str(size["splits"][name][what]) for name in names)
        lines.append(f"| {'decisions' if what == 'rows' else what} | " + " | ".join(cells) + " |")
    for kind in kinds:
        cells = (str(size["splits"][name]["labels"].get(kind, 0)) for name in names)
        lines.append(f"| {plain(kind)} | " + " | ".join(cells) + " |")
    return "\n".join(lines)


def _labels(label_set: LabelSet) -> str:
    kind = "A scan can have several." if label_set.multi_label else "They exclude each other."
    lines = [
        "## Labels",
        "",
        f"Revision {label_set.revision} of the label set. {kind}",
        "",
        "| label | id | code | texts for the model |",
        "|---|---|---|---|",
    ]
    for label in label_set.labels:
        prompts = "; ".join(label.prompts)
        cells = (label.name, label.id, label.code, prompts)
        lines.append("| " + " | ".join(plain(one) for one in cells) + " |")
    return "\n".join(lines)


def _suggestions(rows: Sequence[Row], recipe: Recipe) -> str:
    shown = Counter(row.shown for row in rows)
    answers = Counter(followed(row) for row in rows)
    lines = [
        "## How suggestions were used",
        "",
        f"A model (backbone {plain(recipe.backbone)}) ranked the labels while readers decided. "
        f"{shown[Shown.VISIBLE.value]} decisions were made with a suggestion in sight: "
        f"{answers[True]} followed the first one, {answers[False]} did not. "
        f"{shown[Shown.BLIND.value]} were made without seeing one, "
        f"{shown[Shown.IMPORTED.value]} came from a file. "
        "A suggestion is never taken for a decision, but one that was seen may have swayed it.",
    ]
    versions = Counter(row.version for row in rows if row.version)
    if versions:
        lines += ["", "| version | decisions that it stood beside |", "|---|---:|"]
        for version, count in sorted(versions.items()):
            name = "frozen backbone" if version == FROZEN else plain(version)
            lines.append(f"| {name} | {count} |")
    return "\n".join(lines)


def _limits(rows: Sequence[Row], left_out: Sequence[LeftOut], notices: Sequence[str]) -> str:
    lines = ["## Known limits", ""]
    unknown = len({row.scan_id for row in rows if not row.patient_known})
    if unknown:
        lines.append(
            f"- **Patients could not be told apart** for {unknown} scans: each counts as a patient "
            "of its own (files of one study stay together), so the split may put one person into "
            "two parts."
        )
    reasons = Counter(entry.reason for entry in left_out)
    lines += [f"- {count} scans have no picture here: {r}" for r, count in reasons.items()]
    lines += [f"- {notice}" for notice in notices]
    lines.append("- Deferred and undecided scans are not included.")
    lines.append("- Decisions are those of the readers named; they were not adjudicated.")
    return "\n".join(lines)


def _columns(recipe: Recipe) -> str:
    lines = ["## Files", ""]
    if recipe.format == "imagefolder":
        lines.append(
            "`SPLIT/LABEL/scan-NNNNNN_fNNN.png`; `manifest.json` tells which scan and patient each "
            "picture is of. A label without pictures in a split has no folder there. Only scans "
            "with one label that all their readers agree on are here."
        )
    else:
        lines += ["| column | meaning |", "|---|---|"]
        lines += [f"| {column.name} | {plain(column.meaning)} |" for column in COLUMNS]
    if recipe.images:
        lines += ["", f"Pictures: {RECIPE}"]
    lines += ["", "`manifest.json` lists every file with its SHA-256."]
    return "\n".join(lines)
