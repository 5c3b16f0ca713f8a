"""Agreement of readers: published examples, intervals that hold what they say, reports."""

import random
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nearl_core.agreement import Agreement, Word, cohen, fleiss, together
from nearl_core.readers import Readings, report
from nearl_core.types import (
    Confidence,
    Decision,
    Label,
    LabelSet,
    Occasion,
    Shown,
    State,
    Verdict,
)
from tests.support.projects import LABELS, MULTI


def said(*labels: str) -> Word:
    return Word("labelled", labels)


def kappa(pairs: list[tuple[str, str]]) -> Agreement:
    return of(cohen(("a", "b"), [(said(first), said(second)) for first, second in pairs], LABELS))


def of(found: Agreement | None) -> Agreement:
    assert found is not None
    return found


def test_cohens_kappa_of_his_kind_of_table() -> None:
    """50 scans, both yes on 20, both no on 15: kappa 0.4."""
    pairs = [("y", "y")] * 20 + [("y", "n")] * 5 + [("n", "y")] * 10 + [("n", "n")] * 15
    found = kappa(pairs)
    assert found.kappa == pytest.approx(0.4)
    assert found.alike == pytest.approx(0.7)
    assert found.interval is not None
    assert found.interval[0] < 0.4 < found.interval[1]


FLEISS_1971 = """
00060 03003 01401 00006 03030 20400 00402 20310 20040 00006 10050 11040 03300 10050 02031
00501 30012 51000 02040 10203 00006 01050 02013 20040 10041 05010 40002 02040 10500 00006
"""


def test_fleiss_kappa_of_his_own_table() -> None:
    """Thirty patients, six psychiatrists, five diagnoses: kappa 0.430 (Fleiss 1971, table 1)."""
    scans = []
    for row in FLEISS_1971.split():
        counts = [int(digit) for digit in row]
        assert sum(counts) == 6
        scans.append([said(str(kind)) for kind, n in enumerate(counts) for _ in range(n)])
    assert of(fleiss(tuple("abcdef"), scans, LABELS)).kappa == pytest.approx(0.430, abs=0.0005)


def test_full_agreement_of_a_few_scans_is_not_certain() -> None:
    found = kappa([("y", "y")] * 3 + [("n", "n")] * 3)
    assert found.kappa == pytest.approx(1.0)
    assert found.interval is not None
    assert found.interval[0] < 0.5
    assert found.interval[1] == pytest.approx(1.0)


def test_where_all_say_the_same_kappa_is_not_defined() -> None:
    found = kappa([("y", "y")] * 9)
    assert (found.alike, found.kappa, found.interval) == (1.0, None, None)


def test_the_interval_covers_the_truth() -> None:
    """Two readers who say the truth with 80 % and else guess: kappa 0.8, in 95 % of projects."""
    chance, within = random.Random(1), 0
    for _ in range(300):
        pairs = []
        for _ in range(40):
            first = chance.choice("xyz")
            pairs.append((first, first if chance.random() < 0.8 else chance.choice("xyz")))
        found = kappa(pairs)
        assert found.interval is not None
        within += found.interval[0] <= 0.8 <= found.interval[1]
    assert 0.92 <= within / 300 <= 0.99


@given(st.lists(st.tuples(st.sampled_from("xyz"), st.sampled_from("xyz")), min_size=1))
def test_kappa_stands_within_its_interval_and_knows_no_order(pairs: list[tuple[str, str]]) -> None:
    found = kappa(pairs)
    turned = kappa([(second, first) for first, second in pairs])
    if found.kappa is None or found.interval is None:
        assert turned.kappa is None
        return
    assert turned.kappa == pytest.approx(found.kappa)
    assert -1.0 <= found.interval[0] <= found.interval[1] <= 1.0 + 1e-9
    assert found.interval[0] - 1e-9 <= found.kappa <= found.interval[1] + 1e-9


def test_several_labels_agree_in_part() -> None:
    pairs = [(said("disc"), said("disc", "dots")), (said("dots"), said("dots")), (said(), said())]
    found = of(cohen(("a", "b"), pairs, MULTI))
    assert found.alike == pytest.approx(2 / 3)
    assert found.kappa is not None
    assert 0 < found.kappa < 1


def test_a_label_that_came_later_counts_where_both_were_asked_for_it() -> None:
    asked = [(said("disc"), said("disc")), (said(), said("disc")), (said("dots"), said("dots"))]
    older = [(pair[0]._replace(unasked=("dots",)), pair[1]) for pair in asked[:2]]
    found = of(cohen(("a", "b"), [*older, asked[2]], MULTI))
    assert found.scans == 3
    assert found.alike == pytest.approx(2 / 3)
    # Whatever the second says of it there, it is nothing that the first could agree with.
    said_more = [(a, b._replace(labels=(*b.labels, "dots"))) for a, b in older]
    assert cohen(("a", "b"), [*said_more, asked[2]], MULTI) == found
    assert of(fleiss(("a", "b"), [*said_more, asked[2]], MULTI)).alike == found.alike
    nothing = Word("labelled", ("disc",), ("stripes", "dots", "disc"))
    assert cohen(("a", "b"), [(nothing, said("dots"))], MULTI) is None


