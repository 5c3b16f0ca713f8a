"""How fast the instant learner is on features that are kept: a part of `bench speed`."""

import tempfile
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from itertools import cycle
from pathlib import Path
from typing import Final

import numpy as np

from nearl_core.bench.timing import Figure, figure, timed
from nearl_core.control import RunControl
from nearl_core.engine import Engine
from nearl_core.learn.ranker import Blend, Ranker
from nearl_core.model.features import FeatureCache, scan_key
from nearl_core.scans.guard import ScanReader
from nearl_core.state import LiveVersion
from nearl_core.types import Decision, Label, LabelSet, Scan, State, Verdict, Version

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

        known, often = cycle(range(DECISIONS, len(decisions))), max(turns, 20)
        one = timed(often, lambda: step(next(known)))

        def come_due() -> None:
            for count in (DECISIONS // 2, DECISIONS - DECISIONS // 25, DECISIONS):
                engine.learn(scans, decisions[:count])

        few = max(turns // 3, 3)
        anew = timed(few, lambda: engine.finish_learning(control), come_due)
        many = timed(few, lambda: step(DECISIONS), lambda: step(DECISIONS // 2))
        engine.learner.use_version(_live(engine, list(scans.values()), Path(folder)))
        live = timed(often, lambda: step(next(known)))
    name = f"a decision, {DECISIONS} decided, {SCANS} in the queue"
    for times, what in (
        (one, name),
        (anew, "what is chosen anew behind one decision in fifty"),
        (many, f"{name}, half of them at once"),
        (live, f"{name}, with a live version"),
    ):
        yield figure(what, [work for work, _ in times], "ms of a processor")
        yield figure(f"{what}, by the clock", [clock for _, clock in times], "ms")
    for times, what in ((one, name), (live, f"{name}, with a live version")):
        of_work, by_clock = np.percentile(times, 95, axis=0).tolist()
        worst = f"{what}, 95th percentile"
        yield Figure(worst, of_work, of_work, of_work, "ms of a processor")
        yield Figure(worst, by_clock, by_clock, by_clock, "ms", "at most 100")


def _live(engine: Engine, scans: Sequence[Scan], folder: Path) -> LiveVersion:
    """A version whose features are those of the backbone, moved a little."""
    encoder, ready, rng = engine.encoder, engine.ready, np.random.default_rng(1)
    assert ready.ranker is not None
    assert ready.examples is not None
    cache = FeatureCache(folder, "live")
    for scan, row in zip(scans, engine.features([scan.id for scan in scans]), strict=True):
        moved = row + 0.1 * np.linalg.norm(row) * rng.standard_normal(len(row)) / len(row) ** 0.5
        cache.put(scan_key(scan.path), 0, (moved / np.linalg.norm(moved)).astype(np.float32))
    clip = encoder.trainable(first_layer=encoder.first_trained)
    assert clip.nearl is not None
    version = Version(
        id="v1",
        created=datetime.now(UTC),
        file="",
        backbone=encoder.backbone.name,
        backbone_hash=encoder.backbone.hash,
        label_set_revision=ready.label_set.revision,
        decision_ids=(),
        seconds=0.0,
        device="cpu",
        before=None,
        after=None,
        promoted=True,
        reason="",
    )
    head = ready.ranker.instant
    ranker = Ranker(head, head, Blend(1.0, head.ridge, head.temperature, 0.5))
    return LiveVersion(version, encoder.adapted(clip.nearl, ready.label_set), ranker, cache)


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
