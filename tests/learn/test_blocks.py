"""Blocks behind the embedding, as the instant learner takes them."""

import numpy as np
import pytest
from numpy.typing import NDArray

from nearl_core.learn import instant
from nearl_core.learn.examples import Examples, FloatArray, joined
from nearl_core.learn.head import zero_shot


def _with_block(scale: float, *, seed: int = 0) -> tuple[Examples, FloatArray, NDArray[np.intp]]:
    """Noise, and a block that tells two labels apart: examples, scans asked, their labels."""
    rng = np.random.default_rng(seed)
    truth = np.arange(60) % 2
    block = rng.normal(size=(60, 4)) * 0.3 + np.eye(4)[truth]
    features = np.concatenate([rng.normal(size=(60, 16)), block * scale], axis=1)
    targets = np.eye(2)[truth[:20]]
    return Examples(features[:20], targets, np.ones(20), (4,)), features[20:], truth[20:]


@pytest.mark.parametrize("scale", [1e-4, 1.0, 1e4])
def test_a_block_counts_whatever_its_scale(scale: float) -> None:
    examples, asked, truth = _with_block(scale)
    head = instant.fit(examples, None, multi_label=False)
    assert (head.logits(asked).argmax(1) == truth).mean() > 0.85
    usual, asked_as_usual, _ = _with_block(1.0)
    other = instant.fit(usual, None, multi_label=False)
    assert head.probabilities(asked) == pytest.approx(other.probabilities(asked_as_usual), abs=1e-6)


def test_texts_speak_of_the_embedding_alone() -> None:
    examples, asked, _ = _with_block(1.0)
    texts = np.eye(2, 16)
    head = instant.fit_fixed(
        examples, texts, multi_label=False, ridge=1e6, text_share=1.0, temperature=1.0
    )
    changed = asked.copy()
    changed[:, 16:] += 5.0  # with this ridge, nothing is learned from examples
    assert head.logits(changed) == pytest.approx(head.logits(asked), abs=1e-3)
    assert zero_shot(texts, scale=1.0, multi_label=False).logits(asked).shape == (40, 2)


def test_a_block_that_never_changes_does_no_harm() -> None:
    examples, asked, _ = _with_block(0.0)
    head = instant.fit(examples, None, multi_label=False)
    assert np.isfinite(head.logits(asked)).all()


def test_joined_features_keep_the_frozen_blocks() -> None:
    frozen = np.arange(12.0).reshape(2, 6)
    found = joined(np.full((2, 4), -1.0), frozen)
    assert found.tolist() == [[-1, -1, -1, -1, 4, 5], [-1, -1, -1, -1, 10, 11]]
