"""The live version as a folder of its own: adapters, labels, figures and a card.

Nothing of the scans or their readers is in it: the weights, what they were made for, and how well
they did.
"""

import json
import os
import shutil
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final

from nearl_core import labels_file
from nearl_core.errors import ExportError
from nearl_core.export.beside import beside
from nearl_core.export.names import plain
from nearl_core.store import versions
from nearl_core.store.hashes import file_sha256
from nearl_core.store.project import Project
from nearl_core.types import Figures, LabelSet, Version
from nearl_core.words import counted

NAME: Final = "adapters"
WEIGHTS: Final = "adapters.safetensors"
LABELS: Final = "labels.yaml"
CONFIG: Final = "config.json"
CARD: Final = "README.md"


@dataclass(frozen=True)
class AdaptersReport:
    """What was exported.

    Attributes:
        folder: Where it stands.
        version: Id of the version.
    """

    folder: Path
    version: str


def export_adapters(project: Project, out: Path) -> AdaptersReport:
    """Export the live version; the folder is there whole and verified, or not at all.

    Args:
        project: May be open read-only.
        out: A folder that does not exist or is empty.

    Raises:
        ExportError: If no version is live, its file is not what was trained, or the place can't
            be used.
    """
    live = next((version for version in project.versions() if version.live), None)
    if live is None:
        raise ExportError(
            "No version is live, so there are no adapters to export.",
            "Train a version, or bring one back with `versions PROJECT --activate ID`.",
        )
    with project.reading() as connection:
        kept = {version_id: digest for version_id, _, digest in versions.file_hashes(connection)}
    with beside(out, apart_from=project.folder) as folder:
        _copy(project.adapters_folder / live.file, folder / WEIGHTS, kept[live.id])
        label_set = project.label_set()
        labels_file.write(folder / LABELS, label_set)
        config = _config(live, label_set, str(kept[live.id]), folder / WEIGHTS)
        (folder / CONFIG).write_text(json.dumps(config, indent=1) + "\n", encoding="utf-8")
        (folder / CARD).write_text(_card(live, label_set), encoding="utf-8", newline="\n")
    return AdaptersReport(Path(os.path.abspath(out)), live.id)


def _copy(source: Path, target: Path, digest: str | None) -> None:
    if not source.is_file():
        raise ExportError("The live version has lost its file.", "Activate another version.")
    shutil.copyfile(source, target)
    if digest is None or file_sha256(target) != digest:
        raise ExportError(
            "The file of the live version is not the one that was trained.",
            "Run `check` on the project, then activate another version or train a new one.",
        )


def _config(version: Version, label_set: LabelSet, digest: str, weights: Path) -> dict[str, object]:
    """What a program needs to use the weights."""
    about, how, provenance = _said(weights)
    return {
        "nearl_adapters": about["format"],
        "version": version.id,
        "created": version.created.isoformat(),
        "backbone": version.backbone,
        "backbone_sha256": version.backbone_hash,
        "weights": WEIGHTS,
        "weights_sha256": digest,
        "nearl": how,
        "blend": provenance["blend"],
        "label_ids": list(label_set.ids),
        "multi_label": label_set.multi_label,
        "decisions": len(version.decision_ids),
        "before": None if version.before is None else asdict(version.before),
        "after": None if version.after is None else asdict(version.after),
    }


def _said(weights: Path) -> tuple[dict[str, str], object, dict[str, object]]:
    """What the file says of itself, of the adapters' shape, and of what they were made from.

    Raises:
        ExportError: If these are no adapters that this program wrote.
    """
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(weights, "np") as file:
            about = dict(file.metadata())
        how, provenance = json.loads(about["config"]), dict(json.loads(about["provenance"]))
        if "format" not in about or "blend" not in provenance:
            raise ValueError("not all is said")
    except (SafetensorError, ValueError, KeyError, TypeError, RecursionError) as error:
        raise ExportError(
            "The file of the live version holds no adapters that can be read.",
            "Activate another version, or train a new one.",
        ) from error
    return about, how, provenance


def _card(version: Version, label_set: LabelSet) -> str:
    rows = [
        f"| {plain(label.name)} | `{label.id}` | {plain(label.code) or '-'} |"
        for label in label_set.labels
    ]
    several = (
        "A scan can have several labels." if label_set.multi_label else "They exclude each other."
    )
    # A version that was taken in learned from no decision of this project.
    count = len(version.decision_ids)
    learned = f" on {counted(count, 'decision')}" if count else ""
    return "\n".join(
        [
            f"# NEARL adapters, version {version.id}",
            f"Trained with NEARL Desk{learned}, over the frozen "
            f"backbone `{version.backbone}` (SHA-256 `{version.backbone_hash}`), without which "
            "they mean nothing.",
            "",
            "For research and the labelling of data sets only. Not a medical device.",
            "",
            "## Labels",
            several,
            "",
            "| label | id | code |",
            "|---|---|---|",
            *rows,
            "",
            "## How well it does",
            version.reason,
            "",
            "| on unlearned decisions | n | accuracy | balanced accuracy | log-loss | ECE |",
            "|---|---|---|---|---|---|",
            _figures("before", version.before),
            _figures("this version", version.after),
            "",
            "Measured inside one project, by its readers' own decisions: nothing is known of other "
            "devices, places or patients.",
            "",
            "## Use",
            "With NEARL Desk and the same backbone (`nearl backbones list`; a folder of one: "
            "`nearl backbones add`), in this folder:",
            "```",
            f"nearl create PROJECT --labels {LABELS} --backbone NAME --scans SCANS",
            "nearl versions PROJECT --add .",
            "nearl versions PROJECT --activate ID",
            "nearl rank PROJECT",
            "```",
            "A project that has these labels already takes them in likewise. Once it has decisions "
            "of its own, the heads are fitted to those anew; the adapters stay. On the very scans "
            "that they were trained on they look better than they are.",
            "",
            "## Files",
            f"- `{WEIGHTS}`: the adapters, the tuned head and the instant learner, with their "
            "provenance in the header",
            f"- `{CONFIG}`: their configuration, backbone and figures",
            f"- `{LABELS}`: the label set, for `create PROJECT --labels {LABELS}`",
            "",
        ]
    )


def _figures(name: str, figures: Figures | None) -> str:
    if figures is None:
        return f"| {name} | - | - | - | - | - |"
    values = (figures.accuracy, figures.balanced_accuracy, figures.log_loss, figures.ece)
    return f"| {name} | {figures.n} | " + " | ".join(f"{value:.3f}" for value in values) + " |"
