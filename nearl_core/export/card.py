"""README.md of an export: the data card that a person reads first."""

from collections import Counter
from collections.abc import Sequence
from typing import Any, Final

from nearl_core.export import leakage
from nearl_core.export.choice import Choice, Rule
from nearl_core.export.content import Content, Pictures, Recipe
from nearl_core.export.evidence import Evidence
from nearl_core.export.images import LeftOut
from nearl_core.export.manifest import counts
from nearl_core.export.names import plain
from nearl_core.export.rows import Row, followed
from nearl_core.export.split import NAMES
from nearl_core.types import FROZEN, LabelSet, Occasion, Shown
from nearl_core.words import counted

FILE: Final = "README.md"

_RULES: Final = {
    Rule.ALL: "Each reader's decision is a row of its own; nothing was brought together.",
    Rule.AGREED: "Only scans that all their readers decided alike are here.",
    Rule.READER: "Only the decisions of {reader} are here.",
    Rule.MAJORITY: (
        "Where several readers decided, what more than half of them say stands; a word for a kind "
        "of a label is one for the label too."
    ),
    Rule.ADJUDICATED: (
        "Where a scan was adjudicated, that stands; elsewhere what all its readers agree on."
    ),
}
_LAST_WORD: Final = (
    "Where a scan was adjudicated, that stands; elsewhere the word of the reader {reader}, and "
    "where that one is silent what all its readers agree on."
)

_OPENED: Final = {
    "csv": 'pandas.read_csv("decisions.csv")',
    "jsonl": 'pandas.read_json("decisions.jsonl", lines=True)',
    "imagefolder": 'torchvision.datasets.ImageFolder("train", allow_empty=True)',
    "huggingface": 'datasets.load_dataset("imagefolder", data_dir=".")',
    "parquet": 'datasets.load_dataset("parquet", data_dir="data")',
    "monai": 'monai.data.load_decathlon_datalist("datalist.json", False, "training")',
    "coco": 'pycocotools.coco.COCO("annotations/train.json")',
    "croissant": 'mlcroissant.Dataset("croissant.json").records("scans")',
}
"""How Python opens each format, in the export's folder."""
_IN_CSV: Final = ("csv", "croissant", "dicom")
_MISSING: Final = frozenset(("na", "n/a", "nan", "none", "null"))
"""What pandas takes for an empty cell, in one case or another."""


def write(
    content: Content, evidence: Evidence, *, left_out: Sequence[LeftOut], pictures: str
) -> None:
    """Write the card.

    Args:
        content: What was written.
        evidence: What is known of it.
        left_out: Scans that are not in it, or have no picture.
        pictures: How the pictures were made; "" where there are none.
    """
    rows, recipe = content.rows, content.recipe
    parts = [
        _head(rows, recipe),
        _counts(rows, recipe, evidence),
        _readers(rows, recipe.choice, evidence),
        _labels(content.label_set),
        _suggestions(content, evidence),
        _patients(rows),
        _limits(content, left_out, evidence),
        _columns(content, pictures),
    ]
    text = "\n\n".join(parts) + "\n"
    (content.folder / FILE).write_text(text, encoding="utf-8", newline="\n")


def _head(rows: Sequence[Row], recipe: Recipe) -> str:
    size = counts(rows)
    checked = (
        "Whoever exported this has said that no picture names anyone."
        if recipe.pixels_checked
        else "Scans whose kind or header lets expect text in the pixels were left out; text that "
        "is burned into others is not removed: look at the pictures before you pass them on."
    )
    if recipe.pictures is Pictures.NONE:
        checked = "There are no pictures here."
    sources = len({row.reader for row in rows if row.source})
    given = [f"{counted(sources, 'source')} of labels"] if sources else []
    if recipe.choice.rule in (Rule.ALL, Rule.READER):
        readers = [counted(size["readers"], "reader")] if size["readers"] else []
        who = f"{counted(size['rows'], 'decision')} by {' and '.join([*readers, *given])}"
    else:
        together = f"one word on each, brought together from its readers ({recipe.choice.rule})"
        who = " and from ".join([together, *given])
    return (
        "# Labelled data set\n\n"
        f"{counted(size['scans'], 'scan')} of {counted(size['patients'], 'patient')}, {who}, "
        f"exported as {recipe.format} by NEARL Desk.\n\n"
        "**For research and data set work only. Not a medical device; not for diagnosis.**\n\n"
        "Scans and patients stand under pseudonyms. The patients' are made anew for each export. "
        "No path, name, identifier, header or free text of the files is included. " + checked
    )


