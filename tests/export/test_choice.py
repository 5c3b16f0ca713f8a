"""What several readers of a scan come to: agreed, majority; parents, and labels that came later."""

from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nearl_core.errors import ExportError
from nearl_core.export.choice import Choice, Rule, chosen
from nearl_core.export.rows import Row, collect
from nearl_core.types import Decision, Label, LabelSet, Scan, State, Verdict

TREE = (
    Label("o", "Opacity"),
    Label("p", "Pneumonia", parent="o"),
    Label("v", "Viral", parent="p"),
    Label("m", "Mass", parent="o"),
    Label("e", "Effusion"),
)
SEVERAL, EXCLUSIVE = LabelSet(TREE, multi_label=True), LabelSet(TREE)
UNCLEAR = (State.UNASSESSABLE,)
Said = tuple[str | State, ...]


def one(
    rule: Rule, *said: Said, labels: LabelSet = SEVERAL, unasked: tuple[str, ...] = ()
) -> Row | None:
    """What readers come to who said this of one scan; the first one was not asked for `unasked`."""
    decisions = []
    for number, words in enumerate(said, start=1):
        state = State.UNASSESSABLE if words == UNCLEAR else State.LABELLED
        verdict = Verdict(state, ()) if words == UNCLEAR else Verdict(state, tuple(map(str, words)))
        if not words:
            verdict = Verdict(State.NONE_APPLY)
        later = unasked if number == 1 else ()
        now = datetime.now(UTC)
        decisions.append(Decision(number, 1, f"r{number}", now, verdict, unasked=later))
    rows = collect([Scan(1, Path("x.png"))], decisions, labels)
    try:
        (found,), _ = chosen(rows, Choice(rule), labels)
    except ExportError:
        return None
    return found


def ids(row: Row | None) -> tuple[str, ...] | None:
    return None if row is None else row.label_ids


@pytest.mark.parametrize("labels", [SEVERAL, EXCLUSIVE])
def test_a_word_for_a_kind_is_one_for_its_parent(labels: LabelSet) -> None:
    found = one(Rule.MAJORITY, ("p",), ("o",), ("o",), labels=labels)
    assert found is not None
    assert (found.label_ids, found.reader) == (("o",), "3 of 3 readers")
    assert ids(one(Rule.MAJORITY, ("p",), ("m",), ("e",), labels=labels)) == ("o",)
    assert ids(one(Rule.MAJORITY, ("v",), ("p",), ("e",), labels=labels)) == ("p",)
    assert ids(one(Rule.MAJORITY, ("v",), ("v",), ("o",), labels=labels)) == ("v",)
    assert one(Rule.MAJORITY, ("p",), ("e",), labels=labels) is None


def test_a_parent_that_nobody_named_has_all_that_a_row_says_of_a_label() -> None:
    found = one(Rule.MAJORITY, ("v",), ("m",), ("e",))
    assert found is not None
    assert (found.labels, found.codes, found.above) == (("Opacity",), ("",), ((),))
    assert found.reader == "2 of 3 readers"


def test_several_labels_have_each_a_majority_of_their_own() -> None:
    found = one(Rule.MAJORITY, ("p", "e"), ("p",), ("e",))
    assert found is not None
    assert (found.label_ids, found.reader) == (("p", "e"), "1 of 3 readers")
    found = one(Rule.MAJORITY, ("p", "e"), ("p", "m"), ("e", "m"))
    assert found is not None
    assert (found.label_ids, found.reader) == (("p", "m", "e"), "majorities of 3 readers")


def test_nothing_is_said_of_a_label_that_half_of_the_readers_name() -> None:
    found = one(Rule.MAJORITY, ("p",), ("p", "e"))
    assert found is not None
    assert (found.label_ids, found.not_asked) == (("p",), ("Effusion",))
    found = one(Rule.MAJORITY, ("p", "e"), ("p", "e"), ("p",), ("p",))
    assert found is not None
    assert (found.label_ids, found.not_asked) == (("p",), ("Effusion",))
    found = one(Rule.MAJORITY, ("p",), ("p",), ("p", "e"))
    assert found is not None
    assert found.not_asked == ()
    found = one(Rule.MAJORITY, ("p",), ("p", "e"), unasked=("e",))
    assert found is not None
    assert (found.label_ids, found.not_asked) == (("p", "e"), ())


