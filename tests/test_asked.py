"""Labels that were added after a decision: it says nothing of them."""

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from nearl_core.label_changes import merge, rename, retire, split
from nearl_core.label_history import LabelHistory
from nearl_core.labels_file import new_id
from nearl_core.types import Label, LabelChange, LabelSet, Revision, State, Verdict

ABC = LabelSet((Label("a", "A"), Label("b", "B"), Label("c", "C")), multi_label=True)
Meanings = dict[str, frozenset[int]]
"""Of each label the findings that it stands for."""


def _said(*labels: str) -> Verdict:
    return Verdict(State.LABELLED if labels else State.NONE_APPLY, labels)


def _with(history: LabelHistory, *labels: Label) -> LabelHistory:
    now = history.label_set(history.latest)
    grown = replace(now, labels=(*now.labels, *labels), revision=history.latest + 1)
    return LabelHistory((*history.revisions, Revision(grown)))


def _unasked(history: LabelHistory, *labels: str, of: int = 1) -> tuple[str, ...]:
    verdict = history.verdict(_said(*labels), of=of, to=history.latest)
    assert verdict is not None
    return history.unasked(verdict, of=of, to=history.latest)


def test_a_decision_says_nothing_of_a_label_that_came_later() -> None:
    history = _with(LabelHistory([Revision(ABC)]), Label("d", "D"))
    assert _unasked(history, "a") == ("d",)
    assert _unasked(history) == ("d",)
    assert _unasked(history, "a", of=2) == ()
    for state in (State.UNASSESSABLE, State.DEFERRED):
        assert history.unasked(Verdict(state), of=1, to=2) == ()


def test_a_kind_of_what_is_absent_is_absent_and_a_parent_of_what_is_there_is_there() -> None:
    history = _with(LabelHistory([Revision(ABC)]), Label("k", "Kind", parent="a"))
    assert _unasked(history, "a") == ("k",)
    assert _unasked(history, "b") == ()
    lower = replace(ABC.by_id("a"), parent="p")
    above = replace(ABC, labels=(lower, *ABC.labels[1:], Label("p", "P")), revision=2)
    history = LabelHistory([Revision(ABC), Revision(above)])
    assert _unasked(history, "a") == ()
    assert _unasked(history, "b") == ("p",)


def test_labels_that_exclude_each_other_rule_out_those_that_come_later() -> None:
    exclusive = replace(ABC, multi_label=False)
    history = _with(LabelHistory([Revision(exclusive)]), Label("d", "D"))
    assert _unasked(history, "a") == ()
    assert _unasked(history) == ("d",)


@st.composite
def _histories(draw: st.DrawFn) -> tuple[LabelHistory, list[Meanings]]:
    """A history of changes, with what each revision's labels stand for."""
    history = LabelHistory([Revision(ABC)])
    meanings: list[Meanings] = [{one: frozenset({n}) for n, one in enumerate("abc")}]
    atom = 3
    for _ in range(draw(st.integers(1, 5))):
        now, means = history.present, dict(meanings[-1])
        pick = draw(st.permutations(now.ids))
        kind = draw(
            st.sampled_from(["add", "rename", "merge", "take in", "split", "retire", "undo"])
        )
        changes: tuple[LabelChange, ...] = ()
        if kind == "undo":
            back = history.undone()
            if back is None:
                continue
            history = LabelHistory((*history.revisions, back))
            assert back.restores is not None
            meanings.append(meanings[back.restores - 1])
            continue
        if kind == "add":
            label = Label(new_id(f"n{atom}", now.ids), f"n{atom}")
            changed = replace(now, labels=(*now.labels, label))
            means[label.id] = frozenset({atom, atom + 1})
            atom += 2
        elif kind == "rename":
            changed, change = rename(now, pick[0], f"r{atom}")
            changes, atom = (change,), atom + 1
        elif len(pick) < 2:
            continue
        elif kind == "retire":
            changed, change = retire(now, pick[0])
            changes = (change,)
        elif kind == "split":
            into = draw(st.sampled_from(["both new", "itself", "another"]))
            kept = {"itself": now.by_id(pick[0]).name, "another": now.by_id(pick[1]).name}
            names = (f"s{atom}", kept.get(into, f"t{atom}"))
            atom += 1
            changed, change = split(now, pick[0], names, new_id=new_id)
            changes, source = (change,), means.pop(pick[0])
            first = frozenset(one for one in source if draw(st.booleans()))
            for part, share in zip(change.into, (first, source - first), strict=True):
                means[part] = means.get(part, frozenset()) | share
        else:
            name = now.by_id(pick[1]).name if kind == "take in" else f"m{atom}"
            atom += 1
            changed, change = merge(now, pick[:2], name, new_id=new_id)
            changes = (change,)
            means[change.into[0]] = means[pick[0]] | means[pick[1]]
        revision = Revision(replace(changed, revision=history.latest + 1), changes)
        history = LabelHistory((*history.revisions, revision))
        meanings.append({one: means[one] for one in changed.ids})
    return history, meanings


@given(_histories(), st.data())
def test_what_is_not_said_to_be_unasked_is_as_it_is_in_the_scan(
    made: tuple[LabelHistory, list[Meanings]], data: st.DataObject
) -> None:
    history, meanings = made
    of = data.draw(st.integers(1, history.latest))
    there = data.draw(st.frozensets(st.integers(0, 12)))  # what the scan shows
    said = _said(*(one for one, means in meanings[of - 1].items() if means & there))
    now = history.verdict(said, of=of, to=history.latest)
    if now is None:  # to be decided again
        return
    unasked = history.unasked(now, of=of, to=history.latest)
    for label_id in history.present.ids:
        truth = bool(meanings[-1][label_id] & there)
        assert label_id in unasked or (label_id in now.labels) == truth
