"""Adapters that another project trained, taken in as a version of this one."""

import json
import os
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import numpy as np

from nearl_core.errors import VersionError
from nearl_core.export.adapters import CONFIG, LABELS, WEIGHTS
from nearl_core.model import adapter_file
from nearl_core.store.hashes import file_sha256
from nearl_core.store.project import Project
from nearl_core.types import LabelSet, Version
from nearl_core.versions import Host, open_version
from nearl_core.words import counted

_OF_THEIR_PROJECT: Final = ("decision_ids", "scan_ids", "evidence")
"""What the file says of decisions and scans, whose numbers mean others here."""

_AGAIN: Final = "Export them again where they were trained."


def take_in(engine: Host, project: Project, folder: Path) -> Version:
    """Take exported adapters in as a version that is not live yet.

    It learned from nothing of this project, so all decisions here can put it to the test.

    Args:
        engine: Loaded, with the project's backbone and labels.
        project: Open for writing.
        folder: As `export --format adapters` made it.

    Raises:
        VersionError: If it holds no such adapters, or they are for other labels or another
            backbone.
        ProjectError: If they can't be saved.
    """
    _check_whole(folder)
    nearl, extra, said = adapter_file.read(folder / WEIGHTS)
    label_set = project.label_set()
    _require_labels(said, label_set, folder)
    version = _version(said, project.next_version_id(), label_set)
    kept = {name: value for name, value in said.items() if name not in _OF_THEIR_PROJECT}
    kept |= {"version": version.id, "label_set_revision": label_set.revision}
    place = project.adapters_folder / version.file
    try:
        adapter_file.write(place, nearl, extra=extra, provenance=kept)
        _require_ranks(engine, version)
        project.add_version(version)
    except OSError as error:
        _remove(place)
        raise VersionError(
            "The adapters could not be written.", "Make room on the disk and try again."
        ) from error
    except BaseException:
        _remove(place)
        raise
    return version


def _remove(place: Path) -> None:
    for path in (place, place.with_suffix(".partial")):
        with suppress(OSError):
            path.unlink(missing_ok=True)


def _check_whole(folder: Path) -> None:
    """Make sure that the weights are those that were exported.

    Raises:
        VersionError: If they are not, or are not there.
    """
    try:
        config = json.loads((folder / CONFIG).read_text(encoding="utf-8"))
        whole = file_sha256(folder / WEIGHTS) == config["weights_sha256"]
    except (OSError, ValueError, KeyError, TypeError, RecursionError) as error:
        raise VersionError(
            f"{os.path.basename(os.path.abspath(folder))} is no folder of exported adapters.",
            "Name one that `export PROJECT OUT --format adapters` has made.",
        ) from error
    if not whole:
        raise VersionError(
            f"{WEIGHTS} is not the file that {CONFIG} tells of.", "Copy the whole folder again."
        )


def _require_labels(said: dict[str, object], label_set: LabelSet, folder: Path) -> None:
    same = said.get("label_ids") == list(label_set.ids)
    if not same or said.get("multi_label") is not label_set.multi_label:
        raise VersionError(
            "These adapters rank other labels than this project's, or in another order.",
            f"Make a project with theirs: create PROJECT --labels {folder / LABELS}",
        )


def _version(said: dict[str, object], version_id: str, label_set: LabelSet) -> Version:
    learned = said.get("decision_ids")
    count = counted(len(learned) if isinstance(learned, list) else 0, "decision")
    return Version(
        id=version_id,
        created=datetime.now(UTC),
        file=f"{version_id}.safetensors",
        backbone=str(said.get("backbone", "")),
        backbone_hash=str(said.get("backbone_hash", "")),
        label_set_revision=label_set.revision,
        decision_ids=(),
        seconds=0.0,
        device="",
        before=None,
        after=None,
        promoted=False,
        reason=f"Taken in: trained on {count} elsewhere, not measured on decisions made here.",
    )


def _require_ranks(engine: Host, version: Version) -> None:
    """Let the version rank a feature once: what a file promises may not be what it holds.

    Raises:
        VersionError: If it can't.
    """
    encoder = engine.encoder
    labels = len(engine.learner.ready.label_set.labels)
    try:
        ranker = open_version(engine, version).ranker
        tuned = np.zeros((1, encoder.embedding))
        frozen = np.zeros((1, encoder.embedding + sum(encoder.blocks)))
        logits = ranker.logits(frozen, tuned)
        fits = logits.shape == (1, labels) and bool(np.isfinite(logits).all())
    except (RuntimeError, ValueError, TypeError, IndexError) as error:
        raise VersionError("The adapters do not fit the backbone.", _AGAIN) from error
    if not fits:
        raise VersionError("The adapters do not fit the labels.", _AGAIN)
