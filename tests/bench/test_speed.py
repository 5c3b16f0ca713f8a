"""The speed benchmark measures what it says; how fast that is depends on the machine."""

import pytest

from nearl_core.bench import learning_speed, speed, training_speed
from nearl_core.bench.timing import Plan
from nearl_core.control import RunControl
from tests.engine.making import write_backbone


@pytest.fixture(scope="module")
def plan(tmp_path_factory: pytest.TempPathFactory) -> Plan:
    folder = write_backbone(tmp_path_factory.mktemp("backbones") / "tiny")
    return Plan(str(folder), device="cpu", turns=1)


def test_rankings_are_held_against_stock_and_modes_against_each_other(plan: Plan) -> None:
    found = {figure.name: figure for figure in speed.ranking(plan, RunControl())}
    assert "small" in found["ranks in float32"].unit
    for where in ("", " in the upper layers"):
        live = found[f"live NEARL{where}, batch 16"]
        assert live.unit == "x stock"
        assert 0 < live.low <= live.value <= live.high
        modes = {f"eot-only over set-level{where}, 10 labels, batch {n}" for n in (1, 16)}
        assert modes < set(found)
    assert "full over set-level, 2 labels, batch 1" in found


def test_a_candidate_its_memory_and_its_chances_to_stop(plan: Plan) -> None:
    found = {
        figure.name: figure for figure in training_speed.fine_tuning(plan, RunControl(), steps=2)
    }
    assert found["a candidate of 64 decisions"].value > found["prefixes of 64 decisions"].value > 0
    assert found["the gate's folds behind it"].value > 0
    assert 0 < found["between two chances to stop"].value <= found["the longest"].value
    assert found["peak memory of this process"].value > 50


def test_a_decision_reorders_a_queue_of_kept_features(
    plan: Plan, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(learning_speed, "SCANS", 60)
    monkeypatch.setattr(learning_speed, "DECISIONS", 20)
    found = list(learning_speed.instant_learner(1, RunControl(), backbone=plan.backbone))
    named = {(figure.name, figure.unit): figure for figure in found}
    one = named["a decision, 20 decided, 60 in the queue", "ms of a processor"]
    by_clock = named[f"{one.name}, by the clock", "ms"]
    assert named[f"{one.name}, 95th percentile", "ms"].value >= by_clock.value > 0
    assert named["what is chosen anew behind one decision in fifty", "ms of a processor"].value > 0
    assert one.value > 0
