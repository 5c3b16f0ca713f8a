"""The adapters: what they compute, what they cost, and that the backbone never feels them."""

from typing import Any

import pytest
import torch
from hypothesis import example, given
from hypothesis import strategies as st
from torch import Tensor, nn
from torch.nn import functional as F

from nearl_core.model.nearl import EPSILON, FULL, Design, Nearl, NearlConfig, split
from tests.model import reference
from tests.model.making import adapted_clip, pictures, tiny_model, tokens

SHAPES = [
    {},
    {"image_depth": 5, "text_depth": 3, "image_width": 48, "text_width": 32},
    {"image_depth": 2, "text_depth": 6},
]
# Two labels, one of two prompts.
PROMPTS = list(tokens().split([2, 1]))


def count(*modules: nn.Module) -> int:
    return sum(p.numel() for module in modules for p in module.parameters())


def test_the_weights_of_vit_b_16_are_those_of_the_table() -> None:
    nearl = Nearl(NearlConfig(768, 512, 12, 12))
    sides = (nearl.image, nearl.text)
    assert count(*(side.adapters for side in sides)) == 884_736
    assert count(nearl.image.adapters) == count(nearl.text.adapters) == 442_368
    assert sum(side.down.numel() + side.up.numel() for side in sides) == 245_760
    assert count(nearl.use) + nearl.queries.numel() == pytest.approx(333_700, abs=100)
    assert sum(side.scale.numel() for side in sides) == 24
    assert nearl.visual_context.numel() == 12 * 96
    assert count(nearl) == 1_465_368


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("first_layer", [0, 1])
def test_features_are_what_the_equations_say(shape: dict[str, int], first_layer: int) -> None:
    model = tiny_model(**shape)
    clip, nearl = adapted_clip(model, first_layer=first_layer)
    with torch.inference_mode():
        context = clip.labels(PROMPTS)
        images, texts = reference.features(model, nearl, pictures(), PROMPTS)
        found = clip.images(pictures(), context)
    torch.testing.assert_close(context.features, texts, atol=1e-5, rtol=0)
    torch.testing.assert_close(found, images, atol=1e-5, rtol=0)
    frozen = model.encode_image(pictures(), normalize=True)
    assert (found - frozen).abs().max() > 0.01


@pytest.mark.parametrize("shape", SHAPES)
def test_fresh_adapters_give_clip_to_the_bit(shape: dict[str, int]) -> None:
    model = tiny_model(**shape)
    clip, _ = adapted_clip(model, fresh=True)
    with torch.inference_mode():  # with gradients PyTorch's attention takes another path
        images = clip.images(pictures(), clip.labels(PROMPTS))
        assert torch.equal(images, model.encode_image(pictures(), normalize=True))
        assert torch.equal(clip.texts(tokens()), model.encode_text(tokens(), normalize=True))


def test_training_the_adapters_leaves_the_backbone_bit_identical() -> None:
    model = tiny_model()
    weights = {name: value.clone() for name, value in model.state_dict().items()}
    image = model.encode_image(pictures(), normalize=True)
    text = model.encode_text(tokens(), normalize=True)
    clip, nearl = adapted_clip(model)
    optimiser = torch.optim.SGD(nearl.parameters(), 0.1)
    context = clip.labels(PROMPTS)
    features = clip.images(pictures(), context)
    F.cross_entropy(features @ context.features.T, torch.tensor([0, 1])).backward()
    optimiser.step()
    unmoved = [name for name, p in nearl.named_parameters() if p.grad is None or not p.grad.any()]
    assert not unmoved
    assert all(torch.equal(value, weights[name]) for name, value in model.state_dict().items())
    assert torch.equal(model.encode_image(pictures(), normalize=True), image)
    assert torch.equal(model.encode_text(tokens(), normalize=True), text)


@given(
    seed=st.integers(0, 2**32 - 1),
    width=st.sampled_from([8, 96, 512, 768]),
    size=st.floats(0.3, 1e3),
    update_size=st.floats(1e-6, 1e3),
)
@example(seed=785, width=8, size=0.30078125, update_size=1.0)
def test_the_update_is_orthogonal_to_the_feature(
    seed: int, width: int, size: float, update_size: float
) -> None:
    generator = torch.Generator().manual_seed(seed)
    f, u = torch.randn(2, 5, width, generator=generator)
    orthogonal, parallel = split(u * update_size, f * size)
    assert orthogonal.dtype == torch.float32
    cosine = F.cosine_similarity(orthogonal.double(), f.double(), dim=-1, eps=1e-30)
    # What the division is kept finite by leaves so much of u along a short f.
    left = EPSILON / (f * size).double().square().sum(-1)
    left *= (u * update_size).double().norm(dim=-1) / orthogonal.double().norm(dim=-1)
    assert (cosine.abs() < 1e-5 + left).all()
    along = F.cosine_similarity(parallel.double(), f.double(), dim=-1, eps=1e-30)
    torch.testing.assert_close(along.abs(), torch.ones_like(along), atol=1e-5, rtol=0)
    torch.testing.assert_close(orthogonal + parallel, u * update_size, rtol=1e-4, atol=1e-3)


def test_half_precision_features_are_split_in_float32() -> None:
    f, u = torch.randn(2, 5, 64, generator=torch.Generator().manual_seed(0)).bfloat16()
    orthogonal, _ = split(u, f)
    assert F.cosine_similarity(orthogonal, f.float(), dim=-1).abs().max() < 1e-5


