"""A process of its own in which Triton's interpreter runs the kernels: what they say, as JSON.

Its own, since Triton reads once whether it interprets, and PyTorch may have loaded it before.
"""

import json

import torch

from nearl_core.model.folded import Folded
from nearl_core.model.fused import Fused
from tests.model.making import adapters_of_width

LOW = torch.float16
"""The interpreter has no bfloat16."""


def far(width: int, rank: int, tokens: int) -> dict[str, float]:
    """How far the kernels are from plain steps, and one token from itself in another batch."""
    nearl = adapters_of_width(width, rank=rank, first_layer=2)
    plain, fused = Folded(nearl), Fused(nearl, LOW)
    random = torch.Generator().manual_seed(1)
    f = 3 * torch.randn(2, tokens, width, generator=random) + 1
    f[0, 0] *= 40  # as tokens are that no picture needs
    z = torch.randn(2, 8, rank, generator=random)
    with torch.inference_mode():
        wanted, h = plain.project("image", f), fused.project("image", f)
        update = plain.moved("image", 3, f, wanted, z) - f
        moved = fused.moved("image", 3, f, h, z)
        alone = fused.moved("image", 3, f[1:], fused.project("image", f[1:]), z[1:])
    return {
        "projected": float((h.float() - wanted).abs().max()),
        "update": float(update.norm() / f.norm()),
        "moved": float((moved - f - update).norm() / update.norm()),
        "alone": float((moved[1:] - alone).abs().max()),
    }


if __name__ == "__main__":
    cases = [(width, rank, n) for width, rank in ((48, 24), (192, 96), (768, 96)) for n in (5, 50)]
    print(json.dumps({f"{w} {r} {n}": far(w, r, n) for w, r, n in cases}))  # noqa: T201
