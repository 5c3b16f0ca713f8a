"""The instant learner on made-up features."""

from dataclasses import replace

import numpy as np
import pytest

from nearl_core.learn import axes, instant, regression
from nearl_core.learn.batches import balanced_weights
from nearl_core.learn.examples import Examples, FloatArray
from nearl_core.learn.head import to_probabilities, zero_shot

WIDTH = 16


def _normalised(rows: FloatArray) -> FloatArray:
    return np.asarray(rows / np.linalg.norm(rows, axis=1, keepdims=True))


def _centres(labels: int) -> FloatArray:
    return _normalised(np.random.default_rng(7).normal(size=(labels, WIDTH)))


def _clusters(counts: tuple[int, ...], *, spread: float = 0.12, seed: int = 0) -> Examples:
    """Examples around one centre for each label."""
    place = np.repeat(np.arange(len(counts)), counts)
    rng = np.random.default_rng(seed)
    features = _centres(len(counts))[place] + rng.normal(size=(len(place), WIDTH)) * spread
    return Examples(_normalised(features), np.eye(len(counts))[place], np.ones(len(place)))


def _recalls(p: FloatArray, examples: Examples) -> list[float]:
    right = p.argmax(1) == examples.targets.argmax(1)
    return [float(right[column > 0].mean()) for column in examples.targets.T]


def test_separable_clusters_are_learned_with_confidence() -> None:
    head = instant.fit(_clusters((8, 8, 8)), None, multi_label=False)
    unseen = _clusters((30, 30, 30), seed=1)
    p = head.probabilities(unseen.features)
    assert np.allclose(p.sum(1), 1)
    assert min(_recalls(p, unseen)) == 1.0
    assert p.max(1).mean() > 0.8


def test_a_rare_label_is_found_beside_a_frequent_one() -> None:
    head = instant.fit(_clusters((60, 4), spread=0.2), None, multi_label=False)
    unseen = _clusters((40, 40), spread=0.2, seed=1)
    assert min(_recalls(head.probabilities(unseen.features), unseen)) > 0.85


def test_one_example_of_each_label_is_enough_to_rank() -> None:
    head = instant.fit(_clusters((1, 1, 1)), None, multi_label=False)
    unseen = _clusters((20, 20, 20), seed=1)
    assert head.can_rank
    assert min(_recalls(head.probabilities(unseen.features), unseen)) > 0.8


@pytest.mark.parametrize("multi_label", [False, True])
@pytest.mark.parametrize("count", [1, 3])
def test_equal_scans_are_no_reason_for_certainty(count: int, multi_label: bool) -> None:
    one = _clusters((1, 1)).features[:1]
    examples = Examples(np.repeat(one, count, 0), np.eye(2)[[0, 1, 1][:count]], np.ones(count))
    for texts in (None, _centres(2)):
        head = instant.fit(examples, texts, multi_label=multi_label, text_default=1.0)
        p = head.probabilities(np.concatenate([one, _centres(2)]))
        assert np.isfinite(p).all()
        assert 0.05 < p[0, 0] < 0.95


@pytest.mark.parametrize("with_axes", [False, True])
@pytest.mark.parametrize("multi_label", [False, True])
@pytest.mark.parametrize("rounding", [0.0, 1e-7])
def test_a_scan_that_was_read_twice_is_no_reason_for_certainty(
    rounding: float, multi_label: bool, with_axes: bool
) -> None:
    rng, others = np.random.default_rng(0), _clusters((30, 30), spread=0.3)
    known = axes.of_scans(others.features, (4,)) if with_axes else None
    for count in range(2, 10):
        rows = np.repeat(others.features[:1], count, 0)
        rows *= 1 + rounding * rng.normal(size=rows.shape)
        weights = rng.choice([0.25, 0.5, 0.7, 1.0], count)
        targets = np.eye(2)[np.arange(count) % 2]
        examples = Examples(rows, targets, weights, (4,), axes=known)
        head = instant.fit(examples, None, multi_label=multi_label)
        p = head.probabilities(others.features)
        assert abs(p - p[0]).max() < 0.01  # nothing is known by which they could differ
        told = instant.fit(examples, _centres(2)[:, :12], multi_label=multi_label)
        assert abs(told.logits(others.features)).max() < 20  # by the texts, if at all


