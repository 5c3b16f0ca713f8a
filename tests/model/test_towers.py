"""Walking the towers block by block gives what open_clip gives as a whole."""

import pytest
import torch
from torch import Tensor
from torch.nn import functional as F

from nearl_core.errors import BackboneError
from nearl_core.model.nearl import LabelContext, NearlClip
from nearl_core.model.towers import OpenClip, image_tower, text_tower
from tests.model.making import pictures, tiny_model, tokens, walked_images, walked_texts

SHAPES = [
    {},
    {"image_width": 48, "image_depth": 1, "text_width": 32, "text_depth": 4},
    {"image_width": 16, "image_depth": 5, "text_width": 8, "text_depth": 3},
]


def walked(model: OpenClip, *, split: bool = False) -> tuple[Tensor, Tensor]:
    """Features of both towers, not normalised, block by block."""
    return (
        walked_images(image_tower(model, split_attention=split), pictures()),
        walked_texts(text_tower(model, split_attention=split), tokens()),
    )


@pytest.mark.parametrize("shape", SHAPES)
def test_block_by_block_equals_open_clip(shape: dict[str, int]) -> None:
    model = tiny_model(**shape)
    image, text = walked(model)
    torch.testing.assert_close(image, model.encode_image(pictures()), atol=1e-6, rtol=0)
    torch.testing.assert_close(text, model.encode_text(tokens()), atol=1e-6, rtol=0)


@pytest.mark.parametrize("shape", SHAPES)
def test_split_attention_equals_the_stock_block(shape: dict[str, int]) -> None:
    model = tiny_model(**shape)
    for split, stock in zip(walked(model, split=True), walked(model), strict=True):
        torch.testing.assert_close(split, stock, atol=1e-5, rtol=0)


def test_a_cut_text_gives_what_the_full_one_gives() -> None:
    model = tiny_model()
    clip = NearlClip(image_tower(model), text_tower(model), None)
    cut = text_tower(model).cut(tokens())
    assert cut.shape[1] < 15
    features = clip.labels([one[None] for one in tokens()]).features
    full = F.normalize(model.encode_text(tokens()), dim=-1)
    torch.testing.assert_close(features, full, atol=1e-6, rtol=0)


def test_the_summary_of_a_text_is_its_end() -> None:
    place = text_tower(tiny_model()).summary(tokens(["a", "one two three"]))
    assert place.tolist() == [2, 4]  # behind the start and the words


def test_without_adapters_images_are_open_clips_to_the_bit() -> None:
    model = tiny_model()
    clip = NearlClip(image_tower(model), text_tower(model), None)
    features = clip.images(pictures(), LabelContext(torch.zeros(0, 1)))
    assert torch.equal(features, model.encode_image(pictures(), normalize=True))


def test_a_block_that_is_not_the_usual_one_is_left_whole() -> None:
    """Split attention knows one kind of attention; another must not be computed wrongly."""
    model = tiny_model()
    attention = model.visual.transformer.resblocks[0].attn
    called = []

    class Other(torch.nn.Module):
        def forward(self, *inputs: Tensor, **how: object) -> tuple[Tensor, None]:
            called.append(True)
            return attention(*inputs, **how)  # type: ignore[no-any-return]

    model.visual.transformer.resblocks[0].attn = Other()
    walked(model, split=True)
    assert called


def test_a_text_tower_without_a_summary_token_is_refused() -> None:
    model = tiny_model()
    model.text_pool_type = "none"
    with pytest.raises(BackboneError, match="from no token"):
        text_tower(model)


def test_towers_that_are_no_transformers_are_refused() -> None:
    model = tiny_model()
    model.visual = torch.nn.Conv2d(3, 3, 1)
    with pytest.raises(BackboneError, match="not vision"):
        image_tower(model)
