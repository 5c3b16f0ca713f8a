"""How often suggestions were right: what counts, and what the interval says."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from nearl_core import labels_file
from nearl_core.learn.prequential import by_label, course, outcomes, share
from nearl_core.types import (
    Decision,
    LabelProbability,
    LabelSet,
    Occasion,
    Ranking,
    Shown,
    State,
    Verdict,
)

LABELS = labels_file.from_names(["Disc", "Stripes", "Other"])
DISC, STRIPES, OTHER = LABELS.ids


def decided(
    number: int,
    said: tuple[tuple[str, float], ...],
    labels: tuple[str, ...],
    *,
    state: State = State.LABELLED,
    shown: Shown = Shown.VISIBLE,
) -> Decision:
    entries = tuple(LabelProbability(*entry) for entry in said)
    ranking = Ranking(number, "frozen", 5, entries) if said else None
    verdict = Verdict(state, labels)
    return Decision(number, number, "r", datetime.now(UTC), verdict, ranking, shown)


def test_only_answers_to_a_suggestion_count() -> None:
    disc = ((DISC, 0.9), (STRIPES, 0.1))
    found = outcomes(
        [
            decided(1, (), (DISC,)),
            decided(2, disc, (DISC,)),
            decided(3, disc, (STRIPES,), shown=Shown.BLIND),
            decided(4, disc, (), state=State.DEFERRED),
            decided(5, disc, (), state=State.UNASSESSABLE),
            decided(6, disc, (), state=State.NONE_APPLY),
            decided(7, disc, ("gone",)),
            replace(decided(8, disc, (DISC,)), occasion=Occasion.GRID),
        ],
        LABELS,
    )
    assert [(one.scan_id, one.right, one.seen) for one in found] == [
        (2, True, True),
        (3, False, False),
        (6, False, True),
    ]


def test_several_labels_are_right_together_and_counted_each() -> None:
    several = LabelSet(LABELS.labels, multi_label=True)
    both = ((DISC, 0.9), (STRIPES, 0.6), (OTHER, 0.2))
    found = outcomes(
        [
            decided(1, both, (DISC, STRIPES)),
            decided(2, both, (DISC,)),
            decided(3, ((DISC, 0.4),), (), state=State.NONE_APPLY),
        ],
        several,
    )
    assert [one.right for one in found] == [True, False, True]
    disc, stripes, other = by_label(found, several)
    assert [disc.found.part, disc.found.n, disc.right.part, disc.right.n] == [2, 2, 2, 2]
    assert [stripes.found.part, stripes.found.n, stripes.right.part, stripes.right.n] == [
        1,
        1,
        1,
        2,
    ]
    assert [other.found.n, other.right.n] == [0, 0]


def test_a_child_is_suggested_with_its_parent_and_decided_with_it() -> None:
    disc, stripes, other = LABELS.labels
    several = LabelSet((disc, replace(stripes, parent=DISC), other), multi_label=True)
    (found,) = outcomes([decided(1, ((DISC, 0.9), (STRIPES, 0.6)), (STRIPES,))], several)
    assert found.right


def test_a_label_that_came_after_the_decision_counts_neither_way() -> None:
    disc, stripes, other = LABELS.labels
    several = LabelSet((disc, replace(stripes, parent=OTHER), other), multi_label=True)
    said = decided(1, ((DISC, 0.9), (STRIPES, 0.6)), (DISC,))
    (found,) = outcomes([replace(said, unasked=(OTHER,))], several)
    assert by_label([found], several)[2].right.n == 0


@pytest.mark.parametrize(
    ("part", "n", "low", "high"), [(41, 50, 0.692, 0.902), (0, 10, 0.0, 0.278), (10, 10, 0.722, 1)]
)
def test_the_interval_is_wilsons(part: int, n: int, low: float, high: float) -> None:
    """Values of Wilson (1927), as statsmodels' proportion_confint gives them."""
    found = share([True] * part + [False] * (n - part))
    assert (found.part, found.n) == (part, n)
    assert found.low == pytest.approx(low, abs=1e-3)
    assert found.high == pytest.approx(high, abs=1e-3)


def test_without_any_outcome_nothing_is_claimed() -> None:
    assert (share([]).n, share([]).low, share([]).high) == (0, 0.0, 1.0)
    assert course(()) == ()


def test_the_course_is_of_the_latest_ones() -> None:
    disc = ((DISC, 0.9), (STRIPES, 0.1))
    says = [DISC] * 20 + [STRIPES] * 20
    found = outcomes([decided(i, disc, (label,)) for i, label in enumerate(says)], LABELS)
    values = course(found, window=20)
    assert values[0] == values[10] == 1
    assert values[-1] == 0
    assert len(values) == 31
