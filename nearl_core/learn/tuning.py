"""From examples to a judged version: train on all, train on folds for the evidence, judge."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from nearl_core.control import RunControl
from nearl_core.errors import TrainingError
from nearl_core.learn import instant
from nearl_core.learn.batches import patient_folds
from nearl_core.learn.instant import RIDGES, Examples, FloatArray, Head
from nearl_core.learn.loop import TuneData, TuneSettings, precision, tune
from nearl_core.learn.promote import HeldOut, Judgement, judge
from nearl_core.model.nearl import Nearl, NearlClip

FOLDS = 3
SCALES = (1.0, 0.5)
MINIMUM = 8


@dataclass(frozen=True, eq=False)
class TuneInputs:
    """Everything that a run learns from.

    Attributes:
        data: Views and targets.
        frozen: N x E, the backbone's features of the original view.
        patients: N names.
        blind: N, bool: decided without a suggestion or against it.
        texts: C x E, or None where the backbone does not know the labels' words.
        zero_shot: N x C logits of the backbone, or None likewise.
        live: Rows that the live version did not learn from with its probabilities, or None.
    """

    data: TuneData
    frozen: FloatArray
    patients: Sequence[str]
    blind: NDArray[np.bool_]
    texts: FloatArray | None
    zero_shot: FloatArray | None
    live: tuple[NDArray[np.intp], FloatArray] | None

    @property
    def targets(self) -> FloatArray:
        """N x C."""
        return self.data.targets.double().cpu().numpy()


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


def run(
    make: Make, inputs: TuneInputs, *, settings: TuneSettings, seed: int, control: RunControl
) -> Tuned:
    """Train on all decisions, then on folds, and judge.

    Raises:
        TrainingError: If there is too little to learn from.
        Cancelled: If asked to stop.
    """
    folds = check_enough(inputs)
    torch.manual_seed(seed)
    clip = make()
    losses = tune(clip, inputs.data, settings=settings, seed=seed, control=control)
    held = _cross_fit(make, inputs, folds, settings=settings, seed=seed, control=control)
    judgement = judge(held, multi_label=inputs.data.multi_label, live=inputs.live)
    nearl = _adapters(clip)
    take_in_scale(nearl, judgement.blend.scale)
    features = encode(clip, inputs.data, control)
    head = instant.fit_fixed(
        Examples(features, inputs.targets, inputs.data.weights.double().cpu().numpy()),
        inputs.texts,
        multi_label=inputs.data.multi_label,
        ridge=judgement.blend.ridge,
        text_share=inputs.data.text_share,
        temperature=judgement.blend.temperature,
    )
    return Tuned(nearl, head, judgement, losses, features)


def check_enough(inputs: TuneInputs) -> NDArray[np.intp]:
    """The fold of each example.

    Raises:
        TrainingError: If fewer than two labels have two patients, or there are too few examples.
    """
    targets, patients = inputs.targets, np.asarray(inputs.patients)
    with_two = sum(len(set(patients[targets[:, c] > 0])) >= 2 for c in range(targets.shape[1]))
    if len(targets) < MINIMUM or with_two < (1 if inputs.data.multi_label else 2):
        raise TrainingError(
            "There are too few decisions to train and to check what was learned.",
            f"Decide at least {MINIMUM} scans, with two labels on two patients each.",
        )
    folds = min(FOLDS, len(set(inputs.patients)))
    return patient_folds(list(inputs.patients), targets, folds=folds, seed=0)


def _cross_fit(
    make: Make,
    inputs: TuneInputs,
    folds: NDArray[np.intp],
    *,
    settings: TuneSettings,
    seed: int,
    control: RunControl,
) -> HeldOut:
    """What each contender says of each example when its fold was held out."""
    targets = inputs.targets
    own = np.zeros_like(targets)
    tuned = {(scale, ridge): np.zeros_like(targets) for scale in SCALES for ridge in RIDGES}
    weights = inputs.data.weights.double().cpu().numpy()
    for fold in range(int(folds.max()) + 1):
        rest, out = np.flatnonzero(folds != fold), np.flatnonzero(folds == fold)
        clip = make()
        tune(
            clip,
            inputs.data.take(torch.from_numpy(rest)),
            settings=settings,
            seed=seed + fold + 1,
            control=control.renamed(f"checking, part {fold + 1} of {int(folds.max()) + 1}"),
        )
        examples = Examples(inputs.frozen[rest], targets[rest], weights[rest])
        head = instant.fit(examples, inputs.texts, multi_label=inputs.data.multi_label)
        own[out] = head.logits(inputs.frozen[out])
        scale_now = 1.0
        for scale in SCALES:
            take_in_scale(_adapters(clip), scale / scale_now)
            scale_now = scale
            features = encode(clip, inputs.data, control)
            for ridge in RIDGES:
                tuned[scale, ridge][out] = instant.fit_fixed(
                    Examples(features[rest], targets[rest], weights[rest]),
                    inputs.texts,
                    multi_label=inputs.data.multi_label,
                    ridge=ridge,
                    text_share=inputs.data.text_share,
                    temperature=1.0,
                ).logits(features[out])
    rows = _judgeable(targets, folds, inputs.data.multi_label)
    return HeldOut(
        targets=targets,
        weights=np.where(inputs.blind, 1.0, 0.5) * rows + 1e-9,
        zero_shot=inputs.zero_shot,
        instant=own,
        tuned=tuned,
    )


def _judgeable(
    targets: FloatArray, folds: NDArray[np.intp], multi_label: bool
) -> NDArray[np.float64]:
    """1 for examples whose label is also outside their fold, else 0."""
    if multi_label:
        return np.ones(len(targets))
    truth = targets.argmax(1)
    pairs = zip(truth, folds, strict=True)
    return np.array([float(((truth == t) & (folds != f)).any()) for t, f in pairs])


def encode(clip: NearlClip, data: TuneData, control: RunControl) -> FloatArray:
    """Features of the original view of all examples: N x E, float64."""
    found = []
    with torch.inference_mode(), precision(data.prefixes):
        labels = clip.labels(data.prompts)
        for part in data.prefixes[:, 0].split(16):
            found.append(clip.images_from(part.float(), labels).cpu())
            control.check()
    return torch.cat(found).double().numpy()


def take_in_scale(nearl: Nearl, scale: float) -> None:
    """Multiply all updates by a scale, by way of the layers' own scales."""
    with torch.no_grad():
        for side in (nearl.image, nearl.text):
            side.scale.mul_(scale)


def _adapters(clip: NearlClip) -> Nearl:
    assert clip.nearl is not None
    return clip.nearl
