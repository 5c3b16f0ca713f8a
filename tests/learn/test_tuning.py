"""Fine-tuning the whole way: within its time, checked by what it did not learn from."""

import time
from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
import pytest
import torch
from torch import Tensor

from nearl_core.control import RunControl
from nearl_core.errors import TrainingError
from nearl_core.learn import loop, tuning
from nearl_core.learn.loop import TuneData, TuneSettings
from nearl_core.learn.tuning import TuneInputs
from nearl_core.model.encoder import Encoder
from nearl_core.model.nearl import LabelContext, NearlClip
from tests.learn.toy import SHORT, fresh, inputs_of


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
    inputs = inputs_of(encoder, data)
    clock.now = 0.0
    parts: list[str] = []
    found = tuning.run(
        lambda: fresh(encoder),
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
    inputs = inputs_of(encoder, data)
    found = tuning.run(
        lambda: fresh(encoder),
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
        lambda: fresh(encoder),
        inputs_of(encoder, data),
        settings=SHORT,
        seed=0,
        control=RunControl(),
    )
    clip = fresh(encoder)
    clip.nearl = found.nearl
    assert np.allclose(tuning.encode(clip, data, RunControl())[0], found.features, atol=1e-5)
    scale = float(found.nearl.image.scale[-1].detach()) / found.judgement.blend.scale
    assert scale == pytest.approx(1, abs=0.1)
    assert found.head.ridge == found.judgement.blend.ridge


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
            lambda: fresh(encoder),
            change(inputs_of(encoder, data)),
            settings=SHORT,
            seed=0,
            control=RunControl(),
        )


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
    clip = fresh(encoder)
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
    clip, size = fresh(encoder), encoder.backbone.preprocessing.size
    images = torch.randn(6, 3, size, size)
    whole = encoder.prefixes(clip, images, RunControl())
    checks: list[bool] = []
    control = RunControl(between=lambda: checks.append(True))
    monkeypatch.setattr(NearlClip, "prefix", _short_of_memory(1, NearlClip.prefix))
    again = encoder.prefixes(clip, images, control)
    torch.testing.assert_close(again.float(), whole.float(), atol=0.05, rtol=0.05)
    assert len(checks) == 6
    monkeypatch.setattr(NearlClip, "prefix", _short_of_memory(0, NearlClip.prefix))
    with pytest.raises(TrainingError, match="too little memory"):
        encoder.prefixes(clip, images, RunControl())


def test_the_frozen_part_of_the_texts_is_computed_once(
    encoder: Encoder, data: TuneData, monkeypatch: pytest.MonkeyPatch
) -> None:
    clip, called = fresh(encoder), list[int]()
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
