"""From decisions to examples."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nearl_core.learn.batches import (
    ACCEPTED_WEIGHT,
    GRID_WEIGHT,
    balanced_weights,
    lessons,
    patient_folds,
)
from nearl_core.types import (
    Confidence,
    Decision,
    Label,
    LabelProbability,
    LabelSet,
    Occasion,
    Ranking,
    Scan,
    Shown,
    State,
    Verdict,
)
from tests.engine.making import decided

EXCLUSIVE = LabelSet((Label("a", "A"), Label("b", "B")))
MULTI = LabelSet((Label("a", "A"), Label("b", "B")), multi_label=True)
SCANS = {n: Scan(n, Path(f"{n}.png"), frames=9, patient="P" if n < 3 else "") for n in range(5)}


def _said(label: str) -> Ranking:
    return Ranking(0, "v1", 3, (LabelProbability(label, 0.9), LabelProbability("b", 0.1)))


@pytest.mark.parametrize("state", [State.DEFERRED, State.UNASSESSABLE, State.UNSEEN])
@pytest.mark.parametrize("label_set", [EXCLUSIVE, MULTI])
def test_states_that_say_nothing_of_labels_teach_nothing(state: State, label_set: LabelSet) -> None:
    found = lessons(SCANS, [_with(decided(0), Verdict(state)), decided(1, "b")], label_set)
    assert [x.scan_id for x in found] == [1]


def test_none_apply_teaches_a_multi_label_set_alone() -> None:
    assert lessons(SCANS, [decided(0)], EXCLUSIVE) == []
    (found,) = lessons(SCANS, [decided(0)], MULTI)
    assert found.target == (0.0, 0.0)


def test_several_labels_of_a_multi_label_set() -> None:
    (found,) = lessons(SCANS, [decided(0, "b", "a")], MULTI)
    assert found.target == (1.0, 1.0)


def test_a_label_that_came_later_is_neither_there_nor_absent() -> None:
    (found,) = lessons(SCANS, [decided(0, "a", unasked=("b",))], MULTI)
    assert found.target[0] == 1.0
    assert np.isnan(found.target[1])
    assert lessons(SCANS, [decided(0, unasked=("a", "b"))], MULTI) == []
    (found,) = lessons(SCANS, [decided(0, "a", unasked=("b",))], EXCLUSIVE)
    assert found.target == (1.0, 0.0)


def test_a_child_teaches_its_parent_too_where_both_can_be_said() -> None:
    labels = (Label("a", "A"), Label("b", "B", parent="a"))
    (found,) = lessons(SCANS, [decided(0, "b")], LabelSet(labels, multi_label=True))
    assert found.target == (1.0, 1.0)
    (found,) = lessons(SCANS, [decided(0, "b")], LabelSet(labels))
    assert found.target == (0.0, 1.0)


def test_a_label_that_left_the_set_is_left_out() -> None:
    assert lessons(SCANS, [decided(0, "gone")], EXCLUSIVE) == []
    (found,) = lessons(SCANS, [decided(0, "gone", "b")], MULTI)
    assert found.target == (0.0, 1.0)


def test_a_scan_that_left_the_project_teaches_nothing() -> None:
    assert lessons(SCANS, [decided(77, "a")], EXCLUSIVE) == []


def test_each_reader_of_a_scan_is_a_lesson() -> None:
    found = lessons(SCANS, [decided(0, "b", number=9), decided(0, "a", number=8)], EXCLUSIVE)
    assert [(x.decision_id, x.target) for x in found] == [(8, (1.0, 0.0)), (9, (0.0, 1.0))]


def test_less_sure_decisions_weigh_less() -> None:
    weights = [
        lessons(
            SCANS, [_with(decided(0), Verdict(State.LABELLED, ("a",), confidence=c))], EXCLUSIVE
        )[0].weight
        for c in (Confidence.DEFINITE, Confidence.PROBABLE, Confidence.POSSIBLE)
    ]
    assert weights[0] == 1.0
    assert weights[0] > weights[1] > weights[2] > 0


@pytest.mark.parametrize(
    ("decision", "blind"),
    [
        (decided(0, "a", shown=Shown.VISIBLE, ranking=_said("a")), False),
        (decided(0, "b", shown=Shown.VISIBLE, ranking=_said("a")), True),
        (decided(0, "a", shown=Shown.BLIND, ranking=_said("a")), True),
        (decided(0, "a", shown=Shown.IMPORTED), True),
        (decided(0, "a", shown=Shown.VISIBLE, ranking=Ranking(0, "frozen", 0, ())), True),
    ],
)
def test_what_was_accepted_as_shown_weighs_less(decision: Decision, blind: bool) -> None:
    (found,) = lessons(SCANS, [decision], EXCLUSIVE)
    assert found.blind is blind
    assert found.weight == (1.0 if blind else ACCEPTED_WEIGHT)


def test_what_was_accepted_in_a_grid_weighs_least() -> None:
    accepted = decided(0, "a", shown=Shown.VISIBLE, ranking=_said("a"), occasion=Occasion.GRID)
    (found,) = lessons(SCANS, [accepted], EXCLUSIVE)
    assert found.weight == GRID_WEIGHT < ACCEPTED_WEIGHT
    assert not found.blind


def test_frames_are_those_named_else_those_shown() -> None:
    named = _with(decided(0, frames_shown=(1, 2)), Verdict(State.LABELLED, ("a",), frame=7))
    (of_named,) = lessons(SCANS, [named], EXCLUSIVE)
    (of_shown,) = lessons(SCANS, [decided(0, "a", frames_shown=(1, 2))], EXCLUSIVE)
    assert (of_named.frames, of_shown.frames) == ((7,), (1, 2))


def test_scans_of_an_unknown_patient_are_each_their_own() -> None:
    found = lessons(SCANS, [decided(n, "a") for n in range(5)], EXCLUSIVE)
    assert [x.patient for x in found[:3]] == ["P", "P", "P"]
    assert found[3].patient != found[4].patient


# --- folds ---


@given(st.data())
def test_no_patient_stands_in_two_folds(data: st.DataObject) -> None:
    count = data.draw(st.integers(1, 40))
    labels, folds = data.draw(st.integers(1, 4)), data.draw(st.integers(1, 5))
    patients = [
        f"P{n}" for n in data.draw(st.lists(st.integers(0, 12), min_size=count, max_size=count))
    ]
    of = st.lists(st.booleans(), min_size=labels, max_size=labels)
    targets = np.array(data.draw(st.lists(of, min_size=count, max_size=count)), float)
    found = patient_folds(patients, targets, folds=folds, seed=data.draw(st.integers(0, 3)))
    assert len(found) == count
    for patient in set(patients):
        assert len({int(f) for f, p in zip(found, patients, strict=True) if p == patient}) == 1
    # No fold is empty, so that every part of a check has something to tell.
    assert set(found.tolist()) == set(range(min(folds, len(set(patients)))))


@given(st.integers(2, 5), st.lists(st.integers(5, 40), min_size=2, max_size=4))
def test_labels_spread_over_folds(folds: int, counts: list[int]) -> None:
    targets = np.eye(len(counts))[np.repeat(np.arange(len(counts)), counts)]
    found = patient_folds([str(n) for n in range(len(targets))], targets, folds=folds, seed=0)
    for label, count in enumerate(counts):
        held = np.bincount(found[targets[:, label] > 0], minlength=folds)
        assert held.max() - held.min() <= 1, (held, count)


def test_scans_to_which_no_label_applies_spread_too() -> None:
    targets = np.zeros((12, 2))
    targets[:6, 0] = 1
    found = patient_folds([str(n) for n in range(12)], targets, folds=3, seed=0)
    assert np.bincount(found[6:], minlength=3).tolist() == [2, 2, 2]
    assert np.bincount(found[:6], minlength=3).tolist() == [2, 2, 2]


# --- weights ---


def test_each_label_gets_the_same_part_of_the_weight() -> None:
    targets = np.eye(2)[[0, 0, 0, 1]]
    weights = balanced_weights(targets, np.array([1.0, 1.0, 0.5, 1.0]), multi_label=False)
    assert weights.mean() == pytest.approx(1)
    assert weights[:3].sum() == pytest.approx(weights[3])
    assert weights[0] == pytest.approx(2 * weights[2])


def test_a_multi_label_set_is_not_balanced() -> None:
    weights = balanced_weights(np.ones((3, 2)), np.array([1.0, 0.5, 1.5]), multi_label=True)
    assert weights.tolist() == [1.0, 0.5, 1.5]


def _with(decision: Decision, verdict: Verdict) -> Decision:
    return replace(decision, verdict=verdict)
