"""Figures of trust, on tasks that a head can learn."""

import numpy as np

from nearl_core.bench import trust
from nearl_core.bench.frozen import Part, Task
from nearl_core.control import RunControl


def _part(seed: int, shift: int) -> Part:
    """Two labels apart from one another, a task apart from other tasks."""
    rng = np.random.default_rng(seed)
    labels = np.repeat([0, 1], 60)
    x = (
        np.eye(24)[labels + 3 * shift]
        + 4 * np.eye(24)[20 + shift]
        + 0.35 * rng.normal(size=(120, 24))
    )
    return Part(x / np.linalg.norm(x, axis=1, keepdims=True), labels, 2, ())


def test_trust_is_measured_where_there_is_something_to_see() -> None:
    tasks = [Task(f"task {n}", _part(n, n), _part(9 + n, n)) for n in range(2)]
    found = {(f.name, f.task): f for f in trust.measure(tasks, 1, RunControl())}
    means = {name: figure for (name, task), figure in found.items() if task == "mean"}
    for name, figure in means.items():
        assert sum(n == name for n, _ in found) == 3, name
        if "slips" in name:
            assert figure.value > 5 * trust.FLIPPED
            assert figure.against is not None
            assert figure.against > 5 * trust.FLIPPED
        if "AUROC" in name:
            assert figure.value > 0.95
        if "ECE" in name:
            assert abs(figure.value) < 0.1
    assert sum("slips" in name for name in means) == 2
