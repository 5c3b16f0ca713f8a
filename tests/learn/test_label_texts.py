"""How far label texts count, of which the backbone may know some words and not others."""

from dataclasses import replace

import numpy as np
import pytest

from nearl_core.learn import instant, label_texts
from nearl_core.learn.examples import Examples, FloatArray
from nearl_core.learn.head import zero_shot

WIDTH = 24
TEXTS = np.eye(WIDTH)[:4]
UNKNOWN = 2
HALF_KNOWN = np.where((np.arange(4) == UNKNOWN)[:, None], np.nan, TEXTS)


def _scans(count: int, *, spread: float = 0.25, seed: int = 0) -> Examples:
    """So many scans near each label's text."""
    truth = np.repeat(np.arange(4), count)
    noise = np.random.default_rng(seed).normal(size=(len(truth), WIDTH)) * spread
    features = TEXTS[truth] + noise
    features /= np.linalg.norm(features, axis=1, keepdims=True)
    return Examples(features, np.eye(4)[truth], np.ones(len(truth)))


def _recalls(probabilities: FloatArray, asked: Examples) -> FloatArray:
    hit = probabilities.argmax(1) == asked.targets.argmax(1)
    return np.array([hit[asked.targets[:, c] > 0].mean() for c in range(4)])


def test_texts_rank_the_labels_whose_words_are_known_and_leave_out_the_others() -> None:
    head = zero_shot(HALF_KNOWN, scale=20.0, multi_label=False)
    assert head.can_rank
    assert head.seen.tolist() == [True, True, False, True]
    asked = _scans(20)
    assert _recalls(head.probabilities(asked.features), asked)[[0, 1, 3]].min() > 0.9


@pytest.mark.parametrize("count", [1, 2])
def test_a_label_of_unknown_words_is_learned_beside_texts_of_the_others(count: int) -> None:
    few, asked = _scans(count, spread=0.5, seed=1), _scans(60, spread=0.5, seed=2)
    recalls = {
        name: _recalls(
            instant.fit(few, texts, multi_label=False, text_default=1.0).probabilities(
                asked.features
            ),
            asked,
        ).mean()
        for name, texts in (("some known", HALF_KNOWN), ("none known", None))
    }
    assert recalls["some known"] > recalls["none known"] + 0.03


def test_without_an_example_a_label_of_unknown_words_is_not_known() -> None:
    few = _scans(3).take(np.flatnonzero(_scans(3).targets[:, UNKNOWN] == 0))
    head = instant.fit(few, HALF_KNOWN, multi_label=False)
    assert head.text_share > 0
    assert head.seen.tolist() == [True, True, False, True]
    assert instant.fit(few, TEXTS, multi_label=False).seen.all()


def _lead(few: Examples, texts: FloatArray) -> float:
    return label_texts.lead(few, texts, multi_label=False)


def _worth(few: Examples, texts: FloatArray) -> float:
    return label_texts.worth(few, texts, multi_label=False)


def test_texts_count_as_far_as_they_were_right() -> None:
    few = _scans(3, spread=0.1)
    assert _lead(few, TEXTS) == pytest.approx(1)
    assert _worth(few, TEXTS) > 0.9
    half_wrong = replace(few, targets=few.targets[:, [0, 2, 3, 1]])  # one label of four is right
    assert _lead(half_wrong, TEXTS) == pytest.approx(0)
    assert _worth(half_wrong, TEXTS) == pytest.approx(0, abs=1e-9)
    assert _worth(replace(few, targets=few.targets[:, [1, 2, 3, 0]]), TEXTS) == 0


def test_examples_of_a_label_of_unknown_words_do_not_speak_against_the_others() -> None:
    few = _scans(3, spread=0.1)
    strange = np.flatnonzero(few.targets[:, UNKNOWN])
    beside = few.take(np.append(strange, 0))
    assert _lead(few.take(strange), HALF_KNOWN) == 1
    assert _lead(beside, HALF_KNOWN) == pytest.approx(1)
    assert _lead(replace(beside, targets=beside.targets[:, [1, 0, 2, 3]]), HALF_KNOWN) < 0
    # Where each label stands for itself they say that the others are absent.
    assert label_texts.lead(few, HALF_KNOWN, multi_label=True) == pytest.approx(2 / 3)


def test_texts_of_some_labels_serve_a_group_of_them() -> None:
    few = _scans(3)
    group = replace(few, targets=few.targets[:, [1, UNKNOWN]], labels=np.array([1, UNKNOWN]))
    head = instant.fit(group, HALF_KNOWN, multi_label=True)
    assert np.isfinite(head.weight).all()
    assert head.seen.all()
