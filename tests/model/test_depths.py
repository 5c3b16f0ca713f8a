"""Deep features: the embedding, and what the tower saw on the way."""

import pytest
import torch

from nearl_core.model import backbones, depths
from nearl_core.model.hybrid import NAME, STEM
from nearl_core.model.lowered import LoweredTower, Precision
from nearl_core.model.texture import PROJECTED, Texture
from nearl_core.model.towers import ImageTower, image_tower
from tests.engine.making import EMBED, MODEL, SIZE

HYBRID = {
    **MODEL,
    "vision_cfg": {
        "image_size": 224,
        "timm_model_name": NAME,
        "timm_pool": "token",
        "timm_proj": "linear",
    },
}


def _tower(kind: str) -> tuple[ImageTower, int]:
    torch.manual_seed(0)
    model = backbones.build(HYBRID if kind == "hybrid" else MODEL).eval()
    if kind == "lowered":
        return LoweredTower(model, Precision.BFLOAT16), SIZE
    return image_tower(model), 224 if kind == "hybrid" else SIZE


@pytest.mark.parametrize("kind", ["plain", "hybrid", "lowered"])
def test_the_embedding_stands_first_and_the_blocks_behind_it(kind: str) -> None:
    tower, side = _tower(kind)
    images = torch.randn(3, 3, side, side)
    with torch.inference_mode():
        found = depths.features(tower, images)
        x = tower.embed(images)
        for layer in range(tower.depth):
            x = tower.block(layer, x)
        embedding = torch.nn.functional.normalize(tower.pool(x), dim=-1)
    widths = depths.blocks(tower)
    assert found.shape == (3, EMBED + sum(widths))
    assert torch.allclose(found[:, :EMBED], embedding, atol=1e-6)
    for block in torch.split(found, [EMBED, *widths], dim=1):
        assert torch.allclose(block.norm(dim=1), torch.ones(3), atol=1e-4)


def test_a_stem_shows_its_texture_and_a_plain_tower_its_patches() -> None:
    (hybrid, _), (plain, _) = _tower("hybrid"), _tower("plain")
    assert depths.blocks(hybrid) == (STEM[-1], PROJECTED, PROJECTED)
    assert depths.blocks(plain) == (plain.width, plain.width)


@pytest.mark.parametrize("kind", ["plain", "hybrid"])
def test_features_do_not_depend_on_the_batch(kind: str) -> None:
    tower, side = _tower(kind)
    images = torch.randn(4, 3, side, side)
    with torch.inference_mode():
        together = depths.features(tower, images)
        alone = torch.cat([depths.features(tower, one[None]) for one in images])
    assert torch.allclose(together, alone, atol=1e-5)


def test_an_even_picture_has_finite_features() -> None:
    tower, side = _tower("hybrid")
    with torch.inference_mode():
        found = depths.features(tower, torch.zeros(1, 3, side, side))
    assert found.isfinite().all()


def test_pooling_keeps_what_places_share_and_how_they_differ() -> None:
    places = torch.tensor([[[1.0, 0.0], [1.0, 4.0]]])
    mean, deviation = depths.pooled(places)[0].split(2)
    assert torch.allclose(mean, torch.tensor([1.0, 2.0]) / 5**0.5)
    assert torch.allclose(deviation, torch.tensor([0.0, 1.0]), atol=1e-5)


def test_texture_tells_which_channels_answer_together() -> None:
    """Two maps with equal means, deviations and maxima, whose channels go together or apart."""
    torch.manual_seed(0)
    texture = Texture(2, 2)
    wave = torch.linspace(0, 6.28, 64).sin().view(1, 1, 8, 8)
    together, apart = torch.cat([wave, wave], 1), torch.cat([wave, wave.mT], 1)
    with torch.no_grad():
        (one, _), (other, _) = (texture.measured([x, x]) for x in (together, apart))
        found, different = (texture([x, x]) for x in (together, apart))
    assert torch.equal(found[:, :2], different[:, :2])
    assert not torch.allclose(one, other, atol=0.1)
    assert not torch.allclose(found[:, 2:], different[:, 2:], atol=0.05)
    assert one[0, 1] > 0.3 > other[0, 1]  # the covariance of the two channels


def test_texture_does_not_depend_on_how_a_covariance_is_turned() -> None:
    """The logarithm's length is that of the logarithms of the deviations, whatever the axes."""
    torch.manual_seed(1)
    places = torch.randn(1, 4, 16, 16) * torch.tensor([1.0, 2.0, 4.0, 8.0]).view(1, 4, 1, 1)
    turn = torch.linalg.qr(torch.randn(4, 4))[0]
    turned = torch.einsum("ij,bjhw->bihw", turn, places)
    texture = Texture(4, 4)
    with torch.no_grad():
        plain, moved = (texture.measured([x, x])[0] for x in (places, turned))
    assert plain.norm() == pytest.approx(1, abs=1e-5)
    assert moved.norm() == pytest.approx(1, abs=1e-5)
    diagonal = [0, 4, 7, 9]
    assert float(moved[0, diagonal].sum()) == pytest.approx(float(plain[0, diagonal].sum()), 1e-3)