@pytest.mark.parametrize("shape", SHAPES)
def test_every_layer_of_both_towers_adds_what_is_orthogonal(shape: dict[str, int]) -> None:
    model = tiny_model(**shape)
    clip, nearl = adapted_clip(model)
    seen: list[tuple[Tensor, Tensor]] = []
    with torch.inference_mode():
        context = clip.labels(PROMPTS, observe=lambda f, u: seen.append((f, u)))
        clip.images(pictures(), context, observe=lambda f, u: seen.append((f, u)))
    assert len(seen) == nearl.config.image_depth + nearl.config.text_depth
    for f, update in seen:
        assert F.cosine_similarity(f, update, dim=-1).abs().max() < 1e-5
        assert update.norm(dim=-1).min() > 0.01


def test_a_feature_does_not_depend_on_its_batch() -> None:
    clip, _ = adapted_clip(tiny_model())
    images = pictures(5)
    images[3] *= 50  # an outlier must not pull the others
    with torch.inference_mode():
        context = clip.labels(PROMPTS)
        together = clip.images(images, context)
        alone = torch.cat([clip.images(one[None], context) for one in images])
    torch.testing.assert_close(together, alone, atol=1e-5, rtol=0)


def test_a_cached_prefix_gives_the_full_path() -> None:
    clip, nearl = adapted_clip(tiny_model(image_depth=4), first_layer=2)
    assert len(nearl.image.adapters) == 2
    with torch.inference_mode():
        context = clip.labels(PROMPTS)
        cached = [clip.prefix(one[None], 2) for one in pictures(3)]
        from_cache = clip.images_from(torch.cat(cached), context)
        full = clip.images(pictures(3), context)
    torch.testing.assert_close(from_cache, full, atol=1e-6, rtol=0)


def test_another_label_set_changes_what_an_image_gives() -> None:
    clip, _ = adapted_clip(tiny_model())
    with torch.inference_mode():
        two = clip.images(pictures(), clip.labels(PROMPTS))
        other = clip.images(pictures(), clip.labels([PROMPTS[0], tokens(["a fracture"])]))
    assert (two - other).abs().max() > 1e-5


def test_split_attention_gives_the_same_adapted_features() -> None:
    model = tiny_model()
    found = []
    for split_attention in (False, True):
        clip, _ = adapted_clip(model, split_attention=split_attention)
        with torch.inference_mode():
            found.append(clip.images(pictures(), clip.labels(PROMPTS)))
    torch.testing.assert_close(found[0], found[1], atol=1e-5, rtol=0)


@pytest.mark.parametrize(
    "wrong", [{"rank": 0}, {"heads": 5}, {"image_depth": 0}, {"first_layer": 13}, {"queries": -1}]
)
def test_a_shape_that_can_not_be_is_refused(wrong: dict[str, int]) -> None:
    sizes: dict[str, Any] = {
        "image_width": 8,
        "text_width": 8,
        "image_depth": 12,
        "text_depth": 12,
    } | wrong
    with pytest.raises(ValueError, match=r"every size|heads"):
        NearlConfig(**sizes)


def _both_sides(design: Design, prompts: list[Tensor] = PROMPTS) -> tuple[Tensor, Tensor]:
    clip, _ = adapted_clip(tiny_model(), design=design)
    with torch.inference_mode():
        labels = clip.labels(prompts)
        return clip.images(pictures(), labels), labels.features


def test_without_the_useformer_no_label_is_seen_by_an_image() -> None:
    other = [PROMPTS[1], PROMPTS[0]]
    alone = Design(synergy=False)
    assert torch.equal(_both_sides(alone)[0], _both_sides(alone, [PROMPTS[1]])[0])
    assert (_both_sides(FULL)[0] - _both_sides(FULL, [PROMPTS[1]])[0]).abs().max() > 1e-4
    assert (_both_sides(alone, other)[0] - _both_sides(FULL, other)[0]).abs().max() > 1e-4


def test_an_adapter_of_one_tower_leaves_the_other_as_it_was() -> None:
    frozen = _both_sides(Design(image_tower=False, text_tower=False))
    images, texts = _both_sides(Design(text_tower=False))
    assert torch.equal(texts, frozen[1])
    assert (images - frozen[0]).abs().max() > 0.01
    images, texts = _both_sides(Design(image_tower=False))
    assert torch.equal(images, frozen[0])
    assert (texts - frozen[1]).abs().max() > 0.01


def test_without_the_split_an_update_is_added_whole() -> None:
    f, h, z = torch.randn(2, 5, 32), torch.randn(2, 5, 16), torch.randn(2, 3, 16)

    def update(design: Design) -> Tensor:
        nearl = adapted_clip(tiny_model(), design=design)[1]
        with torch.no_grad():
            nearl.image.scale.fill_(1)
        return nearl.update("image", 1, f, h, z, None).detach()

    whole, orthogonal = update(Design(orthogonal=False)), update(FULL)
    torch.testing.assert_close(split(whole, f)[0], orthogonal)
    assert split(whole, f)[1].abs().max() > 0.1
    torch.testing.assert_close(update(Design(beta=1.0)), whole)
    torch.testing.assert_close(update(Design(beta=0.5)), (whole + orthogonal) / 2)
