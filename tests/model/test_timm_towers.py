"""timm's image towers and SigLIP's text tower, walked block by block."""

from functools import partial
from typing import Any

import pytest
import timm
import torch
from timm.layers.attention import Attention
from timm.layers.hybrid_embed import HybridEmbed
from timm.models import register_model
from timm.models.vision_transformer import VisionTransformer
from torch import Tensor, nn

from nearl_core.errors import BackboneError
from nearl_core.model import backbones
from nearl_core.model.hybrid import NAME
from nearl_core.model.nearl import LabelContext, NearlClip
from nearl_core.model.timm_tower import TimmImageTower
from nearl_core.model.towers import OpenClip, image_tower, text_tower
from tests.model.making import adapted_clip, tokens, walked_images, walked_texts

TEXT = {"context_length": 77, "vocab_size": 49408, "heads": 2, "width": 16, "layers": 2}
SIGLIP_TEXT = TEXT | {
    "no_causal_mask": True,
    "pool_type": "last",
    "proj_bias": True,
    "norm_kwargs": {"eps": 1e-6},
    "act_kwargs": {"approximate": "tanh"},
}
# Side in pixels, name, pool and projection of open_clip's configuration.
TOWERS = [
    (224, "vit_tiny_r_s16_p8_224", "token", "linear"),  # a convolutional stem
    (224, "vit_tiny_patch16_224", "token", "linear"),
    (224, "vit_tiny_patch16_224", "avg", "mlp"),  # with a class token that makes no feature
    (64, "nearl_test_hybrid", "token", "linear"),  # a stem with batch norms
    (224, NAME, "token", "linear"),  # the starter's: summaries of its stem, a feature of all tokens
    (160, "test_vit", "token", "none"),  # positions made to measure
    (160, "test_vit2", "avg", "linear"),  # registers, no class token
    (160, "test_vit3", "map", "none"),  # SigLIP's attention pool
    (160, "test_vit4", "", "linear"),  # RMS norms; the pool is the model's own
]


@register_model
def nearl_test_hybrid(pretrained: bool = False, **_timms_own: Any) -> VisionTransformer:
    """A transformer over the first stages of a MobileNetV2, whose norms have seen images."""
    assert not pretrained
    stem: Any = timm.create_model("mobilenetv2_050", features_only=True, out_indices=(2,))
    stem.train()(torch.randn(4, 3, 64, 64))
    embed, shape = partial(HybridEmbed, backbone=stem), {"depth": 2, "num_heads": 2}
    made: Any = VisionTransformer
    model = made(64, 1, embed_dim=32, embed_layer=embed, **shape)
    model.default_cfg = {}
    assert isinstance(model, VisionTransformer)
    return model


def timm_model(
    name: str, *, pool: str = "token", proj: str = "linear", text: dict[str, Any] = TEXT
) -> OpenClip:
    """An open_clip model with an image tower of timm, with random weights that are not tiny."""
    side = next(tower[0] for tower in TOWERS if tower[1] == name)
    vision = {"timm_model_name": name, "timm_pool": pool, "timm_proj": proj, "image_size": side}
    cfg = {"embed_dim": 8, "custom_text": True, "vision_cfg": vision, "text_cfg": text}
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        model = backbones.build(cfg)
        for part in model.modules():  # layer scales of 1e-5 would hide what the blocks do
            if isinstance(getattr(part, "gamma", None), nn.Parameter):
                nn.init.uniform_(part.gamma, 0.5, 1.5)
    return model.eval().requires_grad_(False)


def pictures(side: int) -> Tensor:
    return torch.randn(2, 3, side, side, generator=torch.Generator().manual_seed(1))


@pytest.mark.parametrize(("side", "name", "pool", "proj"), TOWERS)
def test_a_timm_tower_block_by_block_equals_open_clip_to_the_bit(
    side: int, name: str, pool: str, proj: str
) -> None:
    model = timm_model(name, pool=pool, proj=proj)
    stock = model.encode_image(pictures(side))
    assert not torch.allclose(stock[0], stock[1], atol=1e-3)
    assert torch.equal(walked_images(image_tower(model), pictures(side)), stock)
    split = image_tower(model, split_attention=True)
    torch.testing.assert_close(walked_images(split, pictures(side)), stock, atol=1e-5, rtol=0)


@pytest.mark.parametrize(("side", "name", "pool", "proj"), TOWERS)
def test_fresh_and_detached_adapters_on_a_timm_tower_change_nothing(
    side: int, name: str, pool: str, proj: str
) -> None:
    model = timm_model(name, pool=pool, proj=proj)
    before = model.encode_image(pictures(side), normalize=True)
    clip, nearl = adapted_clip(model, fresh=True)
    assert torch.equal(clip.images(pictures(side), clip.labels([tokens()])), before)
    nn.init.normal_(nearl.image.up)
    assert not torch.allclose(clip.images(pictures(side), clip.labels([tokens()])), before)
    assert torch.equal(model.encode_image(pictures(side), normalize=True), before)