def test_that_none_applies_rules_out_no_label_that_came_later() -> None:
    none = Word("none-apply", (), ("dots",))
    assert cohen(("a", "b"), [(none, said("dots"))], LABELS) is None
    assert of(cohen(("a", "b"), [(none, said("disc"))], LABELS)).alike == 0.0


def test_an_unassessable_scan_is_not_one_without_labels() -> None:
    states = (Word("unassessable", ()), Word("none-apply", ()))
    apart = of(cohen(("a", "b"), [states, (said("disc"), said("disc"))], MULTI))
    assert apart.alike == 0.5
    assert apart.kappa is not None
    assert apart.kappa < 1


def test_readers_who_skip_scans_count_where_they_read() -> None:
    whole = {"a": {1: said("x"), 2: said("y")}, "b": {1: said("x"), 2: said("x"), 3: said("y")}}
    assert together(whole, LABELS) is None  # of two, Cohen's says it
    found = together({**whole, "c": {2: said("y"), 3: said("y"), 4: said("x")}}, LABELS)
    assert found is not None
    assert (found.readers, found.scans) == (("a", "b", "c"), 3)
    assert found.alike == pytest.approx(2 / 3)


def decision(number: int, scan_id: int, reader: str, label: str, **more: object) -> Decision:
    verdict = Verdict(State.LABELLED, (label,), confidence=Confidence.PROBABLE)
    return Decision(number, scan_id, reader, datetime.now(UTC), verdict, **more)  # type: ignore[arg-type]


def test_a_report_lists_disagreements_and_what_settled_them() -> None:
    reads = (
        decision(1, 1, "a", "disc"),
        decision(2, 1, "b", "dots"),
        decision(3, 2, "a", "disc"),
        decision(4, 2, "b", "disc"),
        decision(5, 3, "a", "disc"),
        decision(6, 3, "b", "dots"),
    )
    again = decision(7, 1, "a", "dots", occasion=Occasion.REPEAT)
    settled = decision(8, 3, "c", "dots", occasion=Occasion.ADJUDICATION)
    found = report(Readings(reads, ((reads[0], again),), (settled,)), LABELS)
    assert [(line.reader, line.decisions, line.adjudicated) for line in found.readers] == [
        ("a", 3, 0),
        ("b", 3, 0),
        ("c", 0, 1),
    ]
    assert found.readers[0].by_confidence == (0, 3, 0)
    assert found.readers[0].own is not None
    assert found.readers[0].own.alike == 0.0
    assert [one.scan_id for one in found.disagreements] == [1, 3]
    assert [one.scan_id for one in found.open] == [1]
    assert [(pair.readers, pair.scans) for pair in found.pairs] == [(("a", "b"), 3)]


def test_how_long_readers_take_is_told_apart_by_what_they_saw() -> None:
    def timed(number: int, seconds: float, shown: Shown, **more: object) -> Decision:
        ms = round(1000 * seconds)
        return decision(number, number, "a", "disc", milliseconds=ms, shown=shown, **more)

    blind = [timed(n, n, Shown.BLIND) for n in range(1, 12)]  # 1 to 11 s
    seeing = [timed(n, 2.0, Shown.VISIBLE) for n in range(12, 22)]
    pages = [timed(n, 90.0, Shown.VISIBLE, occasion=Occasion.GRID) for n in range(22, 60)]
    untimed = decision(60, 60, "a", "disc", shown=Shown.BLIND)
    (line,) = report(Readings((*blind, *seeing, *pages, untimed), (), ()), LABELS).readers
    assert line.seconds == (6.0, 2.0)
    (line,) = report(Readings((*blind[:9], *seeing), (), ()), LABELS).readers
    assert line.seconds == (None, 2.0)  # nine tell nothing


def test_a_source_of_labels_is_no_reader() -> None:
    reads = (
        decision(1, 1, "b", "disc"),
        decision(2, 1, "reports", "dots"),
        decision(3, 2, "a", "dots"),
        decision(4, 2, "b", "dots"),
        decision(5, 2, "reports", "dots"),
        decision(6, 3, "reports", "disc"),
    )
    found = report(Readings(reads, (), (), frozenset({"reports"})), LABELS)
    assert [line.reader for line in found.readers] == ["a", "b"]
    assert [(line.reader, line.decisions) for line in found.sources] == [("reports", 3)]
    assert [pair.readers for pair in found.pairs] == [("a", "b")]
    assert found.all_readers is None
    assert not found.disagreements
    assert [(one.readers, one.scans, one.alike) for one in found.with_sources] == [
        (("a", "reports"), 1, 1.0),
        (("b", "reports"), 2, 0.5),
    ]


def test_a_child_says_the_same_with_its_parent_and_without() -> None:
    labels = (Label("mass", "Mass"), Label("solid", "Solid", parent="mass"), Label("x", "X"))
    child, parent = decision(1, 1, "a", "solid"), decision(2, 1, "b", "mass")
    both = replace(parent, verdict=Verdict(State.LABELLED, ("mass", "solid")))
    several = LabelSet(labels, multi_label=True)
    assert not report(Readings((child, both), (), ()), several).disagreements
    assert len(report(Readings((child, parent), (), ()), several).disagreements) == 1
    assert len(report(Readings((child, parent), (), ()), LabelSet(labels)).disagreements) == 1
    older = replace(parent, unasked=("solid",))
    assert not report(Readings((child, older), (), ()), several).disagreements
