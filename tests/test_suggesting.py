"""What a ranking suggests, and what digits make of it."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nearl_core.label_changes import merge
from nearl_core.label_history import LabelHistory
from nearl_core.labels_file import new_id
from nearl_core.suggesting import (
    by_rule,
    chosen,
    is_accepted,
    named,
    offered,
    suggested,
    sureness,
    toggled,
)
from nearl_core.types import Label, LabelProbability, LabelSet, Ranking, Revision, State, Verdict

TREE = LabelSet(
    (
        Label("o", "Opacity"),
        Label("p", "Pneumonia", parent="o"),
        Label("v", "Viral pneumonia", parent="p"),
        Label("m", "Mass", parent="o"),
        Label("e", "Effusion"),
    ),
    multi_label=True,
)
EXCLUSIVE = replace(TREE, multi_label=False)
SETS = st.frozensets(st.sampled_from(TREE.ids))


def _ranked(**probabilities: float) -> Ranking:
    ordered = sorted(probabilities.items(), key=lambda entry: -entry[1])
    return Ranking(1, "v1", 9, tuple(LabelProbability(*entry) for entry in ordered))


ALL = _ranked(e=0.9, p=0.7, o=0.45, v=0.3, m=0.1)


def test_every_label_as_likely_as_not_is_suggested_with_its_parents() -> None:
    assert suggested(ALL, TREE) == ("o", "p", "e")
    assert offered(ALL, TREE) == Verdict(State.LABELLED, ("p", "e"))
    assert sureness(ALL, TREE) == pytest.approx(0.7)
    assert suggested(ALL, EXCLUSIVE) == ("e",)
    assert offered(ALL, EXCLUSIVE) == Verdict(State.LABELLED, ("e",))
    assert sureness(ALL, EXCLUSIVE) == pytest.approx(0.9)
    assert suggested(_ranked(e=0.5), TREE) == ("e",)


def test_where_no_label_is_likely_it_suggests_that_none_applies_if_all_are_known() -> None:
    none = _ranked(e=0.4, p=0.2, o=0.3, v=0.1, m=0.1)
    assert suggested(none, TREE) == ()
    assert offered(none, TREE) == Verdict(State.NONE_APPLY)
    unknown = _ranked(e=0.4, p=0.2)
    assert offered(unknown, TREE) is None
    assert offered(none, EXCLUSIVE) == Verdict(State.LABELLED, ("e",))
    assert offered(replace(none, decisions=0), EXCLUSIVE) == Verdict(State.LABELLED, ("e",))
    for nothing in (None, _ranked(), replace(ALL, decisions=0)):
        assert suggested(nothing, TREE) is None
        assert offered(nothing, TREE) is None


def test_what_was_recorded_holds_and_goes_through_a_change_of_labels() -> None:
    recorded = replace(ALL, suggested=("e",))
    assert suggested(recorded, TREE) == ("e",)
    changed, change = merge(TREE, ("e", "m"), "Finding", new_id=new_id)
    history = LabelHistory([Revision(TREE), Revision(replace(changed, revision=2), (change,))])
    assert history.ranking(recorded, of=1, to=2).suggested == ("finding",)
    assert history.ranking(ALL, of=1, to=2).suggested is None


def test_it_is_accepted_whether_parents_are_named_or_not() -> None:
    said = replace(ALL, suggested=by_rule(ALL.labels, TREE))
    for labels in (("p", "e"), ("o", "p", "e")):
        assert is_accepted(Verdict(State.LABELLED, labels), said, TREE)
    assert not is_accepted(Verdict(State.LABELLED, ("e",)), said, TREE)
    assert is_accepted(Verdict(State.LABELLED, ("e",)), ALL, TREE)  # as Enter did before
    none = replace(_ranked(e=0.1), suggested=())
    assert is_accepted(Verdict(State.NONE_APPLY), none, TREE)
    for state in (State.DEFERRED, State.UNASSESSABLE):
        assert not is_accepted(Verdict(state), none, TREE)


@given(st.lists(st.floats(0, 1), min_size=5, max_size=5))
def test_a_suggestion_holds_all_that_is_likely_and_all_that_follows(p: list[float]) -> None:
    ranking = _ranked(**dict(zip(TREE.ids, p, strict=True)))
    found = by_rule(ranking.labels, TREE)
    assert TREE.meant(found) == set(found)
    assert {one for one, q in zip(TREE.ids, p, strict=True) if q >= 0.5} <= set(found)
    likely = sum(q >= 0.5 for q in p)
    assert bool(found) == bool(likely)
    assert sureness(ranking, TREE) >= 0.5
    offer = offered(ranking, TREE)
    assert offer is not None
    assert TREE.meant(offer.labels) == set(found)


def test_a_parent_that_only_follows_goes_with_the_kind_that_it_follows_from() -> None:
    assert chosen(ALL, TREE) == {"p", "e"}  # opacity has 45 %
    assert toggled(chosen(ALL, TREE), "p", TREE) == {"e"}
    both = _ranked(o=0.9, p=0.7)
    assert toggled(chosen(both, TREE), "p", TREE) == {"o"}
    assert toggled(chosen(both, TREE), "o", TREE) == frozenset()


@given(SETS, st.sampled_from(TREE.ids))
def test_a_digit_puts_a_label_in_or_takes_it_out_with_its_kinds(
    before: frozenset[str], label_id: str
) -> None:
    was, after = TREE.meant(before), toggled(before, label_id, TREE)
    assert (label_id in TREE.meant(after)) == (label_id not in was)
    if label_id in after:
        assert toggled(after, label_id, TREE) == before - {
            one for one in before if label_id in TREE.ancestors(one)
        }
    else:
        assert before - after == {one for one in before if label_id in (one, *TREE.ancestors(one))}


@given(SETS)
def test_what_is_named_means_what_was_chosen_and_no_less_does(some: frozenset[str]) -> None:
    found = named(some, TREE)
    assert TREE.meant(found) == TREE.meant(some)
    assert not any(TREE.meant(set(found) - {one}) == TREE.meant(found) for one in found)
    assert named(some, EXCLUSIVE) == tuple(one for one in TREE.ids if one in some)
