"""Kernels for NVIDIA's cards, in Triton, which PyTorch's builds for them bring on Linux.

What passes over all tokens of a batch takes a card as long as it reads and writes; each kernel here
reads the tokens from memory once and writes what it makes once.
"""

import subprocess
from functools import cache

import torch
from torch import Tensor
from torch.nn import functional as F

try:
    import triton
    import triton.language as tl
except (ImportError, OSError):  # not there, or not for this system
    _HAS_TRITON = False
else:
    _HAS_TRITON = True

_FAILURES: tuple[type[Exception], ...] = (
    *(RuntimeError, AssertionError, OSError),
    subprocess.SubprocessError,  # a compiler that is there and breaks down
)
_LEAST = 16
"""Rows and columns of a product on a card."""

if _HAS_TRITON:
    _FAILURES = (*_FAILURES, getattr(triton, "TritonError", RuntimeError))

    @triton.jit
    def _read(rows_at, row, there, column, WIDTH: tl.constexpr):
        """Some columns of some rows of a matrix; 0 beyond it."""
        inside = there & (column < WIDTH)[None, :]
        return tl.load(rows_at + row[:, None] * WIDTH + column[None, :], mask=inside, other=0.0)

    @triton.jit
    def _projected(
        f_at,
        down_at,
        h_at,
        tokens,
        epsilon,
        WIDTH: tl.constexpr,
        RANK: tl.constexpr,
        RANK_UP: tl.constexpr,
        ROWS: tl.constexpr,
        COLUMNS: tl.constexpr,
    ):
        """Equation 2 of ROWS tokens, in two looks at each: its mean, then all else."""
        row = tl.program_id(0).to(tl.int64) * ROWS + tl.arange(0, ROWS)
        there = (row < tokens)[:, None]
        r = tl.arange(0, RANK_UP)
        total = tl.zeros((ROWS,), tl.float32)
        for start in range(0, WIDTH, COLUMNS):
            f = _read(f_at, row, there, start + tl.arange(0, COLUMNS), WIDTH)
            total += tl.sum(f, axis=1)
        mean = total / WIDTH
        squares = tl.zeros((ROWS,), tl.float32)
        h = tl.zeros((ROWS, RANK_UP), tl.float32)
        for start in range(0, WIDTH, COLUMNS):
            column = start + tl.arange(0, COLUMNS)
            f = _read(f_at, row, there, column, WIDTH)
            apart = tl.where((column < WIDTH)[None, :], f - mean[:, None], 0.0)
            squares += tl.sum(apart * apart, axis=1)
            down = _read(down_at, column, (column < WIDTH)[:, None], r, RANK)
            h += tl.dot(apart.to(down.dtype), down)
        h = h / tl.sqrt(squares / WIDTH + epsilon)[:, None]
        place = h_at + row[:, None] * RANK + r[None, :]
        tl.store(place, h.to(h_at.dtype.element_ty), mask=there & (r < RANK)[None, :])

    @triton.jit
    def _shares(h, keys, ROWS: tl.constexpr, QUERIES: tl.constexpr, HEADS: tl.constexpr):
        """How much of each value each token takes, in each head by itself."""
        scores = tl.reshape(tl.dot(h, tl.trans(keys)), (ROWS, QUERIES, HEADS))
        shares = tl.exp(scores - tl.max(scores, axis=1, keep_dims=True))
        shares = shares / tl.sum(shares, axis=1, keep_dims=True)
        return tl.reshape(shares, (ROWS, QUERIES * HEADS)).to(h.dtype)

    @triton.jit
    def _moved(
        f_at,
        h_at,
        keys_at,
        values_at,
        out_at,
        tokens,
        epsilon,
        WIDTH: tl.constexpr,
        RANK: tl.constexpr,
        RANK_UP: tl.constexpr,
        QUERIES: tl.constexpr,
        HEADS: tl.constexpr,
        ROWS: tl.constexpr,
        COLUMNS: tl.constexpr,
    ):
        """Equations 4 to 6 of ROWS tokens, in two looks at each: what is parallel, then all."""
        MADE: tl.constexpr = QUERIES * HEADS
        image = tl.program_id(1).to(tl.int64)
        within = tl.program_id(0) * ROWS + tl.arange(0, ROWS)
        there, row = (within < tokens)[:, None], image * tokens + within
        made, r = image * MADE + tl.arange(0, MADE), tl.arange(0, RANK_UP)
        every = (made >= 0)[:, None]
        h = _read(h_at, row, there, r, RANK)
        shares = _shares(h, _read(keys_at, made, every, r, RANK), ROWS, QUERIES, HEADS)
        along = tl.zeros((ROWS,), tl.float32)
        length = tl.zeros((ROWS,), tl.float32)
        for start in range(0, WIDTH, COLUMNS):
            column = start + tl.arange(0, COLUMNS)
            f = _read(f_at, row, there, column, WIDTH)
            u = tl.dot(shares, _read(values_at, made, every, column, WIDTH))
            along += tl.sum(u * f, axis=1)
            length += tl.sum(f * f, axis=1)
        kept = 1 - along / (length + epsilon)
        for start in range(0, WIDTH, COLUMNS):
            column = start + tl.arange(0, COLUMNS)
            f = _read(f_at, row, there, column, WIDTH)
            u = tl.dot(shares, _read(values_at, made, every, column, WIDTH))
            place = out_at + row[:, None] * WIDTH + column[None, :]
            tl.store(place, f * kept[:, None] + u, mask=there & (column < WIDTH)[None, :])