def test_a_label_without_examples_is_said_to_be_unknown() -> None:
    few = _clusters((5, 5, 5)).take(np.arange(10))
    head = instant.fit(few, None, multi_label=False)
    assert head.seen.tolist() == [True, True, False]
    assert head.can_rank
    logits = head.logits(_clusters((3, 3, 3), seed=1).features)
    assert (logits[:, 2] <= logits[:, :2].min(1)).all()
    assert not instant.fit(few.take(np.arange(5)), None, multi_label=False).can_rank


def test_text_counts_where_it_is_right_and_not_where_it_is_wrong() -> None:
    few = _clusters((3, 3, 3), spread=0.4)
    centres = _centres(3)
    right = instant.fit(few, centres, multi_label=False)
    wrong = instant.fit(few, centres[[1, 2, 0]], multi_label=False)
    assert right.text_share > 0
    assert wrong.text_share == 0
    unseen = _clusters((40, 40, 40), spread=0.4, seed=1)
    bare = instant.fit(few, None, multi_label=False)
    recalls = [np.mean(_recalls(h.probabilities(unseen.features), unseen)) for h in (right, bare)]
    assert recalls[0] > recalls[1]


def test_right_text_ranks_a_label_that_has_no_example() -> None:
    few = _clusters((3, 3, 3), spread=0.4).take(np.arange(6))
    head = instant.fit(few, _centres(3), multi_label=False)
    assert head.text_share > 0
    assert head.seen.all()
    unseen = _clusters((5, 5, 40), spread=0.2, seed=1)
    assert _recalls(head.probabilities(unseen.features), unseen)[2] > 0.6


def test_few_examples_that_are_alike_make_little_of_the_text() -> None:
    centres = _centres(3)
    near = _clusters((2, 1, 0), spread=0.01)
    alike = replace(near, features=_normalised(centres[:1] + 0.01 * near.features))
    head = instant.fit(alike, centres, multi_label=False, text_default=1.0)
    assert head.text_share < 0.1


def test_text_alone_is_zero_shot() -> None:
    head = zero_shot(_centres(3), scale=20.0, multi_label=False)
    unseen = _clusters((10, 10, 10))
    assert min(_recalls(head.probabilities(unseen.features), unseen)) == 1.0


def test_each_label_of_a_multi_label_set_is_learned_for_itself() -> None:
    rng = np.random.default_rng(0)
    targets = (rng.random((60, 2)) < 0.5).astype(float)
    directions = np.linalg.qr(rng.normal(size=(WIDTH, 2)))[0].T
    made = _normalised((targets * 2 - 1) @ directions + rng.normal(size=(60, WIDTH)) * 0.1)
    head = instant.fit(Examples(made[:40], targets[:40], np.ones(40)), None, multi_label=True)
    p = head.probabilities(made[40:])
    assert ((p > 0.5) == (targets[40:] > 0.5)).mean() > 0.97
    assert abs(p.sum(1) - 1).max() > 0.5  # not a softmax: both may hold, or none


def test_weights_of_readers_count() -> None:
    clear = _clusters((4, 4))
    doubtful = Examples(clear.features, clear.targets[::-1], np.full(8, 0.05))
    both = Examples(
        np.concatenate([clear.features, doubtful.features]),
        np.concatenate([clear.targets, doubtful.targets]),
        np.concatenate([clear.weights, doubtful.weights]),
    )
    head = instant.fit(both, None, multi_label=False)
    assert min(_recalls(head.probabilities(clear.features), clear)) == 1.0


@pytest.mark.parametrize("counts", [(5, 7, 3), (30, 20, 25)])
@pytest.mark.parametrize("with_text", [False, True])
def test_leave_one_out_in_closed_form_is_the_refit_without_one(
    counts: tuple[int, ...], with_text: bool
) -> None:
    """To rounding, with the centre, the scale, the ridge and the weights of the others kept."""
    examples = _clusters(counts, spread=0.3)
    texts = _centres(3) if with_text else None
    found = instant.leave_each_out(examples, texts, multi_label=False)
    head, logits = found.head, found.scores / found.head.temperature
    s = balanced_weights(examples.targets, examples.weights, multi_label=False)
    s = s / s.sum()
    x = examples.features - head.centre
    spread = np.sqrt((s @ x**2).sum())
    x = x / spread
    ridge = head.ridge * np.mean(np.linalg.svd(np.sqrt(s)[:, None] * x, compute_uv=False) ** 2)
    anchor = np.zeros((WIDTH, 3))
    if texts is not None:
        centred = (texts - texts.mean(0)).T
        anchor = head.text_share * 0.3 * centred / (x @ centred).std()
    for left in range(len(x)):
        kept = np.arange(len(x)) != left
        gram = x[kept].T @ (s[kept, None] * x[kept]) + ridge * np.eye(WIDTH)
        residual = examples.targets[kept] - 1 / 3 - x[kept] @ anchor
        weight = anchor + np.linalg.solve(gram, x[kept].T @ (s[kept, None] * residual))
        assert np.allclose(logits[left], x[left] @ weight / head.temperature, atol=1e-8)


