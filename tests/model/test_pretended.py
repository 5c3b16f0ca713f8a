"""The pretended card refuses what a card refuses, and allows what it allows."""

from collections.abc import Callable, Iterator

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from tests.support.pretended import Card, MixedDevicesError, pretended

Work = Callable[[Tensor, Tensor], object]
"""With a 3 x 4 tensor on the card and one on the CPU."""


@pytest.fixture
def card() -> Iterator[Card]:
    with pretended() as card:
        yield card


def both() -> tuple[Tensor, Tensor]:
    return torch.full((3, 4), 2.0, device="cuda"), torch.ones(3, 4)


MISTAKES: dict[str, Work] = {
    "a sum": lambda there, here: there + here,
    "a product": lambda there, here: there @ here.T,
    "a row beside others": lambda there, here: torch.cat([there, here]),
    "a mask": lambda there, here: torch.where(here > 0, there, 0.0),
    "what is written over": lambda there, here: here.add_(there),
    "an index into what is here": lambda there, here: here[there[0].long()],
    "values to be put": lambda there, here: there.index_put((torch.arange(3),), here),
    "rows picked by number": lambda there, _: there.index_select(0, torch.arange(2)),
    "words": lambda there, _: F.embedding(torch.arange(3), there),
    "a view of it": lambda there, here: there[1:].T @ here[1:],
    "a weight left here": lambda there, _: nn.Linear(4, 2)(there),
    "a random source": lambda there, _: torch.rand(
        3, device=there.device, generator=torch.Generator()
    ),
    "numpy": lambda there, _: there.numpy(),
    "numpy by itself": lambda there, _: np.asarray(there),
    "packed weights": lambda there, here: torch.ops.mkldnn._linear_pointwise(
        there, here, None, "none", [], ""
    ),
}
FINE: dict[str, Work] = {
    "a number": lambda there, _: there + torch.tensor(2.0),
    "an index here": lambda there, _: there[torch.tensor([0, 2])],
    "what came": lambda there, here: there + here.to(there.device),
    "what came as another": lambda there, here: there + here.double().to(there),
    "what was copied into": lambda there, here: there.copy_(here),
    "likes": lambda there, _: there + torch.zeros_like(there) + there.new_ones(4),
    "a shape": lambda there, _: there[torch.arange(3, device=there.device)],
}


@pytest.mark.usefixtures("card")
@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_mixture_is_refused(mistake: str) -> None:
    there, here = both()
    with pytest.raises((MixedDevicesError, TypeError)):
        MISTAKES[mistake](there, here)


@pytest.mark.usefixtures("card")
@pytest.mark.parametrize("work", FINE)
def test_what_a_card_allows_is_allowed_and_stays_there(work: str) -> None:
    there, here = both()
    found = FINE[work](there, here)
    assert isinstance(found, Tensor)
    assert found.device == torch.device("cuda:0")
    assert found.is_cuda
    assert found.cpu().device == torch.device("cpu")
    assert here.device == torch.device("cpu")
    assert found.cpu().numpy().dtype == np.float32


@pytest.mark.usefixtures("card")
def test_gradients_and_weights_are_there_too_and_norms_are_whole_under_autocast() -> None:
    layer = nn.Linear(4, 2).to("cuda")
    optimiser = torch.optim.AdamW(layer.parameters(), 0.1)
    before = layer.weight.detach().cpu().clone()
    with torch.autocast("cuda", torch.bfloat16):
        y = layer(both()[0])
        assert y.dtype == torch.bfloat16
        assert y.softmax(-1).dtype == F.layer_norm(y, (2,)).dtype == torch.float32
    y.float().square().sum().backward()
    assert layer.weight.grad is not None
    assert layer.weight.grad.device == torch.device("cuda:0")
    optimiser.step()
    assert not torch.equal(layer.weight.cpu(), before)


def test_apples_card_has_no_float64() -> None:
    with pretended("mps"):
        there = torch.ones(3, device="mps")
        with pytest.raises(TypeError, match="float64"):
            there.double()
        assert there.cpu().double().numpy().dtype == np.float64


def test_nothing_is_pretended_afterwards() -> None:
    with pretended() as card:
        there = torch.ones(3, device="cuda")
    assert card.waits == 0
    assert there.device == torch.device("cpu")
