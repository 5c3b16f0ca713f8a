"""Figures of what ranks, and of what it is held against, on scans whose labels are known."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

import numpy as np

from nearl_core.control import RunControl
from nearl_core.engine import Engine
from nearl_core.errors import NearlError
from nearl_core.learn import evaluate, linear_probe
from nearl_core.learn.batches import Lesson
from nearl_core.learn.examples import FloatArray, joined
from nearl_core.learn.head import to_probabilities, zero_shot
from nearl_core.types import Figures, LabelSet, Scan, SkippedFile


class Stage(StrEnum):
    """What is to be measured.

    ZERO_SHOT: the backbone and the label texts. LINEAR_PROBE: logistic regression on frozen
    features. INSTANT: the instant learner. TUNED: the own head of the version that is active
    in the engine, whatever share of a ranking it has. LIVE: what ranks.
    """

    ZERO_SHOT = "zero-shot"
    LINEAR_PROBE = "linear-probe"
    INSTANT = "instant"
    TUNED = "tuned"
    LIVE = "live"


@dataclass(frozen=True, eq=False)
class Known:
    """Scans with their labels.

    Attributes:
        scans: In the order of the rows.
        targets: N x C.
    """

    scans: Sequence[Scan]
    targets: FloatArray


def from_folder(folder: Path, label_set: LabelSet, *, first_id: int) -> Known:
    """Scans of FOLDER/CLASS/*, a folder for each label by its name or id.

    Where a scan can have several labels, a label's parents follow and all others are absent.

    Raises:
        NearlError: If the folder can't be read, a class is no label, or there is no scan.
    """
    from nearl_core.scans.find import find

    if not folder.is_dir():
        raise NearlError(f"There is no folder {folder.name}.", "Give a folder of class folders.")
    scans: list[Scan] = []
    rows: list[FloatArray] = []
    for sub in sorted(p for p in folder.iterdir() if p.is_dir() and p.name[0] != "."):
        meant = label_set.meant((_label_id(sub.name, label_set),))
        for found in find([sub]):
            if not isinstance(found, SkippedFile):
                scans.append(Scan(first_id + len(scans), found))
                rows.append(np.array([float(one in meant) for one in label_set.ids]))
    if not scans:
        raise NearlError(f"There is no scan in {folder.name}.", "Give a folder of class folders.")
    return Known(scans, np.array(rows))


def _label_id(name: str, label_set: LabelSet) -> str:
    spelt = label_set.find(name) or label_set.find(name.replace("_", " "))
    return (spelt or label_set.by_name(name)).id


def measure(
    engine: Engine, known: Known, stage: Stage, learned: Sequence[Lesson], control: RunControl
) -> Figures:
    """Figures of one stage on known scans; those that can't be read are left out.

    Args:
        engine: Loaded, and taught by `learn`.
        known: What is measured on.
        stage: What is measured.
        learned: What the linear probe learns from, where the features are known.
        control: Reports reading.

    Raises:
        NearlError: If the stage can't answer yet.
    """
    rankings = engine.rank(known.scans, control)
    done = {ranking.scan_id for ranking in engine.rerank([r.scan_id for r in rankings])}
    rows = [i for i, scan in enumerate(known.scans) if scan.id in done]
    if not rows:
        raise NearlError("None of the scans can be read.", "Check the files with `render`.")
    ids = [known.scans[i].id for i in rows]
    p = probabilities(engine, ids, stage, learned)
    multi_label = engine.ready.label_set.multi_label
    return evaluate.figures(p, known.targets[rows], multi_label=multi_label)


def probabilities(
    engine: Engine, scan_ids: Sequence[int], stage: Stage, learned: Sequence[Lesson]
) -> FloatArray:
    """What a stage says of scans whose features are known: N x C."""
    ready = engine.ready
    multi_label = ready.label_set.multi_label
    if stage is Stage.ZERO_SHOT:
        texts = engine.encoder.texts(ready.label_set)
        scale = engine.encoder.backbone.logit_scale
        head = zero_shot(texts, scale=scale, multi_label=multi_label)
        return head.probabilities(engine.features(scan_ids))
    if stage is Stage.LINEAR_PROBE:
        learned = engine.learner.with_features(learned, ready)
        if not learned:
            raise NearlError("A linear probe needs decisions.", "Decide some scans first.")
        examples = engine.learner.examples(learned, ready.cache).embedded()
        patients = [lesson.patient for lesson in learned]
        asked = engine.features(scan_ids)
        return linear_probe.probabilities(examples, patients, asked, multi_label=multi_label)
    if ready.ranker is None:
        raise NearlError(
            "Nothing can be ranked yet: the backbone does not know the labels' words.",
            "Decide some scans first.",
        )
    if stage is Stage.INSTANT:
        return ready.ranker.instant.probabilities(engine.deep_features(scan_ids))
    if stage is Stage.TUNED:
        if ready.live is None or ready.ranker.tuned is None:
            raise NearlError("No version was trained for these labels.", "Train one first.")
        tuned = joined(engine.features(scan_ids, tuned=True), engine.deep_features(scan_ids))
        logits = ready.ranker.tuned.logits(tuned)
        return to_probabilities(logits, multi_label=multi_label)
    return engine.probabilities(scan_ids)
