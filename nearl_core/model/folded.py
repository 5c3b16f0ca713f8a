"""Adapters for ranking: the same equations in fewer, larger steps.

A version's weights are fixed, so that products of them are made once: keys with values, and W_o
with U and the layer's scale. A parallel part that is not added is never made. All of it is small
next to the tower, but in single steps it took up to a third of a small tower's time.
"""

import torch
from torch import Tensor
from torch.nn import functional as F

from nearl_core.model.nearl import EPSILON, Nearl, Oca, Side


class Folded:
    """What `Nearl` computes of an image, to rounding; see there. Without gradients.

    Attributes:
        config: Of the adapters.
    """

    def __init__(self, nearl: Nearl) -> None:
        self._nearl, self.config = nearl, nearl.config
        with torch.no_grad():
            self._layers = {
                modality: _folded(nearl.side(modality), nearl.config.first(len(side.scale)))
                for modality, side in (("image", nearl.image), ("text", nearl.text))
                if nearl.config.adapts(modality)
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
        return self._nearl.project(modality, f)

    def synergy(self, modality: str, layer: int, z: Tensor, h_v: Tensor, h_t: Tensor) -> Tensor:
        """Equation 3."""
        if not self.config.synergy:
            return z
        block = self._nearl.use_block(modality, layer)
        labels = h_t.expand(len(z), -1, -1)
        tokens = block.norm_1(torch.cat([z, h_v.unsqueeze(1), labels], dim=1))
        q, k, v = block.qkv(tokens).chunk(3, dim=-1)
        z = z + block.out(self._attend(q[:, : z.shape[1]], k, v))
        return torch.as_tensor(z + block.narrow(F.gelu(block.wide(block.norm_2(z)))))

    def moved(self, modality: str, layer: int, f: Tensor, h: Tensor, z: Tensor) -> Tensor:
        """Equations 4 to 6: the layer's tokens with their update, B x N x D."""
        if modality not in self._layers:
            return f
        query, both, up = self._layers[modality][layer]
        k, v = F.linear(z, both).chunk(2, dim=-1)
        u = self._attend(F.linear(h, query), k, v) @ up
        if not self.config.orthogonal:
            return f + u
        along = torch.linalg.vecdot(u, f) / (torch.linalg.vecdot(f, f) + EPSILON)
        return torch.addcmul(u, f, (1 - along).unsqueeze(-1))  # f + u, less its part along f

    def _attend(self, q: Tensor, k: Tensor, v: Tensor) -> Tensor:
        heads = self.config.heads
        q, k, v = (t.unflatten(-1, (heads, -1)).transpose(1, 2) for t in (q, k, v))
        return F.scaled_dot_product_attention(q, k, v).transpose(1, 2).flatten(2)


def _folded(side: Side, first: int) -> dict[int, tuple[Tensor, Tensor, Tensor]]:
    """For each adapted layer W_q, W_k above W_v, and alpha W_o U."""
    found = {}
    for layer, adapter in enumerate(side.adapters, start=first):
        assert isinstance(adapter, Oca)
        both = torch.cat([adapter.key.weight, adapter.value.weight])
        up = side.scale[layer] * (adapter.out.weight.T @ side.up)
        found[layer] = adapter.query.weight, both, up
    return found
