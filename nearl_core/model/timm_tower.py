"""timm's vision transformers as open_clip's image towers, block by block."""

from typing import Any

import torch
from timm.layers.attention import Attention
from timm.models.vision_transformer import Block, VisionTransformer
from torch import Tensor, nn

from nearl_core.errors import BackboneError
from nearl_core.model.attention import attend
from nearl_core.model.hybrid import HybridTransformer


class TimmImageTower:
    """A `VisionTransformer` of timm under open_clip's head; inputs are B x 3 x H x W, normalised.

    Its patches may come from a convolutional stem (timm's `HybridEmbed`).
    """

    def __init__(
        self, trunk: VisionTransformer, head: nn.Module, *, split_attention: bool = False
    ) -> None:
        walks = type(trunk).forward_features is VisionTransformer.forward_features
        if not walks or not (trunk.global_pool or trunk.attn_pool):
            raise BackboneError(
                f"The image tower {type(trunk).__name__} gives no single feature as a ViT does.",
                "Choose a ViT backbone such as starter, BiomedCLIP or ViT-B-16.",
            )
        self._trunk, self._head, self._split = trunk, head, split_attention
        self._blocks = list(trunk.blocks)
        self._patches_from = trunk.num_prefix_tokens
        self._by_class_token = trunk.attn_pool is None and trunk.global_pool == "token"
        self.depth = len(self._blocks)
        self.width = int(trunk.embed_dim)
        self._sees = trunk if isinstance(trunk, HybridTransformer) else None
        sees = self._sees
        self.texture: tuple[int, ...] = () if sees is None else sees.texture.widths

    def embed(self, inputs: Tensor) -> Tensor:
        """Patches, CLS, registers and summaries if there are any, and positions: B x N x D."""
        return self._placed(self._trunk.patch_embed(inputs))

    def embed_seen(self, inputs: Tensor) -> tuple[Tensor, Tensor]:
        """`embed`, and the stem's texture."""
        if self._sees is None:
            return self.embed(inputs), inputs.new_empty(len(inputs), 0)
        stem: Any = self._sees.patch_embed
        tokens, maps = stem.seen(inputs)
        return self._placed(tokens), self._sees.texture(maps)

    def _placed(self, tokens: Tensor) -> Tensor:
        trunk = self._trunk
        x: Tensor = trunk.norm_pre(trunk.patch_drop(trunk._pos_embed(tokens)))
        return x

    def patches(self, x: Tensor) -> Tensor:
        """All tokens but CLS, registers and summaries."""
        return x[:, self._patches_from :]

    def block(self, layer: int, x: Tensor) -> Tensor:
        """One frozen block."""
        block: Any = self._blocks[layer]  # blocks of other kinds are run whole
        usual = type(block) is Block and type(block.attn) is Attention
        if not (self._split and usual):
            return torch.as_tensor(block(x))
        x = x + block.drop_path1(block.ls1(_split_attention(block.attn, block.norm1(x))))
        return torch.as_tensor(x + block.drop_path2(block.ls2(block.mlp(block.norm2(x)))))

    def summarise(self, h: Tensor) -> Tensor:
        """CLS, which stands first; the mean of the patches where CLS makes no feature."""
        return h[:, 0] if self._by_class_token else h[:, self._patches_from :].mean(1)

    def pool(self, x: Tensor) -> Tensor:
        """As timm's and open_clip's own ends do."""
        trunk = self._trunk
        return torch.as_tensor(self._head(trunk.forward_head(trunk.norm(x))))


def _split_attention(attention: Attention, x: Tensor) -> Tensor:
    """Attention of timm by its own weights, without its fused path and its dropout of scores."""
    batch, length, _ = x.shape
    qkv = attention.qkv(x).view(batch, length, 3, attention.num_heads, attention.head_dim)
    q, k, v = qkv.permute(2, 0, 3, 1, 4)  # each B x heads x N x D/heads
    mixed = attend(attention.q_norm(q), attention.k_norm(k), v)
    mixed = attention.norm(mixed.transpose(1, 2).reshape(batch, length, attention.attn_dim))
    gate = getattr(attention, "gate", None)  # newer than the oldest timm that we take
    if gate is not None:
        mixed = mixed * gate(x).sigmoid()
    return torch.as_tensor(attention.proj_drop(attention.proj(mixed)))