def _counts(rows: Sequence[Row], recipe: Recipe, evidence: Evidence) -> str:
    size: dict[str, Any] = counts(rows)
    names = [name for name in NAMES[3] if name in size["splits"]]
    kinds = sorted({kind for split in size["splits"].values() for kind in split["labels"]})
    shares = ", ".join(f"{fraction:.0%}" for fraction in recipe.fractions)
    lines = [
        "## Counts",
        "",
        f"Split by patient ({shares} asked for), stratified by label, seed {recipe.seed}. "
        f"{evidence.leakage.sentence} (`{leakage.FILE}`)",
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
    if any(row.implied for row in rows):
        lines += ["", "A label is counted where it is named, not where it follows from another."]
    return "\n".join(lines)


def _labels(label_set: LabelSet) -> str:
    kind = "A scan can have several." if label_set.multi_label else "They exclude each other."
    lines = [
        "## Labels",
        "",
        f"Revision {label_set.revision} of the label set. {kind}",
        "",
        "| label | id | parent | code | texts for the model |",
        "|---|---|---|---|---|",
    ]
    for label in label_set.labels:
        prompts = "; ".join(label.prompts)
        cells = (label.name, label.id, label.parent, label.code, prompts)
        lines.append("| " + " | ".join(plain(one) for one in cells) + " |")
    return "\n".join(lines)


def _readers(rows: Sequence[Row], choice: Choice, evidence: Evidence) -> str:
    rule = _RULES[choice.rule or Rule.ALL]
    if choice.rule is Rule.ADJUDICATED and choice.reader:
        rule = _LAST_WORD
    if choice.rule not in (Rule.ALL, Rule.READER):
        rule += " A source of labels counts as no reader" + (
            "; where nobody decided, the word of {source} stands." if choice.source else "."
        )
    lines = [
        "## Readers",
        "",
        rule.format(reader=plain(choice.reader), source=plain(choice.source)),
        "",
    ]
    lines += [
        "| reader | decisions | definite | probable | possible |",
        "|---|---:|---:|---:|---:|",
    ]
    for reader in sorted({row.reader for row in rows}):
        own = [row for row in rows if row.reader == reader]
        sure = Counter(row.confidence for row in own)
        cells = (len(own), sure["definite"], sure["probable"], sure["possible"])
        name = f"{plain(reader)} (source)" if own[0].source else plain(reader)
        lines.append(f"| {name} | " + " | ".join(str(one) for one in cells) + " |")
    if evidence.agreement:
        lines += [
            "",
            "Agreement of two readers on the scans of the project that both decided, over labels "
            "and states (Cohen's kappa with its 95 % interval, pooled over labels where a scan can "
            "have several):",
            "",
            "| readers | scans | alike | kappa | interval |",
            "|---|---:|---:|---:|---|",
        ]
        for pair in evidence.agreement:
            names = " and ".join(plain(name) for name in pair.readers)
            value = "not defined" if pair.kappa is None else f"{pair.kappa:.2f}"
            interval = "" if pair.interval is None else "{:.2f} to {:.2f}".format(*pair.interval)
            lines.append(f"| {names} | {pair.scans} | {pair.alike:.0%} | {value} | {interval} |")
    return "\n".join(lines)


def _suggestions(content: Content, evidence: Evidence) -> str:
    rows, recipe = content.rows, content.recipe
    shown = Counter(row.shown for row in rows)
    answers = Counter(followed(row, content.label_set) for row in rows)
    seen = shown[Shown.VISIBLE.value]
    open_ = seen - answers[True] - answers[False]
    neither = (
        f"; of {open_} neither can be said (unassessable scans, rankings without a suggestion, "
        "labels that are no more)"
    )
    mixed = f" For {shown['mixed']} it differed between their readers." if shown["mixed"] else ""
    lines = [
        "## How suggestions were used",
        "",
        f"A model (backbone {plain(recipe.backbone)}) ranked the labels while readers decided. "
        f"{seen} decisions were made with a ranking in sight: {answers[True]} followed its "
        f"suggestion, {answers[False]} did not{neither if open_ else ''}. "
        f"{shown[Shown.BLIND.value]} were made without seeing one, "
        f"{shown[Shown.IMPORTED.value]} came from a file.{mixed} "
        "A suggestion is never taken for a decision, but one that was seen may have swayed it.",
    ]
    if not recipe.choice.suggestions:
        lines += ["", "The suggestions themselves are not included."]
    beside = (row for row in rows if row.shown != Shown.BLIND)
    versions = Counter(row.version for row in beside if row.version)
    if versions:
        lines += ["", "| version | decisions that it stood beside |", "|---|---:|"]
        for version, count in sorted(versions.items()):
            name = "frozen backbone" if version == FROZEN else plain(version)
            lines.append(f"| {name} | {count} |")
    return "\n".join([*lines, "", _model(evidence)])


def _model(evidence: Evidence) -> str:
    """The version that was live, and how far its probabilities can be believed."""
    live = evidence.live
    if live is None:
        return "No trained version was live when this was exported."
    text = (
        f"Live when this was exported: version {plain(live.id)} of {live.created:%Y-%m-%d}, "
        f"learned from {len(live.decision_ids)} decisions."
    )
    if live.after is None:
        return f"{text} It was not measured on decisions apart, so nothing is known of calibration."
    after = live.after
    return (
        f"{text} On {after.n} decisions that it did not learn from: accuracy {after.accuracy:.2f}, "
        f"balanced {after.balanced_accuracy:.2f}, log loss {after.log_loss:.2f}, expected "
        f"calibration error {after.ece:.2f} (15 bins; 0 is calibrated)."
    )


def _patients(rows: Sequence[Row]) -> str:
    known = len({row.scan_id for row in rows if row.patient_known})
    unknown = len({row.scan_id for row in rows if not row.patient_known})
    lines = ["## How patients were told apart", ""]
    if known:
        lines.append(
            f"For {counted(known, 'scan')} the header (Patient ID with its issuer, else name and "
            "birth date), or a rule that the reader gave for paths, says whose it is."
        )
    if unknown:
        lines.append(
            f"**Patients could not be told apart** for {counted(unknown, 'scan')}: each counts as "
            "a patient of its own (files of one study stay together), so the split may put one "
            "person into two parts."
        )
    return "\n".join(lines)


def _limits(content: Content, left_out: Sequence[LeftOut], evidence: Evidence) -> str:
    recipe, lines = content.recipe, ["## Known limits", ""]
    settled = sum(row.occasion == Occasion.ADJUDICATION for row in content.rows)
    reasons = Counter(entry.reason for entry in left_out)
    lines += [
        f"- Left out, or without a picture: {counted(count, 'scan')}. {r}"
        for r, count in reasons.items()
    ]
    lines += [f"- {plain(notice)}" for notice in evidence.notices]
    lines.append("- Deferred and undecided scans are not included.")
    if settled and recipe.choice.rule is not Rule.ADJUDICATED:
        lines.append(f"- Adjudications among the decisions: {settled}. None of the others was one.")
    elif recipe.choice.rule is not Rule.ADJUDICATED:
        lines.append("- Decisions are those of the readers named; they were not adjudicated.")
    if recipe.format == "coco":
        lines.append(
            "- COCO has no place for labels of whole pictures. By convention each label is an "
            "annotation whose box is the whole picture; nothing was located. `not_asked` of a "
            "picture names the categories of which nothing is said."
        )
    return "\n".join(lines)


def _columns(content: Content, pictures: str) -> str:
    recipe = content.recipe
    lines = ["## Files", ""]
    if recipe.format in _OPENED:
        lines += [f"Opened here in Python: `{_OPENED[recipe.format]}`.", ""]
    if recipe.format == "imagefolder":
        lines.append(
            "`SPLIT/LABEL/scan-NNNNNN_fNNN.png`; `manifest.json` tells which scan and patient each "
            "picture is of. A label without pictures in a split has an empty folder there, so that "
            "labels have the same numbers in all splits. Only scans with one label are here."
        )
    else:
        lines += ["| column | meaning |", "|---|---|"]
        lines += [f"| {column.name} | {plain(column.meaning)} |" for column in content.columns]
    if recipe.format in _IN_CSV:
        lines += ["", "In the CSV a text that a spreadsheet would run as a formula begins with '."]
        lost = [name for name in content.label_set.names if name.casefold() in _MISSING]
        if lost:
            lines[-1] += (
                f" pandas takes {plain(', '.join(lost))} for an empty cell unless it is told "
                "`keep_default_na=False`; mlcroissant always does."
            )
    if pictures:
        lines += ["", f"Pictures: {pictures}"]
    lines += ["", "`manifest.json` lists every file with its SHA-256."]
    return "\n".join(lines)
