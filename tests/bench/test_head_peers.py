"""The published heads, each against properties of its paper."""

from dataclasses import replace
from functools import cache

import numpy as np
import pytest
import torch

from nearl_core.bench import methods
from nearl_core.bench.few_shot import FewShot
from nearl_core.bench.methods import PEERS, Peer, zero_shot
from nearl_core.bench.peers import (
    clip_adapter,
    heads,
    lp_plus_plus,
    ss_text,
    task_res,
    text_probe,
    tip_adapter,
)
from nearl_core.control import RunControl
from nearl_core.errors import Cancelled, NearlError
from nearl_core.learn import evaluate
from nearl_core.learn.examples import FloatArray
from nearl_core.types import LabelSet
from tests.bench.making import EMBED, LABELS, cell

INSIDE = ("clip-lora", "coop", "maple", "nearl")
PROBES = ("linear-probe", "linear-probe+blocks")
HEADS = [p for p in PEERS if p.name not in ("zero-shot", *PROBES, *INSIDE)]
named = pytest.mark.parametrize("peer", HEADS, ids=lambda p: p.name)


@pytest.fixture(scope="module")
def few() -> FewShot:
    return cell()[0]


@cache
def said(peer: Peer) -> FloatArray:
    """What a peer says of the usual cell; learned once."""
    found = peer.run(cell()[0])
    found.flags.writeable = False
    return found


def logits_of_zero_shot(few: FewShot) -> torch.Tensor:
    shots = heads.shots_of(few)
    return heads.cosine_logits(heads.asked_of(few), shots.texts, shots.scale)


@named
def test_learns_what_can_be_told_apart(peer: Peer) -> None:
    p, truth = said(peer), cell()[1]
    assert p.dtype == np.float64
    assert p.sum(1) == pytest.approx(1)
    assert evaluate.balanced_accuracy(p, np.eye(3)[truth]) >= 0.9


@named
@pytest.mark.parametrize("counts", [(1, 1, 1), (5, 0, 1), (0, 3, 0)])
def test_answers_for_few_and_missing_labels(peer: Peer, counts: tuple[int, int, int]) -> None:
    few, _ = cell(counts, asked=2)
    p = peer.run(few)
    assert p.shape == (6, 3)
    assert np.isfinite(p).all()
    assert p.sum(1) == pytest.approx(1)


@named
def test_the_order_of_labels_does_not_matter(peer: Peer, few: FewShot) -> None:
    order = [2, 0, 1]
    turned = replace(
        few,
        label_set=LabelSet(tuple(LABELS.labels[c] for c in order)),
        texts=few.texts[order],
        targets=few.targets[:, order],
    )
    assert peer.run(turned) == pytest.approx(said(peer)[:, order], abs=2e-3)


@named
def test_what_is_said_of_a_scan_depends_on_no_other(peer: Peer, few: FewShot) -> None:
    alone = replace(few, asked=few.asked[:1], asked_images=few.asked_images.take([0]))
    same = peer.run(alone) == pytest.approx(said(peer)[:1], abs=1e-5)
    assert same == (peer.name != "ss-text-u")  # transductive by its definition


@named
def test_equal_seeds_give_equal_answers(peer: Peer, few: FewShot) -> None:
    assert np.array_equal(peer.run(few), said(peer))


def test_only_for_one_label_a_scan(few: FewShot) -> None:
    with pytest.raises(NearlError, match="one label a scan"):
        replace(few, label_set=LabelSet(LABELS.labels, multi_label=True))


def test_a_descent_can_be_cancelled(few: FewShot) -> None:
    control = RunControl()
    control.cancel()
    with pytest.raises(Cancelled):
        text_probe.text_probe(replace(few, control=control))


def test_tip_adapter_with_alpha_zero_is_zero_shot(few: FewShot) -> None:
    shots, asked = heads.shots_of(few), heads.asked_of(few)
    cached = tip_adapter.logits(shots, asked, shots.x, 0.0, 5.5)
    assert torch.equal(cached, logits_of_zero_shot(few))


def test_tip_adapter_reads_a_key_at_full_weight(few: FewShot) -> None:
    """A scan that is its own key adds alpha to its label, whatever beta is."""
    shots = heads.shots_of(few).take(np.array([0]))
    with_cache = tip_adapter.logits(shots, shots.x, shots.x, 2.0, 7.0)
    added = with_cache - heads.cosine_logits(shots.x, shots.texts, shots.scale)
    assert added[0].tolist() == pytest.approx([2.0, 0.0, 0.0])


