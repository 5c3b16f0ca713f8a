"""Versions: trained by the engine, written with their provenance, opened again."""

import hashlib
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors import SafetensorError
from torch import Tensor

from nearl_core.control import RunControl
from nearl_core.errors import ScanError, TrainingError, VersionError
from nearl_core.learn import by_label, tuning
from nearl_core.learn.batches import Lesson, patient_of
from nearl_core.learn.examples import FloatArray
from nearl_core.learn.head import Head, to_probabilities, zero_shot
from nearl_core.learn.loop import TuneData, TuneSettings
from nearl_core.learn.promote import Judgement
from nearl_core.learn.ranker import Blend, Ranker
from nearl_core.learner import Learner
from nearl_core.model import adapter_file
from nearl_core.model.backbone_folder import file_hash, require_made_for
from nearl_core.model.encoder import Encoder
from nearl_core.model.features import FeatureCache, scan_key
from nearl_core.model.interaction import Interaction
from nearl_core.model.nearl import NearlClip
from nearl_core.model.prefix_cache import PrefixCache
from nearl_core.model.views import MARK as VIEWS_MARK
from nearl_core.model.views import views
from nearl_core.state import LiveVersion, Ready
from nearl_core.types import LabelSet, Scan, TrainingResult, Version

VIEWS, VIEWS_OF_MANY, MANY = 4, 2, 400
_SIDED = frozenset(("left", "right", "laterality"))


class Host(Protocol):
    """What versions need of the engine that trains and ranks them."""

    adapters_folder: Path
    cache_folder: Path

    @property
    def encoder(self) -> Encoder:
        """The loaded encoder."""

    @property
    def learner(self) -> Learner:
        """What learns from decisions and holds what ranks."""

    def picture(self, path: Path, frame: int) -> Tensor:
        """A frame as the image tower takes it."""


@dataclass(frozen=True)
class Request:
    """What is asked of a training run, see `Engine.train`; `started` by the monotonic clock."""

    version_id: str
    seed: int
    max_seconds: float | None
    every_layer: bool
    started: float
    interaction: str = Interaction.SET_LEVEL

    @property
    def deadline(self) -> float | None:
        """When the run is to be over, by the monotonic clock."""
        return None if self.max_seconds is None else self.started + self.max_seconds


def check_enough(learned: Sequence[Lesson], label_set: LabelSet) -> None:
    """Make sure that there is something to learn from, before anything is read.

    Raises:
        TrainingError: If there is not.
    """
    targets = np.array([lesson.target for lesson in learned])
    patients = [lesson.patient for lesson in learned]
    tuning.check_enough(targets, patients, multi_label=label_set.multi_label)


def train(
    engine: Host,
    ready: Ready,
    scans: Mapping[int, Scan],
    learned: Sequence[Lesson],
    request: Request,
    control: RunControl,
) -> TrainingResult:
    """Train, judge and write a version from lessons whose features are known.

    Args:
        engine: Whose `ready` may change meanwhile; `ready` is what the version is made for.
        ready: The labels, the caches and the live version.
        scans: By id.
        learned: What to learn; scans that can't be read any more are left out.
        request: See there.
        control: Reports each step.

    Raises:
        TrainingError: If there is too little to learn from, or the version can't be written.
        Cancelled: If asked to stop.
    """
    encoder = engine.encoder
    first_layer = 0 if request.every_layer else encoder.first_trained

    def make() -> NearlClip:
        how = Interaction(request.interaction)
        return encoder.trainable(first_layer=first_layer, interaction=how)

    flip = not _has_sides(ready.label_set)
    learned, prefixes = _prefixes(engine, scans, learned, make(), flip, request.seed, control)
    check_enough(learned, ready.label_set)
    instant = by_label.fit(
        engine.learner.examples(learned, ready.cache),
        ready.texts,
        multi_label=ready.label_set.multi_label,
        text_default=1.0,
        pause=control.check,
    )
    inputs = _inputs(engine, ready, scans, learned, torch.stack(prefixes))
    tuned = tuning.run(
        make,
        inputs,
        settings=_settings(len(learned)),
        seed=request.seed,
        deadline=request.deadline,
        control=control,
    )
    version = _version(request, encoder, ready.label_set, learned, tuned.judgement)
    about = _about(version, ready.label_set, learned, tuned.judgement)
    _write(engine.adapters_folder / version.file, about, tuned, instant)
    return TrainingResult(version, tuned.losses)


