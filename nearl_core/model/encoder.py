"""A backbone at work on a device: pictures and labels in, features out."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property, partial
from weakref import WeakKeyDictionary

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from nearl_core.control import Pace, RunControl
from nearl_core.errors import NearlError
from nearl_core.model import depths
from nearl_core.model.adapters import Adapters
from nearl_core.model.backbones import Backbone
from nearl_core.model.device import (
    as_many_as_fit,
    describe,
    has_bfloat16,
    out_of_memory,
    use,
)
from nearl_core.model.folded import Folded
from nearl_core.model.fused import Fused
from nearl_core.model.interaction import Interaction
from nearl_core.model.lowered import Precision, lower
from nearl_core.model.nearl import FULL, LabelContext, Nearl, NearlClip, NearlConfig
from nearl_core.model.prompts import prompts_of, unknown_labels
from nearl_core.model.quick_text import quick_text_tower
from nearl_core.model.recorded import Work, recorded
from nearl_core.model.serving import GPU_BATCH, TOO_LITTLE_FOR_IT, fastest
from nearl_core.model.towers import OpenClip, TextTower, image_tower, text_tower
from nearl_core.types import LabelSet

BATCH = 16
_FEWEST_KNOWN = 2


@dataclass(frozen=True, eq=False)
class Adapted:
    """A version's adapters, ready: its CLIP and its label set's context."""

    clip: NearlClip
    labels: LabelContext


class Encoder:
    """Turns pictures into features, frozen or adapted; used by the engine thread alone.

    Attributes:
        backbone: What it works with.
        device: Where.
        serving: The image tower that ranks, its precision, and why that one.
        design: Of the adapters to be trained; the benchmark's ablation sets another.
        batch: How many pictures pass at once; fewer once memory was too little.
    """

    def __init__(self, backbone: Backbone, device: torch.device) -> None:
        """Take a backbone to a device.

        Raises:
            NearlError: If the device has too little memory for it.
        """
        self.design = FULL
        self.backbone, self.device = backbone, device
        use(device)
        self.model = _moved(backbone, device)
        self.serving = fastest(self.model, side=backbone.preprocessing.size, device=device)
        self._frozen = NearlClip(self.serving.tower, text_tower(self.model), None)
        self.batch = self.serving.chunk or (GPU_BATCH if device.type == "cuda" else BATCH)
        self._prefix_pace = Pace(1, BATCH)
        self._recorded = WeakKeyDictionary[object, tuple[int, Work]]()

    @property
    def source(self) -> str:
        """Names what its features are made by: the backbone's hash, and a lower precision."""
        precision, chunk = self.serving.precision, self.serving.chunk
        mark = "" if precision is Precision.FLOAT32 else f"+{precision}"
        if chunk not in (None, 1):  # another order of the sums
            mark += f" by {chunk}"
        return f"{self.backbone.hash}{mark}+{depths.MARK}"

    @cached_property
    def embedding(self) -> int:
        """Width of the embedding, E, as the text tower says."""
        with torch.inference_mode():
            return self._frozen.texts(self.backbone.tokenize(["scan"]).to(self.device)).shape[1]

    @property
    def blocks(self) -> tuple[int, ...]:
        """Widths of the blocks that stand behind the embedding in features without adapters."""
        return depths.blocks(self.serving.tower)

    @property
    def described(self) -> str:
        """What computes, in a few words."""
        precision = self.serving.precision
        lower = "" if precision is Precision.FLOAT32 else f", {precision}"
        return f"{describe(self.device)}{lower}"

    # --- labels ---

    def prompts(self, label_set: LabelSet) -> list[Tensor]:
        """For each label its tokens, P_c x T, on the device."""
        tokenize = self.backbone.tokenize
        return [tokenize(list(prompts_of(x))).to(self.device) for x in label_set.labels]

    def texts(self, label_set: LabelSet) -> NDArray[np.float64]:
        """The frozen text features of the labels: C x E, normalised."""
        with torch.inference_mode():
            context = self._frozen.labels(self.prompts(label_set))
        return context.features.cpu().double().numpy()

    def known_texts(
        self, label_set: LabelSet, texts: NDArray[np.float64]
    ) -> NDArray[np.float64] | None:
        """Text features of the labels, C x E, NaN where the text tower has not learned the words.

        None where it has learned those of one label at most: texts speak of labels only as they
        differ from each other.
        """
        unknown = unknown_labels(label_set, self.backbone.words)
        known = np.array([label not in unknown for label in label_set.labels])
        if unknown and known.sum() < _FEWEST_KNOWN:
            return None
        return np.where(known[:, None], texts, np.nan)

    # --- images ---

    def prepare(self, rgb: NDArray[np.uint8]) -> Tensor:
        """A picture as the image tower takes it: 3 x S x S, float32, on the CPU."""
        return self.backbone.preprocessing(rgb)

    def features(self, images: Sequence[Tensor], adapted: Adapted | None) -> NDArray[np.float32]:
        """Features of prepared pictures, on the CPU or the device, float32.

        Out of memory halves the batch and tries again.

        Returns:
            N x E, normalised, with adapters; without them N x (E + blocks), the embedding first.
        """
        found, place = [], 0
        while place < len(images):
            part = list(images[place : place + self.batch])
            missing = 0 if self.serving.chunk is None else self.batch - len(part)
            try:
                with torch.inference_mode():
                    batch = torch.stack([*part, *part[-1:] * missing]).to(self.device)
                    found.append(self._work(adapted, batch)(batch)[: len(part)].cpu().numpy())
            except RuntimeError as error:
                if not out_of_memory(error) or self.batch == 1:
                    raise
                self.batch //= 2
                continue
            place += len(part)
        return np.concatenate(found)

    def _work(self, adapted: Adapted | None, batch: Tensor) -> Work:
        """What makes features of a batch; recorded where a batch always has the same size."""
        if adapted is None:
            work: Work = partial(depths.features, self.serving.tower)
        else:
            work = partial(_adapted_features, adapted.clip, adapted.labels)
        if self.serving.chunk in (None, 1):
            return work
        who = self if adapted is None else adapted  # which no recording refers to
        size, kept = self._recorded.get(who, (0, work))
        if size != len(batch):
            self._recorded[who] = size, kept = len(batch), recorded(work, batch)
        return kept

    def pace(self) -> Pace:
        """How many pictures to give at once, so that other work gets its turn in between."""
        if self.serving.chunk not in (None, 1):  # a pass takes as long for fewer
            return Pace(self.batch, self.batch, seconds=float("inf"))
        return Pace(1, self.batch)

    # --- adapters ---

    @cached_property
    def _ranking_texts(self) -> TextTower:
        return quick_text_tower(self.model, dtype=self.serving.precision.dtype)

    def adapted(self, nearl: Nearl, label_set: LabelSet) -> Adapted:
        """A version's adapters over the frozen backbone, its text side computed once."""
        nearl = nearl.to(self.device).eval()
        ranks = self._for_ranking(nearl)
        text = text_tower(self.model) if ranks is None else self._ranking_texts
        clip = NearlClip(self.serving.tower, text, nearl, ranks=ranks)
        with torch.inference_mode():
            return Adapted(clip, clip.labels(self.prompts(label_set)))

    def _for_ranking(self, nearl: Nearl) -> Adapters | None:
        dtype = self.serving.precision.dtype
        if Fused.serves(nearl, dtype):
            return Fused(nearl, dtype)
        return Folded(nearl) if Folded.fits(nearl) else None

    def trainable(
        self, *, first_layer: int, interaction: Interaction = Interaction.SET_LEVEL
    ) -> NearlClip:
        """A CLIP with fresh adapters, in the form that trains fastest."""
        lowered = self.serving.precision is Precision.BFLOAT16
        image = self.serving.tower if lowered else image_tower(self.model, split_attention=True)
        text = text_tower(self.model, split_attention=True)
        config = NearlConfig.of(
            image, text, first_layer=first_layer, interaction=interaction, design=self.design
        )
        return NearlClip(image, text, Nearl(config).to(self.device))

    def prefix_source(self, clip: NearlClip) -> str:
        """Names what the prefixes of a clip are made by, as `source` does of features."""
        assert clip.nearl is not None
        first, dtype = clip.nearl.config.first_layer, training_precision(self.device)
        serving = self.serving.precision
        return f"{self.backbone.hash}|{first}|{dtype}|{serving}|{self.device.type}"

    def prefixes(self, clip: NearlClip, images: Tensor, control: RunControl) -> Tensor:
        """What enters the first adapted block: V x T x D, in the precision of training, on the CPU.

        There, since a card holds fewer: a ViT-B's take 1.2 MB a decision.

        Other work is let in between images where they take long. Out of memory halves their
        number.

        Raises:
            TrainingError: If memory is too little for one.
            Cancelled: If asked to stop.
        """

        def part(places: slice) -> Tensor:
            return self._prefix(clip, images[places])

        return torch.cat(as_many_as_fit(len(images), self._prefix_pace, part, control))

    def _prefix(self, clip: NearlClip, images: Tensor) -> Tensor:
        assert clip.nearl is not None
        dtype = training_precision(self.device)
        with torch.inference_mode(), lower(self.device, dtype):
            prefix = clip.prefix(images.to(self.device), clip.nearl.config.first_layer)
        return prefix.to(dtype).cpu().clone()

    @property
    def depth(self) -> int:
        """Number of image layers."""
        return self.serving.tower.depth

    @property
    def first_trained(self) -> int:
        """The first layer whose adapters are trained where time is short: on a CPU.

        The upper quarter: half as many again of a small tower cost twice as much and won nothing.
        """
        return 0 if self.device.type == "cuda" else self.depth * 3 // 4


def _adapted_features(clip: NearlClip, labels: LabelContext, images: Tensor) -> Tensor:
    return clip.images(images, labels)


def training_precision(device: torch.device) -> torch.dtype:
    """bfloat16 where the device computes in it, else float32.

    Not float16, whose small gradients would need a scale of their own.
    """
    return torch.bfloat16 if has_bfloat16(device) else torch.float32


def _moved(backbone: Backbone, device: torch.device) -> OpenClip:
    try:
        return backbone.model.to(device)
    except RuntimeError as error:
        if not out_of_memory(error):
            raise
        raise NearlError(*TOO_LITTLE_FOR_IT) from error
