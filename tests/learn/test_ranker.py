"""How a version's head ranks beside the instant learner."""

from dataclasses import replace

import numpy as np

from nearl_core.learn import instant
from nearl_core.learn.examples import Examples, joined
from nearl_core.learn.ranker import Blend, Ranker

FEATURES = np.repeat(np.eye(3, 6), 4, axis=0)
EXAMPLES = Examples(FEATURES, np.repeat(np.eye(3), 4, axis=0), np.ones(12))
FIRST_TWO = EXAMPLES.take(np.arange(8))


def _ranker(tuned_on: Examples) -> Ranker:
    heads = [instant.fit(one, None, multi_label=False) for one in (EXAMPLES, tuned_on)]
    return Ranker(heads[0], heads[1], Blend(1.0, 0.7, 0.2, 0.5))


def test_a_version_does_not_speak_against_a_label_that_was_decided_after_it() -> None:
    ranker = _ranker(FIRST_TWO)
    said = ranker.logits(FEATURES, FEATURES)
    assert (said[8:].argmax(1) == 2).all()
    assert np.array_equal(said, ranker.instant.logits(FEATURES))
    again = ranker.refitted(EXAMPLES, FEATURES)
    assert not np.array_equal(again.logits(FEATURES, FEATURES), said)


def test_a_version_that_knows_every_label_counts_by_its_share() -> None:
    ranker = _ranker(replace(EXAMPLES, features=-FEATURES))
    assert not np.array_equal(ranker.logits(FEATURES, FEATURES), ranker.instant.logits(FEATURES))


def test_a_blend_is_made_of_tuned_embeddings_and_frozen_blocks() -> None:
    rng = np.random.default_rng(0)
    frozen, tuned = rng.normal(size=(12, 9)), rng.normal(size=(12, 6))
    both = joined(tuned, frozen)
    heads = [
        instant.fit(replace(EXAMPLES, features=rows), None, multi_label=False)
        for rows in (frozen, both)
    ]
    ranker = Ranker(heads[0], heads[1], Blend(1.0, 0.7, 0.2, 0.3))
    sides = [np.log(head.probabilities(x)) for head, x in zip(heads, (frozen, both), strict=True)]
    assert np.allclose(ranker.logits(frozen, tuned), 0.7 * sides[0] + 0.3 * sides[1])
