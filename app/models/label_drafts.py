"""A label set while it is being edited: plain drafts, and what is wrong with them."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from app.strings import dialog_words
from nearl_core.types import Label, LabelSet

NewId = Callable[[str, Sequence[str]], str]


@dataclass(frozen=True)
class LabelDraft:
    """A label as typed; `id` is "" until it is saved for the first time.

    Attributes:
        prompts: One a line.
        key: Tells drafts apart while they are edited; the id of a label that was saved.
        parent: The key of the draft that it is a kind of, or "".
    """

    id: str = ""
    name: str = ""
    prompts: str = ""
    code: str = ""
    key: str = ""
    parent: str = ""


def drafts_of(label_set: LabelSet) -> list[LabelDraft]:
    """The labels as drafts."""
    return [
        LabelDraft(
            label.id, label.name, "\n".join(label.prompts), label.code, label.id, label.parent
        )
        for label in label_set.labels
    ]


def problem(drafts: Sequence[LabelDraft]) -> str:
    """What is wrong with the drafts, in a sentence; "" if nothing."""
    if not drafts:
        return dialog_words.NEEDS_LABEL
    seen: set[str] = set()
    for place, draft in enumerate(drafts, start=1):
        name = draft.name.strip()
        if not name:
            return dialog_words.EMPTY_NAME.format(place=place)
        if name.casefold() in seen:
            return dialog_words.DUPLICATE_NAME.format(name=name)
        seen.add(name.casefold())
    return ""


def label_set_of(
    drafts: Sequence[LabelDraft], *, multi_label: bool, revision: int, new_id: NewId
) -> LabelSet:
    """The label set of drafts without a problem; ids that are there stay."""
    ids = ids_of(drafts, new_id)
    labels = []
    for draft in drafts:
        prompts = tuple(line.strip() for line in draft.prompts.splitlines() if line.strip())
        name, parent = draft.name.strip(), ids.get(draft.parent, "")
        labels.append(Label(ids[draft.key], name, prompts, draft.code.strip(), parent))
    return LabelSet(tuple(labels), multi_label, revision)


def ids_of(drafts: Sequence[LabelDraft], new_id: NewId) -> dict[str, str]:
    """The id of each draft's key; a new label gets one made from its name."""
    taken = [draft.id for draft in drafts if draft.id]
    ids = {draft.key: draft.id for draft in drafts}
    for draft in drafts:
        if not draft.id:
            ids[draft.key] = new_id(draft.name, taken)
            taken.append(ids[draft.key])
    return ids


def new_draft(drafts: Sequence[LabelDraft], *, name: str = "", parent: str = "") -> LabelDraft:
    """A draft that no other is mistaken for."""
    taken, number = {draft.key for draft in drafts}, 1
    while f"new {number}" in taken:
        number += 1
    return LabelDraft(name=name, key=f"new {number}", parent=parent)


def tree_of(drafts: Sequence[LabelDraft]) -> list[tuple[str, str]]:
    """Key and parent's key of each draft; a parent that was removed is none."""
    keys = {draft.key for draft in drafts}
    return [(draft.key, draft.parent if draft.parent in keys else "") for draft in drafts]
