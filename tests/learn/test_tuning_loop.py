"""One run of fine-tuning: what its loss is made of, and what it does when memory is short."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import Tensor

from nearl_core.control import Progress, RunControl
from nearl_core.errors import Cancelled
from nearl_core.learn import instant, loop, tuning
from nearl_core.learn.examples import Examples, joined
from nearl_core.learn.loop import Start, TuneData, TuneSettings, tune
from nearl_core.model.encoder import Encoder
from nearl_core.model.nearl import LabelContext, NearlClip
from tests.learn.toy import COUNT, SHORT, fresh, inputs_of, start_of


def _weights(clip: NearlClip) -> list[Tensor]:
    assert clip.nearl is not None
    return [p.detach().clone() for p in clip.nearl.parameters()]


def test_the_loss_goes_down(encoder: Encoder, data: TuneData, start: Start) -> None:
    reports: list[Progress] = []
    settings = TuneSettings(steps=30, batch=16)
    losses = tune(
        fresh(encoder),
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
        clip = fresh(encoder)
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
        tune(fresh(encoder), data, start, settings=SHORT, seed=0, control=control)
    assert len(passes) <= 3


def test_gradients_by_micro_batches_are_those_of_the_whole_batch(
    encoder: Encoder, data: TuneData, start: Start
) -> None:
    clip = fresh(encoder)
    assert clip.nearl is not None
    with torch.no_grad():
        for side in (clip.nearl.image, clip.nearl.text):
            side.up.normal_(generator=torch.Generator().manual_seed(0)).mul_(0.05)
    run = loop._Run(clip, data, start, TuneSettings(batch=COUNT), 0, RunControl())
    rows = torch.from_numpy(run._batches.draw(COUNT))
    views = torch.arange(len(rows)) % 2
    run._micro.size = 5
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
    clip = fresh(encoder)
    frozen, _ = tuning.encode(clip, data, RunControl())
    known = Examples(frozen, data.targets.double().numpy(), np.ones(COUNT))
    left_out = instant.leave_each_out(known, None, multi_label=False)
    others = torch.from_numpy(left_out.scores / left_out.head.temperature)
    rows = torch.arange(COUNT)
    scores = start.scores(torch.from_numpy(frozen).float(), rows)
    torch.testing.assert_close(scores.double(), others, atol=1e-4, rtol=1e-4)


def test_a_label_that_no_other_example_has_teaches_nothing(
    encoder: Encoder, data: TuneData
) -> None:
    targets = torch.cat([data.targets, torch.zeros(COUNT, 1)], 1)
    targets[0] = torch.tensor([0.0, 0.0, 1.0])
    weights = start_of(encoder, replace(data, targets=targets)).weights
    assert weights.tolist() == [0.0, *[1.0] * (COUNT - 1)]


def test_a_label_that_nothing_is_known_of_takes_no_part(encoder: Encoder, data: TuneData) -> None:
    more = replace(data, targets=torch.cat([data.targets, torch.zeros(COUNT, 1)], 1))
    start, rows = start_of(encoder, more), torch.arange(COUNT)
    assert start.seen.tolist() == [True, True, False]
    run = loop._Run(fresh(encoder), more, start, SHORT, 0, RunControl())
    embeddings = start._embeddings
    usual = run._loss(embeddings, rows)
    start._scores[:, 2] += 100
    assert torch.equal(run._loss(embeddings, rows), usual)


def test_what_was_not_asked_teaches_nothing(encoder: Encoder, data: TuneData) -> None:
    third = (torch.arange(COUNT) % 3 == 0).float()
    third[: COUNT // 2] = torch.nan
    more = replace(data, targets=torch.cat([data.targets, third[:, None]], 1), multi_label=True)
    start, rows = start_of(encoder, more), torch.arange(COUNT)
    run = loop._Run(fresh(encoder), more, start, SHORT, 0, RunControl())
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
        lambda: fresh(encoder),
        replace(inputs_of(encoder, more), texts=None),
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
    usual = fresh(encoder)
    tune(usual, data, start, settings=SHORT, seed=0, control=RunControl())
    images_from, reports, sizes = NearlClip.images_from, list[Progress](), list[int]()

    def small(self: NearlClip, x: Tensor, labels: LabelContext) -> Tensor:
        if len(x) > 1:  # a busy machine keeps micro-batches small
            raise torch.OutOfMemoryError("CUDA out of memory.")
        sizes.append(len(x))
        return images_from(self, x, labels)

    monkeypatch.setattr(NearlClip, "images_from", small)
    clip = fresh(encoder)
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
            fresh(encoder),
            data,
            start,
            settings=SHORT,
            seed=0,
            control=RunControl(),
        )


def test_rankings_served_in_between_are_not_in_the_precision_of_training(
    encoder: Encoder, data: TuneData, start: Start
) -> None:
    """What they encode is kept in the cache for good."""
    half = replace(data, prefixes=data.prefixes.to(torch.bfloat16))
    seen: list[bool] = []
    control = RunControl(between=lambda: seen.append(torch.is_autocast_enabled("cpu")))
    tuning.encode(fresh(encoder), half, control)
    tune(fresh(encoder), half, start, settings=SHORT, seed=0, control=control)
    assert seen
    assert not any(seen)