def test_leave_one_out_is_near_a_whole_refit() -> None:
    """Centre and balance move too then: within 0.05 of a probability at 20 examples a label."""
    examples = _clusters((20, 20), spread=0.3)
    head, logits = instant.fit_and_leave_out(examples, None, multi_label=False)
    told = to_probabilities(logits, multi_label=False)
    for left in range(0, 40, 5):
        again = instant.fit_fixed(
            examples.take(np.flatnonzero(np.arange(40) != left)),
            None,
            multi_label=False,
            ridge=head.ridge,
            text_share=0.0,
            temperature=head.temperature,
        )
        refit = again.probabilities(examples.features[left][None])[0]
        assert abs(told[left] - refit).max() < 0.05


@pytest.mark.parametrize("with_axes", [False, True])
@pytest.mark.parametrize("multi_label", [False, True])
def test_each_example_can_be_taken_out_of_the_weights(multi_label: bool, with_axes: bool) -> None:
    rng = np.random.default_rng(0)
    features = np.concatenate([rng.normal(size=(30, 6)), rng.normal(size=(30, 4)) * 5], axis=1)
    targets = np.eye(3)[np.arange(30) % 3]
    known = axes.of_scans(features, (4,)) if with_axes else None
    examples = Examples(features, targets, np.ones(30), (4,), axes=known)
    texts = rng.normal(size=(3, 6))
    found = instant.leave_each_out(examples, texts, multi_label=multi_label)
    apart = features - found.head.centre
    part = np.einsum("nf,nf->n", apart, found.pulls)
    part += 1 / (30 + 2) if multi_label else 0  # of the constant, beside two examples more
    whole = apart @ found.head.weight + found.head.offset
    assert whole - part[:, None] * found.misses == pytest.approx(found.scores, abs=1e-6)
    _, logits = instant.fit_and_leave_out(examples, texts, multi_label=multi_label)
    assert found.scores / found.head.temperature == pytest.approx(logits)
    assert found.judged.all()


def test_a_rare_label_of_several_is_said_as_rarely_as_it_is_there() -> None:
    rng = np.random.default_rng(0)
    rates = np.array([0.05, 0.3, 0.9])
    noise = rng.normal(size=(400, WIDTH))
    targets = (rng.random((400, 3)) < rates).astype(float)
    known = Examples(noise[:200], targets[:200], np.ones(200))
    p = instant.fit(known, None, multi_label=True).probabilities(noise[200:])
    assert p.mean(0) == pytest.approx(rates, abs=0.12)
    assert (p >= 0.5).mean(0) == pytest.approx([0.0, 0.0, 1.0], abs=0.03)


def test_a_label_of_several_that_was_never_there_is_known_to_be_rare_by_and_by() -> None:
    rng = np.random.default_rng(2)
    targets = np.column_stack([np.arange(40) % 2, np.zeros(40)]).astype(float)
    known = Examples(rng.normal(size=(40, WIDTH)), targets, np.ones(40))
    few = instant.fit(known.take(np.arange(4)), None, multi_label=True)
    assert few.seen.tolist() == [True, False]
    many = instant.fit(known, None, multi_label=True)
    assert many.seen.tolist() == [True, True]
    assert many.probabilities(known.features)[:, 1].max() < 0.2


def test_without_an_example_the_others_give_what_is_left_out() -> None:
    rng = np.random.default_rng(1)
    features = rng.normal(size=(12, 3))
    targets = (rng.random((12, 2)) < 0.3).astype(float)
    found = instant.leave_each_out(Examples(features, targets, np.ones(12)), None, multi_label=True)
    x = (features - features.mean(0)) / np.sqrt(features.var(0).sum())
    design = np.column_stack([np.ones(12), x])
    penalty = np.diag([2 / 12, *[found.head.ridge * (x**2).mean()] * 3]) * 12
    for n in range(12):
        rest = np.delete(np.arange(12), n)
        gram = design[rest].T @ design[rest] + penalty
        solved = np.linalg.solve(gram, design[rest].T @ (targets[rest] - 0.5))
        assert design[n] @ solved == pytest.approx(found.scores[n], abs=1e-6)


