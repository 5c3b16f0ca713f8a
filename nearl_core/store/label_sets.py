"""Label sets in the database: one row a revision, none ever changed."""

import json
from collections.abc import Sequence
from dataclasses import asdict, replace
from datetime import UTC, datetime

from sqlalchemy import Connection, insert, select

from nearl_core.errors import LabelSetError, ProjectError
from nearl_core.label_history import LabelHistory
from nearl_core.store.schema import label_sets
from nearl_core.types import ChangeKind, Decision, Label, LabelChange, LabelSet, Revision


def to_json(revision: Revision) -> str:
    """A revision without its number."""
    label_set = revision.label_set
    return json.dumps(
        {
            "multi_label": label_set.multi_label,
            "labels": [asdict(label) for label in label_set.labels],
            "changes": [asdict(change) for change in revision.changes],
            "restores": revision.restores,
        },
        ensure_ascii=False,
    )


def from_json(body: str, number: int) -> Revision:
    """What `to_json` wrote; a project of before labels had parents or changes says nothing of it.

    Raises:
        ProjectError: If the row is damaged.
    """
    try:
        content = json.loads(body)
        labels = tuple(
            Label(**{**entry, "prompts": tuple(entry["prompts"])}) for entry in content["labels"]
        )
        changes = tuple(
            LabelChange(ChangeKind(one["kind"]), tuple(one["sources"]), tuple(one["into"]))
            for one in content.get("changes", ())
        )
        label_set = LabelSet(labels, multi_label=content["multi_label"], revision=number)
        return Revision(label_set, changes, content.get("restores"))
    except (
        ValueError,
        KeyError,
        TypeError,
        AttributeError,
        RecursionError,
        LabelSetError,
    ) as error:
        raise ProjectError(
            f"The project's label set (revision {number}) is damaged.",
            "Bring back a backup of the project folder.",
        ) from error


def history(connection: Connection) -> LabelHistory:
    """Every label set that the project ever had.

    Raises:
        ProjectError: If there is none or one is damaged.
    """
    rows = connection.execute(
        select(label_sets.c.revision, label_sets.c.body).order_by(label_sets.c.revision)
    )
    revisions = [from_json(row.body, row.revision) for row in rows]
    if not revisions:
        raise ProjectError("The project has no label set.", "Bring back a backup of its folder.")
    return LabelHistory(revisions)


def append(connection: Connection, revision: Revision) -> None:
    """Add a revision."""
    connection.execute(
        insert(label_sets).values(
            revision=revision.label_set.revision,
            created=datetime.now(UTC),
            body=to_json(revision),
        )
    )


def successor(
    history: LabelHistory, wanted: Revision, decisions: Sequence[Decision]
) -> LabelHistory:
    """The history with a wanted revision; as it was where nothing changed.

    A version is bound to a revision, so saving without a change must not make a new one.

    Args:
        history: So far.
        wanted: Its label set's number does not matter.
        decisions: The newest one of each scan and reader, as it was made.

    Raises:
        LabelSetError: If decisions would lose their labels without a change that says so.
    """
    now, current = history.latest, history.present
    if replace(wanted.label_set, revision=current.revision) == current:
        return history
    revision = replace(wanted, label_set=replace(wanted.label_set, revision=now + 1))
    grown = LabelHistory((*history.revisions, revision))
    if revision.restores is None:
        said = (history.verdict(one.verdict, of=one.revision, to=now) for one in decisions)
        _require_told(current, revision, [one.labels for one in said if one is not None])
    return grown


def _require_told(
    current: LabelSet, revision: Revision, standing: Sequence[tuple[str, ...]]
) -> None:
    told = {label_id for change in revision.changes for label_id in change.sources}
    gone = set(current.ids) - set(revision.label_set.ids) - told
    for label_id in current.ids:
        if label_id in gone and any(label_id in labels for labels in standing):
            raise LabelSetError(
                f"The label {current.by_id(label_id).name!r} has decisions, "
                "so it can't be removed.",
                "Retire it, decide those scans differently first, or rename the label.",
            )
    if not revision.label_set.multi_label and any(len(labels) > 1 for labels in standing):
        raise LabelSetError(
            "Some scans have several labels, so the labels can't exclude each other.",
            "Leave one label on each of those scans first.",
        )