@pytest.mark.parametrize(
    ("name", "pool", "patches"),
    [
        ("vit_tiny_patch16_224", "token", slice(0, 1)),
        ("vit_tiny_patch16_224", "avg", slice(1, None)),
        ("test_vit2", "avg", slice(1, None)),  # behind the register
        ("test_vit3", "map", slice(1, None)),
    ],
)
def test_what_stands_for_an_image(name: str, pool: str, patches: slice) -> None:
    """CLS where the feature is made of it, else the mean of the patches, without registers."""
    h = torch.randn(2, 6, 4)
    found = image_tower(timm_model(name, pool=pool)).summarise(h)
    torch.testing.assert_close(found, h[:, patches].mean(1))


def test_split_attention_under_bfloat16_stays_with_the_stock_feature() -> None:
    model = timm_model("test_vit")
    stock = model.encode_image(pictures(160), normalize=True)
    clip = NearlClip(image_tower(model, split_attention=True), text_tower(model), None)
    with torch.autocast("cpu", torch.bfloat16):
        mixed = clip.images(pictures(160), LabelContext(torch.zeros(0, 1)))
    assert float((mixed * stock).sum(-1).min()) > 0.999


def test_an_image_of_a_timm_tower_does_not_depend_on_its_batch() -> None:
    clip, _ = adapted_clip(timm_model("vit_tiny_r_s16_p8_224"))
    labels = clip.labels([tokens()])
    together = clip.images(pictures(224), labels)
    alone = torch.cat([clip.images(one[None], labels) for one in pictures(224)])
    torch.testing.assert_close(together, alone, atol=1e-5, rtol=0)


def test_attention_with_norms_and_a_gate_is_split_alike() -> None:
    model = timm_model("test_vit")
    how: dict[str, Any] = {"qk_norm": True, "scale_norm": True, "gated": True}
    for block in model.visual.trunk.blocks:
        block.attn = Attention(64, 2, norm_layer=nn.LayerNorm, qkv_bias=True, **how).eval()
        for norm in (block.attn.q_norm, block.attn.k_norm, block.attn.norm):
            nn.init.uniform_(norm.weight, 0.5, 2)
    stock = model.encode_image(pictures(160))
    split = walked_images(image_tower(model, split_attention=True), pictures(160))
    torch.testing.assert_close(split, stock, atol=1e-5, rtol=0)


def test_a_trunk_that_gives_no_single_feature_is_refused() -> None:
    model = timm_model("test_vit")
    model.visual.trunk.global_pool = ""
    with pytest.raises(BackboneError, match="no single feature"):
        image_tower(model)
    model.visual.trunk = nn.Conv2d(3, 3, 1)
    with pytest.raises(BackboneError, match="not a vision transformer"):
        image_tower(model)


# --- SigLIP's text tower ---


def test_a_siglip_text_block_by_block_equals_open_clip() -> None:
    model = timm_model("test_vit3", pool="map", proj="none", text=SIGLIP_TEXT)
    tower = text_tower(model)
    assert tower.bidirectional
    assert isinstance(image_tower(model), TimmImageTower)
    stock = model.encode_text(tokens())
    torch.testing.assert_close(walked_texts(tower, tokens()), stock, atol=1e-6, rtol=0)
    split = walked_texts(text_tower(model, split_attention=True), tokens())
    torch.testing.assert_close(split, stock, atol=1e-5, rtol=0)


def test_a_siglip_text_is_never_cut_and_its_last_token_stands_for_it() -> None:
    tower = text_tower(timm_model("test_vit", text=SIGLIP_TEXT))
    assert tower.cut(tokens()).shape == tokens().shape
    assert tower.summary(tokens()).tolist() == [76] * 3


@pytest.mark.parametrize("how", [{"pool_type": "eos", "eos_id": 49407}, {"pool_type": "argmax"}])
def test_texts_that_end_with_eot(how: dict[str, Any]) -> None:
    model = timm_model("test_vit", text=TEXT | how)
    tower = text_tower(model)
    assert tower.summary(tokens(["a", "one two three"])).tolist() == [2, 4]
    cut = tower.cut(tokens())
    assert cut.shape[1] < 15
    stock = model.encode_text(tokens())
    torch.testing.assert_close(walked_texts(tower, cut), stock, atol=1e-6, rtol=0)
