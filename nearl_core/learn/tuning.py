"""From examples to a judged version: train on all, train on folds for the evidence, judge."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
import torch
from numpy.typing import NDArray

from nearl_core.control import Pace, RunControl
from nearl_core.errors import TrainingError
from nearl_core.learn import by_label, label_texts
from nearl_core.learn.batches import patient_folds
from nearl_core.learn.by_label import LeftOut
from nearl_core.learn.examples import Axes, Examples, FloatArray, joined
from nearl_core.learn.head import Head
from nearl_core.learn.loop import Start, TuneData, TuneSettings, precision, tune
from nearl_core.learn.promote import HeldOut, Judgement, judge
from nearl_core.model.device import as_many_as_fit
from nearl_core.model.nearl import Nearl, NearlClip

FOLDS = 3
SCALES = (1.0, 0.5)
MINIMUM = 8
RIDGES = (0.3, 0.7, 1.5)
ENCODED_AT_ONCE = 16


@dataclass(frozen=True, eq=False)
class TuneInputs:
    """Everything that a run learns from.

    Attributes:
        data: Views and targets.
        frozen: N x F, the backbone's features of the original view.
        blocks: Widths of the blocks that stand behind the embedding in F.
        patients: N names.
        blind: N, bool: decided without a suggestion or against it.
        unseen: N, bool: decided without a suggestion on screen.
        texts: C x E, NaN for a label whose words the backbone does not know, None where it knows
            too few.
        zero_shot: N x C logits of the backbone, or None likewise.
        live: Rows of patients that the live version did not learn from, and what it says, or None.
        axes: Of all scans that are known, or None.
    """

    data: TuneData
    frozen: FloatArray
    blocks: tuple[int, ...]
    patients: Sequence[str]
    blind: NDArray[np.bool_]
    unseen: NDArray[np.bool_]
    texts: FloatArray | None
    zero_shot: FloatArray | None
    live: tuple[NDArray[np.intp], FloatArray] | None
    axes: Axes | None = None

    @property
    def targets(self) -> FloatArray:
        """N x C, NaN where a label was not asked for."""
        return self.data.targets.cpu().double().numpy()

    def known(self, texts: FloatArray) -> FloatArray | None:
        """Of tuned texts, C x E, those of which the backbone knows the words."""
        if self.texts is None:
            return None
        return np.where(label_texts.known(self.texts)[:, None], texts, np.nan)

    def examples(self, features: FloatArray) -> Examples:
        """The decisions with these features, N x F."""
        weights = self.data.weights.cpu().double().numpy()
        return Examples(features, self.targets, weights, self.blocks, axes=self.axes)


@dataclass(frozen=True, eq=False)
class Tuned:
    """A trained version before it is written.

    Attributes:
        nearl: The adapters, their scale already taken in.
        head: The head on tuned features.
        judgement: What the gate says.
        losses: Of each step of the run on all decisions.
        features: N x E, tuned, of the original view.
    """

    nearl: Nearl
    head: Head
    judgement: Judgement
    losses: tuple[float, ...]
    features: FloatArray


Make = Callable[[], NearlClip]
"""Makes a CLIP with fresh adapters over the shared frozen backbone."""


@dataclass
class _Share:
    """What is left until a deadline, shared among the runs still to come.

    Attributes:
        settings: Of a run without a deadline.
        deadline: By the monotonic clock, or None.
        encoding_s: What encoding all examples takes.
        runs: Runs still to come.
        encodings: Encodings still to come, for which time is set aside.
    """

    settings: TuneSettings
    deadline: float | None
    encoding_s: float = 0.0
    runs: int = field(default=1 + FOLDS, kw_only=True)
    encodings: int = field(default=1 + FOLDS * len(SCALES), kw_only=True)

    def next(self, encodings: int) -> TuneSettings:
        """The settings of the next run, which is followed by so many encodings."""
        if self.deadline is None:
            return self.settings
        left = self.deadline - time.monotonic() - self.encodings * self.encoding_s
        seconds = max(0.0, left / self.runs)
        self.runs, self.encodings = self.runs - 1, self.encodings - encodings
        return replace(self.settings, seconds=seconds)


def run(
    make: Make,
    inputs: TuneInputs,
    *,
    settings: TuneSettings,
    seed: int,
    deadline: float | None = None,
    control: RunControl,
) -> Tuned:
    """Train on all decisions, then on folds, and judge.

    Args:
        make: See Make.
        inputs: What to learn from.
        settings: The recipe.
        seed: For all randomness.
        deadline: When to be over, by the monotonic clock; each run takes a step at least.
        control: Reports each step.

    Raises:
        TrainingError: If there is too little to learn from.
        Cancelled: If asked to stop.
    """
    folds = _folds(inputs)
    torch.manual_seed(seed)
    clip = make()
    share = _Share(settings, deadline, runs=2 + int(folds.max()))
    if deadline is not None:
        share.encoding_s = _encoding_seconds(clip, inputs.data, control)
    everything = np.arange(len(inputs.frozen))
    left_out, losses = candidate(
        clip, inputs, everything, settings=share.next(0), seed=seed, control=control
    )
    held = _cross_fit(make, inputs, folds, share=share, seed=seed, control=control)
    judgement = judge(held, multi_label=inputs.data.multi_label, live=inputs.live)
    nearl = _adapters(clip)
    take_in_scale(nearl, judgement.blend.scale)
    features, texts = encode(clip, inputs.data, control)
    head = by_label.fit_fixed(
        inputs.examples(joined(features, inputs.frozen)),
        inputs.known(texts),
        multi_label=inputs.data.multi_label,
        ridge=judgement.blend.ridge,
        text_share=left_out.head.text_share,
        temperature=judgement.blend.temperature,
    )
    return Tuned(nearl, head, judgement, losses, features)


def check_enough(targets: FloatArray, patients: Sequence[str], *, multi_label: bool) -> None:
    """Make sure that there is enough to train on and to check what was learned.

    Raises:
        TrainingError: If fewer than two labels (or one of a multi-label set) have two patients,
            or there are too few examples.
    """
    names, enough = np.asarray(patients), len(targets) >= MINIMUM
    if enough:
        with_two = sum(len(set(names[column > 0])) >= 2 for column in targets.T)
        enough = with_two >= (1 if multi_label else 2)
    if not enough:
        what = "a label on two patients" if multi_label else "two labels on two patients each"
        raise TrainingError(
            "There are too few decisions to train and to check what was learned.",
            f"Decide at least {MINIMUM} scans, with {what}.",
        )


def _folds(inputs: TuneInputs) -> NDArray[np.intp]:
    """The fold of each example."""
    check_enough(inputs.targets, inputs.patients, multi_label=inputs.data.multi_label)
    folds = min(FOLDS, len(set(inputs.patients)))
    return patient_folds(list(inputs.patients), inputs.targets, folds=folds, seed=0)


def _cross_fit(
    make: Make,
    inputs: TuneInputs,
    folds: NDArray[np.intp],
    *,
    share: _Share,
    seed: int,
    control: RunControl,
) -> HeldOut:
    """What each contender says of each example when its fold was held out."""
    targets = inputs.targets
    own = np.zeros_like(targets)
    tuned = {(scale, ridge): np.zeros_like(targets) for scale in SCALES for ridge in RIDGES}
    for fold in range(int(folds.max()) + 1):
        rest, out = np.flatnonzero(folds != fold), np.flatnonzero(folds == fold)
        clip = make()
        left_out, _ = candidate(
            clip,
            inputs,
            rest,
            settings=share.next(len(SCALES)),
            seed=seed + fold + 1,
            control=control.renamed(f"checking, part {fold + 1} of {int(folds.max()) + 1}"),
        )
        own[out] = left_out.learner.logits(inputs.frozen[out])
        scale_now = 1.0
        for scale in SCALES:
            take_in_scale(_adapters(clip), scale / scale_now)
            scale_now = scale
            tuned_now, texts = encode(clip, inputs.data, control)
            features = joined(tuned_now, inputs.frozen)
            for ridge in RIDGES:
                control.check()
                tuned[scale, ridge][out] = by_label.fit_fixed(
                    inputs.examples(features).take(rest),
                    inputs.known(texts),
                    multi_label=inputs.data.multi_label,
                    ridge=ridge,
                    text_share=left_out.head.text_share,
                    temperature=1.0,
                ).logits(features[out])
    rows = _judgeable(targets, folds, inputs.data.multi_label)
    return HeldOut(
        targets=_asked_elsewhere(targets, folds),
        weights=np.where(inputs.blind, 1.0, 0.5) * rows,
        zero_shot=inputs.zero_shot,
        instant=own,
        tuned=tuned,
        unseen=inputs.unseen,
        patients=np.unique(np.asarray(inputs.patients), return_inverse=True)[1],
    )


def candidate(
    clip: NearlClip,
    inputs: TuneInputs,
    rows: NDArray[np.intp],
    *,
    settings: TuneSettings,
    seed: int,
    control: RunControl,
) -> tuple[LeftOut, tuple[float, ...]]:
    """Train adapters on some of the decisions; the instant learner of these, and the losses."""
    data, examples = inputs.data.take(torch.from_numpy(rows)), inputs.examples(inputs.frozen)
    left_out = by_label.leave_each_out(
        examples.take(rows),
        inputs.texts,
        multi_label=data.multi_label,
        text_default=1.0,
        pause=control.check,
    )
    embeddings = inputs.frozen[rows, : examples.embedded().features.shape[1]]
    start = Start(left_out, embeddings, data)
    return left_out, tune(clip, data, start, settings=settings, seed=seed, control=control)


def _judgeable(
    targets: FloatArray, folds: NDArray[np.intp], multi_label: bool
) -> NDArray[np.float64]:
    """1 for examples whose label is also outside their fold, else 0."""
    if multi_label:
        return np.ones(len(targets))
    truth = targets.argmax(1)
    pairs = zip(truth, folds, strict=True)
    return np.array([float(((truth == t) & (folds != f)).any()) for t, f in pairs])


def _asked_elsewhere(targets: FloatArray, folds: NDArray[np.intp]) -> FloatArray:
    """The targets, NaN also for a label that no example outside the fold speaks of."""
    found = targets.copy()
    for fold in np.unique(folds):
        never = np.isnan(targets[folds != fold]).all(0)
        found[np.ix_(folds == fold, never)] = np.nan
    return found


def encode(clip: NearlClip, data: TuneData, control: RunControl) -> tuple[FloatArray, FloatArray]:
    """Features of the original view of all examples, N x E, and of the labels, C x E; float64."""
    with torch.inference_mode(), precision(data):
        labels = clip.labels(data.prompts)

    def part(places: slice) -> FloatArray:
        # Rankings are served in between, so outside of this: they are not autocast.
        with torch.inference_mode(), precision(data):
            prefixes = data.prefixes[places, 0].to(data.device).float()
            return np.asarray(clip.images_from(prefixes, labels).cpu().double().numpy())

    found = as_many_as_fit(len(data.prefixes), Pace(1, 4 * ENCODED_AT_ONCE), part, control)
    return np.concatenate(found), labels.features.cpu().double().numpy()


def _encoding_seconds(clip: NearlClip, data: TuneData, control: RunControl) -> float:
    """What encoding all examples will take, by some of them."""
    count = min(len(data.prefixes), ENCODED_AT_ONCE)
    started = time.monotonic()
    encode(clip, data.take(torch.arange(count)), control)
    return (time.monotonic() - started) * len(data.prefixes) / count


def take_in_scale(nearl: Nearl, scale: float) -> None:
    """Multiply all updates by a scale, by way of the layers' own scales."""
    with torch.no_grad():
        for side in (nearl.image, nearl.text):
            side.scale.mul_(scale)


def _adapters(clip: NearlClip) -> Nearl:
    assert clip.nearl is not None
    return clip.nearl
