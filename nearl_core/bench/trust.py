"""Whether the figures that are shown can be believed, on features of the frozen backbone.

Calibration of the instant learner against a linear probe, slips found among decisions, and scans
of another task told from those of one's own. The gate needs training and is measured by
`bench accuracy`.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from nearl_core.bench.frozen import Part, Task
from nearl_core.control import RunControl
from nearl_core.learn import evaluate, instant, linear_probe
from nearl_core.learn.examples import FloatArray
from nearl_core.learn.head import to_probabilities
from nearl_core.learn.look_again import from_logits
from nearl_core.learn.unlike import distances, familiar

PROTOCOLS = (("a label", 8), ("a label", 16), ("in all", 32), ("in all", 64), ("in all", 128))
"""Decisions of each label, or drawn from all as they come."""
ENOUGH = 32
FLIPPED = 0.05
FAMILIAR = 32


@dataclass(frozen=True)
class TrustFigure:
    """One measured figure, the mean over seeds.

    Attributes:
        name: What was measured.
        task: Where; "mean" for the mean of all.
        value: Of ours.
        against: Of what it is held against, which the name says, or None.
        detail: What it is made of.
    """

    name: str
    task: str
    value: float
    against: float | None = None
    detail: str = ""


def measure(tasks: Sequence[Task], seeds: int, control: RunControl) -> Iterator[TrustFigure]:
    """All figures of all tasks.

    Raises:
        Cancelled: If asked to stop.
    """
    found = list[TrustFigure]()
    for task in tasks:
        for figure in (
            *_calibration(task, seeds, control),
            *_slips(task, seeds, control),
            *_strangers(task, [t for t in tasks if t is not task], seeds),
        ):
            found.append(figure)
            yield figure
    for name in dict.fromkeys(figure.name for figure in found):
        of_name = [figure for figure in found if figure.name == name]
        against = [figure.against for figure in of_name if figure.against is not None]
        yield TrustFigure(
            name,
            "mean",
            float(np.mean([figure.value for figure in of_name])),
            float(np.mean(against)) if against else None,
        )


def _calibration(task: Task, seeds: int, control: RunControl) -> Iterator[TrustFigure]:
    excess, losses = list[tuple[float, float]](), list[tuple[float, float]]()
    for how, count in PROTOCOLS:
        for seed in range(seeds):
            control.step(seed, seeds, f"{task.name}, {count} decisions {how}")
            rows = draw(task.train, how, count, seed)
            if len(rows) < ENOUGH:
                continue
            examples = task.train.examples(rows)
            head = instant.fit(examples, None, multi_label=False)
            ours = head.probabilities(task.test.features)
            patients = [str(row) for row in rows]
            probe = linear_probe.probabilities(
                examples.embedded(), patients, task.test.embeddings, multi_label=False
            )
            excess.append((_excess(ours, task.test), _excess(probe, task.test)))
            losses.append((_loss(ours, task.test), _loss(probe, task.test)))
    for name, pairs in (("ECE above chance", excess), ("log-loss", losses)):
        own, other = np.mean(pairs, axis=0).tolist()
        detail = f"{len(pairs)} draws of {ENOUGH} decisions or more"
        yield TrustFigure(f"{name}, against a linear probe", task.name, own, other, detail)


def draw(part: Part, how: str, count: int, seed: int) -> NDArray[np.intp]:
    """Rows to decide, by a protocol."""
    rng = np.random.default_rng([seed, count, 17])
    if how == "in all":
        return rng.choice(len(part.labels), min(count, len(part.labels)), replace=False)
    of_label = (np.flatnonzero(part.labels == c) for c in range(part.count))
    return np.concatenate([rng.permutation(rows)[:count] for rows in of_label])


def _excess(p: FloatArray, part: Part) -> float:
    confidence, correct = p.max(1), p.argmax(1) == part.labels
    return evaluate.calibration_error(confidence, correct) - evaluate.calibrated_error(
        confidence, seed=0
    )


def _loss(p: FloatArray, part: Part) -> float:
    return evaluate.log_loss(p, part.targets)


def _slips(task: Task, seeds: int, control: RunControl) -> Iterator[TrustFigure]:
    """Precision at the number flipped, and what those would have that know more.

    One head learned from no slip. The oracle knows the true posterior: labels are drawn from what
    that head says, some are flipped, and it ranks them by the very probabilities of the draw.
    """
    part, found = task.train, list[tuple[float, float, float]]()
    everything, eye = np.arange(len(part.labels)), np.eye(part.count)
    clean = instant.fit_and_leave_out(part.examples(everything), None, multi_label=False)[1]
    posterior = to_probabilities(clean + np.log(part.targets.sum(0)), multi_label=False)
    for seed in range(seeds):
        control.step(seed, seeds, f"{task.name}, slips")
        rng = np.random.default_rng([seed, 31])
        flipped = rng.permutation(everything)[: round(FLIPPED * len(everything))]
        by = np.zeros(len(everything), np.intp)
        by[flipped] = rng.integers(1, part.count, len(flipped))
        wrong = replace(part, labels=(part.labels + by) % part.count)
        logits = instant.fit_and_leave_out(wrong.examples(everything), None, multi_label=False)[1]
        drawn = (posterior.cumsum(1) < rng.random((len(everything), 1))).sum(1)
        said = eye[(drawn.clip(max=part.count - 1) + by) % part.count]
        known = np.log(posterior.clip(1e-9)) - np.log(said.sum(0).clip(0.5))
        pairs = (logits, wrong.targets), (clean, wrong.targets), (known, said)
        ours, knowing, oracle = (_precision(seen, told, flipped) for seen, told in pairs)
        found.append((ours, knowing, oracle))
    ours, knowing, oracle = np.mean(found, axis=0).tolist()
    what, times = "slips found at the number flipped", f"{ours / FLIPPED:.1f} times the base rate"
    yield TrustFigure(f"{what}, against a head without slips", task.name, ours, knowing, times)
    yield TrustFigure(f"{what}, against the true posterior", task.name, ours, oracle)


def _precision(logits: FloatArray, said: FloatArray, flipped: NDArray[np.intp]) -> float:
    """What part of the most suspicious decisions was flipped, among as many as were."""
    found = from_logits(logits, said, multi_label=False)
    first = np.argsort(-found.suspicion, kind="stable")[: len(flipped)]
    return float(np.isin(first, flipped).mean())


def _strangers(task: Task, others: Sequence[Task], seeds: int) -> Iterator[TrustFigure]:
    """How well distance tells scans of other tasks, and what the flag makes of it."""
    areas, own_flags, other_flags = list[float](), list[float](), list[float]()
    for seed in range(seeds):
        examples = task.train.examples(draw(task.train, "in all", FAMILIAR, seed))
        examples = examples.embedded()
        decided, measure_ = examples.features, familiar(examples)
        own_flags.append(float(measure_.unlike(task.test.embeddings).mean()))
        near = distances(task.test.embeddings, decided)
        for other in others:
            far = distances(other.test.embeddings, decided)
            is_other = np.repeat([0.0, 1.0], [len(near), len(far)])
            area = evaluate.auroc(np.concatenate([near, far])[:, None], is_other[:, None])
            areas.append(area or 0.0)
            other_flags.append(float(measure_.unlike(other.test.embeddings).mean()))
    if areas:
        yield TrustFigure(
            "AUROC of scans of another task",
            task.name,
            float(np.mean(areas)),
            detail=f"{FAMILIAR} decided, least {min(areas):.3f}",
        )
        yield TrustFigure(
            "flagged of another task, against of one's own",
            task.name,
            float(np.mean(other_flags)),
            float(np.mean(own_flags)),
        )
