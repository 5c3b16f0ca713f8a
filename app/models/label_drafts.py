"""A label set while it is being edited: plain drafts, and what is wrong with them."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from app.strings import dialog_words, label_words
from nearl_core import label_changes
from nearl_core.codes import public_code
from nearl_core.types import ChangeKind, Label, LabelChange, LabelSet, Revision

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


def new_key(taken: Sequence[str]) -> str:
    """A key that no id is mistaken for: ids that are made from names hold no blank."""
    number = 1
    while f"new {number}" in taken:
        number += 1
    return f"new {number}"


def tree_of(drafts: Sequence[LabelDraft]) -> list[tuple[str, str]]:
    """Key and parent's key of each draft; a parent that was removed is none."""
    keys = {draft.key for draft in drafts}
    return [(draft.key, draft.parent if draft.parent in keys else "") for draft in drafts]


# --- changes that decisions are carried through --------------------------------------------------


@dataclass(frozen=True)
class Edit:
    """A label set while it is being edited.

    Attributes:
        changes: Merges, splits and retirements so far, by the keys of drafts.
    """

    drafts: tuple[LabelDraft, ...]
    changes: tuple[LabelChange, ...] = ()

    def added(self) -> "Edit":
        """With one more label, to be named."""
        taken = [draft.key for draft in self.drafts]
        return replace(self, drafts=(*self.drafts, LabelDraft(key=self._new_key("", taken))))

    def moved(self, row: int, by: int) -> "Edit":
        """With a label so many places down, or up."""
        drafts = list(self.drafts)
        drafts.insert(row + by, drafts.pop(row))
        return replace(self, drafts=tuple(drafts))

    def with_draft(self, row: int, draft: LabelDraft) -> "Edit":
        """With another draft in a place."""
        return replace(self, drafts=(*self.drafts[:row], draft, *self.drafts[row + 1 :]))

    def merged(self, keys: Sequence[str]) -> "Edit":
        """With one new label in place of several, to be named; the drafts have no problem."""
        names = (draft.name.strip() for draft in self.drafts if draft.key in keys)
        name = _free(label_words.MERGED.join(names), self.drafts)
        return self._changed(
            *label_changes.merge(_by_key(self.drafts), keys, name, new_id=self._new_key)
        )

    def split(self, key: str) -> "Edit":
        """With two new labels in place of one, to be named; the drafts have no problem."""
        name = next(draft.name.strip() for draft in self.drafts if draft.key == key)
        parts = [_free(label_words.PART.format(name=name, number=n), self.drafts) for n in (1, 2)]
        return self._changed(
            *label_changes.split(_by_key(self.drafts), key, parts, new_id=self._new_key)
        )

    def removed(self, key: str) -> "Edit":
        """Without a label; one that was there before, or came from some that were, is retired."""
        gone = next(draft for draft in self.drafts if draft.key == key)
        above = next((other.key for other in self.drafts if other.key == gone.parent), "")
        drafts = tuple(
            replace(draft, parent=above) if draft.parent == key else draft
            for draft in self.drafts
            if draft.key != key
        )
        known = gone.id or any(key in change.into for change in self.changes)
        retired = (LabelChange(ChangeKind.RETIRE, (key,)),) if known else ()
        return Edit(drafts, (*self.changes, *retired))

    def revision(self, before: LabelSet, new_id: NewId) -> Revision:
        """The label set of drafts without a problem, and how it came from the one before."""
        ids = ids_of(self.drafts, new_id)
        label_set = label_set_of(
            self.drafts, multi_label=before.multi_label, revision=before.revision, new_id=new_id
        )
        names = {label.id: label.name for label in before.labels}
        renamed = tuple(
            LabelChange(ChangeKind.RENAME, (label.id,), (label.id,))
            for label in label_set.labels
            if names.get(label.id, label.name) != label.name
        )
        # A draft that came and went has a key only; it is as good an id as any.
        changes = tuple(
            replace(
                change,
                sources=tuple(ids.get(key, key) for key in change.sources),
                into=tuple(ids.get(key, key) for key in change.into),
            )
            for change in self.changes
        )
        return Revision(label_set, (*changes, *renamed))

    def _new_key(self, name: str, taken: Sequence[str]) -> str:
        del name
        everywhere = [key for change in self.changes for key in (*change.sources, *change.into)]
        return new_key((*taken, *everywhere))

    def _changed(self, label_set: LabelSet, change: LabelChange) -> "Edit":
        ids = {draft.key: draft.id for draft in self.drafts}
        drafts = (replace(draft, id=ids.get(draft.key, "")) for draft in drafts_of(label_set))
        return Edit(tuple(drafts), (*self.changes, change))


def _by_key(drafts: Sequence[LabelDraft]) -> LabelSet:
    """The drafts as a label set whose ids are their keys."""
    named = [replace(draft, id=draft.key) for draft in drafts]
    return label_set_of(named, multi_label=True, revision=1, new_id=lambda name, _taken: name)


def _free(name: str, drafts: Sequence[LabelDraft]) -> str:
    taken = {draft.name.strip().casefold() for draft in drafts}
    return name if name.casefold() not in taken else f"{name} *"


def code_note(code: str) -> str:
    """What a reader should know of a label's code as it is typed; "" where it is understood."""
    understood = not code.strip() or public_code(code, "") is not None
    return "" if understood else label_words.CODE_LEFT_OUT
