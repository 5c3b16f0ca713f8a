"""Linear maps with fixed weights, laid out beforehand as the processor's library wants them.

PyTorch hands float32 products to MKL, which leaves half of an AMD processor's speed unused, and
lays the weights of products in bfloat16 out anew at each call. oneDNN, which is part of PyTorch,
takes weights that were laid out once. MKL itself is quicker for few tokens where weights stand
input by input, not output by output. What pays is measured, once in a process.
"""

import time
from collections.abc import Callable
from functools import cache
from typing import TypeAlias

import torch
from torch import Tensor, nn
from torch.nn import functional as F

Linear: TypeAlias = Callable[[Tensor], Tensor]
LEAST_GAIN = 1.15
_ROWS = 16
_LARGE = 32_000
"""Weights; the call of a packed product takes some microseconds more."""


class PackedLinear(nn.Module):
    """A linear layer in the precision of its weights; where gradients are wanted it is plain.

    Attributes:
        weight, bias: J x K, and J or None.
    """

    def __init__(self, weight: Tensor, bias: Tensor | None) -> None:
        super().__init__()
        fits = weight.device.type == "cpu" and pays(weight.dtype)
        # A packed layer's own weights stay the model's: another copy would only take memory.
        self.weight = nn.Buffer(weight.detach() if fits else laid_out(weight))
        self.bias = None if bias is None else nn.Buffer(bias.detach())
        self._packed = _packed(self.weight) if fits else None

    def forward(self, x: Tensor) -> Tensor:
        """... x K, of any precision, to ... x J."""
        x = x.to(self.weight.dtype)
        if self._packed is None or torch.is_grad_enabled():
            return F.linear(x, self.weight, self.bias)
        return _product(x, self._packed, self.bias)


def fixed(weight: Tensor, bias: Tensor | None = None) -> Linear:
    """What applies a linear map without gradients, packed where it is large enough to pay.

    Args:
        weight: J x K; the product is in its precision.
        bias: J.
    """
    if weight.numel() >= _LARGE:
        return PackedLinear(weight, bias)
    plain = laid_out(weight)
    return lambda x: F.linear(x.to(plain.dtype), plain, bias)


def behind_norm(norm: nn.Module, weight: Tensor, bias: Tensor | None) -> tuple[Tensor, Tensor]:
    """Weights and bias of a product behind a LayerNorm, for what is only centred and scaled."""
    scale, shift = norm.get_parameter("weight"), norm.get_parameter("bias")
    moved = weight @ shift
    return weight * scale, moved if bias is None else moved + bias


def laid_out(weight: Tensor) -> Tensor:
    """Equal weights, J x K, in the order in memory that a plain product here reads faster."""
    weight = weight.detach()
    return _turned(weight) if turns(weight.dtype, weight.device.type) else weight.contiguous()


@cache
def turns(dtype: torch.dtype, device: str = "cpu") -> bool:
    """Whether a plain product is quicker with weights that stand input by input; measured once."""
    if device != "cpu":
        return False
    with torch.inference_mode():
        weight, x = torch.full((576, 192), 0.5, dtype=dtype), torch.ones(_ROWS, 192, dtype=dtype)
        turned = _turned(weight)
        plain, quick = _least(lambda: F.linear(x, weight), lambda: F.linear(x, turned))
    return plain > LEAST_GAIN * quick


@cache
def pays(dtype: torch.dtype) -> bool:
    """Whether packed weights are quicker on this processor; some milliseconds, once."""
    if not works(dtype):
        return False
    with torch.inference_mode():
        weight, x = torch.full((1024, 256), 0.5, dtype=dtype), torch.ones(_ROWS, 256, dtype=dtype)
        packed, weight = _packed(weight), laid_out(weight)
        plain, quick = _least(lambda: F.linear(x, weight), lambda: _product(x, packed, None))
    return plain > LEAST_GAIN * quick


@cache
def works(dtype: torch.dtype) -> bool:
    """Whether this PyTorch and processor compute a packed product, and rightly."""
    there = all(hasattr(torch.ops.mkldnn, f"_{name}") for name in _NAMES)
    if not (there and torch.backends.mkldnn.is_available()):
        return False
    weight = torch.arange(12, dtype=dtype).view(3, 4)
    x = torch.arange(8, dtype=dtype).view(2, 4)
    try:
        found = _product(x, _packed(weight), None)
    except RuntimeError:  # built without it for this processor or precision
        return False
    return bool(torch.equal(found, F.linear(x, weight)))


_NAMES = ("reorder_linear_weight", "linear_pointwise")


def _turned(weight: Tensor) -> Tensor:
    return weight.t().contiguous().t()


def _packed(weight: Tensor) -> Tensor:
    found: Tensor = torch.ops.mkldnn._reorder_linear_weight(weight.contiguous(), _ROWS)
    return found


def _product(x: Tensor, packed: Tensor, bias: Tensor | None) -> Tensor:
    found: Tensor = torch.ops.mkldnn._linear_pointwise(x, packed, bias, "none", [], "")
    return found


def _least(*works: Callable[[], object]) -> list[float]:
    """The least time of each work, seconds; they take turns."""
    times: list[list[float]] = [[] for _ in works]
    for _ in range(9):
        for found, work in zip(times, works, strict=True):
            started = time.perf_counter()
            work()
            found.append(time.perf_counter() - started)
    return [min(found) for found in times]
