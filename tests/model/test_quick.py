"""Fixed weights laid out for the processor, and the text side that ranks with them."""

from typing import Any

import pytest
import torch
from torch.nn import functional as F

from nearl_core.model import packed
from nearl_core.model.clip_towers import ClipTextTower
from nearl_core.model.interaction import Interaction, frozen_texts
from nearl_core.model.lowered import LoweredTower, Precision
from nearl_core.model.packed import PackedLinear, fixed
from nearl_core.model.quick_text import QuickTextTower, quick_text_tower
from nearl_core.model.towers import OpenClip, image_tower, text_tower
from tests.model.making import pictures, tiny_model, tokens, walked_images
from tests.model.test_timm_towers import SIGLIP_TEXT, TEXT, timm_model

pytestmark = pytest.mark.usefixtures("_pays")
MODELS: dict[str, dict[str, Any]] = {
    "clip": TEXT,
    "openai": TEXT | {"act_kwargs": {"approximate": "tanh"}},
    "scaled": TEXT | {"ls_init_value": 0.3},
    "siglip": SIGLIP_TEXT,
}


@pytest.fixture(params=["packed", "turned", "plain"])
def _pays(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    if request.param == "packed" and not packed.works(torch.float32):
        pytest.skip("this PyTorch packs no weights on this processor")
    how = packed.works if request.param == "packed" else lambda _dtype: False
    monkeypatch.setattr(packed, "pays", how)
    monkeypatch.setattr(packed, "turns", lambda *_: request.param == "turned")


def test_a_pytorch_that_can_not_pack_is_done_without(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuses(*_arguments: object) -> None:
        raise RuntimeError("oneDNN was not built for this processor")

    monkeypatch.undo()
    monkeypatch.setattr(packed, "_packed", refuses)
    packed.works.cache_clear()
    assert not packed.works(torch.float32)
    packed.works.cache_clear()


@pytest.mark.parametrize("size", [(7, 5), (300, 200)])
def test_a_fixed_product_is_the_plain_one(size: tuple[int, int]) -> None:
    weight, bias, x = torch.randn(size), torch.randn(size[0]), torch.randn(2, 3, size[1])
    wanted = F.linear(x, weight, bias)
    with torch.inference_mode():
        torch.testing.assert_close(fixed(weight, bias)(x), wanted, atol=1e-4, rtol=0)
        low = fixed(weight.bfloat16(), bias.bfloat16())(x)
    assert low.dtype == torch.bfloat16
    torch.testing.assert_close(low.float(), wanted, atol=0.3, rtol=0.02)


def test_a_packed_layer_can_be_trained_through() -> None:
    layer, x = PackedLinear(torch.randn(4, 6), None), torch.randn(2, 6, requires_grad=True)
    layer(x).sum().backward()
    assert x.grad is not None
    torch.testing.assert_close(x.grad, layer.weight.sum(0).expand(2, -1))


def test_turned_weights_are_the_same_in_another_order(monkeypatch: pytest.MonkeyPatch) -> None:
    weight = torch.randn(4, 6)
    monkeypatch.setattr(packed, "turns", lambda *_: True)
    turned = packed.laid_out(weight)
    assert torch.equal(turned, weight)
    assert turned.stride() == (1, 4)


def test_a_packed_layer_takes_no_second_copy(monkeypatch: pytest.MonkeyPatch) -> None:
    if not packed.works(torch.float32):
        pytest.skip("this PyTorch packs no weights on this processor")
    monkeypatch.setattr(packed, "pays", packed.works)
    monkeypatch.setattr(packed, "turns", lambda *_: True)
    weight = torch.randn(4, 6)
    assert PackedLinear(weight, None).weight.data_ptr() == weight.data_ptr()


def test_nothing_is_turned_for_other_devices(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.undo()
    assert not packed.turns(torch.float32, "cuda")


@pytest.mark.parametrize("kind", ["open_clip", "timm"])
def test_a_packed_tower_is_the_stock_one(kind: str) -> None:
    model = tiny_model() if kind == "open_clip" else timm_model("test_vit")
    images = pictures(3) if kind == "open_clip" else torch.randn(3, 3, 160, 160)
    with torch.inference_mode():
        found = walked_images(LoweredTower(model, Precision.FLOAT32), images)
        torch.testing.assert_close(
            found, walked_images(image_tower(model), images), atol=1e-5, rtol=0
        )


def model_of(name: str) -> OpenClip:
    model = timm_model("test_vit", text=MODELS[name])
    for parameter in model.text.parameters():  # norms and biases too
        torch.nn.init.normal_(parameter, std=0.3)
    return model


@pytest.mark.parametrize("name", MODELS)
@pytest.mark.parametrize("batch", [1, 3])
def test_a_quick_summary_is_the_plain_one(name: str, batch: int) -> None:
    model, texts = model_of(name), tokens()
    quick, plain = quick_text_tower(model, dtype=torch.float32), text_tower(model)
    assert isinstance(quick, QuickTextTower)
    assert isinstance(plain, ClipTextTower)
    with torch.inference_mode():
        found = []
        for tower in (quick, plain):
            kept = frozen_texts(tower, texts, first=0, how=Interaction.EOT_ONLY)
            assert kept.memories is not None
            x = torch.randn(batch, 3, 16, generator=torch.Generator().manual_seed(0))
            for layer, memory in enumerate(kept.memories, start=len(kept.known)):
                x = tower.summary_block(layer, x, memory)
            found.append(x)
    torch.testing.assert_close(found[0], found[1], atol=1e-5, rtol=1e-5)


def test_a_quick_summary_in_bfloat16_is_near() -> None:
    model, texts = model_of("clip"), tokens()
    with torch.inference_mode():
        exact, low = (
            frozen_texts(tower, texts, first=0, how=Interaction.EOT_ONLY).run(tower, 2).step(1)
            for tower in (text_tower(model), quick_text_tower(model, dtype=torch.bfloat16))
        )
    assert 0 < (exact - low).norm() < 0.01 * exact.norm()


def test_a_tower_of_other_blocks_keeps_the_plain_way() -> None:
    model = timm_model("test_vit")
    model.text.transformer.resblocks[0].mlp = torch.nn.Identity()
    assert type(quick_text_tower(model, dtype=torch.float32)) is ClipTextTower
