"""Figures against cases worked out by hand."""

import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nearl_core.learn import evaluate
from nearl_core.learn.examples import FloatArray
from nearl_core.types import (
    Decision,
    Label,
    LabelProbability,
    LabelSet,
    Ranking,
    State,
    Verdict,
)
from tests.engine.making import decided

LABELS = LabelSet((Label("a", "A"), Label("b", "B", parent="a")))
SEVERAL = replace(LABELS, multi_label=True)


def _one_hot(*labels: int, count: int = 2) -> FloatArray:
    return np.eye(count)[list(labels)]


def _of_first(*p: float) -> FloatArray:
    return np.array([[x, 1 - x] for x in p])


def test_figures_of_an_exclusive_set_by_hand() -> None:
    found = evaluate.figures(_of_first(0.8, 0.6, 0.9, 0.7), _one_hot(0, 0, 0, 1), multi_label=False)
    assert found.n == 4
    assert found.accuracy == pytest.approx(0.75)
    assert found.balanced_accuracy == pytest.approx(0.5)  # recalls of 1 and 0
    expected = -(math.log(0.8) + math.log(0.6) + math.log(0.9) + math.log(0.3)) / 4
    assert found.log_loss == pytest.approx(expected)
    assert found.auroc == pytest.approx(2 / 3)  # 0.7 stands above 0.6 alone, for either label
    # Four bins of one scan each: |0.8-1| + |0.6-1| + |0.9-1| + |0.7-0|.
    assert found.ece == pytest.approx((0.2 + 0.4 + 0.1 + 0.7) / 4)


def test_figures_of_a_multi_label_set_by_hand() -> None:
    p = np.array([[0.9, 0.2], [0.6, 0.7], [0.1, 0.4]])
    t = np.array([[1.0, 0.0], [0.0, 1.0], [0.0, 1.0]])
    found = evaluate.figures(p, t, multi_label=True)
    assert found.accuracy == pytest.approx(1 / 3)  # only the first scan is right in both
    # Label 1: sensitivity 1, specificity 1/2; label 2: sensitivity 1/2, specificity 1.
    assert found.balanced_accuracy == pytest.approx(0.75)
    logs = [math.log(x) for x in (0.9, 0.8, 0.4, 0.7, 0.9, 0.4)]
    assert found.log_loss == pytest.approx(-sum(logs) / 6)
    assert found.auroc == pytest.approx(1.0)


def test_a_label_that_never_occurs_is_left_out_of_balanced_accuracy() -> None:
    p = np.array([[0.7, 0.2, 0.1], [0.2, 0.7, 0.1]])
    assert evaluate.balanced_accuracy(p, _one_hot(0, 1, count=3)) == 1.0


def test_weights_count_within_a_recall() -> None:
    p, t = _of_first(0.9, 0.1, 0.1), _one_hot(0, 0, 1)
    weights = np.array([3.0, 1.0, 1.0])
    assert evaluate.balanced_accuracy(p, t, weights=weights) == pytest.approx((0.75 + 1) / 2)
    multi = evaluate.balanced_accuracy(p[:, :1], t[:, :1], multi_label=True, weights=weights)
    assert multi == pytest.approx((0.75 + 1) / 2)


def test_a_calibrated_claim_has_a_small_error_and_an_overconfident_one_its_excess() -> None:
    rng = np.random.default_rng(0)
    p = rng.random(40_000)
    t = _one_hot(*(rng.random(len(p)) > p).astype(int))
    honest = evaluate.figures(np.column_stack([p, 1 - p]), t, multi_label=False)
    assert honest.ece < 0.015
    sure = evaluate.figures(_of_first(*np.full(len(p), 0.95)), t, multi_label=False)
    assert sure.ece == pytest.approx(0.45, abs=0.02)  # half of them are of the first label


@pytest.mark.parametrize(
    ("scores", "area"),
    [((0.5, 0.5, 0.5, 0.5), 0.5), ((0.1, 0.4, 0.35, 0.8), 0.75), ((0.1, 0.2, 0.8, 0.9), 1.0)],
)
def test_area_under_the_curve_counts_ties_half(scores: tuple[float, ...], area: float) -> None:
    assert evaluate.auroc(_of_first(*scores), _one_hot(1, 1, 0, 0)) == pytest.approx(area)


def test_area_under_the_curve_is_not_defined_for_one_label() -> None:
    assert evaluate.auroc(_of_first(0.1, 0.9), _one_hot(0, 0)) is None


def test_a_certain_mistake_costs_much_and_not_endlessly() -> None:
    assert 10 < evaluate.log_loss(_of_first(0.0), _one_hot(0)) < 20


@st.composite
def _said_and_true(draw: st.DrawFn) -> tuple[FloatArray, FloatArray]:
    rng = np.random.default_rng(draw(st.integers(0, 2**31)))
    labels, scans = draw(st.integers(2, 5)), draw(st.integers(5, 60))
    return rng.dirichlet(np.ones(labels), scans), np.eye(labels)[rng.integers(0, labels, scans)]


@given(_said_and_true())
def test_figures_do_not_depend_on_the_order_of_scans_or_labels(
    pair: tuple[FloatArray, FloatArray],
) -> None:
    p, t = pair
    rng = np.random.default_rng(0)
    rows, columns = rng.permutation(len(p)), rng.permutation(p.shape[1])
    found = evaluate.figures(p, t, multi_label=False)
    again = evaluate.figures(p[rows][:, columns], t[rows][:, columns], multi_label=False)
    for name in ("accuracy", "balanced_accuracy", "log_loss", "ece", "auroc"):
        assert getattr(again, name) == pytest.approx(getattr(found, name)), name


