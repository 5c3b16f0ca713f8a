"""What is measured on a card, and the published methods there.

On a pretended card (`tests/support/pretended.py`), on which times mean nothing; the throughput on
a real one too, where there is one.
"""

import copy
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from nearl_core.bench import speed, timing, training_speed
from nearl_core.bench.methods import PEERS, Peer
from nearl_core.bench.peers import clip_lora, coop, maple, nearl
from nearl_core.bench.timing import Plan
from nearl_core.cli import main
from nearl_core.control import RunControl
from nearl_core.learn import tuning
from nearl_core.model import serving
from tests.bench import making
from tests.engine.making import write_backbone
from tests.support.cards import at
from tests.support.pretended import Card, pretended


@pytest.fixture
def card() -> Iterator[Card]:
    with pretended() as card:
        yield card


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_backbone(tmp_path_factory.mktemp("backbones") / "tiny")


@pytest.mark.parametrize("kind", ["cuda", "real cuda"])
def test_throughput_is_held_against_stock_in_the_same_precision(
    kind: str, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(serving, "QUICK_WEIGHTS", 0)
    monkeypatch.setattr(serving, "LEAST_GAIN", 0)
    monkeypatch.setattr(serving, "LARGEST_ERROR", 9)
    monkeypatch.setattr(speed, "GPU_BATCH", 10)
    monkeypatch.setattr(speed._Ranking, "interaction", lambda *_which: iter(()))
    with at(kind) as there:
        figures = list(speed.ranking(Plan(str(folder), device="cuda", turns=1), RunControl()))
    found = {(figure.name, figure.unit): figure for figure in figures}
    assert (f"stock open_clip in {there.precision}, batch 10", "ms an image") in found
    assert found["live NEARL, batch 10", "x stock"].goal == "at least 0.95"
    assert found["live NEARL, batch 10", "images/s"].goal == "at least 500 for a ViT-B/16"
    assert found["live NEARL, batch 1", "x stock"].goal == ""
    assert not any("upper layers" in name for name, _ in found)  # a card trains all of them
    for name in (
        "stock open_clip",
        "stock open_clip, all of it in the lower precision",
        "live NEARL, pictures from main memory",
    ):
        assert found[f"{name}, batch 10", "images/s"].value > 0
    assert there.card is None or there.card.waits > 20


@pytest.mark.usefixtures("card")
def test_training_is_timed_by_the_clock_and_tells_the_cards_memory(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(training_speed, "TUNED", 8)
    monkeypatch.setattr(tuning, "FOLDS", 2)
    monkeypatch.setattr(tuning, "SCALES", (1.0,))
    plan = Plan(str(folder), device="cuda", turns=1)
    found = {f.name: f for f in training_speed.fine_tuning(plan, RunControl(), steps=1)}
    assert found["a candidate of 64 decisions"].unit == "s"
    assert found["the longest"].unit == "ms"
    assert found["peak memory on the card"].unit == "MB"


def test_work_on_a_card_is_timed_from_idle_to_idle_and_warmed_up(
    card: Card, monkeypatch: pytest.MonkeyPatch
) -> None:
    order = list[str]()
    monkeypatch.setattr(timing, "wait", lambda device: order.append(device.type))
    (times,) = timing.in_turns(2, lambda: order.append("work"), device=card.device)
    assert len(times) == 2
    assert order == ["cuda", "work", "cuda"] * 5


def test_a_card_that_is_not_there_is_refused_before_anything_else(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("torch.cuda.is_available", lambda: False)
    assert main(["bench", "speed", "--device", "cuda"]) == 3
    said = capsys.readouterr()
    assert said.out == ""
    assert "The device 'cuda' is not there: " in said.err
    assert "Choose one of: " in said.err


ON_A_CARD = ("ss-text-u", "lp++", "clip-lora", "coop", "maple", "nearl")


@pytest.mark.parametrize(
    "peer",
    [peer for peer in PEERS if peer.name in ON_A_CARD],
    ids=lambda peer: peer.name,
)
def test_methods_in_the_towers_and_on_features_answer_on_a_card(
    peer: Peer, card: Card, monkeypatch: pytest.MonkeyPatch
) -> None:
    own = copy.deepcopy(making.backbone())
    monkeypatch.setattr(making, "backbone", lambda: own)
    monkeypatch.setattr(clip_lora, "STEPS", 2)
    monkeypatch.setattr(nearl, "STEPS", 2)
    monkeypatch.setattr(coop, "MOST_STEPS", 2)
    monkeypatch.setattr(maple, "STEPS", 2)
    few, _ = making.cell((3, 3, 3), asked=2, device=card.device)
    answers = peer.run(few)
    assert answers.dtype == np.float64
    np.testing.assert_allclose(answers.sum(1), 1)
