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
    """

    id: str = ""
    name: str = ""
    prompts: str = ""
    code: str = ""


def drafts_of(label_set: LabelSet) -> list[LabelDraft]:
    """The labels as drafts."""
    return [
        LabelDraft(label.id, label.name, "\n".join(label.prompts), label.code)
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
    taken = [draft.id for draft in drafts if draft.id]
    labels = []
    for draft in drafts:
        label_id = draft.id
        if not label_id:
            label_id = new_id(draft.name, taken)
            taken.append(label_id)
        prompts = tuple(line.strip() for line in draft.prompts.splitlines() if line.strip())
        labels.append(Label(label_id, draft.name.strip(), prompts, draft.code.strip()))
    return LabelSet(tuple(labels), multi_label, revision)
