"""The published methods that learn inside the towers, each against properties of its paper."""

from collections.abc import Iterator
from dataclasses import replace
from itertools import combinations

import numpy as np
import pytest
import torch
from timm.layers.attention import Attention
from torch import Tensor, nn

from nearl_core.bench import own
from nearl_core.bench.few_shot import FewShot
from nearl_core.bench.methods import PEERS, Peer, zero_shot
from nearl_core.bench.peers import clip_lora, coop, lora, maple, nearl, prompted, schedules, towers
from nearl_core.control import RunControl
from nearl_core.errors import Cancelled
from nearl_core.learn import evaluate
from nearl_core.model.nearl import FULL
from nearl_core.types import LabelSet
from tests.bench.making import EMBED, LABELS, backbone, cell, picture

INSIDE = [p for p in PEERS if p.name in ("clip-lora", "coop", "maple", "nearl")]
named = pytest.mark.parametrize("peer", INSIDE, ids=lambda p: p.name)


@pytest.fixture(scope="module")
def few() -> FewShot:
    return cell(asked=3)[0]


@pytest.fixture(autouse=True)
def untouched() -> Iterator[None]:
    """The backbone is left as it was found: the same tensors, values, order and hooks."""
    model = backbone().model
    before = {name: (p, p.clone()) for name, p in model.named_parameters()}
    yield
    after = dict(model.named_parameters())
    assert list(after) == list(before)
    assert all(after[name] is p for name, (p, _) in before.items())
    assert all(torch.equal(p, values) for p, values in before.values())
    assert not any(p.requires_grad or p.grad is not None for p in after.values())
    assert not any(module._forward_hooks for module in model.modules())


def steps(monkeypatch: pytest.MonkeyPatch, count: int) -> None:
    monkeypatch.setattr(clip_lora, "STEPS", count)
    monkeypatch.setattr(coop, "MOST_STEPS", count)
    monkeypatch.setattr(maple, "STEPS", count)
    monkeypatch.setattr(nearl, "STEPS", count)


@named
def test_learning_helps(peer: Peer, monkeypatch: pytest.MonkeyPatch) -> None:
    """Against the same method before its first step."""
    few, truth = cell(asked=5)
    right = np.eye(3)[truth]
    steps(monkeypatch, 0)
    before = evaluate.log_loss(peer.run(few), right)
    steps(monkeypatch, 80)
    p = peer.run(few)
    assert p.dtype == np.float64
    assert p.sum(1) == pytest.approx(1)
    assert evaluate.log_loss(p, right) < 0.8 * before


def test_clip_lora_learns_what_can_be_told_apart() -> None:
    few, truth = cell(asked=5)
    assert evaluate.balanced_accuracy(clip_lora.clip_lora(few), np.eye(3)[truth]) >= 0.9