def _version(
    request: Request,
    encoder: Encoder,
    label_set: LabelSet,
    learned: Sequence[Lesson],
    judgement: Judgement,
) -> Version:
    return Version(
        id=request.version_id,
        created=datetime.now(UTC),
        file=f"{request.version_id}.safetensors",
        backbone=encoder.backbone.name,
        backbone_hash=encoder.backbone.hash,
        label_set_revision=label_set.revision,
        decision_ids=tuple(lesson.decision_id for lesson in learned),
        seconds=time.monotonic() - request.started,
        device=encoder.device.type,
        before=judgement.before,
        after=judgement.after,
        promoted=judgement.promoted,
        reason=judgement.reason,
        evidence=judgement.evidence,
    )


def _prefixes(
    engine: Host,
    scans: Mapping[int, Scan],
    learned: Sequence[Lesson],
    clip: NearlClip,
    flip: bool,
    seed: int,
    control: RunControl,
) -> tuple[list[Lesson], list[Tensor]]:
    """Views of each lesson's frame as they enter the first adapted block: N times V x T x D."""
    count = VIEWS if len(learned) <= MANY else VIEWS_OF_MANY
    cache = PrefixCache(engine.cache_folder, engine.encoder.prefix_source(clip))
    read, found = list[Lesson](), list[Tensor]()
    for done, lesson in enumerate(learned):
        scan = scans[lesson.scan_id]
        frame = lesson.frames[len(lesson.frames) // 2] if lesson.frames else scan.frames // 2
        control.step(done, len(learned), "reading scans")
        # By the scan, not in turn: one decision more leaves the other scans' views as they were.
        drawn = f"{seed}|{scan.id}|{frame}"
        file = scan_key(scan.path)
        key = f"{file}|{drawn}|{count}|{flip}|{VIEWS_MARK}"
        prefix = cache.get(key) if file else None
        if prefix is None:
            try:
                picture = engine.picture(scan.path, frame)
            except ScanError:
                continue  # moved or damaged since: one file may not keep the others from training
            seen = views(picture, count, flip=flip, generator=_generator(drawn))
            prefix = engine.encoder.prefixes(clip, seen, control)
            cache.put(key, prefix)
        found.append(prefix)
        read.append(lesson)
    return read, found


def _generator(drawn: str) -> torch.Generator:
    digest = hashlib.blake2b(drawn.encode(), digest_size=7).digest()
    return torch.Generator().manual_seed(int.from_bytes(digest))


def _has_sides(label_set: LabelSet) -> bool:
    """Whether a label is of a side, so that a mirrored view would be wrong."""
    texts = " ".join(f"{x.name} {' '.join(x.prompts)}" for x in label_set.labels)
    return bool(_SIDED & set(texts.lower().replace("-", " ").replace("_", " ").split()))


def _inputs(
    engine: Host,
    ready: Ready,
    scans: Mapping[int, Scan],
    learned: Sequence[Lesson],
    prefixes: Tensor,
) -> tuning.TuneInputs:
    encoder = engine.encoder
    examples = engine.learner.examples(learned, ready.cache)
    multi_label = ready.label_set.multi_label
    zero = None
    if ready.texts is not None:
        head = zero_shot(ready.texts, scale=encoder.backbone.logit_scale, multi_label=multi_label)
        zero = head.logits(examples.features)
    data = TuneData(
        prefixes=prefixes,
        targets=torch.tensor(examples.targets, dtype=torch.float32, device=encoder.device),
        weights=torch.tensor(examples.weights, dtype=torch.float32, device=encoder.device),
        prompts=encoder.prompts(ready.label_set),
        multi_label=multi_label,
    )
    return tuning.TuneInputs(
        data=data,
        frozen=examples.features.astype(np.float64),
        blocks=examples.blocks,
        axes=examples.axes,
        patients=[lesson.patient for lesson in learned],
        blind=np.array([lesson.blind for lesson in learned]),
        unseen=np.array([lesson.unseen for lesson in learned]),
        texts=ready.texts,
        zero_shot=zero,
        live=_live_says(engine, ready, scans, learned),
    )


def _live_says(
    engine: Host, ready: Ready, scans: Mapping[int, Scan], learned: Sequence[Lesson]
) -> tuple[NDArray[np.intp], FloatArray] | None:
    """What the live version, as it was written, says of patients that it did not learn from.

    Another scan of a patient, or another decision of the same scan, is no test.
    """
    live = ready.live
    if live is None:
        return None
    taught = set(live.version.decision_ids)
    seen = {lesson.patient for lesson in learned if lesson.decision_id in taught}
    seen |= {patient_of(scans[scan_id]) for scan_id in live.learned if scan_id in scans}
    rows = np.array([n for n, lesson in enumerate(learned) if lesson.patient not in seen], np.intp)
    if len(rows) < tuning.MINIMUM:
        return None
    ids, learner = [learned[i].scan_id for i in rows], engine.learner
    frozen, tuned = learner.deep_features(ids, ready.cache), learner.embeddings(ids, live.cache)
    logits = live.ranker.logits(frozen, tuned)
    return rows, to_probabilities(logits, multi_label=ready.label_set.multi_label)


def _settings(count: int) -> TuneSettings:
    """More decisions get more steps."""
    settings = TuneSettings()
    steps = round(settings.steps * min(4.0, max(1.0, (count / 64) ** 0.5)))
    return replace(settings, steps=steps)


def _about(
    version: Version, label_set: LabelSet, learned: Sequence[Lesson], judgement: Judgement
) -> dict[str, object]:
    """What a version's file says of it."""
    return {
        "version": version.id,
        "created": version.created.isoformat(),
        "backbone": version.backbone,
        "backbone_hash": version.backbone_hash,
        "label_ids": list(label_set.ids),
        "label_set_revision": version.label_set_revision,
        "multi_label": label_set.multi_label,
        "decision_ids": list(version.decision_ids),
        "scan_ids": [lesson.scan_id for lesson in learned],
        "seconds": version.seconds,
        "device": version.device,
        "before": None if version.before is None else asdict(version.before),
        "after": None if version.after is None else asdict(version.after),
        "promoted": version.promoted,
        "reason": version.reason,
        "evidence": None if version.evidence is None else asdict(version.evidence),
        "blend": asdict(judgement.blend),
    }


def _write(path: Path, about: dict[str, object], tuned: tuning.Tuned, instant: Head) -> None:
    extra = {f"tuned.{k}": v for k, v in _to_tensors(tuned.head).items()}
    extra |= {f"instant.{k}": v for k, v in _to_tensors(instant).items()}
    try:
        adapter_file.write(path, tuned.nearl, extra=extra, provenance=about)
    except (OSError, SafetensorError) as error:
        with suppress(OSError):
            path.with_suffix(".partial").unlink(missing_ok=True)
        raise TrainingError(
            "The new version could not be written.", "Make room on the disk and train again."
        ) from error


def open_version(engine: Host, version: Version) -> LiveVersion:
    """A version ready to rank.

    Raises:
        VersionError: If it can't be read or was made for another backbone or label set.
    """
    encoder, label_set = engine.encoder, engine.learner.ready.label_set
    require_made_for(encoder.backbone.hash, version)
    if version.label_set_revision != label_set.revision:
        raise VersionError(
            f"The version {version.id} was made before the labels changed.",
            "Train a new version; the instant learner serves until then.",
        )
    path = engine.adapters_folder / version.file
    nearl, extra, about = adapter_file.read(path)
    if about.get("label_ids") != list(label_set.ids):
        raise VersionError(
            f"The version {version.id} was made for other labels.", "Train a new version."
        )
    blend = _to_blend(about.get("blend"), version)
    adapted = encoder.adapted(nearl, label_set)
    texts = encoder.known_texts(label_set, adapted.labels.features.cpu().double().numpy())
    heads = {
        part: _to_head(extra, part, multi_label=label_set.multi_label)
        for part in ("instant", "tuned")
    }
    ranker = Ranker(heads["instant"], heads["tuned"], blend, texts)
    cache = FeatureCache(engine.cache_folder, f"{encoder.source}+{file_hash(path)}")
    return LiveVersion(version, adapted, ranker, cache, _to_ids(about.get("scan_ids")))


def _to_ids(held: object) -> frozenset[int]:
    some = held if isinstance(held, list) else []
    return frozenset(one for one in some if isinstance(one, int))


def _to_blend(held: object, version: Version) -> Blend:
    try:
        return Blend(**held)  # type: ignore[arg-type]  # what JSON holds is checked right here
    except TypeError as error:
        raise VersionError(
            f"The version {version.id} does not say how it ranks.", "Train a new version."
        ) from error


def _to_tensors(head: Head) -> dict[str, Tensor]:
    return {
        "centre": torch.from_numpy(head.centre),
        "weight": torch.from_numpy(head.weight),
        "offset": torch.from_numpy(head.offset),
        "seen": torch.from_numpy(head.seen),
        "numbers": torch.tensor([head.temperature, head.text_share, head.ridge]).double(),
    }


def _to_head(extra: Mapping[str, Tensor], part: str, *, multi_label: bool) -> Head:
    try:
        numbers = extra[f"{part}.numbers"].tolist()
        arrays = {n: extra[f"{part}.{n}"].numpy() for n in ("centre", "weight", "offset", "seen")}
    except KeyError as error:
        raise VersionError("A version's file is not complete.", "Train a new version.") from error
    return Head(
        centre=arrays["centre"],
        weight=arrays["weight"],
        offset=arrays["offset"],
        temperature=numbers[0],
        multi_label=multi_label,
        text_share=numbers[1],
        ridge=numbers[2],
        seen=arrays["seen"],
    )
