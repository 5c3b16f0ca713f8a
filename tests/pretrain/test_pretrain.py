"""A run of training and its last step, small enough for a test."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import save_file
from torch import Tensor

from nearl_core.control import Progress, RunControl
from nearl_core.errors import Cancelled, NearlError
from nearl_core.model import backbones
from nearl_core.model.backbones import clip_tokenizer
from nearl_core.pretrain import captions, data, starter
from nearl_core.pretrain.augment import AugmentSettings
from nearl_core.pretrain.head import HeadSettings, project
from nearl_core.pretrain.loop import PretrainData, Pretraining, PretrainSettings
from nearl_core.pretrain.student import Student
from nearl_core.pretrain.teacher import Teacher
from tests.pretrain.making import CLASSES, write_images, write_teacher
from tests.support.pretended import pretended
from tests.support.scans import disc, write_png

SETTINGS = PretrainSettings(
    seconds=0.05,
    batch=6,
    small_size=32,
    middle_layer=2,
    first_views=64,
    augment=AugmentSettings(size=64),
)


def _data(root: Path, work: Path) -> PretrainData:
    return data.load(write_images(root), work, context_length=77, control=RunControl())


def _training(
    tmp_path: Path,
    *,
    device: torch.device = torch.device("cpu"),  # noqa: B008
    **changes: object,
) -> Pretraining:
    torch.manual_seed(0)
    model = backbones.build(starter.MODEL)
    return Pretraining(
        model,
        Teacher.load(write_teacher(tmp_path / "teacher.safetensors")),
        _data(tmp_path / "images", tmp_path / "work"),
        settings=replace(SETTINGS, **changes),  # type: ignore[arg-type]  # of PretrainSettings
        normalise=(starter.MEAN, starter.STD),
        device=device,
    )


def _state(training: Pretraining) -> dict[str, Tensor]:
    parts = {"model": training.model, "average": training.average, "heads": training.matching}
    return {f"{p}.{k}": v.clone() for p, m in parts.items() for k, v in m.state_dict().items()}


# --- images ---


def test_images_are_read_with_their_classes_and_phrases(tmp_path: Path) -> None:
    found = _data(tmp_path / "images", tmp_path / "work")
    assert found.images.shape == (8, 3, data.SIDE, data.SIDE)
    assert found.images.dtype == torch.uint8
    assert found.classes.tolist() == [0] * 4 + [1] * 4
    phrases = len(found.vocabulary.phrases)
    assert found.tokens.shape == (phrases, len(captions.TEMPLATES), 77)
    again = _data(tmp_path / "images", tmp_path / "work")
    assert torch.equal(found.images, again.images)


def test_as_many_other_images_are_not_taken_for_those_that_were_read(tmp_path: Path) -> None:
    found = _data(tmp_path / "images", tmp_path / "work")
    write_images(tmp_path / "others")
    write_png(tmp_path / "others" / CLASSES[0] / "0.png", disc(seed=9))
    others = data.load(
        tmp_path / "others", tmp_path / "work", context_length=77, control=RunControl()
    )
    assert len(others.images) == len(found.images)
    assert not torch.equal(others.images[0], found.images[0])


def test_a_folder_without_classes_is_refused(tmp_path: Path) -> None:
    with pytest.raises(NearlError, match="no SET/CLASS folder"):
        data.classes_of(tmp_path)
    (tmp_path / "set" / "class").mkdir(parents=True)
    with pytest.raises(NearlError, match="no image"):
        data.files_of(tmp_path)


# --- training ---


def test_a_run_that_was_stopped_goes_on_as_if_it_had_not(tmp_path: Path) -> None:
    reports: list[Progress] = []
    checkpoint = tmp_path / "checkpoint.safetensors"
    first = _training(tmp_path)
    first.run(checkpoint, RunControl(report=reports.append))
    assert first.elapsed >= SETTINGS.seconds
    assert first.steps >= 1
    second = _training(tmp_path)
    second.resume(checkpoint)
    assert (second.elapsed, second.steps) == (first.elapsed, first.steps)
    kept, read = _state(first), _state(second)
    assert all(torch.equal(kept[name], read[name]) for name in kept)
    second.run(checkpoint, RunControl())  # its time is used: nothing more is done
    assert second.steps == first.steps
    # One more step of both is the same, so the optimiser and the random source went along.
    first.elapsed = second.elapsed = 0.0
    for training in (first, second):
        training._step()
    kept, read = _state(first), _state(second)
    assert all(torch.allclose(kept[name], read[name], atol=1e-6) for name in kept)


def test_a_plan_of_steps_ends_at_its_part_however_often_it_was_stopped(tmp_path: Path) -> None:
    def beginning() -> Pretraining:
        return _training(tmp_path, planned=4, until=0.75)

    at_once = beginning()
    at_once.run(tmp_path / "at-once.safetensors", RunControl())
    assert at_once.steps == 3
    control = RunControl(report=lambda _: control.cancel())
    stopped, checkpoint = beginning(), tmp_path / "checkpoint.safetensors"
    with pytest.raises(Cancelled):
        stopped.run(checkpoint, control)
    assert stopped.steps == 1
    going_on = beginning()
    going_on.run(checkpoint, RunControl())
    assert going_on.steps == 3
    kept, read = _state(at_once), _state(going_on)
    assert all(torch.allclose(kept[name], read[name], atol=1e-6) for name in kept)


def test_sizes_and_rates_follow_the_plan_and_not_its_part(tmp_path: Path) -> None:
    training = _training(tmp_path, planned=100, until=0.5, small_part=0.3, warm_steps=1, rate=1.0)
    found = []
    for training.steps in (0, 29, 30, 50):
        found.append((training._size(), round(training._rate(), 2)))
    assert found == [(32, 1.0), (32, 0.81), (64, 0.8), (64, 0.51)]


def test_a_checkpoint_of_something_else_is_refused(tmp_path: Path) -> None:
    training = _training(tmp_path)
    empty, other = tmp_path / "empty.safetensors", tmp_path / "other.safetensors"
    empty.touch()
    tensors = {"model.weight": torch.zeros(2), "generator": torch.zeros(2)}
    save_file(tensors, other, {"elapsed": "1.0", "steps": "1"})
    for path in (empty, other, tmp_path / "gone.safetensors"):
        with pytest.raises(NearlError, match="can't be read, or is of another model"):
            training.resume(path)
    assert training.steps == 0


def test_a_step_and_its_checkpoint_on_a_card(tmp_path: Path) -> None:
    """Nothing meets across devices; real values on a card that is pretended."""
    checkpoint = tmp_path / "checkpoint.safetensors"
    with pretended() as card:
        first = _training(tmp_path, device=card.device)
        first._measure()
        first._step()
        first.save(checkpoint)
        second = _training(tmp_path, device=card.device)
        second.resume(checkpoint)
        second._step()
        assert second.steps == 2
        assert {p.device.type for p in second.model.parameters()} == {"cuda"}
        second.finish(HeadSettings(views=8, batch=4, steps=2), RunControl())


# --- the last step ---


def test_the_projection_keeps_what_views_differ_by_and_evens_it_out() -> None:
    generator = torch.Generator().manual_seed(0)
    axes = torch.linalg.qr(torch.randn(6, 6, generator=generator))[0]
    wide = torch.tensor([9.0, 4.0, 1.0, 0.01, 0.01, 0.01])
    known = torch.randn(500, 6, generator=generator) * wide @ axes.T + 5
    head = torch.nn.Linear(6, 3)
    deviations = []
    for whitening in (0.0, 0.5, 1.0):
        project(head, known, whitening)
        with torch.no_grad():
            found = head(known)
        assert torch.allclose(found.mean(0), torch.zeros(3), atol=1e-5)
        assert float(found.norm(dim=1).mean()) == pytest.approx(1, abs=1e-4)
        deviations.append((found.std(0) / found.std(0)[-1]).tolist())
    assert deviations[0] == pytest.approx([9, 4, 1], rel=0.15)
    assert deviations[1] == pytest.approx([3, 2, 1], rel=0.1)
    assert deviations[2] == pytest.approx([1, 1, 1], rel=1e-3)


def test_texts_learn_to_meet_embeddings_that_stand_still(tmp_path: Path) -> None:
    plain = AugmentSettings(size=64, mosaic=0.0, mixed=0.0, rotation=0.0)
    training = _training(tmp_path, augment=plain)
    training.run(tmp_path / "checkpoint.safetensors", RunControl())
    before = {name: value.clone() for name, value in training.average.state_dict().items()}
    training.finish(HeadSettings(views=48, steps=30, batch=32, rate=3e-3), RunControl())
    after = training.average.state_dict()
    changed = {name for name in after if not torch.equal(after[name], before[name])}
    assert any(not name.startswith("visual") for name in changed)
    of_images = {name for name in changed if name.startswith("visual")}
    closed = ["head.proj", "trunk.texture.lines.0", "trunk.texture.lines.1"]
    assert of_images == {f"visual.{line}.{part}" for line in closed for part in ("weight", "bias")}
    images = torch.nn.functional.interpolate(training.data.images / 255, size=(64, 64))
    tokens = clip_tokenizer(77)(["chest X-ray", "own set big disc"])
    model: Any = training.average
    student = Student(model, middle_layer=2)
    with torch.no_grad():
        said = student((images - 0.5) / 0.25).feature
        cosines = said @ model.encode_text(tokens, normalize=True).T
    first, second = (cosines[:, 0] - cosines[:, 1]).split(4)
    assert float(first.mean()) > float(second.mean())  # each text lies towards its own images
