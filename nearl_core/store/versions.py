"""Versions in the database, and which one was live when."""

import json
from dataclasses import asdict, replace
from datetime import UTC, datetime
from pathlib import PureWindowsPath

from sqlalchemy import Connection, Row, func, insert, select

from nearl_core.errors import VersionError
from nearl_core.store.faults import understood
from nearl_core.store.schema import activations, versions
from nearl_core.types import Evidence, Figures, LabelRecall, Version


def append(connection: Connection, version: Version, *, file_sha256: str | None) -> None:
    """Add a version; `live` is not kept with it.

    Raises:
        VersionError: If there is one of this id.
    """
    if _bound_to(connection, version.id) is not None:
        raise VersionError(f"There already is a version {version.id}.", "Train again.")
    connection.execute(
        insert(versions).values(
            id=version.id,
            created=version.created,
            file=version.file,
            file_sha256=file_sha256,
            backbone=version.backbone,
            backbone_hash=version.backbone_hash,
            label_set_revision=version.label_set_revision,
            decision_ids=json.dumps(version.decision_ids),
            seconds=version.seconds,
            device=version.device,
            before=_figures_to_json(version.before),
            after=_figures_to_json(version.after),
            promoted=version.promoted,
            reason=version.reason,
            evidence=None if version.evidence is None else json.dumps(asdict(version.evidence)),
        )
    )


def listed(connection: Connection, revision: int) -> list[Version]:
    """All versions in the order of making, the live one marked.

    One that is bound to another revision of the label set than the present one rests.
    """
    live = live_id(connection)
    with understood():
        rows = connection.execute(select(versions).order_by(versions.c.number))
        found = [_to_version(row) for row in rows]
    return [
        replace(version, live=version.id == live and version.label_set_revision == revision)
        for version in found
    ]


def file_hashes(connection: Connection) -> list[tuple[str, str, str | None]]:
    """Id, file name and SHA-256 of each version's adapters."""
    rows = connection.execute(
        select(versions.c.id, versions.c.file, versions.c.file_sha256).order_by(versions.c.number)
    )
    return [(row.id, row.file, row.file_sha256) for row in rows]


def next_id(connection: Connection) -> str:
    """The id for the next version: v1, v2 and so on."""
    return f"v{(connection.scalar(select(func.max(versions.c.number))) or 0) + 1}"


def live_id(connection: Connection) -> str | None:
    """The version that ranks now, or None for the frozen backbone."""
    return connection.scalar(
        select(activations.c.version).order_by(activations.c.id.desc()).limit(1)
    )


def activate(connection: Connection, version_id: str | None, *, revision: int, reader: str) -> None:
    """Note that a version went live; nothing where it already is.

    Raises:
        VersionError: If there is no such version, or it is bound to other labels.
    """
    if version_id is not None:
        _require_bound(connection, version_id, revision)
    if version_id == live_id(connection):
        return
    connection.execute(
        insert(activations).values(version=version_id, time=datetime.now(UTC), reader=reader)
    )


def _bound_to(connection: Connection, version_id: str) -> int | None:
    """The revision of the label set that a version is bound to; None where there is none."""
    return connection.scalar(
        select(versions.c.label_set_revision).where(versions.c.id == version_id)
    )


def _require_bound(connection: Connection, version_id: str, revision: int) -> None:
    bound = _bound_to(connection, version_id)
    if bound is None:
        raise VersionError(
            f"There is no version {version_id!r} in this project.",
            "Choose one of the listed versions.",
        )
    if bound != revision:
        raise VersionError(
            f"The version {version_id} was made before the labels changed.",
            "Train a new version; the instant learner serves until then.",
        )


def _figures_to_json(figures: Figures | None) -> str | None:
    return None if figures is None else json.dumps(asdict(figures))


def _figures_from_json(text: str | None) -> Figures | None:
    return None if text is None else Figures(**json.loads(text))


def _evidence_from_json(text: str | None) -> Evidence | None:
    if text is None:
        return None
    held = json.loads(text)
    return Evidence(**{**held, "labels": tuple(LabelRecall(**each) for each in held["labels"])})


def _to_version(row: Row[tuple[object, ...]]) -> Version:
    if PureWindowsPath(row.file).name != row.file:
        raise ValueError("a file of a version stands in the folder of adapters")
    return Version(
        id=row.id,
        created=row.created,
        file=row.file,
        backbone=row.backbone,
        backbone_hash=row.backbone_hash,
        label_set_revision=row.label_set_revision,
        decision_ids=tuple(json.loads(row.decision_ids)),
        seconds=row.seconds,
        device=row.device,
        before=_figures_from_json(row.before),
        after=_figures_from_json(row.after),
        promoted=row.promoted,
        reason=row.reason,
        evidence=_evidence_from_json(row.evidence),
    )
