"""Ours in the benchmark, through the engine that the desk uses; and variants for the ablation."""

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, replace

from nearl_core.bench.draws import Rows
from nearl_core.bench.task import Task
from nearl_core.control import RunControl
from nearl_core.errors import TrainingError
from nearl_core.evaluation import Stage, probabilities
from nearl_core.learn.examples import FloatArray
from nearl_core.model.nearl import FULL, Design

REVISION = 10  # raised with each change of the engine that changes figures

VARIANTS: Mapping[str, Design] = {
    "no-useformer": replace(FULL, synergy=False),
    "no-orthogonality": replace(FULL, orthogonal=False),
    "beta-0.5": replace(FULL, beta=0.5),
    "image-tower-only": replace(FULL, text_tower=False),
    "text-tower-only": replace(FULL, image_tower=False),
}
"""What the ablation takes away; by the name behind the slash, such as "live/no-useformer"."""


@dataclass(frozen=True, eq=False)
class Answer:
    """What a method says of the test scans.

    Attributes:
        probabilities: T x C.
        promoted: Whether the gate let the trained version rank; None for methods without one.
    """

    probabilities: FloatArray
    promoted: bool | None = None


def instant(task: Task, rows: Rows) -> Answer:
    """The instant learner on some decisions."""
    task.engine.activate(None)
    task.engine.learn(*task.decisions(rows))
    return Answer(probabilities(task.engine, task.test.ids, Stage.INSTANT, []))


def trained(
    task: Task, rows: Rows, *, seed: int, design: Design = FULL, control: RunControl
) -> dict[Stage, Answer]:
    """The tuned head, whatever the gate says of it, and what would rank after the gate.

    Where there is too little to train on, both are the instant learner, as on the desk.
    """
    plain, engine = instant(task, rows), task.engine
    kept = Answer(plain.probabilities, promoted=False)
    scans, decisions = task.decisions(rows)
    task.encoder.design = design
    try:
        version = engine.train(
            scans, decisions, version_id="benchmark", seed=seed, control=control
        ).version
    except TrainingError:
        return {Stage.TUNED: kept, Stage.LIVE: kept}
    finally:
        task.encoder.design = FULL
    engine.activate(version)
    engine.rank(task.test.known.scans, control.renamed("reading scans"))
    ids, promoted = task.test.ids, version.promoted
    tuned = Answer(probabilities(engine, ids, Stage.TUNED, []), promoted)
    live = Answer(probabilities(engine, ids, Stage.LIVE, []), True) if promoted else kept
    engine.activate(None)
    with suppress(OSError):  # hundreds of versions would fill the disk
        (engine.adapters_folder / version.file).unlink()
    return {Stage.TUNED: tuned, Stage.LIVE: live}
