"""Ranking in less than float32: what it may change, what it may not, and when it is taken."""

import numpy as np
import pytest
import torch
from torch import Tensor

from nearl_core.model import serving
from nearl_core.model.backbones import Backbone
from nearl_core.model.encoder import Encoder
from nearl_core.model.interaction import Interaction
from nearl_core.model.lowered import LoweredTower, Precision
from nearl_core.model.nearl import Nearl, NearlClip, NearlConfig
from nearl_core.model.preprocessing import Preprocessing
from nearl_core.model.towers import OpenClip, image_tower, text_tower
from nearl_core.types import Label, LabelSet
from tests.model.making import SIZE, pictures, tiny_model, tokens
from tests.model.test_timm_towers import timm_model

LOW = [Precision.BFLOAT16, Precision.INT8]
BATCHES = [1, 3, 16]
LABELS = LabelSet((Label("d", "Disc"), Label("s", "Stripes")))


def clip_and_pictures(kind: str, count: int) -> tuple[OpenClip, Tensor]:
    if kind == "open_clip":
        return tiny_model(), pictures(count)
    images = torch.randn(count, 3, 160, 160, generator=torch.Generator().manual_seed(1))
    return timm_model("test_vit"), images


def encoder(model: OpenClip, device: torch.device = torch.device("cpu")) -> Encoder:  # noqa: B008
    prepare = Preprocessing(SIZE, (0.5,) * 3, (0.25,) * 3)
    backbone = Backbone("tiny", "hash", model, prepare, lambda _texts: tokens(), None)
    return Encoder(backbone, device)


def adapters(model: OpenClip, how: Interaction = Interaction.SET_LEVEL) -> Nearl:
    image, text = image_tower(model), text_tower(model)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(2)
        shape = (image.width, text.width, image.depth, text.depth)
        nearl = Nearl(NearlConfig(*shape, rank=16, interaction=how))
        torch.nn.init.normal_(nearl.image.up, std=0.1)
        torch.nn.init.normal_(nearl.text.up, std=0.1)
    return nearl


@pytest.mark.parametrize("how", [Interaction.SET_LEVEL, Interaction.EOT_ONLY])
@pytest.mark.parametrize("kind", ["open_clip", "timm"])
@pytest.mark.parametrize(
    ("precision", "chunk"),
    [(Precision.FLOAT32, None), *((low, chunk) for low in LOW for chunk in (1, 4))],
)
def test_a_feature_does_not_depend_on_its_batch_in_any_precision(
    monkeypatch: pytest.MonkeyPatch,
    precision: Precision,
    chunk: int | None,
    kind: str,
    how: Interaction,
) -> None:
    model, images = clip_and_pictures(kind, 16)
    images[3] *= 50  # an outlier must not coarsen the others
    low = precision is not Precision.FLOAT32
    tower = LoweredTower(model, precision) if low else image_tower(model)
    taken = serving.Serving(tower, precision, "", chunk)
    monkeypatch.setattr("nearl_core.model.encoder.fastest", lambda *_model, **_how: taken)
    made = encoder(model)
    adapted = made.adapted(adapters(model, how), LABELS)
    found = [
        np.concatenate([made.features(list(part), adapted) for part in images.split(size)])
        for size in BATCHES
    ]
    assert np.abs(found[0][0] - found[0][1]).max() > 1e-3
    for other in found[1:]:
        np.testing.assert_allclose(other, found[0], atol=1e-5, rtol=0)


@pytest.mark.parametrize("kind", ["open_clip", "timm"])
@pytest.mark.parametrize("precision", LOW)
def test_a_lowered_tower_says_nearly_what_the_whole_one_says(
    precision: Precision, kind: str
) -> None:
    model, images = clip_and_pictures(kind, 3)
    before = model.encode_image(images, normalize=True)
    with torch.inference_mode():
        found = serving.features(LoweredTower(model, precision), images)
    assert found.dtype == torch.float32
    assert 0 < (found - before).norm(dim=1).max() < 0.05
    assert torch.equal(model.encode_image(images, normalize=True), before)


def test_gradients_reach_adapters_through_lowered_blocks() -> None:
    model = tiny_model()
    nearl = adapters(model)
    clip = NearlClip(LoweredTower(model, Precision.BFLOAT16), text_tower(model), nearl)
    clip.images(pictures(), clip.labels([tokens(["a disc"])])).sum().backward()
    assert nearl.image.up.grad is not None
    assert nearl.image.up.grad.abs().max() > 0


# --- which one is taken ---


def chosen(monkeypatch: pytest.MonkeyPatch, *measured: tuple[float, float]) -> serving.Serving:
    """What is taken of bfloat16 and int8 when they measure so (error, gain)."""
    answers = iter(measured)
    monkeypatch.setattr(serving, "QUICK_WEIGHTS", 0)
    monkeypatch.setattr(serving, "precisions", lambda _device: tuple(LOW[: len(measured)]))
    monkeypatch.setattr(serving, "compare", lambda *_towers, **_how: next(answers))
    return serving.fastest(tiny_model(), side=SIZE, device=torch.device("cpu"))


def test_the_first_precision_that_agrees_and_gains_is_taken(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    found = chosen(monkeypatch, (0.01, 2.0), (0.01, 3.0))
    assert found.precision is Precision.BFLOAT16
    assert isinstance(found.tower, LoweredTower)
    assert "1/2.0" in found.reason


def test_one_that_errs_is_passed_over(monkeypatch: pytest.MonkeyPatch) -> None:
    assert chosen(monkeypatch, (0.3, 2.0), (0.01, 3.0)).precision is Precision.INT8


@pytest.mark.parametrize(
    ("measured", "why"), [((0.3, 3.0), "too far"), ((0.001, 0.9), "no gain"), (None, "nothing")]
)
def test_float32_stays_where_nothing_holds_and_says_why(
    monkeypatch: pytest.MonkeyPatch, measured: tuple[float, float] | None, why: str
) -> None:
    found = chosen(monkeypatch, *([measured] if measured else []))
    assert found.precision is Precision.FLOAT32
    assert why in found.reason


def test_a_small_tower_is_left_as_it_is() -> None:
    found = serving.fastest(tiny_model(), side=SIZE, device=torch.device("cpu"))
    assert found.precision is Precision.FLOAT32
    assert "small" in found.reason


def test_the_check_finds_a_tower_that_is_wrong() -> None:
    model, other = tiny_model(0), tiny_model(1)
    lowered = LoweredTower(model, Precision.BFLOAT16)
    images = serving.made_up(3, side=SIZE)
    right, _ = serving.compare(image_tower(model), lowered, images, chunk=1)
    wrong, _ = serving.compare(image_tower(other), lowered, images, chunk=1)
    assert right < 0.1 < wrong


def test_features_of_another_precision_are_another_source(monkeypatch: pytest.MonkeyPatch) -> None:
    """Else a cache would mix what two processors made."""
    whole = encoder(tiny_model())
    assert "int8" not in whole.source
    low = serving.Serving(whole.serving.tower, Precision.INT8, "", 1)
    monkeypatch.setattr("nearl_core.model.encoder.fastest", lambda *_model, **_how: low)
    lowered = encoder(tiny_model())
    assert lowered.source == whole.source.replace("hash", "hash+int8", 1)
    assert lowered.described.endswith(", int8")
