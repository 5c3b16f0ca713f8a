"""What a card computes for batches of one shape, recorded once and then started by a single call.

A pass through a tower with adapters is some five hundred small calls, and a slow processor takes
longer to make them than the card to answer (CUDA graphs, which PyTorch wraps).
"""

from collections.abc import Callable
from contextlib import suppress
from typing import TypeAlias

import torch
from torch import Tensor

Work: TypeAlias = Callable[[Tensor], Tensor]
_NEAR = 1e-3
"""Of features: more than another order of sums in two bytes makes, and far less than a mistake."""


class RecordingError(RuntimeError):
    """A recording that does not say what the work says."""


class Recorded:
    """Work on batches of one shape; an answer stands until the next call.

    Raises:
        RuntimeError: If it can't be recorded here, or says something else than the work.
    """

    def __init__(self, work: Work, batch: Tensor) -> None:
        self._given = batch.clone()
        before = torch.cuda.current_stream(batch.device)
        aside = torch.cuda.Stream(batch.device)
        with torch.cuda.stream(before):  # comes back to it if recording breaks off
            aside.wait_stream(before)
            with torch.cuda.stream(aside):  # kernels are chosen and built before
                other = -batch
                wanted = work(other)
            before.wait_stream(aside)
            self._graph = torch.cuda.CUDAGraph()
            with torch.cuda.graph(self._graph, capture_error_mode="thread_local"):
                self._made = work(self._given)
        # By pictures that it was not recorded with: it must read what it is given.
        if not torch.allclose(self(other), wanted, rtol=0, atol=_NEAR):
            raise RecordingError

    def __call__(self, batch: Tensor) -> Tensor:
        """The work's answer to another batch of that shape."""
        self._given.copy_(batch)
        self._graph.replay()
        return self._made


def recorded(work: Work, batch: Tensor) -> Work:
    """Work on batches like this one as a recording; the work itself where there can be none."""
    if batch.device.type == "cuda" and torch.version.cuda:
        with suppress(RuntimeError):
            return Recorded(work, batch)
    return work