@named
@pytest.mark.parametrize("counts", [(1, 0, 2), (0, 3, 0)])
def test_answers_for_few_and_missing_labels(
    peer: Peer, counts: tuple[int, int, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    steps(monkeypatch, 2)
    few, _ = cell(counts, asked=1)
    p = peer.run(few)
    assert p.shape == (3, 3)
    assert np.isfinite(p).all()
    assert p.sum(1) == pytest.approx(1)


@named
def test_scans_and_labels_are_answered_for_alone(
    peer: Peer, few: FewShot, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By whatever order of labels, and whichever other scans are asked; seeds repeat."""
    steps(monkeypatch, 3)
    usual = peer.run(few)
    assert np.array_equal(peer.run(few), usual)
    alone = replace(few, asked=few.asked[4:5], asked_images=few.asked_images.take([4]))
    assert peer.run(alone) == pytest.approx(usual[4:5], abs=1e-5)
    order = [2, 0, 1]
    turned = replace(
        few,
        label_set=LabelSet(tuple(LABELS.labels[c] for c in order)),
        texts=few.texts[order],
        targets=few.targets[:, order],
    )
    assert peer.run(turned) == pytest.approx(usual[:, order], abs=0.02)  # bfloat16


@named
def test_cancelling_leaves_the_backbone_as_it_was(peer: Peer, few: FewShot) -> None:
    calls = []

    def stop() -> None:
        calls.append(1)
        if len(calls) == len(few.images) + 2:  # in the first steps
            raise Cancelled

    with pytest.raises(Cancelled):
        peer.run(replace(few, control=RunControl(between=stop)))


# --- CLIP-LoRA ---


def _clip(width: int, layers: int) -> nn.Module:
    return nn.ModuleList(nn.MultiheadAttention(width, 8, device="meta") for _ in range(layers))


def test_clip_lora_has_the_papers_number_of_weights() -> None:
    vit_b_16 = nn.ModuleList([_clip(768, 12), _clip(512, 12)])
    found = lora.Lora(lora.targets_of(vit_b_16), rank=2, alpha=1, dropout=0.25, seed=0)
    assert found.size == 184_320  # "0.184 M" in the paper's table of efficiency


def test_fresh_lora_is_zero_shot_to_the_bit(few: FewShot) -> None:
    tokens = clip_lora.prompts(few)
    fresh = clip_lora.lora_of(few).eval()
    with_updates = clip_lora.answer(few, fresh, tokens)
    no_targets = lora.Lora([], rank=2, alpha=1, dropout=0, seed=0).eval()
    assert np.array_equal(with_updates, clip_lora.answer(few, no_targets, tokens))
    assert with_updates == pytest.approx(zero_shot(few), abs=1e-5)


def test_lora_reaches_q_k_and_v_of_all_layers_of_both_towers(few: FewShot) -> None:
    found = clip_lora.lora_of(few)
    names = dict(few.backbone.model.named_modules())
    of = {path for path, m in names.items() if any(t.module is m for t in found.targets)}
    assert len(of) == 3 + 2  # layers of the tiny image and text tower
    assert all(target.parts == 3 for target in found.targets)
    assert found.size == 3 * 2 * 3 * (32 + 32) + 2 * 2 * 3 * (16 + 16)


class _Separate(nn.Module):
    """Attention as BERT has it."""

    def __init__(self) -> None:
        super().__init__()
        self.query, self.key, self.value = (nn.Linear(8, 8) for _ in range(3))

    def forward(self, x: Tensor) -> Tensor:
        scores = self.query(x) @ self.key(x).transpose(1, 2)
        return torch.as_tensor(scores.softmax(-1) @ self.value(x))


@pytest.mark.parametrize("kind", ["timm", "bert"])
def test_lora_over_other_attention(kind: str) -> None:
    model = Attention(8, num_heads=2) if kind == "timm" else _Separate()
    model.requires_grad_(False).eval()
    holder, x = nn.ModuleList([model]), torch.randn(2, 5, 8)
    usual = model(x)
    found = lora.Lora(lora.targets_of(holder), rank=2, alpha=1, dropout=0, seed=0)
    assert found.size == 3 * 2 * (8 + 8)
    with found.over():
        fresh = model(x)
        fresh.sum().backward()
    assert torch.equal(fresh, usual)
    assert all(b.grad is not None and b.grad.abs().sum() > 0 for b in list(found.b)[-1:])
    for b in found.b:
        nn.init.ones_(b)
    with found.over():
        assert not torch.allclose(model(x), usual)
    assert torch.equal(model(x), usual)


def test_lora_drops_inputs_of_the_updates_in_training_alone(few: FewShot) -> None:
    found = clip_lora.lora_of(few)
    for b in found.b:
        nn.init.ones_(b)
    first, second = found.weights()[0], found.weights()[0]
    assert not torch.equal(first, second)
    change = first - found.targets[0].weight
    gone = (change.view(3, 32, 32).abs().sum(1) == 0).float().mean()
    assert 0.1 < gone < 0.4  # a quarter of the inputs of q, k and v each
    found.eval()
    assert torch.equal(found.weights()[0], found.weights()[0])


# --- CoOp and MaPLe ---


def test_coop_learns_sixteen_words_alone(few: FewShot) -> None:
    context = coop.Context(few)
    assert context.words.shape == (16, 16)  # words x text width
    features = torch.randn(3, EMBED)
    seen = towers.towers_of(few)
    seen.loss(features, context.texts(seen), torch.eye(3)).backward()
    assert context.words.grad is not None
    assert (context.words.grad.abs().sum(1) > 0).all()  # each word is heard; see `untouched`


def test_learned_words_that_are_real_words_give_the_texts_of_these_words(few: FewShot) -> None:
    context = coop.Context(few)
    table = prompted.word_embedding(few.backbone.model)
    seen = towers.towers_of(few)
    texts = ["lines " * coop.WORDS + f"{label.name}." for label in LABELS.labels]
    tokens = few.backbone.tokenize(texts)
    with torch.no_grad():
        context.words.copy_(table.weight[tokens[0, 1]].expand(coop.WORDS, -1))
        stock = few.backbone.model.encode_text(tokens, normalize=True)
        assert torch.allclose(context.texts(seen), stock, atol=1e-5)


def test_maple_has_the_papers_number_of_weights() -> None:
    coupled = maple.Coupled(
        torch.zeros(2, 512), text_width=512, image_width=768, depth=maple.DEPTH, seed=0
    )
    assert sum(p.numel() for p in coupled.parameters()) == 3_555_072  # "3.55 M" in the paper


def test_maple_prompts_as_many_layers_as_the_shallower_tower_has(few: FewShot) -> None:
    prompts = maple.Maple(few, towers.towers_of(few))
    assert len(prompts.learned.words) == len(prompts.learned.maps) == 2


def test_maple_starts_from_the_words_of_its_template(few: FewShot) -> None:
    prompts = maple.Maple(few, towers.towers_of(few))
    table = prompted.word_embedding(few.backbone.model)
    tokens = few.backbone.tokenize(["a photo"])[0, 1:3]
    assert torch.equal(prompts.learned.words[0], table.weight[tokens])


def test_maple_couples_the_towers(few: FewShot) -> None:
    """Words learn from the image side too, and every word and map gets its part."""
    seen = towers.towers_of(few)
    prompts = maple.Maple(few, seen)
    x = seen.image.embed(torch.stack([picture(kind, seed=0) for kind in range(3)]))
    prompts.images(x).square().sum(0)[0].backward()
    assert all(p.grad is not None and p.grad.abs().sum() > 0 for p in prompts.learned.parameters())


# --- NEARL by itself ---


def test_fresh_adapters_are_zero_shot(few: FewShot, monkeypatch: pytest.MonkeyPatch) -> None:
    steps(monkeypatch, 0)
    assert nearl.nearl(few) == pytest.approx(zero_shot(few), abs=1e-5)


def test_parts_taken_away_are_missed_where_the_adapters_learn(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    steps(monkeypatch, 3)
    few, _ = cell((2, 2, 2), asked=1)
    designs = (FULL, *own.VARIANTS.values())
    answers = [nearl.nearl(few, design=design) for design in designs]
    for one, other in combinations(answers, 2):
        assert np.abs(one - other).max() > 1e-6


def test_labels_count_alike_however_many_scans_they_have() -> None:
    few, _ = cell((6, 2, 0), asked=1)
    balance = nearl.balance(few)
    assert balance[:2].tolist() == [pytest.approx(8 / 2 / 6), pytest.approx(8 / 2 / 2)]


# --- what they share ---


def test_a_cell_starts_with_a_pass_at_a_low_rate_and_ends_near_zero() -> None:
    factor = schedules.cosine_after_one(10, first=0.005, each=4)
    assert [factor(step) for step in range(4)] == [0.005] * 4
    assert factor(4) == factor(7) == pytest.approx(0.9755, abs=1e-3)
    assert factor(39) == pytest.approx(0.0245, abs=1e-3)


@pytest.mark.parametrize(("counts", "passes"), [((1, 1, 1), 50), ((4, 4, 0), 100), ((8,) * 3, 200)])
def test_coops_passes(counts: tuple[int, int, int], passes: int) -> None:
    assert towers.passes_by_shots(cell(counts, asked=1)[0]) == passes


def test_crops_show_parts_of_the_image() -> None:
    image = torch.arange(16.0).view(1, 1, 16).expand(3, 16, 16)  # brighter to the right
    views = towers.crops(image, 40, generator=torch.Generator().manual_seed(0))
    assert views.shape == (41, 3, 16, 16)
    assert torch.equal(views[0], image)
    slopes = (views[1:, 0, 8, 12] - views[1:, 0, 8, 4]) / 8
    assert (slopes < 0).any()  # mirrored
    assert slopes.abs().min() < 0.7  # cut closely
    assert slopes.abs().max() <= 1 + 1e-4
    assert views.min() >= -1e-4
