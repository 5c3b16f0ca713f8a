"""Renaming, merging, splitting and retiring labels: the label set after it, and the change."""

from collections.abc import Callable, Sequence
from dataclasses import replace

from nearl_core.errors import LabelSetError
from nearl_core.types import ChangeKind, Label, LabelChange, LabelSet

NewId = Callable[[str, Sequence[str]], str]
"""An id for a name that none of some others has."""
Changed = tuple[LabelSet, LabelChange]


def rename(label_set: LabelSet, label_id: str, name: str) -> Changed:
    """Give a label another name; its id stays.

    Raises:
        LabelSetError: If there is no such label, or the name is taken.
    """
    renamed = replace(label_set.by_id(label_id), name=name.strip())
    labels = (renamed if one.id == label_id else one for one in label_set.labels)
    change = LabelChange(ChangeKind.RENAME, (label_id,), (label_id,))
    return replace(label_set, labels=tuple(labels)), change


def merge(label_set: LabelSet, ids: Sequence[str], name: str, *, new_id: NewId) -> Changed:
    """Make one label of several: an existing one of this name, else a new one.

    A new one takes their prompts, and their code and parent where they share them. Their children
    become its children.

    Raises:
        LabelSetError: If there are fewer than two, or one does not exist.
    """
    sources = [label_set.by_id(one) for one in dict.fromkeys(ids)]
    target = label_set.named(name)
    gone = {one.id for one in sources if target is None or one.id != target.id}
    if len(gone) + (target is not None) < 2:
        raise LabelSetError("A merge needs two labels.", "Name at least two of them.")
    if target is None:
        target = _together(sources, Label(new_id(name, label_set.ids), name.strip()))
    order = tuple(one for one in label_set.ids if one in gone)
    placed = _replaced(label_set, gone, (target,), anchor=order[0], heir=target.id)
    return placed, LabelChange(ChangeKind.MERGE, order, (target.id,))


def split(label_set: LabelSet, label_id: str, names: Sequence[str], *, new_id: NewId) -> Changed:
    """Put several labels in place of one; its children become its parent's.

    Raises:
        LabelSetError: If there is no such label, or it has fewer than two parts.
    """
    source = label_set.by_id(label_id)
    taken, parts = list(label_set.ids), []
    for name in dict.fromkeys(name.strip() for name in names):
        part = label_set.named(name)
        if part is None:
            part = Label(new_id(name, taken), name, parent=source.parent)
            taken.append(part.id)
        parts.append(part)
    if len(parts) < 2:
        raise LabelSetError("A split needs two parts.", "Name at least two of them.")
    gone = {label_id} - {part.id for part in parts}
    placed = _replaced(label_set, gone, parts, anchor=label_id)
    into = tuple(part.id for part in parts)
    return placed, LabelChange(ChangeKind.SPLIT, (label_id,), into)


def retire(label_set: LabelSet, label_id: str) -> Changed:
    """Ask for a label no longer; its children become its parent's.

    Raises:
        LabelSetError: If there is no such label, or it is the only one.
    """
    label_set.by_id(label_id)
    placed = _replaced(label_set, {label_id}, (), anchor=label_id)
    return placed, LabelChange(ChangeKind.RETIRE, (label_id,))


def _together(sources: Sequence[Label], target: Label) -> Label:
    codes, parents = {one.code for one in sources}, {one.parent for one in sources}
    return replace(
        target,
        prompts=tuple(dict.fromkeys(prompt for one in sources for prompt in one.prompts)),
        code=codes.pop() if len(codes) == 1 else "",
        parent=parents.pop() if len(parents) == 1 else "",
    )


def _replaced(
    label_set: LabelSet, gone: set[str], new: Sequence[Label], *, anchor: str, heir: str = ""
) -> LabelSet:
    """Without some labels; new ones stand where the anchor did, and children go to the heir.

    Without an heir, and for the heir itself, the parent becomes the next one above that stays.
    """
    above = {label.id: label.parent for label in label_set.labels}
    fresh = [label for label in new if label.id not in above]

    def parent(label: Label) -> str:
        found = label.parent
        if found in gone and heir and label.id != heir:
            return heir
        while found in gone:
            found = above[found]
        return found

    kept: list[Label] = []
    for label in label_set.labels:
        if label.id not in gone:
            kept.append(label)
        if label.id == anchor:
            kept += fresh
    labels = tuple(replace(label, parent=parent(label)) for label in kept)
    return replace(label_set, labels=labels)