def test_clip_adapter_with_ratio_zero_is_zero_shot(few: FewShot) -> None:
    shots, asked = heads.shots_of(few), heads.asked_of(few)
    (found,) = clip_adapter.fit(shots, asked, ratios=(0.0,), seed=0)
    assert found.double().numpy() == pytest.approx(logits_of_zero_shot(few).numpy(), abs=1e-4)


def test_clip_adapter_has_a_bottleneck_of_a_quarter() -> None:
    down, up = clip_adapter.bottleneck(1024, seed=0)
    assert down.numel() + up.numel() == 2 * 1024 * 256


def test_task_res_with_a_zero_residual_is_zero_shot(few: FewShot) -> None:
    found = task_res.fit(heads.shots_of(few), heads.asked_of(few), steps=0)
    assert found[0].numpy() == pytest.approx(logits_of_zero_shot(few).numpy())


def test_a_text_probe_of_no_steps_is_zero_shot(few: FewShot) -> None:
    assert torch.equal(text_probe.vectors(heads.shots_of(few), steps=0), heads.shots_of(few).texts)
    assert zero_shot(few) == pytest.approx(heads.probabilities(logits_of_zero_shot(few)))


def test_lp_plus_plus_starts_in_closed_form(few: FewShot) -> None:
    shots = heads.shots_of(few)
    w, alpha = lp_plus_plus.train(shots, steps=0)
    of_first = few.features[few.targets[:, 0] > 0]
    assert w[0].numpy() == pytest.approx(of_first.sum(0))
    cosines = [
        (few.features[few.targets[:, c] > 0] @ shots.texts[c].numpy()).mean() for c in range(3)
    ]
    assert alpha.tolist() == pytest.approx([250 * shots.scale / 100 * np.mean(cosines)] * 3)


def test_lp_plus_plus_steps_by_its_lipschitz_bound(few: FewShot) -> None:
    """One plain step of this size never raises the loss, wherever it starts."""
    shots = heads.shots_of(few)
    rate, alpha_rate = lp_plus_plus.step_sizes(shots)
    largest = np.linalg.eigvalsh(few.features.T @ few.features).max()
    assert rate == pytest.approx(4 * len(few.features) / largest)
    assert alpha_rate > 0
    generator = torch.Generator().manual_seed(0)
    for spread in (0.1, 1.0, 10.0):
        w = spread * torch.randn(3, EMBED, generator=generator, dtype=torch.float64)
        w.requires_grad_()
        zero = torch.zeros(3, dtype=torch.float64)
        loss = heads.cross_entropy(lp_plus_plus.logits(shots.x, shots.texts, w, zero), shots.y)
        (gradient,) = torch.autograd.grad(loss, w)
        moved = lp_plus_plus.logits(shots.x, shots.texts, w - rate * gradient, zero)
        assert heads.cross_entropy(moved, shots.y).item() <= loss.item() + 1e-12


def test_ss_text_mixes_by_the_share_of_a_label() -> None:
    few, _ = cell((6, 2, 0))
    shots = heads.shots_of(few)
    assert ss_text.weights(shots).tolist() == pytest.approx([6 / 8, 2 / 8, 0])
    mu = ss_text.mixed(shots).numpy()
    of_second = few.features[few.targets[:, 1] > 0]
    text = few.texts.double().numpy()
    assert mu[1] == pytest.approx(text[1] + shots.scale * 2 / 8 * of_second.sum(0))
    assert mu[2] == pytest.approx(text[2])  # without a decision the text alone
    assert ss_text.shares(shots).tolist() == pytest.approx([12 / 17, 4 / 17, 1 / 17])


def test_sinkhorn_keeps_the_shares() -> None:
    logits = torch.randn(200, 3, generator=torch.Generator().manual_seed(0)).double() * 3
    share = torch.tensor([0.5, 0.3, 0.2], dtype=torch.float64)
    q = ss_text.sinkhorn(logits, share)
    assert q.sum(1).numpy() == pytest.approx(1)
    assert q.mean(0).numpy() == pytest.approx(share.numpy(), abs=0.03)


def test_the_probe_on_blocks_reads_more_than_the_embedding(few: FewShot) -> None:
    truth = cell()[1]
    embedded = replace(few.deep, blocks=(), features=few.features)
    alone = methods.linear_probe_on_blocks(replace(few, deep=embedded, asked_deep=few.asked))
    on_all = methods.linear_probe_on_blocks(few)
    assert alone == pytest.approx(methods.linear_probe_on_features(few), abs=0.02)
    assert on_all.sum(1) == pytest.approx(1)
    assert not np.allclose(on_all, alone, atol=0.02)
    assert evaluate.balanced_accuracy(on_all, np.eye(3)[truth]) >= 0.9