def test_few_examples_say_little_of_the_temperature() -> None:
    few, many = (_clusters((n, n)) for n in (3, 60))
    heads = [instant.fit(clear, None, multi_label=False) for clear in (few, many)]
    assert regression.DEFAULT_TEMPERATURE <= heads[0].temperature < 0.4
    assert heads[1].temperature < heads[0].temperature


def test_examples_that_tell_nothing_make_it_unsure() -> None:
    """Labels by lot: hardly worse than saying a third of each."""
    losses = []
    for seed in range(12):
        rng = np.random.default_rng(seed)
        lot = np.eye(3)[rng.permutation(np.arange(36) % 3)]
        examples = Examples(_normalised(rng.normal(size=(36, 24))), lot, np.ones(36))
        p = instant.fit(examples, None, multi_label=False).probabilities(
            _normalised(rng.normal(size=(600, 24)))
        )
        losses.append(-np.log(p[np.arange(600), np.arange(600) % 3]).mean())
    assert np.mean(losses) < np.log(3) + 0.1


def test_a_queue_in_float32_is_ranked_as_in_float64() -> None:
    """Features as they are: far from zero, and telling labels apart by little."""
    rng = np.random.default_rng(0)
    truth = rng.integers(3, size=400)
    apart = rng.normal(size=(3, 600))[truth] * 0.01 + rng.normal(size=(400, 600)) * 0.02
    features = (_normalised(rng.normal(size=(1, 600)) + apart)).astype(np.float32)
    targets = np.eye(3)[truth]
    wide = features.astype(np.float64)
    known = Examples(wide[:300], targets[:300], np.ones(300), (200, 100))
    head = instant.fit(known, None, multi_label=False)
    found, plain = head.probabilities(features), head.probabilities(wide)
    assert abs(found - plain).max() < 1e-5
    assert (found[300:].argmax(1) == truth[300:]).mean() > 0.9


# --- a ridge that is kept ---


@pytest.mark.parametrize(("count", "kept"), [(260, True), (285, True), (286, False), (340, False)])
def test_a_ridge_is_kept_until_there_are_a_tenth_more_examples(count: int, kept: bool) -> None:
    everything = _clusters((200, 200), spread=0.4)
    order = np.random.default_rng(0).permutation(400)
    before = instant.fit(everything.take(order[:260]), None, multi_label=False)
    assert before.chosen_at == 260
    another = next(k for k in instant.RIDGES if k != before.ridge)
    given = replace(before, ridge=another)
    examples = everything.take(order[:count])
    head = instant.fit(examples, None, multi_label=False, before=given)
    assert head.chosen_at == (260 if kept else count)
    plain = instant.fit(examples, None, multi_label=False)
    assert head.ridge == (another if kept else plain.ridge)
    assert np.allclose(head.centre, plain.centre)


@pytest.mark.parametrize(
    ("count", "kept", "due"), [(257, True, False), (274, True, True), (282, False, False)]
)
def test_of_many_examples_all_that_was_chosen_is_kept_for_a_while(
    count: int, kept: bool, due: bool
) -> None:
    everything = _clusters((150, 150), spread=0.4)
    order = np.random.default_rng(0).permutation(300)
    texts = np.eye(everything.features.shape[1])[:2]
    before = instant.fit(everything.take(order[:256]), texts, multi_label=False)
    given = replace(before, temperature=before.temperature * 1.5, text_share=2.0)
    examples = everything.take(order[:count])
    head = instant.fit(examples, texts, multi_label=False, before=given)
    assert (head.text_share == 2.0, head.temperature == given.temperature) == (kept, kept)
    assert head.is_due(count - head.chosen_at) == due


def test_choosing_lets_other_work_in() -> None:
    pauses = list[int]()
    instant.fit(_clusters((65,) * 4), None, multi_label=False, pause=lambda: pauses.append(1))
    assert len(pauses) == len(instant.RIDGES) + regression.CORRECTION_STEPS + 1


def test_few_examples_have_no_ridge_to_keep() -> None:
    head = instant.fit(_clusters((20, 20)), None, multi_label=False)
    assert head.chosen_at == 0
