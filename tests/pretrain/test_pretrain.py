"""Training of the starter backbone, small enough for a test."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from safetensors.torch import load_file, save_file
from torch import Tensor

from nearl_core.control import Progress, RunControl
from nearl_core.errors import NearlError
from nearl_core.model import backbones
from nearl_core.model.backbone_folder import WEIGHTS
from nearl_core.model.backbones import clip_tokenizer
from nearl_core.pretrain import __main__ as command
from nearl_core.pretrain import captions, data
from nearl_core.pretrain.augment import AugmentSettings, augment
from nearl_core.pretrain.head import HeadSettings, project
from nearl_core.pretrain.loop import PretrainData, Pretraining, PretrainSettings
from nearl_core.pretrain.matching import Matching
from nearl_core.pretrain.student import Seen, Student
from nearl_core.pretrain.teacher import (
    FEATURES,
    STRIDE8_FEATURES,
    STRIDE16_FEATURES,
    Teacher,
    TeacherMaps,
)
from tests.support.pretended import pretended
from tests.support.scans import disc, stripes, write_png

CLASSES = ("mednist/CXR", "own_set/big_disc")
SETTINGS = PretrainSettings(
    seconds=0.05,
    batch=6,
    small_size=32,
    middle_layer=2,
    first_views=64,
    augment=AugmentSettings(size=64),
)


# --- views ---


@settings(max_examples=20)
@given(st.integers(1, 6), st.integers(0, 3))
def test_views_keep_range_and_shape(count: int, seed: int) -> None:
    generator = torch.Generator().manual_seed(seed)
    images = torch.randint(0, 256, (count, 3, 40, 36), dtype=torch.uint8, generator=generator)
    found = augment(images, AugmentSettings(size=24, mosaic=0.4, mixed=0.5), generator)
    assert found.images.shape == (count, 3, 24, 24)
    assert found.images.dtype == torch.float32
    assert 0 <= float(found.images.min()) <= float(found.images.max()) <= 1
    assert ((found.sources >= 0) & (found.sources < count)).all()
    assert (found.shares >= 0).all()
    assert torch.allclose(found.shares.sum(1), torch.ones(count))


def test_a_view_of_one_image_says_so() -> None:
    images = torch.zeros(4, 3, 32, 32, dtype=torch.uint8)
    plain = AugmentSettings(size=32, mosaic=0.0, mixed=0.0)
    found = augment(images, plain, torch.Generator().manual_seed(0))
    assert found.sources[:, 0].tolist() == [0, 1, 2, 3]
    assert found.shares[:, 0].tolist() == [1.0] * 4


def test_a_mosaic_shows_four_images_each_in_a_quarter() -> None:
    images = torch.stack([torch.full((3, 32, 32), v, dtype=torch.uint8) for v in (0, 255)])
    settings = AugmentSettings(size=32, mosaic=1.0, mixed=0.0)
    found = augment(images.repeat(4, 1, 1, 1), settings, torch.Generator().manual_seed(0))
    assert (found.shares == 0.25).all()
    # Where quarters come from a black and a white image, they differ; within one they are even.
    quarters = found.images[:, 0].unfold(1, 16, 16).unfold(2, 16, 16).flatten(1, 2)
    white = found.sources % 2 == 1
    both = white.any(1) & ~white.all(1)
    assert both.any()
    for view in torch.nonzero(both)[:, 0].tolist():
        means = quarters[view].mean((1, 2))
        gap = means[white[view]].min() - means[~white[view]].max()
        assert abs(float(gap)) > 0.02


def test_a_seed_gives_the_same_views_and_pieces() -> None:
    images = torch.stack([torch.full((3, 32, 32), value, dtype=torch.uint8) for value in (0, 255)])
    mixed = AugmentSettings(size=32, mixed=0.5, mosaic=0.5)
    found = augment(images.repeat(8, 1, 1, 1), mixed, torch.Generator().manual_seed(0))
    again = augment(images.repeat(8, 1, 1, 1), mixed, torch.Generator().manual_seed(0))
    assert torch.equal(found.images, again.images)
    assert torch.equal(found.sources, again.sources)
    assert (found.shares[:, 0] < 1).all()


# --- captions ---


def test_every_class_has_phrases_and_each_phrase_its_place() -> None:
    classes = tuple(captions.PHRASES)
    found = captions.vocabulary(classes)
    assert len(set(found.phrases)) == len(found.phrases)
    for name, places in zip(classes, found.of_class, strict=True):
        assert tuple(found.phrases[p] for p in places) == captions.PHRASES[name]
        assert places
    # A shared phrase stands once, and is right for each class that has it.
    xray = found.phrases.index("X-ray")
    assert sum(xray in places for places in found.of_class) >= 7


def test_no_class_says_two_kinds_of_opposite_things() -> None:
    for name, phrases in captions.PHRASES.items():
        assert not {"normal", "abnormal"} <= set(phrases), name


def test_a_class_without_phrases_goes_by_its_folder() -> None:
    found = captions.vocabulary(CLASSES)
    assert found.phrases[found.of_class[1][0]] == "own set big disc"


def test_words_are_what_the_phrases_are_made_of() -> None:
    assert captions.words(("H&E stained slide", "X-ray, bone")) == (
        "bone",
        "h&e",
        "ray",
        "slide",
        "stained",
        "x",
    )


# --- the teacher ---


def _write_teacher(path: Path) -> Path:
    """A MobileNetV2 of the least number of layers."""
    shapes = {
        "00.conv.stride2.relu6": (8, 3, 3, 3),
        "01.depthwise.stride1.relu6": (8, 1, 3, 3),
        "02.conv.stride1.linear": (16, 8, 1, 1),
        "03.conv.stride1.relu6": (24, 16, 1, 1),
        "04.depthwise.stride2.relu6": (24, 1, 3, 3),
        "05.conv.stride1.linear": (STRIDE8_FEATURES, 24, 1, 1),
        "06.conv.stride1.relu6": (24, STRIDE8_FEATURES, 1, 1),
        "07.depthwise.stride2.relu6": (24, 1, 3, 3),
        "08.conv.stride1.linear": (STRIDE16_FEATURES, 24, 1, 1),
        "09.conv.stride1.relu6": (FEATURES, STRIDE16_FEATURES, 1, 1),
    }
    generator = torch.Generator().manual_seed(0)
    state: dict[str, Tensor] = {}
    for name, shape in shapes.items():
        state[f"{name}.weight"] = torch.randn(shape, generator=generator) / shape[1] ** 0.5
        state[f"{name}.bias"] = torch.randn(shape[0], generator=generator) * 0.1
    save_file(state, path)
    return path


def test_the_teacher_pads_as_its_weights_were_trained(tmp_path: Path) -> None:
    teacher = Teacher.load(_write_teacher(tmp_path / "teacher.safetensors"))
    maps = teacher(torch.rand(2, 3, 30, 32))
    # Halved and rounded up: 30 to 15 to 8 to 4, 32 to 16 to 8 to 4.
    assert maps.stride8.shape == (2, STRIDE8_FEATURES, 8, 8)
    assert maps.stride16.shape == (2, STRIDE16_FEATURES, 4, 4)
    assert maps.last.shape == (2, FEATURES, 4, 4)
    assert 0 <= float(maps.last.min()) <= float(maps.last.max()) <= 6


# --- the student beside the teacher ---


def test_the_student_in_training_gives_the_feature_that_it_gives_afterwards() -> None:
    torch.manual_seed(0)
    model = backbones.build(command.MODEL).eval()
    images = torch.randn(2, 3, 224, 224)
    with torch.no_grad():
        seen, whole = Student(model, middle_layer=6)(images), model.encode_image(images)
    assert torch.allclose(seen.feature, whole, atol=1e-5)
    assert (seen.stride8.shape[1:], seen.stride16.shape[1:]) == ((96, 28, 28), (192, 14, 14))
    assert seen.middle.shape == seen.last.shape == (2, 49, 192)


def test_distances_are_zero_for_one_who_says_the_same() -> None:
    torch.manual_seed(0)
    last = torch.rand(5, FEATURES, 2, 2)
    maps = TeacherMaps(
        torch.rand(5, STRIDE8_FEATURES, 8, 8), torch.rand(5, STRIDE16_FEATURES, 4, 4), last
    )
    seen = Seen(
        maps.stride8,
        maps.stride16,
        middle=torch.rand(5, 4, STRIDE16_FEATURES),
        last=last.flatten(2).transpose(1, 2),
        known=last.mean((2, 3)),
        feature=last.mean((2, 3)),
    )
    matching = Matching((STRIDE8_FEATURES, STRIDE16_FEATURES), FEATURES, FEATURES)
    matching.middle = torch.nn.Linear(STRIDE16_FEATURES, STRIDE16_FEATURES)
    for name in ("stride8", "stride16", "last", "summary"):
        layer = getattr(matching, name)
        torch.nn.init.eye_(layer.weight)
        torch.nn.init.zeros_(layer.bias)
    found = {name: float(value.detach()) for name, value in matching(seen, maps).items()}
    middle = found.pop("middle")
    assert all(abs(value) < 1e-4 for value in found.values()), found
    assert middle > 0.1  # random tokens say something else


def test_a_run_begins_with_the_linear_maps_that_fit_best() -> None:
    generator = torch.Generator().manual_seed(0)

    def batch() -> tuple[Seen, TeacherMaps]:
        seen = Seen(
            torch.randn(4, 8, 4, 4, generator=generator),
            torch.randn(4, 12, 2, 2, generator=generator),
            middle=torch.randn(4, 4, 16, generator=generator),
            last=torch.randn(4, 4, 16, generator=generator),
            known=torch.zeros(4, 1),
            feature=torch.randn(4, 16, generator=generator),
        )
        eight = torch.einsum("bchw,tc->bthw", seen.stride8, maps[0])
        last = torch.einsum("bnd,td->btn", seen.last, maps[2]).unflatten(2, (2, 2))
        return seen, TeacherMaps(
            eight, torch.einsum("bchw,tc->bthw", seen.stride16, maps[1]), last + 3
        )

    shapes = ((STRIDE8_FEATURES, 8), (STRIDE16_FEATURES, 12), (FEATURES, 16))
    maps = [torch.randn(shape, generator=generator) for shape in shapes]
    met = [batch() for _ in range(40)]
    matching = Matching((8, 12), 16, 16)
    at_random = matching(*met[0])
    matching.fit([seen for seen, _ in met], [taught for _, taught in met])
    found = matching(*batch())
    for name in ("stride8", "stride16", "last"):
        assert found[name] < 0.02 < at_random[name], name


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


# --- images ---


def _write_images(root: Path) -> Path:
    for number in range(4):
        write_png(root / CLASSES[0] / f"{number}.png", stripes(seed=number))
        write_png(root / CLASSES[1] / f"{number}.png", disc(seed=number))
    return root


def _data(root: Path, work: Path) -> PretrainData:
    return data.load(_write_images(root), work, context_length=77, control=RunControl())


def test_images_are_read_with_their_classes_and_phrases(tmp_path: Path) -> None:
    found = _data(tmp_path / "images", tmp_path / "work")
    assert found.images.shape == (8, 3, data.SIDE, data.SIDE)
    assert found.images.dtype == torch.uint8
    assert found.classes.tolist() == [0] * 4 + [1] * 4
    phrases = len(found.vocabulary.phrases)
    assert found.tokens.shape == (phrases, len(captions.TEMPLATES), 77)
    again = _data(tmp_path / "images", tmp_path / "work")
    assert torch.equal(found.images, again.images)


def test_a_folder_without_classes_is_refused(tmp_path: Path) -> None:
    with pytest.raises(NearlError, match="no SET/CLASS folder"):
        data.classes_of(tmp_path)


def test_a_texture_of_no_weights_is_refused_before_images_are_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    given = ["--images", str(tmp_path), "--teacher", str(tmp_path), "--texture"]
    monkeypatch.setattr("sys.argv", ["pretrain", *given])
    assert command.main() == 3
    assert "Add --start FOLDER." in capsys.readouterr().err


# --- the run ---


def _training(
    tmp_path: Path,
    *,
    device: torch.device = torch.device("cpu"),  # noqa: B008
    **changes: object,
) -> Pretraining:
    torch.manual_seed(0)
    model = backbones.build(command.MODEL)
    return Pretraining(
        model,
        Teacher.load(_write_teacher(tmp_path / "teacher.safetensors")),
        _data(tmp_path / "images", tmp_path / "work"),
        settings=replace(SETTINGS, **changes),  # type: ignore[arg-type]  # of PretrainSettings
        normalise=(command.MEAN, command.STD),
        device=device,
    )


def _state(training: Pretraining) -> dict[str, Tensor]:
    parts = {"model": training.model, "average": training.average, "heads": training.matching}
    return {f"{p}.{k}": v.clone() for p, m in parts.items() for k, v in m.state_dict().items()}


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


def test_what_is_written_is_a_backbone(tmp_path: Path) -> None:
    torch.manual_seed(0)
    model = backbones.build(command.MODEL)
    phrases = captions.vocabulary(CLASSES).phrases
    command.write(model, phrases, tmp_path / "made")
    found = backbones.load(str(tmp_path / "made"))
    assert found.words == frozenset(captions.words(phrases))
    assert found.preprocessing.size == command.MODEL["vision_cfg"]["image_size"]
    largest = max(
        float((one.detach() - other).abs().max())
        for one, other in zip(model.parameters(), found.model.parameters(), strict=True)
    )
    assert largest < 2e-3  # the weights are kept in half precision
    # A later run may begin from it; what has another shape begins anew.
    torch.manual_seed(1)
    later = backbones.build(command.MODEL)
    kept = load_file(tmp_path / "made" / WEIGHTS)
    kept["visual.head.proj.weight"] = kept["visual.head.proj.weight"][:, :192].contiguous()
    save_file(kept, tmp_path / WEIGHTS)
    command.begin_from(later, tmp_path)
    state, own = later.state_dict(), found.model.state_dict()
    apart = {name for name in state if not torch.equal(state[name], own[name])}
    assert apart == {"visual.head.proj.weight"}
