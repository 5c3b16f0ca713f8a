"""The benchmark run: every method on the same draws, resumed where it stopped, no peeking."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from nearl_core.bench import accuracy, cells, entrants
from nearl_core.bench.accuracy import Clock, Failed, Job, Plan
from nearl_core.bench.cells import Cell, Setting
from nearl_core.bench.draws import Protocol, drawn
from nearl_core.bench.few_shot import FewShot
from nearl_core.bench.methods import PEERS, Peer
from nearl_core.bench.task import Task
from nearl_core.control import Progress, RunControl
from nearl_core.errors import Cancelled, NearlError
from nearl_core.learn.examples import FloatArray
from nearl_core.model.interaction import Interaction
from nearl_core.model.nearl import FULL, NearlClip
from nearl_core.scans.guard import ScanReader
from tests.engine.making import write_backbone
from tests.support.scans import disc, stripes, write_png

pytestmark = pytest.mark.usefixtures("children_handed_on")
EACH = 8
LIGHT = ("zero-shot", "linear-probe", "instant")


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A task of discs and stripes beside a tiny backbone; one test file can't be read."""
    folder = tmp_path_factory.mktemp("benchmark")
    for kind, draw in (("disc", disc), ("stripes", stripes)):
        for part, first in (("train", 0), ("test", 100)):
            for number in range(first, first + EACH):
                path = folder / "tasks" / "toy" / part / kind / f"{number}.png"
                write_png(path, draw(seed=number))
    broken = folder / "tasks" / "toy" / "test" / "disc" / "broken.png"
    whole = broken.with_name("100.png").read_bytes()
    broken.write_bytes(whole[: len(whole) // 2])
    write_backbone(folder / "tiny")
    return folder


@pytest.fixture
def plan(root: Path, tmp_path: Path) -> Plan:
    return Plan(
        root=root / "tasks",
        results=tmp_path / "r.jsonl",
        work=root / "work",  # features are shared among the tests
        tasks=("toy",),
        counts=((Protocol.SHOTS, 2), (Protocol.NATURAL, 4)),
        draws=2,
        methods=LIGHT,
        backbone=str(root / "tiny"),
        device="cpu",
    )


@pytest.fixture(scope="module")
def task(root: Path) -> Iterator[Task]:
    with ScanReader(workers=1) as reader:
        yield Task(
            root / "tasks" / "toy",
            root / "work" / "toy",
            backbone=str(root / "tiny"),
            device="cpu",
            reader=reader,
            control=RunControl(),
        )


def _run(plan: Plan) -> list[Cell]:
    found = list(accuracy.run(plan, RunControl()))
    assert not [f for f in found if isinstance(f, Failed)]
    return [f for f in found if isinstance(f, Cell)]


def _with_peer(monkeypatch: pytest.MonkeyPatch, peer: Peer) -> None:
    monkeypatch.setattr(entrants, "PEERS", (*PEERS, peer))


def test_every_method_meets_every_draw_and_nothing_is_run_twice(plan: Plan) -> None:
    found = _run(plan)
    assert len(found) == 2 * 2 * len(LIGHT)
    assert {c.method for c in found} == set(LIGHT)
    assert {c.figures.n for c in found} == {2 * EACH}  # without the broken file
    assert {c.decisions for c in found} == {4}
    assert list(cells.read([plan.results]).cells) == found
    assert _run(plan) == []
    lines = plan.results.read_text().splitlines(keepends=True)
    plan.results.write_text("".join(lines[:-1]) + lines[-1][:40])
    (again,) = _run(plan)
    assert again.key == found[-1].key
    assert again.figures == found[-1].figures


def test_another_recipe_or_backbone_is_run_anew(
    plan: Plan, root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    plan = replace(plan, draws=1, counts=plan.counts[:1], methods=("instant",))
    assert len(_run(plan)) == 1
    monkeypatch.setattr("nearl_core.bench.own.REVISION", 99)
    (again,) = _run(plan)
    assert again.revision.endswith(".99")
    if not (root / "other").exists():
        write_backbone(root / "other", seed=7)
    (other,) = _run(replace(plan, backbone=str(root / "other")))
    assert other.backbone_hash != again.backbone_hash


def test_a_method_sees_decisions_of_train_and_no_label_of_test(task: Task) -> None:
    rows = drawn(Protocol.SHOTS, task.train.known.targets, 3, draw=0)
    cell = task.few_shot(rows, seed=0, control=RunControl())
    assert cell.counts.tolist() == [3, 3]
    assert cell.features.shape == (6, 32)
    assert cell.asked.shape == (2 * EACH, 32)
    width = task.encoder.embedding
    fresh = task.encoder.features(list(cell.images.all()), None)[:, :width]
    np.testing.assert_allclose(fresh, cell.features, atol=1e-6)
    asked = torch.cat(list(cell.asked_images.batches(5)))
    fresh = task.encoder.features(list(asked), None)[:, :width]
    np.testing.assert_allclose(fresh, cell.asked, atol=1e-6)
    scans, decisions = task.decisions(rows)
    assert [d.verdict.labels[0] for d in decisions] == ["disc"] * 3 + ["stripes"] * 3
    assert all(
        scans[decision.scan_id].path.parent.name == decision.verdict.labels[0]
        for decision in decisions
    )
    assert list(scans) == task.train.ids  # what is undecided of train may be looked at, too
    assert {scan.path.parent.parent.name for scan in scans.values()} == {"train"}
    assert task.unreadable == 1


def test_a_method_that_breaks_down_keeps_no_other_from_being_measured(
    plan: Plan, monkeypatch: pytest.MonkeyPatch
) -> None:
    def breaks(cell: FewShot) -> FloatArray:
        raise RuntimeError(f"no {len(cell.features)}")

    _with_peer(monkeypatch, Peer("broken", breaks))
    plan = replace(plan, draws=1, counts=plan.counts[:1], methods=("broken", "instant"))
    failed, cell = list(accuracy.run(plan, RunControl()))
    assert isinstance(failed, Failed)
    assert "no 4" in failed.text
    assert isinstance(cell, Cell)
    assert cell.method == "instant"


@pytest.mark.parametrize("wrong", ["shape", "nan", "sum"])
def test_what_are_no_probabilities_is_no_result(
    plan: Plan, wrong: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def answers(cell: FewShot) -> FloatArray:
        p = np.full((len(cell.asked), 2), 0.5)
        return {"shape": p[1:], "nan": p * np.nan, "sum": p * 1.1}[wrong]

    _with_peer(monkeypatch, Peer("wrong", answers))
    plan = replace(plan, draws=1, counts=plan.counts[:1], methods=("wrong",))
    (failed,) = list(accuracy.run(plan, RunControl()))
    assert isinstance(failed, Failed)
    assert not cells.read([plan.results]).cells


def test_a_method_that_changes_the_backbone_stops_the_run(
    plan: Plan, monkeypatch: pytest.MonkeyPatch
) -> None:
    def tampers(cell: FewShot) -> FloatArray:
        next(iter(cell.backbone.model.visual.parameters())).data.add_(0.5)
        return np.full((len(cell.asked), 2), 0.5)

    _with_peer(monkeypatch, Peer("tampers", tampers))
    with pytest.raises(entrants.BackboneChangedError, match="tampers"):
        list(accuracy.run(replace(plan, methods=("tampers",)), RunControl()))
    assert not cells.read([plan.results]).cells


def test_a_stopped_run_keeps_what_is_written(plan: Plan) -> None:
    control = RunControl()
    run = accuracy.run(plan, control)
    first = next(run)
    control.cancel()
    with pytest.raises(Cancelled):
        list(run)
    assert list(cells.read([plan.results]).cells) == [first]


def test_progress_says_how_long_it_will_take(plan: Plan) -> None:
    said = list[Progress]()
    list(accuracy.run(plan, RunControl(report=said.append)))
    of_run = [p for p in said if "toy, " in p.text]
    assert [p.total for p in of_run] == [12] * 12
    assert "left" not in of_run[0].text
    assert of_run[-1].text.endswith("left")


def test_the_clock_goes_by_the_count_where_it_knows_it() -> None:
    entrant = entrants.chosen(["live"])[0]
    at = [Setting(Protocol.SHOTS, "toy", count) for count in (1, 16, 4)]
    clock = Clock()
    assert clock.left([Job(at[0], 0, entrant)]) is None
    clock.took("tuned", at[0], 2)
    clock.took("tuned", at[1], 100)
    assert clock.left([Job(at[0], 1, entrant), Job(at[1], 1, entrant)]) == 102
    assert clock.left([Job(at[2], 1, entrant)]) == 51


def test_methods_are_chosen_by_name() -> None:
    main = [name for e in entrants.chosen([]) for name in e.names]
    assert {"zero-shot", "linear-probe", "instant", "tuned", "live"} <= set(main)
    assert not any("/" in name for name in main)
    varied = {name for e in entrants.chosen(["ablation"]) for name in e.names}
    assert {"tuned", "live", "live/no-useformer", "tuned/image-tower-only"} <= varied
    assert {"nearl", "nearl/no-orthogonality"} <= varied
    assert "coop" not in varied
    with pytest.raises(NearlError, match="no method 'copo'"):
        entrants.chosen(["copo"])


def test_a_variant_is_trained_by_its_design_and_leaves_the_product_s_behind(
    task: Task, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = list[tuple[bool, bool]]()
    trainable = task.encoder.trainable

    def spied(*, first_layer: int, interaction: Interaction) -> NearlClip:
        clip = trainable(first_layer=first_layer, interaction=interaction)
        assert clip.nearl is not None
        made.append((clip.nearl.config.image_tower, clip.nearl.config.text_tower))
        return clip

    monkeypatch.setattr(task.encoder, "trainable", spied)
    rows = drawn(Protocol.SHOTS, task.train.known.targets, EACH, draw=0)
    (entrant,) = entrants.chosen(["live/text-tower-only"])
    found = entrant.run(task, rows, 0, RunControl())
    assert set(found) == {"tuned/text-tower-only", "live/text-tower-only"}
    assert {answer.probabilities.shape for answer in found.values()} == {(2 * EACH, 2)}
    assert found["tuned/text-tower-only"].promoted is not None
    assert set(made) == {(False, True)}
    assert task.encoder.design == FULL
    assert not list(task.engine.adapters_folder.glob("*.safetensors"))


def test_too_few_decisions_leave_the_instant_learner(task: Task) -> None:
    rows = drawn(Protocol.NATURAL, task.train.known.targets, 4, draw=0)
    (instant, trained) = entrants.chosen(["instant", "live"])
    plain = instant.run(task, rows, 0, RunControl())["instant"]
    for answer in trained.run(task, rows, 0, RunControl()).values():
        assert not answer.promoted
        np.testing.assert_array_equal(answer.probabilities, plain.probabilities)