@given(_said_and_true())
def test_figures_stay_within_their_range_and_truth_is_the_best(
    pair: tuple[FloatArray, FloatArray],
) -> None:
    p, t = pair
    found = evaluate.figures(p, t, multi_label=False)
    held = (found.accuracy, found.balanced_accuracy, found.ece)
    assert all(0 <= value <= 1 for value in held)
    assert found.log_loss >= 0
    best = evaluate.figures(t, t, multi_label=False)
    assert best.balanced_accuracy == 1
    assert best.ece == pytest.approx(0)
    assert best.log_loss == pytest.approx(0, abs=1e-6)
    assert best.auroc is None or best.auroc == 1


@given(_said_and_true(), st.integers(2, 4))
def test_repeating_scans_changes_no_figure(pair: tuple[FloatArray, FloatArray], times: int) -> None:
    p, t = pair
    found = evaluate.figures(p, t, multi_label=False)
    again = evaluate.figures(np.tile(p, (times, 1)), np.tile(t, (times, 1)), multi_label=False)
    for name in ("balanced_accuracy", "log_loss", "ece", "auroc"):
        assert getattr(again, name) == pytest.approx(getattr(found, name)), name


@given(_said_and_true())
def test_areas_do_not_depend_on_how_sure_the_claims_are(
    pair: tuple[FloatArray, FloatArray],
) -> None:
    p, t = pair
    assert evaluate.auroc(p**3, t) == pytest.approx(evaluate.auroc(p, t))


def test_chance_alone_puts_fewer_claims_further_off() -> None:
    rng = np.random.default_rng(0)
    claims = rng.uniform(0.5, 1, 10_000)
    few, many = (evaluate.calibrated_error(claims[:n], seed=0) for n in (100, 10_000))
    assert 0.05 < few < 0.15
    assert many < 0.02
    assert evaluate.calibrated_error(np.ones(50), seed=0) == 0


def test_a_reliability_plot_by_hand() -> None:
    confidence = np.array([0.5, 0.52, 0.9, 1.0])
    found = evaluate.reliability(confidence, np.array([True, False, True, True]))
    filled = {round(b.low, 3): b for b in found.bins if b.count}
    assert [(b.count, b.held) for b in filled.values()] == [(2, 0.5), (1, 1.0), (1, 1.0)]
    assert filled[0.467].claimed == pytest.approx(0.51)
    assert found.ece == pytest.approx((2 * 0.01 + 0.1 + 0) / 4)
    assert (found.n, len(found.bins), found.bins[-1].high) == (4, evaluate.BINS, 1.0)
    assert not found.enough
    none = evaluate.reliability(np.zeros(0), np.zeros(0, bool))
    assert (none.n, none.ece, none.by_chance, none.enough) == (0, 0, 0, False)


def test_honest_claims_are_off_by_chance_alone() -> None:
    rng = np.random.default_rng(0)
    claims = rng.uniform(0.3, 1, 400)
    honest = evaluate.reliability(claims, rng.random(400) < claims)
    bold = evaluate.reliability(claims, rng.random(400) < claims - 0.25)
    assert honest.enough
    assert abs(honest.ece - honest.by_chance) < 0.03
    assert bold.ece - bold.by_chance > 0.1


def _said(decision: Decision, *labels: tuple[str, float], learned: int = 40) -> Decision:
    ranked = tuple(LabelProbability(*label) for label in labels)
    return replace(decision, ranking=Ranking(decision.scan_id, "v1", learned, ranked))


def test_what_was_said_before_a_decision_is_held_against_it() -> None:
    ranked = (("a", 0.8), ("b", 0.2))
    decisions = [
        replace(_said(decided(1, "a"), *ranked), id=1),
        replace(_said(decided(2, "b"), *ranked), id=2),
        replace(_said(decided(2, "a"), *ranked), id=3),  # the second one of the scan
        replace(_said(decided(3, "a"), *ranked, learned=31), id=4),
        replace(decided(4, "a"), id=5),  # no ranking
        replace(_said(decided(5), *ranked), id=6, verdict=Verdict(State.DEFERRED)),
    ]
    claimed, held = evaluate.said_before(decisions[::-1], LABELS)
    assert claimed.tolist() == [0.8, 0.8]
    assert held.tolist() == [True, False]


def test_claims_of_a_label_that_left_the_set_count_neither_way() -> None:
    gone = _said(decided(1, "a"), ("split", 0.9), ("a", 0.1))
    assert not len(evaluate.said_before([gone], LABELS)[0])


def test_in_a_multi_label_set_each_label_is_a_claim() -> None:
    none_apply = replace(
        _said(decided(1), ("a", 0.8), ("b", 0.3)), verdict=Verdict(State.NONE_APPLY)
    )
    claimed, held = evaluate.said_before([none_apply], SEVERAL)
    assert claimed.tolist() == [0.8, 0.7]
    assert held.tolist() == [False, True]
    merged = replace(none_apply, unasked=("a",))  # of labels one of which came later
    assert evaluate.said_before([merged], SEVERAL)[0].tolist() == [0.7]
    child = _said(decided(2, "b"), ("a", 0.9), ("b", 0.8))
    assert evaluate.said_before([child], SEVERAL)[1].tolist() == [True, True]  # it implies A
