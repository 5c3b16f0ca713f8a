"""Adapters for ranking say what the equations step by step say."""

from dataclasses import replace

import pytest
import torch
from torch import Tensor

from nearl_core.model.folded import Folded
from nearl_core.model.interaction import Interaction
from nearl_core.model.nearl import FULL, Design, NearlClip
from nearl_core.model.quick_text import quick_text_tower
from nearl_core.model.towers import image_tower
from tests.model.making import adapted_clip, pictures, tiny_model, tokens

PROMPTS = list(tokens().split([2, 1]))
DESIGNS = [
    FULL,
    replace(FULL, synergy=False),
    replace(FULL, orthogonal=False),
    replace(FULL, image_tower=False),
    replace(FULL, text_tower=False),
]


def _both(
    design: Design, how: Interaction, *, first_layer: int = 0, fresh: bool = False
) -> tuple[NearlClip, NearlClip]:
    """The same adapters plain and folded."""
    model = tiny_model(image_depth=4, text_depth=3)
    plain, nearl = adapted_clip(model, first_layer=first_layer, design=design, fresh=fresh)
    nearl.config = replace(nearl.config, interaction=how)
    assert Folded.fits(nearl)
    text = quick_text_tower(model, dtype=torch.float32)
    return plain, NearlClip(image_tower(model), text, nearl, ranks=Folded(nearl))


def _features(clip: NearlClip, images: Tensor) -> Tensor:
    with torch.inference_mode():
        return clip.images(images, clip.labels(PROMPTS))


@pytest.mark.parametrize("design", DESIGNS)
@pytest.mark.parametrize("how", Interaction)
@pytest.mark.parametrize("first_layer", [0, 2])
def test_folded_adapters_rank_as_plain_ones(
    design: Design, how: Interaction, first_layer: int
) -> None:
    plain, folded = _both(design, how, first_layer=first_layer)
    images = pictures(5)
    images[3] *= 50
    wanted = _features(plain, images)
    torch.testing.assert_close(_features(folded, images), wanted, atol=1e-5, rtol=0)
    alone = torch.cat([_features(folded, one) for one in images.split(1)])
    torch.testing.assert_close(alone, wanted, atol=1e-5, rtol=0)


@pytest.mark.parametrize("how", Interaction)
def test_fresh_adapters_move_nothing_when_folded(how: Interaction) -> None:
    plain, folded = _both(FULL, how, fresh=True)
    assert torch.equal(_features(folded, pictures()), _features(plain, pictures()))


def test_a_parallel_part_that_is_kept_is_not_folded_away() -> None:
    _, nearl = adapted_clip(tiny_model(), design=replace(FULL, beta=0.5))
    assert not Folded.fits(nearl)
