"""Renaming, merging, splitting and retiring labels: what old decisions say after it."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nearl_core.errors import LabelSetError
from nearl_core.label_changes import Changed, merge, rename, retire, split
from nearl_core.label_history import LabelHistory
from nearl_core.labels_file import new_id
from nearl_core.types import (
    ChangeKind,
    Label,
    LabelProbability,
    LabelSet,
    Ranking,
    Revision,
    State,
    Verdict,
)

LABELS = LabelSet(
    (
        Label("p", "Pneumonia", ("a", "b"), "SCT 1"),
        Label("v", "Viral", ("b", "c"), "SCT 1", parent="p"),
        Label("e", "Effusion"),
        Label("s", "Small effusion", parent="e"),
    )
)
MULTI = replace(LABELS, multi_label=True)


def _labelled(*ids: str) -> Verdict:
    return Verdict(State.LABELLED, ids)


def _grown(history: LabelHistory, *changed: Changed) -> LabelHistory:
    """A history with one more revision."""
    label_set = replace(changed[-1][0], revision=history.latest + 1)
    changes = tuple(change for _, change in changed)
    return LabelHistory((*history.revisions, Revision(label_set, changes)))


def _undone(history: LabelHistory) -> LabelHistory:
    revision = history.undone()
    assert revision is not None
    return LabelHistory((*history.revisions, revision))


def _read(history: LabelHistory, *ids: str, of: int = 1) -> tuple[str, ...] | None:
    found = history.verdict(_labelled(*ids), of=of, to=history.latest)
    return None if found is None else found.labels


def test_a_rename_keeps_the_id_and_refuses_a_name_that_is_taken() -> None:
    changed, change = rename(LABELS, "e", "Fluid")
    assert (changed.by_id("e").name, change.kind) == ("Fluid", ChangeKind.RENAME)
    assert _read(_grown(LabelHistory([Revision(LABELS)]), (changed, change)), "e") == ("e",)
    with pytest.raises(LabelSetError, match="stands 2 times"):
        rename(LABELS, "e", "viral")


def test_a_merge_takes_over_what_its_labels_share() -> None:
    changed, change = merge(LABELS, ("e", "p"), "Opacity", new_id=new_id)
    assert changed.names == ("Opacity", "Viral", "Small effusion")
    assert (change.sources, change.into) == (("p", "e"), ("opacity",))
    assert changed.by_id("opacity").prompts == ("a", "b")
    assert {changed.by_id(one).parent for one in ("v", "s")} == {"opacity"}
    history = _grown(LabelHistory([Revision(LABELS)]), (changed, change))
    assert [_read(history, one) for one in LABELS.ids] == [
        ("opacity",),
        ("v",),
        ("opacity",),
        ("s",),
    ]


def test_a_child_can_take_its_parent_in() -> None:
    changed, change = merge(LABELS, ("p",), "Viral", new_id=new_id)
    assert changed.ids == ("v", "e", "s")
    assert changed.by_id("v").parent == ""
    assert change.into == ("v",)


def test_a_split_asks_again_and_a_retired_label_is_no_longer_asked_for() -> None:
    history = LabelHistory([Revision(MULTI)])
    history = _grown(history, split(MULTI, "e", ("Left", "Right"), new_id=new_id))
    now = history.label_set(2)
    assert now.names == ("Pneumonia", "Viral", "Left", "Right", "Small effusion")
    assert now.by_id("s").parent == ""
    assert _read(history, "p", "e") is None
    assert _read(history, "p", "v") == ("p", "v")
    history = _grown(history, retire(now, "p"))
    assert _read(history, "p", "v") == ("v",)
    assert _read(history, "p") is None
    assert history.label_set(3).by_id("v").parent == ""


def test_undoing_a_split_knows_where_each_part_came_from() -> None:
    history = LabelHistory([Revision(LABELS)])
    history = _undone(_grown(history, split(LABELS, "e", ("Left", "Effusion"), new_id=new_id)))
    assert _read(history, "left", of=2) == ("e",)
    assert _read(history, "e", of=2) == ("e",)
    assert _read(history, "e", of=1) == ("e",)


def test_undoing_a_merge_gives_old_decisions_back_and_asks_again_for_new_ones() -> None:
    history = LabelHistory([Revision(LABELS)])
    history = _undone(_grown(history, merge(LABELS, ("p", "e"), "Opacity", new_id=new_id)))
    assert history.label_set(3) == replace(LABELS, revision=3)
    assert _read(history, "p") == ("p",)
    assert _read(history, "opacity", of=2) is None
    assert _read(history, "v", of=2) == ("v",)
    assert history.undone() is None


def test_several_labels_never_stand_where_they_exclude_each_other() -> None:
    history = LabelHistory([Revision(MULTI)])
    one = LabelSet(LABELS.labels, revision=2)
    history = LabelHistory((*history.revisions, Revision(one)))
    assert _read(history, "p", "e") is None


def test_a_ranking_is_read_in_the_labels_of_now_and_keeps_what_was_lost() -> None:
    history = _grown(
        LabelHistory([Revision(LABELS)]),
        merge(LABELS, ("p", "e"), "Opacity", new_id=new_id),
    )
    history = _grown(history, retire(history.label_set(2), "v"))
    entries = (("v", 0.4), ("p", 0.3), ("e", 0.2), ("s", 0.1))
    ranking = Ranking(1, "v1", 3, tuple(LabelProbability(*entry) for entry in entries))
    found = history.ranking(ranking, of=1, to=3).labels
    assert [(one.label_id, round(one.probability, 6)) for one in found] == [
        ("opacity", 0.5),
        ("v", 0.4),
        ("s", 0.1),
    ]


# --- whatever is changed, in whatever order ----------------------------------------------------

_STEPS = st.lists(
    st.tuples(
        st.sampled_from(["rename", "merge", "split", "retire", "undo", "add"]),
        st.integers(0, 30),
        st.integers(0, 30),
    ),
    max_size=8,
)


def _step(history: LabelHistory, what: str, one: int, two: int) -> LabelHistory:
    """One change of the label set, or none where it can't be."""
    now = history.label_set(history.latest)
    first, second = now.ids[one % len(now.ids)], now.ids[two % len(now.ids)]
    name = f"L{two % 5}"
    try:
        match what:
            case "rename":
                return _grown(history, rename(now, first, name))
            case "merge":
                return _grown(history, merge(now, (first, second), name, new_id=new_id))
            case "split":
                return _grown(history, split(now, first, (name, f"M{one}"), new_id=new_id))
            case "retire":
                return _grown(history, retire(now, first))
            case "add":
                label = Label(new_id(name, now.ids), name, parent=first)
                grown = LabelSet((*now.labels, label), now.multi_label, history.latest + 1)
                return LabelHistory((*history.revisions, Revision(grown)))
            case _:
                return history if history.undone() is None else _undone(history)
    except LabelSetError:
        return history


