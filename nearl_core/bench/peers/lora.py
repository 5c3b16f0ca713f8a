"""Low-rank updates of the attention's q, k and v, laid over frozen weights and taken off again.

Hu et al., arXiv 2106.09685: W' = W + s B A, with B zero at the start.
"""

import math
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import torch
from torch import Tensor, nn


@dataclass(frozen=True, eq=False)
class Target:
    """A frozen weight that stacks the projections of one input.

    Attributes:
        module, name: Whose weight it is.
        parts: Projections stacked in it: 3 for q, k and v together.
    """

    module: nn.Module
    name: str
    parts: int

    @property
    def weight(self) -> Tensor:
        """What stands there now: parts x out, in."""
        weight = self.module._parameters[self.name]
        assert weight is not None
        return weight


def targets_of(model: nn.Module) -> list[Target]:
    """q, k and v of every transformer layer, of open_clip's, timm's or BERT's making.

    Attention pools are no layers and stay as they are.
    """
    found = []
    for path, module in model.named_modules():
        parts = [getattr(module, name, None) for name in ("query", "key", "value")]
        if "attn_pool" in path:
            continue
        if module._parameters.get("in_proj_weight") is not None:
            found.append(Target(module, "in_proj_weight", 3))
        elif isinstance(qkv := getattr(module, "qkv", None), nn.Linear):
            found.append(Target(qkv, "weight", 3))
        elif all(isinstance(part, nn.Linear) for part in parts):
            found += [Target(part, "weight", 1) for part in parts if part is not None]
    return found


class Lora(nn.Module):
    """A and B for each target.

    Attributes:
        targets: What they are laid over.
    """

    def __init__(
        self, targets: Sequence[Target], *, rank: int, alpha: float, dropout: float, seed: int
    ) -> None:
        super().__init__()
        self.targets = tuple(targets)
        self._scale, self._dropout = alpha / math.sqrt(rank), dropout
        self._generator = generator = torch.Generator().manual_seed(seed)
        self.a, self.b = nn.ParameterList(), nn.ParameterList()
        for target in targets:
            weight, parts = target.weight, target.parts
            out, into = weight.shape
            a = (2 * torch.rand(parts, rank, into, generator=generator) - 1) * into**-0.5
            self.a.append(a.to(weight.device))
            self.b.append(torch.zeros(parts, out // parts, rank, device=weight.device))

    @property
    def size(self) -> int:
        """Number of weights that learn."""
        return sum(p.numel() for p in self.parameters())

    def weights(self) -> list[Tensor]:
        """W' of each target.

        The dropout of the updates' input is drawn for a whole batch at a time, not for each token:
        as columns of A.
        """
        return [
            target.weight + self._scale * (b @ self._dropped(a)).flatten(0, 1)
            for target, a, b in zip(self.targets, self.a, self.b, strict=True)
        ]

    def _dropped(self, a: Tensor) -> Tensor:
        if not self.training:
            return a
        kept = torch.rand(a[:, :1].shape, generator=self._generator) >= self._dropout
        return a * kept.to(a.device) / (1 - self._dropout)

    @contextmanager
    def over(self) -> Iterator[None]:
        """Let the model compute with W'; its own weights come back at the end, the very same."""
        own = [target.weight for target in self.targets]
        with torch.set_grad_enabled(self.training):
            laid = self.weights()
        try:
            _put(self.targets, laid)
            yield
        finally:
            _put(self.targets, own)


def _put(targets: Sequence[Target], weights: Sequence[Tensor]) -> None:
    for target, weight in zip(targets, weights, strict=True):
        # As torch.func.functional_call does: a tensor in a parameter's place, which setattr
        # refuses.
        target.module._parameters[target.name] = weight  # type: ignore[assignment]
