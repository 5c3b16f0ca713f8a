"""Label sets in the database: one row a revision, none ever changed."""

import json
from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, datetime

from sqlalchemy import Connection, insert, select

from nearl_core.errors import LabelSetError, ProjectError
from nearl_core.store.schema import label_sets
from nearl_core.types import Decision, Label, LabelSet


def to_json(label_set: LabelSet) -> str:
    """A label set without its revision."""
    return json.dumps(
        {
            "multi_label": label_set.multi_label,
            "labels": [
                {
                    "id": label.id,
                    "name": label.name,
                    "prompts": list(label.prompts),
                    "code": label.code,
                    "parent": label.parent,
                }
                for label in label_set.labels
            ],
        },
        ensure_ascii=False,
    )


def from_json(body: str, revision: int) -> LabelSet:
    """What `to_json` wrote.

    Raises:
        ProjectError: If the row is damaged.
    """
    try:
        content = json.loads(body)
        labels = tuple(
            Label(
                entry["id"],
                entry["name"],
                tuple(entry["prompts"]),
                entry["code"],
                entry.get("parent", ""),  # a project of before labels had parents says nothing
            )
            for entry in content["labels"]
        )
        return LabelSet(labels, multi_label=content["multi_label"], revision=revision)
    except (ValueError, KeyError, TypeError, LabelSetError) as error:
        raise ProjectError(
            f"The project's label set (revision {revision}) is damaged.",
            "Bring back a backup of the project folder.",
        ) from error


def latest(connection: Connection) -> LabelSet:
    """The label set that holds now.

    Raises:
        ProjectError: If there is none or it is damaged.
    """
    row = connection.execute(
        select(label_sets.c.revision, label_sets.c.body)
        .order_by(label_sets.c.revision.desc())
        .limit(1)
    ).first()
    if row is None:
        raise ProjectError("The project has no label set.", "Bring back a backup of its folder.")
    return from_json(row.body, row.revision)


def all_revisions(connection: Connection) -> list[LabelSet]:
    """Every label set that the project ever had, the first one first."""
    rows = connection.execute(
        select(label_sets.c.revision, label_sets.c.body).order_by(label_sets.c.revision)
    )
    return [from_json(row.body, row.revision) for row in rows]


def append(connection: Connection, label_set: LabelSet) -> None:
    """Add a revision."""
    connection.execute(
        insert(label_sets).values(
            revision=label_set.revision, created=datetime.now(UTC), body=to_json(label_set)
        )
    )


def successor(current: LabelSet, wanted: LabelSet, standing: Iterable[Decision]) -> LabelSet:
    """The wanted label set with its revision; the current one where nothing changed.

    A version is bound to a revision, so saving without a change must not make a new one.

    Raises:
        LabelSetError: If a decision that stands would lose its label.
    """
    if replace(wanted, revision=current.revision) == current:
        return current
    gone = set(current.ids) - set(wanted.ids)
    for decision in standing:
        for label_id in decision.verdict.labels:
            if label_id in gone:
                raise LabelSetError(
                    f"The label {current.by_id(label_id).name!r} has decisions, "
                    "so it can't be removed.",
                    "Decide those scans differently first, or rename the label.",
                )
        if not wanted.multi_label and len(decision.verdict.labels) > 1:
            raise LabelSetError(
                "Some scans have several labels, so the labels can't exclude each other.",
                "Leave one label on each of those scans first.",
            )
    return replace(wanted, revision=current.revision + 1)
