"""Adapters for ranking: the same equations in fewer, larger steps.

A version's weights are fixed, so that products of them are made once: keys with values, W_o with U
and the layer's scale, and a norm's weights with the product behind it. A parallel part that is not
added is never made. All of it is small next to the tower, but in single steps it took up to a
third of a small tower's time.
"""

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from nearl_core.model.nearl import EPSILON, Nearl, Oca, Side, UseBlock
from nearl_core.model.packed import Linear, behind_norm, fixed


@dataclass(frozen=True)
class _Adapter:
    """W_q, W_k above W_v, and alpha W_o U of a layer."""

    query: Linear
    both: Linear
    up: Linear


@dataclass(frozen=True)
class _Use:
    """A USEformer block: its tokens' projections, and what follows."""

    qkv: Linear
    out: Linear
    wide: Linear
    narrow: Linear


class Folded:
    """What `Nearl` computes of an image, to rounding; see there. Without gradients.

    Attributes:
        config: Of the adapters.
    """

    def __init__(self, nearl: Nearl) -> None:
        self._nearl, self.config = nearl, nearl.config
        sides = {"image": nearl.image, "text": nearl.text}
        with torch.no_grad():
            self._down = {m: fixed(side.down.T) for m, side in sides.items()}
            blocks = {id(block): _used(block) for block in nearl.use}
            self._layers = {
                modality: _adapters(side, nearl.config.first(len(side.scale)))
                for modality, side in sides.items()
                if nearl.config.adapts(modality)
            }
        # Looked up beforehand: finding a part of a module takes as long as a small product.
        self._use = {
            modality: [blocks[id(nearl.use_block(modality, k))] for k in range(len(side.scale))]
            for modality, side in sides.items()
        }

    @staticmethod
    def fits(nearl: Nearl) -> bool:
        """Whether these adapters add no part of the parallel update beside the orthogonal one."""
        return nearl.config.beta == 0 or not nearl.config.orthogonal

    def start(self, batch: int) -> Tensor:
        """z^0: B x M x r."""
        return self._nearl.start(batch)

    def project(self, modality: str, f: Tensor) -> Tensor:
        """Equation 2."""
        return self._down[modality](_normed(f.float()))

    def share(self, image_layer: int, text_layer: int) -> bool:
        """Whether one USEformer block serves both layers."""
        return self._use["image"][image_layer] is self._use["text"][text_layer]

    def synergy(self, modality: str, layer: int, z: Tensor, h_v: Tensor, h_t: Tensor) -> Tensor:
        """Equation 3."""
        if not self.config.synergy:
            return z
        use = self._use[modality][layer]
        labels = h_t.expand(len(z), -1, -1)
        tokens = _normed(torch.cat([z, h_v.unsqueeze(1), labels], dim=1))
        # What would be the other tokens' questions costs less than a product of its own.
        q, both = use.qkv(tokens).split([self.config.rank, 2 * self.config.rank], dim=-1)
        asked = self._attend(q[:, : z.shape[1]], both)
        z = z + use.out(asked)
        return z + use.narrow(F.gelu(use.wide(_normed(z))))

    def moved(self, modality: str, layer: int, f: Tensor, h: Tensor, z: Tensor) -> Tensor:
        """Equations 4 to 6: the layer's tokens with their update, B x N x D."""
        if modality not in self._layers:
            return f
        adapter = self._layers[modality][layer]
        u = adapter.up(self._attend(adapter.query(h), adapter.both(z)))
        if not self.config.orthogonal:
            return f + u
        length = torch.linalg.vector_norm(f, dim=-1)  # reads f once, and writes no product
        along = torch.linalg.vecdot(u, f) / (length.square() + EPSILON)
        return torch.addcmul(u, f, (1 - along).unsqueeze(-1))  # f + u, less its part along f

    def _attend(self, q: Tensor, both: Tensor) -> Tensor:
        """B x N x r questions to keys beside values, B x M x 2r: B x N x r."""
        batch, count, rank = q.shape
        heads = self.config.heads
        q = q.view(batch, count, heads, -1).transpose(1, 2)
        k, v = both.view(batch, -1, 2, heads, rank // heads).permute(2, 0, 3, 1, 4).unbind(0)
        mixed = F.scaled_dot_product_attention(q, k, v)
        return mixed.transpose(1, 2).reshape(batch, count, rank)


def _normed(x: Tensor) -> Tensor:
    return F.layer_norm(x, x.shape[-1:])


def _adapters(side: Side, first: int) -> dict[int, _Adapter]:
    """Those of the adapted layers."""
    found = {}
    for layer, adapter in enumerate(side.adapters, start=first):
        assert isinstance(adapter, Oca)
        both = torch.cat([adapter.key.weight, adapter.value.weight])
        up = side.scale[layer] * (adapter.out.weight.T @ side.up)
        parts = (adapter.query.weight, both, up.T)
        found[layer] = _Adapter(*(fixed(part) for part in parts))
    return found


def _used(block: nn.Module) -> _Use:
    assert isinstance(block, UseBlock)
    return _Use(
        qkv=fixed(*behind_norm(block.norm_1, block.qkv.weight, None)),
        out=fixed(block.out.weight),
        wide=fixed(*behind_norm(block.norm_2, block.wide.weight, None)),
        narrow=fixed(block.narrow.weight),
    )
