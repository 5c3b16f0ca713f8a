"""Ranking and training on a card give what they give on a CPU; nothing meets across devices.

On pretended cards (`tests/support/pretended.py`) everywhere, on a real one where there is one.
"""

from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor

from nearl_core.control import RunControl
from nearl_core.errors import NearlError
from nearl_core.learn import micro_batch, tuning
from nearl_core.learn.loop import TuneData, TuneSettings
from nearl_core.learn.tuning import TuneInputs
from nearl_core.model import backbones, device, packed, serving
from nearl_core.model.encoder import Encoder, training_precision
from nearl_core.model.folded import Folded
from nearl_core.model.interaction import Interaction
from nearl_core.model.lowered import LoweredTower, Precision
from nearl_core.model.nearl import LabelContext, NearlClip
from nearl_core.model.towers import ImageTower, OpenClip
from tests.model.making import tiny_model
from tests.model.test_bert_towers import write_folder
from tests.model.test_lowered import LABELS, adapters, clip_and_pictures, encoder
from tests.support.cards import KINDS, At, at
from tests.support.pretended import MixedDevicesError, pretended

CPU = torch.device("cpu")
for_all = pytest.mark.parametrize("there", ["cuda", "real cuda"], indirect=True)
"""Where cards differ in nothing that is tested."""


@pytest.fixture(params=KINDS)
def there(request: pytest.FixtureRequest) -> Iterator[At]:
    with at(request.param) as found:
        yield found


@pytest.fixture
def like_a_large_one(monkeypatch: pytest.MonkeyPatch) -> None:
    """The tiny tower ranks as a large one does: in the lower precision, eight at once."""
    monkeypatch.setattr(serving, "QUICK_WEIGHTS", 0)
    monkeypatch.setattr(serving, "LEAST_GAIN", 0)
    monkeypatch.setattr(serving, "LARGEST_ERROR", 9)
    monkeypatch.setattr(serving, "GPU_BATCH", 8)


def on(device: torch.device, kind: str = "open_clip") -> tuple[Encoder, Tensor]:
    model, images = clip_and_pictures(kind, 3)
    return encoder(model, device), images


# --- ranking ---


@pytest.mark.parametrize("how", list(Interaction))
@pytest.mark.parametrize("kind", ["open_clip", "timm"])
def test_a_small_tower_ranks_as_on_a_cpu(there: At, kind: str, how: Interaction) -> None:
    here, images = on(CPU, kind)
    found, _ = on(there.device, kind)
    assert (found.serving.precision, found.serving.chunk) == (Precision.FLOAT32, None)
    assert found.source == here.source
    pictures, fresh = list(images), adapters(here.model, how)
    plain = here.features(pictures, None)
    tuned = here.features(pictures, here.adapted(fresh, LABELS))
    np.testing.assert_allclose(found.features(pictures, None), plain, atol=1e-4)
    said = found.features(pictures, found.adapted(fresh, LABELS))
    np.testing.assert_allclose(said, tuned, atol=1e-4)
    np.testing.assert_allclose(found.texts(LABELS), here.texts(LABELS), atol=1e-4)
    assert found.texts(LABELS).dtype == np.float64


@pytest.mark.usefixtures("like_a_large_one")
@pytest.mark.parametrize("how", list(Interaction))
def test_a_large_tower_ranks_lower_and_no_image_depends_on_its_batch(
    there: At, how: Interaction
) -> None:
    found, images = on(there.device)
    assert found.serving.precision == there.precision
    assert found.serving.chunk == (None if there.precision == "float32" else 8)
    assert ("by 8" in found.source) is (there.precision != "float32")
    version = adapters(found.model, how)
    adapted = found.adapted(version, LABELS)
    together = found.features(list(images), adapted)
    alone = np.concatenate([found.features([image], adapted) for image in images])
    np.testing.assert_allclose(alone, together, atol=1e-5)
    here, _ = on(CPU)
    exact = here.features(list(images), here.adapted(version, LABELS))
    assert np.linalg.norm(together - exact, axis=1).max() < 0.1
    assert found.pace().size == (8 if found.serving.chunk else 1)


@for_all
def test_the_starter_is_loaded_and_ranks(there: At) -> None:
    found = Encoder(backbones.load("starter"), there.device)
    images = list(serving.made_up(2, side=found.backbone.preprocessing.size))
    features = found.features(images, None)
    here = Encoder(backbones.load("starter"), CPU)
    np.testing.assert_allclose(features, here.features(images, None), atol=1e-4)
    assert found.described


