"""Every kind of card on which the paths of cards are tested: pretended ones, and a real one."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import pytest
import torch

from tests.support.pretended import Card, pretended

KINDS = ["cuda", "cuda before bfloat16", "mps", "real cuda"]


@dataclass(frozen=True)
class At:
    """A card at work.

    Attributes:
        device: What the engine is told.
        precision: In which large towers rank there.
        card: The pretended one, or None.
    """

    device: torch.device
    precision: str
    card: Card | None


@contextmanager
def at(kind: str) -> Iterator[At]:
    """One of KINDS; a real one skips where there is none."""
    if kind == "real cuda":
        if not torch.cuda.is_available():
            pytest.skip("needs an NVIDIA card")
        device = torch.device("cuda")
        new = torch.cuda.get_device_capability(device) >= (8, 0)
        yield At(device, "bfloat16" if new else "float16", None)
        return
    name, *old = kind.split(" ", 1)
    with pretended(name, capability=(7, 5) if old else (8, 0)) as card:
        lower = {"cuda": "float16" if old else "bfloat16", "mps": "float32"}
        yield At(torch.device(name), lower[name], card)
