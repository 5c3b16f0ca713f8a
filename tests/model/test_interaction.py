"""What the text side hears of an image: kept, recomputed in part, recomputed whole."""

from dataclasses import replace
from pathlib import Path

import pytest
import torch
from torch import Tensor

from nearl_core.errors import BackboneError
from nearl_core.model import adapter_file
from nearl_core.model.clip_towers import ClipTextTower, Memory
from nearl_core.model.interaction import Interaction, frozen_texts
from nearl_core.model.nearl import Nearl, NearlClip
from nearl_core.model.towers import OpenClip, image_tower, text_tower
from tests.model.making import adapted_clip, pictures, tiny_model, tokens
from tests.model.test_timm_towers import SIGLIP_TEXT, timm_model

PROMPTS = list(tokens().split([2, 1]))  # two labels, one of two prompts
SHAPES = [
    {"image_depth": 3, "text_depth": 3},
    {"image_depth": 4, "text_depth": 2},
    {"image_depth": 2, "text_depth": 6},
    {"image_depth": 5, "text_depth": 3},
    {"image_depth": 3, "text_depth": 7},
]


def clip_of(model: OpenClip, how: Interaction, *, first_layer: int = 0) -> tuple[NearlClip, Nearl]:
    """Equal adapters, whatever the interaction."""
    clip, nearl = adapted_clip(model, first_layer=first_layer)
    nearl.config = replace(nearl.config, interaction=how)
    return clip, nearl


def features(clip: NearlClip, images: Tensor) -> Tensor:
    with torch.inference_mode():
        return clip.images(images, clip.labels(PROMPTS))


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("first_layer", [0, 1, 2])
def test_the_summary_alone_gives_what_whole_texts_give(
    shape: dict[str, int], first_layer: int
) -> None:
    model = tiny_model(**shape)
    whole, alone, kept = (
        features(clip_of(model, how, first_layer=first_layer)[0], pictures(3))
        for how in (Interaction.FULL, Interaction.EOT_ONLY, Interaction.SET_LEVEL)
    )
    torch.testing.assert_close(alone, whole, atol=1e-5, rtol=0)
    assert first_layer == shape["image_depth"] or (whole - kept).abs().max() > 1e-4


def test_whole_texts_are_what_the_equations_say() -> None:
    """Equations 1 to 6 with one z for both towers, image by image, written a second time."""
    model = tiny_model(image_depth=3, text_depth=3)
    clip, nearl = clip_of(model, Interaction.FULL)
    images, texts = pictures(3), torch.cat([one[:1] for one in PROMPTS])
    rows, eot = torch.arange(len(texts)), texts.argmax(-1)
    made = []
    with torch.inference_mode():
        for image in images.split(1):
            x_v, z = model.visual._embeds(image), nearl.start(1)
            x_t = model.token_embedding(texts) + model.positional_embedding
            for k in range(3):
                x_v = model.visual.transformer.resblocks[k](x_v)
                x_t = model.transformer.resblocks[k](x_t, attn_mask=model.attn_mask)
                f_t = x_t[rows, eot]
                h_v, h_t = nearl.project("image", x_v), nearl.project("text", f_t)
                z = nearl.synergy("image", k, z, h_v[:, 0], h_t)
                x_v = x_v + nearl.update("image", k, x_v, h_v, z, None)
                x_t[rows, eot] += nearl.update("text", k, f_t[None], h_t[None], z, None)[0]
            made.append(model.visual._pool(x_v)[0] @ model.visual.proj)
    expected = torch.nn.functional.normalize(torch.cat(made), dim=-1)
    torch.testing.assert_close(features(clip, images), expected, atol=1e-5, rtol=0)


@pytest.mark.parametrize("how", Interaction)
def test_an_image_never_depends_on_the_others_of_its_batch(how: Interaction) -> None:
    clip, _ = clip_of(tiny_model(), how)
    images = pictures(16)
    images[3] *= 50
    found = [torch.cat([features(clip, p) for p in images.split(size)]) for size in (1, 3, 16)]
    for other in found[1:]:
        torch.testing.assert_close(other, found[0], atol=1e-5, rtol=0)


@pytest.mark.parametrize("how", [Interaction.EOT_ONLY, Interaction.FULL])
def test_a_cached_prefix_gives_the_full_path(how: Interaction) -> None:
    clip, _ = clip_of(tiny_model(image_depth=4), how, first_layer=2)
    with torch.inference_mode():
        found = clip.images_from(clip.prefix(pictures(), 2), clip.labels(PROMPTS))
    torch.testing.assert_close(found, features(clip, pictures()), atol=1e-6, rtol=0)


@pytest.mark.parametrize("first_layer", [0, 2])
def test_what_no_image_moves_is_computed_once(
    first_layer: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An adapter moves what a block returns: the first adapted layer's block is frozen too."""
    clip, _ = clip_of(
        tiny_model(image_depth=4, text_depth=4), Interaction.EOT_ONLY, first_layer=first_layer
    )
    labels, walked = clip.labels(PROMPTS), list[int]()
    block = ClipTextTower.summary_block

    def counted(tower: ClipTextTower, layer: int, summary: Tensor, memory: Memory) -> Tensor:
        walked.append(layer)
        return block(tower, layer, summary, memory)

    monkeypatch.setattr(ClipTextTower, "summary_block", counted)
    clip.images(pictures(), labels)
    assert walked == list(range(first_layer + 1, 4))


def test_both_sides_learn_from_each_image() -> None:
    clip, nearl = clip_of(tiny_model(image_depth=3, text_depth=3), Interaction.EOT_ONLY)
    frozen = clip.labels(PROMPTS)
    clip.images(pictures(), replace(frozen, features=frozen.features.detach())).sum().backward()
    for side in (nearl.image, nearl.text):
        assert side.up.grad is not None
        assert side.up.grad.abs().max() > 0


def test_a_bidirectional_tower_is_only_approximated() -> None:
    """Its other tokens see the summary; they stay as they were without adapters."""
    model = timm_model("test_vit", text=SIGLIP_TEXT | {"context_length": 77})
    found = []
    for how in (Interaction.FULL, Interaction.EOT_ONLY):
        clip, nearl = clip_of(model, how)
        torch.nn.init.normal_(nearl.text.up, std=0.1)
        images = torch.randn(2, 3, 160, 160, generator=torch.Generator().manual_seed(1))
        found.append(features(clip, images))
    difference = (found[0] - found[1]).abs().max()
    assert 1e-7 < difference < 0.1


def test_a_tower_that_can_not_compute_its_summary_alone_says_so() -> None:
    class Plain:
        depth, width, bidirectional = 1, 16, True

    with pytest.raises(BackboneError, match="summary alone"):
        frozen_texts(Plain(), tokens(), first=0, how=Interaction.EOT_ONLY)  # type: ignore[arg-type]


def test_a_version_is_bound_to_its_interaction(tmp_path: Path) -> None:
    model = tiny_model()
    _, nearl = clip_of(model, Interaction.EOT_ONLY)
    adapter_file.write(tmp_path / "v1.safetensors", nearl, extra={}, provenance={})
    again, _, _ = adapter_file.read(tmp_path / "v1.safetensors")
    assert again.config.interaction is Interaction.EOT_ONLY
    clip = NearlClip(image_tower(model), text_tower(model), again)
    before, _ = clip_of(model, Interaction.EOT_ONLY)
    same = features(before, pictures())
    torch.testing.assert_close(features(clip, pictures()), same, atol=1e-6, rtol=0)
