"""Fine-tuning on a toy: a tiny random backbone, and a signal hidden in noise."""

import time
from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
import pytest
import torch
from torch import Tensor

from nearl_core.control import Progress, RunControl
from nearl_core.errors import Cancelled, TrainingError
from nearl_core.learn import instant, loop, tuning
from nearl_core.learn.by_label import leave_each_out
from nearl_core.learn.examples import Examples, joined
from nearl_core.learn.loop import Start, TuneData, TuneSettings, tune
from nearl_core.learn.tuning import TuneInputs
from nearl_core.model import backbones
from nearl_core.model.encoder import Encoder
from nearl_core.model.nearl import LabelContext, NearlClip
from tests.engine.making import LABELS, MODEL, write_backbone

COUNT = 24
SHORT = TuneSettings(steps=3, batch=12)


@pytest.fixture(scope="module")
def encoder(tmp_path_factory: pytest.TempPathFactory) -> Encoder:
    folder = write_backbone(tmp_path_factory.mktemp("backbones") / "tiny")
    return Encoder(backbones.load(str(folder)), torch.device("cpu"))


@pytest.fixture(scope="module")
def data(encoder: Encoder) -> TuneData:
    """Two labels, told apart by a direction that is weak beside the noise."""
    generator = torch.Generator().manual_seed(0)
    tokens = (MODEL["vision_cfg"]["image_size"] // MODEL["vision_cfg"]["patch_size"]) ** 2 + 1
    prefixes = torch.randn(COUNT, 2, tokens, 32, generator=generator)
    targets = torch.eye(2)[torch.arange(COUNT) % 2]
    prefixes += (targets[:, 0] * 2 - 1).view(-1, 1, 1, 1) * torch.randn(32, generator=generator) / 3
    return TuneData(prefixes, targets, torch.ones(COUNT), encoder.prompts(LABELS), False)


def _clip(encoder: Encoder, seed: int = 0) -> NearlClip:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return encoder.trainable(first_layer=2)


def _start(encoder: Encoder, data: TuneData) -> Start:
    frozen, _ = tuning.encode(_clip(encoder), data, RunControl())
    targets = data.targets.double().numpy()
    known = Examples(frozen, targets, np.ones(len(targets)))
    return Start(leave_each_out(known, None, multi_label=data.multi_label), frozen, data)


@pytest.fixture(scope="module")
def start(encoder: Encoder, data: TuneData) -> Start:
    return _start(encoder, data)


def _inputs(encoder: Encoder, data: TuneData) -> TuneInputs:
    frozen, texts = tuning.encode(_clip(encoder), data, RunControl())
    return TuneInputs(
        data=data,
        frozen=frozen,
        blocks=(),
        patients=[str(n) for n in range(len(frozen))],
        blind=np.ones(len(frozen), bool),
        unseen=np.ones(len(frozen), bool),
        texts=texts,
        zero_shot=None,
        live=None,
    )


def _weights(clip: NearlClip) -> list[Tensor]:
    assert clip.nearl is not None
    return [p.detach().clone() for p in clip.nearl.parameters()]


# --- one run ---


def test_the_loss_goes_down(encoder: Encoder, data: TuneData, start: Start) -> None:
    reports: list[Progress] = []
    settings = TuneSettings(steps=30, batch=16)
    losses = tune(
        _clip(encoder),
        data,
        start,
        settings=settings,
        seed=0,
        control=RunControl(report=reports.append),
    )
    assert len(losses) == 30
    assert np.mean(losses[-6:]) < 0.6 * np.mean(losses[:6])
    assert [r.done for r in reports] == list(range(1, 31))
    assert [r.values for r in reports] == [(("loss", x),) for x in losses]


def test_the_same_seed_gives_the_same_adapters(
    encoder: Encoder, data: TuneData, start: Start
) -> None:
    """To rounding: how many views go at once depends on how busy the machine is."""
    made = []
    for seed in (3, 3, 4):
        clip = _clip(encoder)
        tune(clip, data, start, settings=SHORT, seed=seed, control=RunControl())
        made.append(tuning.encode(clip, data, RunControl())[0])
    assert np.allclose(made[0], made[1], atol=1e-4)
    assert not np.allclose(made[0], made[2], atol=1e-4)


def test_cancelling_is_answered_within_one_micro_batch(
    encoder: Encoder, data: TuneData, start: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    passes: list[int] = []
    images_from = NearlClip.images_from

    def counted(self: NearlClip, x: Tensor, labels: LabelContext) -> Tensor:
        passes.append(len(x))
        return images_from(self, x, labels)

    monkeypatch.setattr(NearlClip, "images_from", counted)
    control = RunControl(between=lambda: control.cancel() if len(passes) == 2 else None)
    with pytest.raises(Cancelled):
        tune(_clip(encoder), data, start, settings=SHORT, seed=0, control=control)
    assert len(passes) <= 3


def test_gradients_by_micro_batches_are_those_of_the_whole_batch(
    encoder: Encoder, data: TuneData, start: Start
) -> None:
    clip = _clip(encoder)
    assert clip.nearl is not None
    with torch.no_grad():
        for side in (clip.nearl.image, clip.nearl.text):
            side.up.normal_(generator=torch.Generator().manual_seed(0)).mul_(0.05)
    run = loop._Run(clip, data, start, TuneSettings(batch=COUNT), 0, RunControl())
    rows = torch.from_numpy(run._batches.draw(COUNT))
    views = torch.arange(len(rows)) % 2
    run._micro = 5
    run._backward(rows, views)
    by_parts = [p.grad for p in clip.nearl.parameters()]

    labels = clip.labels(data.prompts)
    features = clip.images_from(data.prefixes[rows, views], labels)
    loss = run._loss(features, rows) / start.weights[rows].sum()
    whole = torch.autograd.grad(loss, list(clip.nearl.parameters()), allow_unused=True)
    largest = max(float(g.abs().max()) for g in whole if g is not None)
    assert largest > 1e-3
    for part, one in zip(by_parts, whole, strict=True):
        assert part is None or one is None or (part - one).abs().max() < 1e-4 * largest
        assert part is not None or one is None or not one.any()
        assert one is not None or part is None or not part.any()


def test_the_first_loss_is_what_the_instant_learner_leaves(
    encoder: Encoder, data: TuneData, start: Start
) -> None:
    """Fresh adapters move nothing, and no example is scored by a head that it taught."""
    clip = _clip(encoder)
    frozen, _ = tuning.encode(clip, data, RunControl())
    known = Examples(frozen, data.targets.double().numpy(), np.ones(COUNT))
    _, others = instant.fit_and_leave_out(known, None, multi_label=False)
    rows = torch.arange(COUNT)
    scores = start.scores(torch.from_numpy(frozen).float(), rows)
    torch.testing.assert_close(scores.double(), torch.from_numpy(others), atol=1e-4, rtol=1e-4)


def test_a_label_that_no_other_example_has_teaches_nothing(
    encoder: Encoder, data: TuneData
) -> None:
    targets = torch.cat([data.targets, torch.zeros(COUNT, 1)], 1)
    targets[0] = torch.tensor([0.0, 0.0, 1.0])
    weights = _start(encoder, replace(data, targets=targets)).weights
    assert weights.tolist() == [0.0, *[1.0] * (COUNT - 1)]


def test_a_label_that_nothing_is_known_of_takes_no_part(encoder: Encoder, data: TuneData) -> None:
    more = replace(data, targets=torch.cat([data.targets, torch.zeros(COUNT, 1)], 1))
    start, rows = _start(encoder, more), torch.arange(COUNT)
    assert start.seen.tolist() == [True, True, False]
    run = loop._Run(_clip(encoder), more, start, SHORT, 0, RunControl())
    embeddings = start._embeddings
    usual = run._loss(embeddings, rows)
    start._scores[:, 2] += 100
    assert torch.equal(run._loss(embeddings, rows), usual)


def test_what_was_not_asked_teaches_nothing(encoder: Encoder, data: TuneData) -> None:
    third = (torch.arange(COUNT) % 3 == 0).float()
    third[: COUNT // 2] = torch.nan
    more = replace(data, targets=torch.cat([data.targets, third[:, None]], 1), multi_label=True)
    start, rows = _start(encoder, more), torch.arange(COUNT)
    run = loop._Run(_clip(encoder), more, start, SHORT, 0, RunControl())
    embeddings = start._embeddings.clone().requires_grad_()
    loss = run._loss(embeddings, rows)
    by_hand = [
        torch.nn.functional.binary_cross_entropy_with_logits(
            start._scores[n, ~target.isnan()], target[~target.isnan()]
        )
        for n, target in enumerate(more.targets)
    ]
    assert float(loss.detach()) == pytest.approx(float(sum(by_hand)), rel=1e-4)
    (before,) = torch.autograd.grad(loss, embeddings)
    start._scores[: COUNT // 2, 2] += 5
    (after,) = torch.autograd.grad(run._loss(embeddings, rows), embeddings)
    assert torch.equal(before, after)
    assert before.isfinite().all()
    found = tuning.run(
        lambda: _clip(encoder),
        replace(_inputs(encoder, more), texts=None),
        settings=replace(SHORT, steps=1),
        seed=0,
        control=RunControl(),
    )
    assert np.isfinite([found.judgement.after.log_loss, found.judgement.after.accuracy]).all()
    assert np.isfinite(found.head.logits(joined(found.features, found.features))).all()
    assert found.judgement.evidence.labels[2].n == int(third.nansum())


def test_out_of_memory_halves_the_micro_batch_and_says_so(
    encoder: Encoder, data: TuneData, start: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    usual = _clip(encoder)
    tune(usual, data, start, settings=SHORT, seed=0, control=RunControl())
    images_from, reports, sizes = NearlClip.images_from, list[Progress](), list[int]()

    def small(self: NearlClip, x: Tensor, labels: LabelContext) -> Tensor:
        if len(x) > 1:  # a busy machine keeps micro-batches small
            raise torch.OutOfMemoryError("CUDA out of memory.")
        sizes.append(len(x))
        return images_from(self, x, labels)

    monkeypatch.setattr(NearlClip, "images_from", small)
    clip = _clip(encoder)
    control = RunControl(report=reports.append)
    losses = tune(clip, data, start, settings=SHORT, seed=0, control=control)
    assert len(losses) == SHORT.steps
    assert max(sizes) == 1
    assert "out of memory" in reports[-1].text
    for one, other in zip(_weights(clip), _weights(usual), strict=True):
        assert torch.allclose(one, other, atol=1e-3)


def test_what_is_not_memory_is_not_swallowed(
    encoder: Encoder, data: TuneData, start: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(self: NearlClip, x: Tensor, labels: LabelContext) -> Tensor:
        del self, x, labels
        raise RuntimeError("shapes do not fit")

    monkeypatch.setattr(NearlClip, "images_from", broken)
    with pytest.raises(RuntimeError, match="shapes"):
        tune(
            _clip(encoder),
            data,
            start,
            settings=SHORT,
            seed=0,
            control=RunControl(),
        )


# --- the whole way ---


@dataclass
class Clock:
    """A clock that stands still but for the work done."""

    now: float = 0.0

    def monotonic(self) -> float:
        return self.now

    def thread_time(self) -> float:
        return time.thread_time()


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    """Every image that is encoded takes a hundredth of a second by it."""
    clock, images_from = Clock(), NearlClip.images_from

    def slow(self: NearlClip, x: Tensor, labels: LabelContext) -> Tensor:
        clock.now += 0.01 * len(x)
        return images_from(self, x, labels)

    monkeypatch.setattr(NearlClip, "images_from", slow)
    monkeypatch.setattr(loop, "time", clock)
    monkeypatch.setattr(tuning, "time", clock)
    return clock


def test_a_deadline_is_kept_and_used_checks_included(
    encoder: Encoder, data: TuneData, clock: Clock
) -> None:
    inputs = _inputs(encoder, data)
    clock.now = 0.0
    parts: list[str] = []
    found = tuning.run(
        lambda: _clip(encoder),
        inputs,
        settings=TuneSettings(steps=1000, batch=12),
        seed=0,
        deadline=12.0,
        control=RunControl(report=lambda p: parts.append(p.text)),
    )
    assert 9 < clock.now < 14
    assert len(found.losses) > 1
    assert {"checking, part 1 of 3", "checking, part 3 of 3"} <= set(parts)


def test_time_that_is_up_still_gives_a_version_of_one_step(
    encoder: Encoder, data: TuneData, clock: Clock
) -> None:
    inputs = _inputs(encoder, data)
    found = tuning.run(
        lambda: _clip(encoder),
        inputs,
        settings=TuneSettings(steps=1000, batch=12),
        seed=0,
        deadline=clock.now,
        control=RunControl(),
    )
    assert len(found.losses) == 1
    assert np.isfinite(found.features).all()


def test_the_head_ranks_by_the_features_of_the_scaled_adapters(
    encoder: Encoder, data: TuneData
) -> None:
    found = tuning.run(
        lambda: _clip(encoder),
        _inputs(encoder, data),
        settings=SHORT,
        seed=0,
        control=RunControl(),
    )
    clip = _clip(encoder)
    clip.nearl = found.nearl
    assert np.allclose(tuning.encode(clip, data, RunControl())[0], found.features, atol=1e-5)
    scale = float(found.nearl.image.scale[-1].detach()) / found.judgement.blend.scale
    assert scale == pytest.approx(1, abs=0.1)
    assert found.head.ridge == found.judgement.blend.ridge


def test_rankings_served_in_between_are_not_in_the_precision_of_training(
    encoder: Encoder, data: TuneData, start: Start
) -> None:
    """What they encode is kept in the cache for good."""
    half = replace(data, prefixes=data.prefixes.to(torch.bfloat16))
    seen: list[bool] = []
    control = RunControl(between=lambda: seen.append(torch.is_autocast_enabled("cpu")))
    tuning.encode(_clip(encoder), half, control)
    tune(_clip(encoder), half, start, settings=SHORT, seed=0, control=control)
    assert seen
    assert not any(seen)


def _few(count: int) -> Callable[[TuneInputs], TuneInputs]:
    def cut(inputs: TuneInputs) -> TuneInputs:
        rows = torch.arange(count)
        data = inputs.data.take(rows)
        return replace(
            inputs,
            data=data,
            frozen=inputs.frozen[:count],
            patients=inputs.patients[:count],
            blind=inputs.blind[:count],
            unseen=inputs.unseen[:count],
        )

    return cut


def _one_patient(inputs: TuneInputs) -> TuneInputs:
    return replace(inputs, patients=["P"] * len(inputs.patients))


def _one_label(inputs: TuneInputs) -> TuneInputs:
    targets = torch.zeros_like(inputs.data.targets)
    targets[:, 0] = 1
    return replace(inputs, data=replace(inputs.data, targets=targets))


@pytest.mark.parametrize("change", [_few(4), _few(0), _one_patient, _one_label])
def test_too_little_to_check_by_is_refused(
    encoder: Encoder, data: TuneData, change: Callable[[TuneInputs], TuneInputs]
) -> None:
    with pytest.raises(TrainingError, match="too few decisions"):
        tuning.run(
            lambda: _clip(encoder),
            change(_inputs(encoder, data)),
            settings=SHORT,
            seed=0,
            control=RunControl(),
        )


# --- memory ---


def _short_of_memory(most: int, call: Callable[..., Tensor]) -> Callable[..., Tensor]:
    """Fails as a CPU does for more images than this."""

    def limited(self: object, images: Tensor, *others: object) -> Tensor:
        if len(images) > most:
            raise RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried to ...")
        return call(self, images, *others)

    return limited


def test_encoding_goes_on_with_fewer_images_when_memory_is_short(
    encoder: Encoder, data: TuneData, monkeypatch: pytest.MonkeyPatch
) -> None:
    clip = _clip(encoder)
    whole, _ = tuning.encode(clip, data, RunControl())
    monkeypatch.setattr(NearlClip, "images_from", _short_of_memory(2, NearlClip.images_from))
    again, _ = tuning.encode(clip, data, RunControl())
    np.testing.assert_allclose(again, whole, atol=1e-2)  # bfloat16, in batches of another size
    monkeypatch.setattr(NearlClip, "images_from", _short_of_memory(0, NearlClip.images_from))
    with pytest.raises(TrainingError, match="too little memory"):
        tuning.encode(clip, data, RunControl())


def test_prefixes_go_on_with_fewer_images_when_memory_is_short(
    encoder: Encoder, monkeypatch: pytest.MonkeyPatch
) -> None:
    clip, size = _clip(encoder), encoder.backbone.preprocessing.size
    images = torch.randn(6, 3, size, size)
    whole = encoder.prefixes(clip, images)
    checks: list[bool] = []
    control = RunControl(between=lambda: checks.append(True))
    monkeypatch.setattr(NearlClip, "prefix", _short_of_memory(1, NearlClip.prefix))
    again = encoder.prefixes(clip, images, control)
    torch.testing.assert_close(again.float(), whole.float(), atol=0.05, rtol=0.05)
    assert len(checks) == 6
    monkeypatch.setattr(NearlClip, "prefix", _short_of_memory(0, NearlClip.prefix))
    with pytest.raises(TrainingError, match="too little memory"):
        encoder.prefixes(clip, images)


def test_the_frozen_part_of_the_texts_is_computed_once(
    encoder: Encoder, data: TuneData, monkeypatch: pytest.MonkeyPatch
) -> None:
    clip, called = _clip(encoder), list[int]()
    tower = clip._text
    block = tower.block

    def counted(layer: int, x: Tensor, tokens: Tensor) -> Tensor:
        called.append(layer)
        return block(layer, x, tokens)

    monkeypatch.setattr(tower, "block", counted)
    with torch.inference_mode():
        clip.labels(data.prompts)
    features = clip.labels(data.prompts).features
    assert called == [0, 1]  # the adapters begin behind the second of two layers
    assert features.requires_grad
