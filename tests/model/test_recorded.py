"""Work recorded for a card: only where it says what the work says.

CUDA's own recording is pretended: what it was given is computed again when it is started.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext

import pytest
import torch
from torch import Tensor

from nearl_core.model import recorded as module
from nearl_core.model.recorded import Recorded, recorded


class Graph:
    """Computes what was recorded into where it was recorded."""

    def __init__(self) -> None:
        self.again: Callable[[], None] = lambda: None
        self.replayed = 0

    def replay(self) -> None:
        self.replayed += 1
        self.again()


class Stream:
    def __init__(self, *_which: object) -> None: ...

    def wait_stream(self, other: object) -> None: ...


@pytest.fixture
def graphs(monkeypatch: pytest.MonkeyPatch) -> list[Graph]:
    made = list[Graph]()

    def new() -> Graph:
        made.append(Graph())
        return made[-1]

    @contextmanager
    def recording(_graph: Graph, *, capture_error_mode: str) -> Iterator[None]:
        assert capture_error_mode == "thread_local"  # other threads may use the card meanwhile
        yield

    monkeypatch.setattr(torch.cuda, "CUDAGraph", new)
    monkeypatch.setattr(torch.cuda, "Stream", Stream)
    monkeypatch.setattr(torch.cuda, "graph", recording)
    monkeypatch.setattr(torch.cuda, "current_stream", Stream)
    monkeypatch.setattr(torch.cuda, "stream", lambda _stream: nullcontext())
    return made


class Doubled:
    """Work whose recording writes its answer anew, as CUDA's does, or something else."""

    def __init__(self, graphs: list[Graph], *, wrong: float = 0) -> None:
        self._graphs, self._wrong, self.calls = graphs, wrong, 0

    def __call__(self, given: Tensor) -> Tensor:
        self.calls += 1
        made = 2 * given
        if self._graphs:  # it is being recorded
            self._graphs[-1].again = lambda: made.copy_(2 * given + self._wrong)  # type: ignore[assignment]
        return made


def test_a_recording_answers_for_each_batch_that_comes(graphs: list[Graph]) -> None:
    work = Doubled(graphs)
    run = Recorded(work, torch.ones(2, 3))
    assert work.calls == 2  # once to warm up, once recorded
    for value in (5.0, 7.0):
        batch = torch.full((2, 3), value)
        assert torch.equal(run(batch), 2 * batch)
        assert torch.equal(batch, torch.full((2, 3), value))
    assert work.calls == 2
    assert graphs[0].replayed == 3


def test_a_recording_that_says_something_else_is_refused(graphs: list[Graph]) -> None:
    with pytest.raises(RuntimeError):
        Recorded(Doubled(graphs, wrong=0.01), torch.ones(2, 3))


def test_a_recording_that_reads_nothing_is_refused(graphs: list[Graph]) -> None:
    def work(given: Tensor) -> Tensor:
        return 2 * given  # what stands there from recording is never written again

    with pytest.raises(RuntimeError):
        Recorded(work, torch.ones(2, 3))
    assert graphs[0].replayed == 1


def test_on_a_cpu_nothing_is_recorded(graphs: list[Graph]) -> None:
    work = Doubled(graphs)
    assert recorded(work, torch.ones(2, 3)) is work
    assert not graphs


def test_where_recording_fails_the_work_itself_is_done(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_which: object) -> Recorded:
        raise RuntimeError("operation not permitted when stream is capturing")

    monkeypatch.setattr(module, "Recorded", refuse)
    monkeypatch.setattr(torch.version, "cuda", "13.0")
    work = Doubled([])
    batch = torch.ones(2, 3)
    on_card = torch.Tensor.__new__(_OnCard, batch)
    assert recorded(work, on_card) is work


class _OnCard(torch.Tensor):
    @property
    def device(self) -> torch.device:  # type: ignore[override]
        return torch.device("cuda")
