"""Look again: slips come first, and few decisions are no ground to doubt any."""

import numpy as np
import pytest

from nearl_core.learn.examples import Examples, FloatArray
from nearl_core.learn.look_again import FEWEST, doubts


def _examples(count: int, labels: int, seed: int) -> tuple[Examples, FloatArray]:
    """Scans of as many kinds as labels, and what is true of them."""
    rng = np.random.default_rng(seed)
    kinds = np.arange(count) % labels
    features = np.eye(16)[kinds] + rng.normal(size=(count, 16)) * 0.2
    features /= np.linalg.norm(features, axis=1, keepdims=True)
    targets = np.eye(labels)[kinds]
    return Examples(features, targets, np.ones(count)), targets.copy()


@pytest.mark.parametrize("labels", [2, 5])
def test_slips_stand_first_with_the_label_that_was_meant(labels: int) -> None:
    examples, truth = _examples(200, labels, 0)
    slips = np.array([3, 40, 77, 120, 161, 198])
    examples.targets[slips] = np.roll(examples.targets[slips], 1, axis=1)
    found = doubts(examples, None, multi_label=False)
    first = np.argsort(-found.suspicion)[: len(slips)]
    assert set(first) == set(slips)
    assert (found.label[slips] == truth[slips].argmax(1)).all()


def test_a_label_that_is_missing_in_a_multi_label_set_is_named() -> None:
    examples, _ = _examples(120, 3, 1)
    examples.targets[6, 0] = 0.0
    found = doubts(examples, None, multi_label=True)
    assert found.suspicion.argmax() == 6
    assert found.label[6] == 0


def test_few_decisions_are_not_in_doubt() -> None:
    examples, _ = _examples(FEWEST - 1, 2, 2)
    examples.targets[0] = examples.targets[0][::-1]
    assert not (doubts(examples, None, multi_label=False).suspicion > 0).any()


def test_what_fits_the_others_is_not_in_doubt() -> None:
    examples, _ = _examples(200, 4, 3)
    assert (doubts(examples, None, multi_label=False).suspicion > 0).mean() < 0.05
