"""What the label panel shows, worked out from plain values."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from app import strings
from app.models.draft import Draft
from app.models.keymap import label_key
from app.models.label_tree import indents
from app.strings import label_words
from nearl_core import suggesting
from nearl_core.types import (
    FROZEN,
    UNSEEN,
    Confidence,
    LabelSet,
    Ranking,
    State,
    Verdict,
)


@dataclass(frozen=True)
class LabelLine:
    """One label as it stands on screen.

    Attributes:
        key: Its key as written, "" from the 21st label on.
        probability: In [0, 1], or None where nothing is ranked or suggestions are hidden.
        suggested: Whether the ranking suggests it.
        enter: Whether Enter takes it.
        decided: Whether the standing decision names or implies it.
        pending: Whether it was chosen by key and waits for Enter (multi-label sets).
        indent: How far it is set in below its parent.
        parent: The name of its parent, or "".
    """

    label_id: str
    name: str
    key: str
    probability: float | None = None
    suggested: bool = False
    enter: bool = False
    decided: bool = False
    pending: bool = False
    indent: int = 0
    parent: str = ""

    @property
    def full_name(self) -> str:
        """With the parent, where the name does not stand below it."""
        if not self.parent or self.indent:
            return self.name
        return label_words.CHILD.format(parent=self.parent, name=self.name)


_PASSING = (strings.RANKING_COMES, strings.ENGINE_LOADING)
"""Why there is no ranking for a moment: said where its source will stand, so that no row moves."""


@dataclass(frozen=True)
class Panel:
    """The whole label panel.

    Attributes:
        source: Which version the bars come from, or that they are on their way, or "".
        notice: Why there are no bars, or what the reader should know.
        state: Of the scan for the reader; None where there is no scan.
        confidence, flagged, note, frame: Of the standing decision, or of the next one.
        hint: What Enter does now.
        enter_none: Whether Enter says that none applies.
        pending: Whether labels were chosen by key that Enter records.
        can_decide: False where there is no scan or the project is read-only.
    """

    lines: tuple[LabelLine, ...] = ()
    source: str = ""
    notice: str = ""
    state: State | None = State.UNSEEN
    confidence: Confidence = Confidence.DEFINITE
    flagged: bool = False
    note: str = ""
    frame: int | None = None
    hint: str = ""
    enter_none: bool = False
    pending: bool = False
    can_decide: bool = False


def source_text(ranking: Ranking, *, of_this: int, others: bool = False) -> str:
    """Which version says so, whether it was told of this scan already, and by other readers."""
    learned = strings.learned_from(ranking.decisions, of_this=of_this)
    if ranking.version == FROZEN and not ranking.decisions:
        return strings.SOURCE_WORDS
    if ranking.version == FROZEN:
        words = strings.SOURCE_FROZEN_OF_ALL if others else strings.SOURCE_FROZEN
        return words.format(what=learned)
    words = strings.SOURCE_VERSION_OF_ALL if others else strings.SOURCE_VERSION
    return words.format(version=ranking.version, what=learned)


def build_panel(
    label_set: LabelSet,
    verdict: Verdict,
    draft: Draft,
    *,
    ranking: Ranking | None,
    suggestions: bool,
    can_decide: bool,
    awaited: str = strings.RANKING_COMES,
    said_before: str = "",
    not_asked: Sequence[str] = (),
    of_this: int = 0,
    others: bool = False,
) -> Panel:
    """What to show for one scan.

    `awaited` says why there is no ranking, `said_before` which labels no longer stand, and
    `not_asked` are the ids of labels that came after the decision. The ranking learned `of_this`
    very scan by so many decisions, which it repeats, and from `others` than this reader, or not.
    """
    pending = draft.pending
    shown = ranking if suggestions else None
    suggested = suggesting.suggested(shown, label_set) or ()
    offer = suggesting.offered(shown, label_set) if pending is None else None
    chosen = label_set.meant(pending or ())
    taken = chosen if offer is None else label_set.meant(offer.labels)
    decided = label_set.meant(verdict.labels)
    of_before = _of_before(said_before, _names(not_asked, label_set))
    of_ranking = _notice(ranking, awaited, suggestions=suggestions)
    names = {label.id: label.name for label in label_set.labels}
    tree = indents([(label.id, label.parent) for label in label_set.labels])
    lines = tuple(
        LabelLine(
            label_id=label.id,
            name=label.name,
            key=label_key(place),
            probability=None if shown is None else shown.probability(label.id),
            suggested=label.id in suggested,
            enter=label.id in taken,
            decided=label.id in decided,
            pending=label.id in chosen,
            indent=tree[place],
            parent=names.get(label.parent, ""),
        )
        for place, label in enumerate(label_set.labels)
    )
    return Panel(
        lines=lines,
        source=_source(shown, awaited if suggestions else "", of_this=of_this, others=others),
        notice=" ".join(part for part in (of_before, of_ranking) if part),
        state=verdict.state,
        confidence=draft.confidence_on(verdict),
        flagged=draft.flag_on(verdict),
        note=verdict.note if draft.note is None else draft.note,
        frame=draft.frame_on(verdict),
        hint=_hint(label_set, verdict, offer, pending) if can_decide else "",
        enter_none=offer is not None and offer.state is State.NONE_APPLY,
        pending=pending is not None,
        can_decide=can_decide,
    )


def empty_panel(label_set: LabelSet) -> Panel:
    """The labels where there is no scan to decide."""
    panel = build_panel(
        label_set,
        UNSEEN,
        Draft(),
        ranking=None,
        suggestions=True,
        can_decide=False,
        awaited="",
    )
    return replace(panel, state=None)


def _source(ranking: Ranking | None, awaited: str, *, of_this: int, others: bool) -> str:
    if ranking is None:
        return awaited if awaited in _PASSING else ""
    return source_text(ranking, of_this=of_this, others=others) if ranking.labels else ""


def _of_before(said: str, not_asked: str) -> str:
    """What a decision of before the labels changed said, or said nothing of."""
    if said:
        return label_words.WAS.format(labels=said)
    return label_words.NOT_ASKED.format(labels=not_asked) if not_asked else ""


def _notice(ranking: Ranking | None, awaited: str, *, suggestions: bool) -> str:
    if not suggestions:
        return strings.SUGGESTIONS_HIDDEN
    if ranking is None:
        return "" if awaited in _PASSING else awaited
    if ranking.unlike:
        return " ".join(part for part in (strings.UNLIKE, ranking.notice) if part)
    return ranking.notice


def _hint(
    label_set: LabelSet, verdict: Verdict, offer: Verdict | None, pending: frozenset[str] | None
) -> str:
    if pending is not None:
        chosen = _names(suggesting.named(pending, label_set), label_set)
        return strings.HINT_RECORD.format(labels=chosen) if chosen else strings.NOTHING_TOGGLED
    if offer is None:
        return strings.HINT_CHOOSE if label_set.multi_label else strings.HINT_NO_SUGGESTION
    label = _names(offer.labels, label_set) or strings.NO_LABEL
    if verdict.state.is_decided:
        same = label_set.meant(verdict.labels) == label_set.meant(offer.labels)
        hint = strings.HINT_ACCEPT if same else strings.HINT_CHANGE
        return hint.format(label=label)
    edit = strings.HINT_EDIT if label_set.multi_label else ""
    return strings.HINT_ACCEPT.format(label=label) + edit


def _names(label_ids: Iterable[str], label_set: LabelSet) -> str:
    return ", ".join(label_set.names_of(label_ids))