@given(_STEPS, st.booleans(), st.data())
def test_no_label_outside_the_set_ever_stands(
    steps: list[tuple[str, int, int]], multi_label: bool, data: st.DataObject
) -> None:
    history = LabelHistory([Revision(replace(LABELS, multi_label=multi_label))])
    for step in steps:
        history = _step(history, *step)
    of = data.draw(st.sampled_from([one.label_set.revision for one in history.revisions]))
    ids = history.label_set(of).ids
    count = len(ids) if multi_label else 1
    said = data.draw(st.lists(st.sampled_from(ids), min_size=1, max_size=count, unique=True))
    found = _read(history, *said, of=of)
    if found is not None:
        now = history.label_set(history.latest)
        assert found
        assert set(found) <= set(now.ids)
        assert multi_label or len(found) == 1


@given(_STEPS, _STEPS, st.booleans())
def test_a_change_that_is_undone_gives_every_earlier_decision_back(
    before: list[tuple[str, int, int]], after: list[tuple[str, int, int]], multi_label: bool
) -> None:
    history = LabelHistory([Revision(replace(LABELS, multi_label=multi_label))])
    for step in before:
        history = _step(history, *step)
    said = [
        (one.label_set.revision, label_id)
        for one in history.revisions
        for label_id in one.label_set.ids
    ]
    stood = [_read(history, label_id, of=of) for of, label_id in said]
    changed, undos = history, 0
    for what, one, two in after:
        if what != "undo":
            grown = _step(changed, what, one, two)
            undos += grown is not changed
            changed = grown
    for _ in range(undos):
        changed = _undone(changed)
    assert changed.label_set(changed.latest).labels == history.label_set(history.latest).labels
    assert [_read(changed, label_id, of=of) for of, label_id in said] == stood
    assert changed.revisions[: len(history.revisions)] == history.revisions
