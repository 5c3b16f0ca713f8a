"""Attention for few tokens, written out where that is quicker.

`scaled_dot_product_attention` on a CPU takes four to ten times as long on the way back in
bfloat16 (65 tokens, 3 heads: 17.2 ms against 4.1 ms on one core). On a card it is one kernel.
"""

import torch
from torch import Tensor
from torch.nn import functional as F


def attend(q: Tensor, k: Tensor, v: Tensor, mask: Tensor | None = None) -> Tensor:
    """Softmax(q k' / sqrt(d) + mask) v.

    Args:
        q: B x heads x N x d.
        k: B x heads x M x d.
        v: Likewise.
        mask: N x M, added to the scores; None for none.

    Returns:
        B x heads x N x d.
    """
    if q.is_cuda:
        return F.scaled_dot_product_attention(q, k, v, mask)
    scores = (q * q.shape[-1] ** -0.5) @ k.transpose(-1, -2)
    if mask is not None:
        scores = scores + mask
    return torch.as_tensor(scores.softmax(-1).to(v.dtype) @ v)
