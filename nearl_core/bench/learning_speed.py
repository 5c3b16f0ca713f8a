"""How fast the instant learner is on features that are kept: a part of `bench speed`."""

import tempfile
from collections.abc import Iterator
from datetime import UTC, datetime
from itertools import cycle
from pathlib import Path
from typing import Final

import numpy as np

from nearl_core.bench.timing import Figure, figure, timed
from nearl_core.control import RunControl
from nearl_core.engine import Engine
from nearl_core.model.features import scan_key
from nearl_core.scans.guard import ScanReader
from nearl_core.types import Decision, Label, LabelSet, Scan, State, Verdict

DECISIONS: Final = 1000
SCANS: Final = 10_000
_MORE: Final = 64
_LABELS: Final = 10


def instant_learner(turns: int, control: RunControl, *, backbone: str) -> Iterator[Figure]:
    """From a decision to the ranking of the scan on screen and a queue in order, by kept features.

    Raises:
        BackboneError: If the backbone can't be used.
    """
    with tempfile.TemporaryDirectory() as folder, ScanReader(workers=1) as reader:
        labels = LabelSet(tuple(Label(str(n), f"finding number {n}") for n in range(_LABELS)))
        engine = Engine(
            backbone=backbone,
            label_set=labels,
            reader=reader,
            adapters_folder=Path(folder) / "adapters",
            cache_folder=Path(folder) / "cache",
            device="cpu",
        )
        engine.load(control)
        scans, decisions = _decided(engine, Path(folder), control)
        ids = list(scans)

        def step(count: int) -> None:
            engine.learn(scans, decisions[:count])
            engine.rerank(ids[-1:])
            engine.queue_order(ids)

        known = cycle(range(DECISIONS, len(decisions)))
        one = timed(max(turns, 20), lambda: step(next(known)))

        def come_due() -> None:
            for count in (DECISIONS // 2, DECISIONS - DECISIONS // 25, DECISIONS):
                engine.learn(scans, decisions[:count])

        few = max(turns // 3, 3)
        anew = timed(few, lambda: engine.choose_anew(control), come_due)
        many = timed(few, lambda: step(DECISIONS), lambda: step(DECISIONS // 2))
    name = f"a decision, {DECISIONS} decided, {SCANS} in the queue"
    for times, what in (
        (one, name),
        (anew, "what is chosen anew behind one decision in fifty"),
        (many, f"{name}, half of them at once"),
    ):
        yield figure(what, [work for work, _ in times], "ms of a processor")
        yield figure(f"{what}, by the clock", [clock for _, clock in times], "ms")
    of_work, by_clock = np.percentile(one, 95, axis=0).tolist()
    worst = f"{name}, 95th percentile"
    yield Figure(worst, of_work, of_work, of_work, "ms of a processor")
    yield Figure(worst, by_clock, by_clock, by_clock, "ms", "at most 100")


def _decided(
    engine: Engine, folder: Path, control: RunControl
) -> tuple[dict[int, Scan], list[Decision]]:
    """Scans of which only the features exist, the first of them decided."""
    rng, scans = np.random.default_rng(0), dict[int, Scan]()
    width = engine.encoder.embedding + sum(engine.encoder.blocks)
    centres = rng.standard_normal((_LABELS, width))
    for number in range(SCANS):
        path = folder / f"{number}.png"
        path.touch()
        scans[number] = Scan(number, path, patient=f"P{number}")
        feature = centres[number % _LABELS] + rng.standard_normal(centres.shape[1])
        feature /= np.linalg.norm(feature)
        engine.ready.cache.put(scan_key(path), 0, feature.astype(np.float32))
        control.check()
    engine.rank(list(scans.values()), control)  # nothing is read: all features are there
    now = datetime.now(UTC)
    decided = [
        Decision(n + 1, n, "bench", now, Verdict(State.LABELLED, (str(n % _LABELS),)))
        for n in range(min(DECISIONS + _MORE, SCANS))
    ]
    return scans, decided