def test_of_a_label_that_came_later_those_decide_who_were_asked_for_it() -> None:
    later = ("e",)
    found = one(Rule.AGREED, ("p",), ("p", "e"), unasked=later)
    assert found is not None
    assert (found.label_ids, found.not_asked) == (("p", "e"), ())
    assert ids(one(Rule.AGREED, (), ("e",), unasked=later)) == ("e",)
    assert ids(one(Rule.AGREED, (), ("e",), unasked=later, labels=EXCLUSIVE)) == ("e",)
    assert one(Rule.AGREED, ("p",), ("m", "e"), unasked=later) is None
    assert one(Rule.AGREED, ("p",), ("p", "e")) is None
    assert ids(one(Rule.MAJORITY, ("p",), ("p", "e"), unasked=later)) == ("p", "e")
    assert ids(one(Rule.MAJORITY, ("p",), ("p", "e"))) == ("p",)


def brought(choice: Choice, *said: tuple[int, str, str]) -> dict[int, str]:
    """By scan what is taken, or why nothing is, of readers' and sources' words."""
    verdicts = [Verdict(State.LABELLED, (label,)) for _, _, label in said]
    decisions = [
        Decision(number, scan_id, who, datetime.now(UTC), verdict)
        for number, ((scan_id, who, _), verdict) in enumerate(zip(said, verdicts, strict=True))
    ]
    scans = [Scan(number, Path(f"{number}.png")) for number in range(9)]
    rows = collect(scans, decisions, EXCLUSIVE, sources={"reports"})
    taken, left_out = chosen(rows, choice, EXCLUSIVE)
    found = {row.scan_id: f"{row.label_ids[0]}, {row.reader}" for row in taken}
    return found | {one.scan_id: one.reason for one in left_out}


SAID = (
    (1, "ann", "e"),
    (1, "reports", "m"),
    (2, "ann", "e"),
    (2, "bob", "m"),
    (2, "reports", "m"),
    (3, "reports", "m"),
)
NOBODY = "No reader decided it, a source of labels alone did."


@pytest.mark.parametrize("rule", [Rule.AGREED, Rule.MAJORITY, Rule.ADJUDICATED])
def test_a_source_is_no_reader_and_stands_where_it_is_named(rule: Rule) -> None:
    found = brought(Choice(rule), *SAID)
    assert (found[1], found[3]) == ("e, ann", NOBODY)
    assert found[2] not in ("m, reports", "m, 2 of 3 readers")
    named = brought(Choice(rule, source="reports"), *SAID)
    assert named == {**found, 3: "m, reports"}


def test_the_decisions_of_a_source_can_be_chosen_and_all_have_it() -> None:
    of_source = brought(Choice(Rule.READER, "reports"), *SAID)
    assert set(of_source.values()) == {"m, reports"}
    assert len(brought(Choice(Rule.ALL), *SAID)) == 3
    with pytest.raises(ExportError, match="name the source"):
        brought(Choice(Rule.AGREED), (3, "reports", "m"))


WORDS = st.one_of(
    st.just(UNCLEAR), st.lists(st.sampled_from(SEVERAL.ids), max_size=3, unique=True).map(tuple)
)


@given(st.lists(WORDS, min_size=1, max_size=5))
def test_a_majority_is_what_more_than_half_mean(said: list[Said]) -> None:
    found = one(Rule.MAJORITY, *said)
    meant = [frozenset() if w == UNCLEAR else SEVERAL.meant(map(str, w)) for w in said]
    labelled = sum(bool(words) for words in meant)
    wanted = {one for one in SEVERAL.ids if 2 * sum(one in m for m in meant) > len(said)}
    if 2 * labelled > len(said):
        assert (found is None) == (not wanted)
        assert SEVERAL.meant(found.label_ids if found else ()) == wanted
    elif found is not None:
        assert found.label_ids == ()
    turned = one(Rule.MAJORITY, *reversed(said))
    assert ids(turned) == ids(found)
    agreed = one(Rule.AGREED, *said)
    if agreed is not None:  # what all say, more than half say
        assert found is not None
        assert (found.state, SEVERAL.meant(found.label_ids)) == (
            agreed.state,
            SEVERAL.meant(agreed.label_ids),
        )


@given(st.lists(st.sampled_from(EXCLUSIVE.ids), min_size=1, max_size=6))
def test_of_labels_that_exclude_each_other_the_most_specific_one_stands(said: list[str]) -> None:
    found = one(Rule.MAJORITY, *((label,) for label in said), labels=EXCLUSIVE)
    votes = {
        label: sum(label in (word, *EXCLUSIVE.ancestors(word)) for word in said)
        for label in EXCLUSIVE.ids
    }
    wanted = [label for label, count in votes.items() if 2 * count > len(said)]
    deepest = max(wanted, key=lambda label: len(EXCLUSIVE.ancestors(label)), default=None)
    assert ids(found) == (None if deepest is None else (deepest,))