@cache
def work(device: torch.device, dtype: torch.dtype, queries: int, heads: int) -> bool:
    """Whether kernels can be built here, which takes a compiler, for these numbers; tried once.

    Args:
        device: Where.
        dtype: Of h, keys and values: two bytes.
        queries: A power of two.
        heads: Likewise; times queries at least 16.
    """
    made = queries * heads
    if not (_HAS_TRITON and device.type == "cuda" and torch.version.cuda):
        return False
    if made < _LEAST or made & (made - 1) or queries & (queries - 1):
        return False
    try:
        return _agree(device, dtype, queries, heads)
    except _FAILURES:
        return False


def _agree(device: torch.device, dtype: torch.dtype, queries: int, heads: int) -> bool:
    """Whether the kernels say what is easily told otherwise."""
    f = torch.arange(32.0, device=device).sin().view(1, 2, 16)
    down = torch.eye(16, device=device, dtype=dtype)
    nothing = torch.zeros(1, queries, heads, 16, device=device, dtype=dtype)
    h = projected(f, down, 1e-5)
    found = moved(f, h, nothing, nothing, 1e-6)
    return bool(
        torch.equal(found, f) and torch.allclose(h.float(), F.layer_norm(f, (16,)), atol=0.05)
    )


def projected(f: Tensor, down: Tensor, epsilon: float) -> Tensor:
    """Equation 2: LN(f) P.

    Args:
        f: B x N x D, float32.
        down: D x r, two bytes.
        epsilon: Of the norm.

    Returns:
        B x N x r, in the precision of `down`.
    """
    f = f.contiguous()
    (width, rank), tokens = down.shape, f.numel() // f.shape[-1]
    h = torch.empty(*f.shape[:-1], rank, device=f.device, dtype=down.dtype)
    rows = 64
    _projected[(triton.cdiv(tokens, rows),)](
        *(f, down, h, tokens, epsilon),
        **_sizes(width, rank, rows=rows, columns=64),
        num_warps=8,
    )
    return h


def moved(f: Tensor, h: Tensor, keys: Tensor, values: Tensor, epsilon: float) -> Tensor:
    """Equations 4 to 6.

    Args:
        f: B x N x D, float32.
        h: B x N x r, two bytes.
        keys: B x M x heads x r, scaled.
        values: B x M x heads x D.
        epsilon: Of equation 5.

    Returns:
        B x N x D, float32.
    """
    f = f.contiguous()
    batch, tokens, width = f.shape
    out = torch.empty_like(f)
    queries, heads, rank = keys.shape[1:]
    rows = 32
    _moved[(triton.cdiv(tokens, rows), batch)](
        *(f, h.contiguous(), keys.contiguous(), values.contiguous(), out, tokens, epsilon),
        QUERIES=queries,
        HEADS=heads,
        **_sizes(width, rank, rows=rows, columns=128),
    )
    return out


def _sizes(width: int, rank: int, *, rows: int, columns: int) -> dict[str, int]:
    """Constants of both kernels; rows and columns as they were quickest on an H200 at width 768."""
    padded = max(_LEAST, triton.next_power_of_2(rank))
    return {"WIDTH": width, "RANK": rank, "RANK_UP": padded, "ROWS": rows, "COLUMNS": columns}