@for_all
def test_a_bert_tower_ranks_as_on_a_cpu(there: At, tmp_path: Path) -> None:
    folder = str(write_folder(tmp_path / "bert"))
    here, found = (
        Encoder(backbones.load(folder), CPU),
        Encoder(backbones.load(folder), there.device),
    )
    images = list(serving.made_up(2, side=here.backbone.preprocessing.size))
    version = adapters(here.model)
    wanted = here.features(images, here.adapted(version, LABELS))
    said = found.features(images, found.adapted(version, LABELS))
    np.testing.assert_allclose(said, wanted, atol=1e-4)
    loss = found.trainable(first_layer=1).labels(found.prompts(LABELS)).features.sum()
    loss.backward()


def test_a_tensor_left_behind_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    """What these tests stand on: one tensor on the CPU in a card's way fails them."""
    with pretended("cuda") as card:
        found, images = on(card.device)
        version = adapters(found.model)
        found.features(list(images), found.adapted(version, LABELS))
        monkeypatch.setattr(
            Folded, "start", lambda self, batch: torch.zeros(batch, *self._nearl.queries.shape)
        )
        with pytest.raises(MixedDevicesError):
            found.features(list(images), found.adapted(version, LABELS))


def test_the_cpus_packed_weights_stay_off_a_card(
    there: At, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(packed, "pays", packed.works)
    weight, x = torch.full((8, 16), 0.5), torch.ones(3, 16)
    found = packed.PackedLinear(weight.to(there.device), None)(x.to(there.device))
    assert found.device.type == there.device.type
    assert torch.equal(found.cpu(), torch.full((3, 8), 8.0))


# --- memory ---


class _Small:
    """Has memory for so many images at once; counts how many it met."""

    def __init__(self, most: int) -> None:
        self.most, self.met = most, list[int]()

    def refuse(self, count: int) -> None:
        self.met.append(count)
        if count > self.most:
            raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB.")


def small(monkeypatch: pytest.MonkeyPatch, most: int) -> _Small:
    memory = _Small(most)

    def refusing(whole: Callable[[LoweredTower, Tensor], object]) -> Callable[..., object]:
        def embed(tower: LoweredTower, inputs: Tensor) -> object:
            memory.refuse(len(inputs))
            return whole(tower, inputs)

        return embed

    monkeypatch.setattr(LoweredTower, "embed", refusing(LoweredTower.embed))
    monkeypatch.setattr(LoweredTower, "embed_seen", refusing(LoweredTower.embed_seen))
    return memory


@pytest.mark.usefixtures("like_a_large_one")
def test_a_small_card_takes_fewer_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    memory = small(monkeypatch, 4)
    with pretended() as card:
        found, images = on(card.device)
        assert found.serving.chunk == found.batch == 4
        assert "by 4" in found.source
        memory.most = 2  # other programs took some since
        assert found.features(list(images), None).shape[0] == 3
        assert found.batch == 2
        memory.most = 0
        with pytest.raises(torch.OutOfMemoryError):
            found.features(list(images), None)
        with pytest.raises(NearlError, match="too little free memory"):
            on(card.device)


def test_a_card_too_small_for_the_weights_is_an_expected_trouble(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def full(*_given: object) -> None:
        raise torch.OutOfMemoryError("CUDA out of memory.")

    with pretended() as card:
        model = tiny_model()
        monkeypatch.setattr(model, "to", full)
        with pytest.raises(NearlError, match="too little free memory"):
            encoder(model, card.device)


@pytest.mark.parametrize(
    ("said", "memory"),
    [
        ("CUDA out of memory. Tried to allocate 20.00 MiB", True),
        ("CUDA error: out of memory", True),
        ("CUDA error: CUBLAS_STATUS_ALLOC_FAILED when calling `cublasCreate(handle)`", True),
        ("MPS backend out of memory", True),
        ("CUDA error: device-side assert triggered", False),
    ],
)
def test_what_means_that_memory_is_used_up(said: str, memory: bool) -> None:
    assert device.out_of_memory(RuntimeError(said)) is memory


def test_a_pass_takes_about_as_long_with_each_tower(monkeypatch: pytest.MonkeyPatch) -> None:
    sizes = {}
    for weights in (5_000_000, 86_200_000, 304_000_000, 10**11):
        monkeypatch.setattr(serving, "_weights", lambda _model, count=weights: count)
        sizes[weights] = serving.chunk_of(None, torch.device("cuda"))
    assert list(sizes.values()) == [100, 100, 29, 1]
    assert serving.chunk_of(None, CPU) == 1


# --- training ---


def inputs(there: Encoder, images: Tensor, first_layer: int) -> TuneInputs:
    """Twelve decisions of two labels by three patients each, two views of each."""
    clip = there.trainable(first_layer=first_layer)
    count = 12
    shifted = [images[n % 2] + 0.1 * n for n in range(count)]
    prefixes = torch.stack(
        [there.prefixes(clip, torch.stack([x, -x]), RunControl()) for x in shifted]
    )
    assert prefixes.device == CPU
    assert prefixes.dtype == training_precision(there.device)
    data = TuneData(
        prefixes=prefixes,
        targets=torch.eye(2, device=there.device)[torch.arange(count) % 2],
        weights=torch.ones(count, device=there.device),
        prompts=there.prompts(LABELS),
        multi_label=False,
    )
    blind = np.ones(count, bool)
    return TuneInputs(
        data=data,
        frozen=there.features(shifted, None).astype(np.float64),
        blocks=there.blocks,
        patients=[f"P{n % 6}" for n in range(count)],
        blind=blind,
        unseen=blind,
        texts=there.texts(LABELS),
        zero_shot=None,
        live=None,
    )


@for_all
@pytest.mark.usefixtures("like_a_large_one")
def test_a_training_with_its_folds(there: At, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tuning, "FOLDS", 2)
    monkeypatch.setattr(tuning, "SCALES", (1.0,))
    found, images = on(there.device)
    tuned = tuning.run(
        lambda: found.trainable(first_layer=2),
        inputs(found, images, 2),
        settings=TuneSettings(steps=2, batch=8),
        seed=0,
        control=RunControl(),
    )
    assert np.isfinite(tuned.losses).all()
    assert {p.device.type for p in tuned.nearl.parameters()} == {there.device.type}
    assert tuned.features.shape[0] == 12
    ranked = found.features(list(images), found.adapted(tuned.nearl, LABELS))
    assert np.isfinite(ranked).all()
    if there.card is not None:
        assert there.card.waits > 0  # micro-batches are timed when the card has done them


@for_all
@pytest.mark.parametrize("how", [Interaction.EOT_ONLY, Interaction.FULL])
def test_a_training_whose_texts_hear_each_image(there: At, how: Interaction) -> None:
    found, images = on(there.device)
    clip = found.trainable(first_layer=0, interaction=how)
    given, settings = inputs(found, images, 0), TuneSettings(steps=2, batch=4)
    _, losses = tuning.candidate(
        clip, given, np.arange(12), settings=settings, seed=0, control=RunControl()
    )
    assert np.isfinite(losses).all()
    features, texts = tuning.encode(clip, given.data.take(torch.arange(4)), RunControl())
    assert np.isfinite(features).all()
    assert np.isfinite(texts).all()


@for_all
def test_memory_that_runs_out_halves_what_trains(
    there: At, monkeypatch: pytest.MonkeyPatch
) -> None:
    found, images = on(there.device)
    given, memory, images_from = inputs(found, images, 2), _Small(1), NearlClip.images_from

    def refusing(self: NearlClip, x: Tensor, labels: LabelContext) -> Tensor:
        memory.refuse(len(x))
        return images_from(self, x, labels)

    monkeypatch.setattr(NearlClip, "images_from", refusing)
    monkeypatch.setattr(micro_batch, "SECONDS", 9)
    reports = list[str]()
    rows, settings = np.arange(12), TuneSettings(steps=2, batch=8)
    control = RunControl(report=lambda progress: reports.append(progress.text))
    _, losses = tuning.candidate(
        found.trainable(first_layer=2), given, rows, settings=settings, seed=0, control=control
    )
    assert np.isfinite(losses).all()
    assert memory.met[:4] == [8, 4, 2, 1]
    assert "out of memory" in reports[-1]


@pytest.mark.parametrize("there", ["cuda before bfloat16", "mps", "real cuda"], indirect=True)
def test_the_same_training_on_a_card_and_on_a_cpu(there: At) -> None:
    """Where both train in float32 they say the same; else nearly."""
    losses = []
    for where in (CPU, there.device):
        made, images = on(where)
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(0)
            clip = made.trainable(first_layer=1)
        _, found = tuning.candidate(
            clip,
            inputs(made, images, 1),
            np.arange(12),
            settings=TuneSettings(steps=3, batch=4),
            seed=0,
            control=RunControl(),
        )
        losses.append(found)
    low = torch.bfloat16 in {training_precision(where) for where in (CPU, there.device)}
    np.testing.assert_allclose(losses[0], losses[1], rtol=5e-2 if low else 1e-3)


# --- what is measured ---


def test_a_tower_is_timed_when_the_card_has_done_its_work(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    order = list[str]()

    def seen(_tower: ImageTower, images: Tensor) -> Tensor:
        order.append("work")
        return images.flatten(1)[:, :4]

    def model() -> OpenClip:
        return None

    monkeypatch.setattr(serving, "features", seen)
    monkeypatch.setattr(serving, "wait", lambda _device: order.append("wait"))
    with pretended() as card:
        pictures = serving.made_up(4, side=8).to(card.device)
        found, _ = serving._timed(model(), pictures, 4)
    assert order == ["wait", "work"] * 3  # three times over, though there is one chunk
    assert found.shape == (4, 4)
