"""Training of the starter backbone: captions and distillation, resumable, bounded by time.

Each view meets the teacher and the student alike (`matching.py`), and the student's feature meets
the texts that are right for what the view shows. Small views come first, the full size last
("Fix the train-test resolution discrepancy", arXiv 1906.06423).
"""

import copy
import math
import time
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from nearl_core.control import RunControl
from nearl_core.errors import Cancelled
from nearl_core.model.hybrid import STEM
from nearl_core.model.towers import text_tower
from nearl_core.pretrain import checkpoint
from nearl_core.pretrain.augment import AugmentSettings, Views, augment
from nearl_core.pretrain.captions import TEMPLATES, Vocabulary
from nearl_core.pretrain.checkpoint import Mark
from nearl_core.pretrain.head import HeadSettings, caption_loss, project, teach_texts
from nearl_core.pretrain.matching import Matching
from nearl_core.pretrain.student import Seen, Student
from nearl_core.pretrain.teacher import Teacher, TeacherMaps

_WEIGHTS = {
    "stride8": 1.0,
    "stride16": 1.0,
    "middle": 0.5,
    "last": 2.0,
    "summary": 3.0,
    "relation": 2.0,
    "caption": 0.3,
}


@dataclass(frozen=True)
class PretrainSettings:
    """The recipe; times are in seconds of training, pauses not counted.

    Attributes:
        seconds: Of the plan that rates and sizes follow.
        planned: Steps of the plan, which then counts them and not seconds.
        until: Part of the plan after which training ends.
    """

    seconds: float = 7200.0
    planned: int | None = None
    until: float = 1.0
    batch: int = 64
    rate: float = 1.5e-3
    warm_steps: int = 200
    weight_decay: float = 0.05
    average: float = 0.999
    small_size: int = 160
    small_part: float = 0.65
    middle_layer: int = 6
    first_views: int = 640
    weights: Mapping[str, float] = field(default_factory=lambda: dict(_WEIGHTS))
    checkpoint_seconds: float = 240.0
    seed: int = 0
    augment: AugmentSettings = field(default_factory=AugmentSettings)


@dataclass(frozen=True)
class PretrainData:
    """Images in memory.

    Attributes:
        images: N x 3 x H x W, uint8, RGB.
        classes: N, int64: place of the class.
        vocabulary: The classes' phrases.
        tokens: P x templates x T, int64: each phrase in each template.
    """

    images: Tensor
    classes: Tensor
    vocabulary: Vocabulary
    tokens: Tensor


class Pretraining:
    """One run: the student, its average, the matching heads and the optimiser."""

    def __init__(
        self,
        model: nn.Module,
        teacher: Teacher,
        data: PretrainData,
        *,
        settings: PretrainSettings,
        normalise: tuple[tuple[float, ...], tuple[float, ...]],
        device: torch.device,
        begun: Mapping[str, str] | None = None,
    ) -> None:
        """Take what `Mark.begun` says of the run beside all that it is made of."""
        torch.manual_seed(settings.seed)
        self.model = model.to(device).train()
        teacher = teacher.to(device, torch.bfloat16).to(memory_format=torch.channels_last)
        self.teacher = teacher.eval()
        self.data, self.settings, self.device = data, settings, device
        self._mean, self._std = (torch.tensor(v, device=device).view(1, 3, 1, 1) for v in normalise)
        clip: Any = model  # open_clip's modules are not typed
        self._student = Student(model, middle_layer=settings.middle_layer)
        self._text = text_tower(model, split_attention=True)
        self._logit_scale: Tensor = clip.logit_scale
        self.matching = Matching(STEM[1:], self._student.width, self._student.features).to(device)
        self.average = copy.deepcopy(model).eval().requires_grad_(False)
        self.elapsed, self.steps, self._begun = 0.0, 0, dict(begun or {})
        self._generator = torch.Generator().manual_seed(settings.seed)
        self._optimiser = torch.optim.AdamW(
            _groups(nn.ModuleList([model, self.matching]), settings.weight_decay), betas=(0.9, 0.98)
        )
        self._right = _right_phrases(data.vocabulary).to(device)

    # --- steps ---

    def run(self, path: Path, control: RunControl) -> None:
        """Train until the plan's part is done, from the checkpoint where there is one.

        Raises:
            Cancelled: Behind the step at which it was asked to stop, which is in the checkpoint.
            NearlError: If the checkpoint can't be read.
        """
        if path.exists():
            self.resume(path)
        else:
            self._measure()
        saved = self.elapsed
        try:
            while self._done() < self.settings.until:
                started = time.monotonic()
                losses = self._step()
                self.elapsed += time.monotonic() - started
                if self.elapsed - saved > self.settings.checkpoint_seconds:
                    self.save(path)
                    saved = self.elapsed
                self._tell(losses, control)
        except Cancelled:
            self.save(path)
            raise
        self.save(path)

    def _done(self) -> float:
        """How much of the plan is behind, in [0, 1]."""
        planned = self.settings.planned
        used = self.elapsed / self.settings.seconds if planned is None else self.steps / planned
        return min(used, 1.0)

    def _tell(self, losses: tuple[tuple[str, float], ...], control: RunControl) -> None:
        planned = self.settings.planned
        if planned is None:
            seconds = int(self.elapsed), int(self.settings.seconds)
            control.step(*seconds, f"training, step {self.steps}, seconds", losses)
        else:
            control.step(self.steps, planned, "training, step", losses)

    def _measure(self) -> None:
        """Standardise by the teacher's maps of some views; begin with the best linear maps to them.

        Maps that begin at random would first undo what a student that has learned already knows.
        """
        seen = [self._met(64) for _ in range(self.settings.first_views // 64)]
        self.matching.fit([one for one, _ in seen], [maps for _, maps in seen])

    @torch.no_grad()
    def _met(self, count: int) -> tuple[Seen, TeacherMaps]:
        views = self._views(self._draw(count), self.settings.augment.size)
        maps = self._taught(views)
        with torch.autocast(self.device.type, torch.bfloat16):
            return self._student(self._normalised(views)), maps

    def _normalised(self, views: Views) -> Tensor:
        return (views.images.to(self.device) - self._mean) / self._std

    def _draw(self, count: int) -> Tensor:
        return torch.randint(len(self.data.images), (count,), generator=self._generator)

    def _views(self, chosen: Tensor, size: int) -> Views:
        settings = replace(self.settings.augment, size=size)
        return augment(self.data.images[chosen], settings, self._generator)

    def _taught(self, views: Views) -> TeacherMaps:
        images = views.images.to(self.device, torch.bfloat16, memory_format=torch.channels_last)
        maps: TeacherMaps = self.teacher(images)
        return maps

    def _size(self) -> int:
        early = self._done() < self.settings.small_part
        return self.settings.small_size if early else self.settings.augment.size

    def _step(self) -> tuple[tuple[str, float], ...]:
        chosen = self._draw(self.settings.batch)
        views = self._views(chosen, self._size())
        with torch.no_grad():
            maps = self._taught(views)
        rate = self._rate()
        for group in self._optimiser.param_groups:
            group["lr"] = rate
        with torch.autocast(self.device.type, torch.bfloat16):
            images = self._normalised(views)
            seen = self._student(images)
            parts = self.matching(seen, maps)
            parts["caption"] = self._caption_loss(seen.feature, views, self.data.classes[chosen])
        loss = sum(self.settings.weights[name] * part for name, part in parts.items())
        self._optimiser.zero_grad(set_to_none=True)
        torch.as_tensor(loss).backward()
        nn.utils.clip_grad_norm_([*self.model.parameters(), *self.matching.parameters()], 1.0)
        self._optimiser.step()
        self.steps += 1
        self._update_average()
        return tuple((name, float(part.detach())) for name, part in parts.items())

    def _caption_loss(self, features: Tensor, views: Views, classes: Tensor) -> Tensor:
        phrases = torch.unique(self._phrase_for(classes))
        right = self._right_for(views, classes)[:, phrases]
        return caption_loss(features, self._said(phrases), right, self._scale())

    def _scale(self) -> Tensor:
        return self._logit_scale.exp().clamp(max=50)

    def _said(self, phrases: Tensor) -> Tensor:
        """Texts of phrases, each in a template drawn for it: P to P x E, not normalised."""
        template = torch.randint(len(TEMPLATES), (len(phrases),), generator=self._generator)
        tokens = self._text.cut(self.data.tokens[phrases, template]).to(self.device)
        x = self._text.embed(tokens)
        for layer in range(self._text.depth):
            x = self._text.block(layer, x, tokens)
        return self._text.pool(x, tokens)

    def _right_for(self, views: Views, classes: Tensor) -> Tensor:
        """How much of each view each phrase is right for: B x all phrases."""
        right = self._right[classes]
        shares = views.shares.to(self.device)
        return (shares[:, :, None] * right[views.sources]).sum(1)

    def _phrase_for(self, classes: Tensor) -> Tensor:
        of_class = self.data.vocabulary.of_class
        draws = torch.rand(len(classes), generator=self._generator).tolist()
        pairs = zip(classes.tolist(), draws, strict=True)
        return torch.tensor([of_class[c][int(d * len(of_class[c]))] for c, d in pairs])

    def _rate(self) -> float:
        warm = min(1.0, (self.steps + 1) / self.settings.warm_steps)
        falling = 0.5 * (1 + math.cos(math.pi * self._done()))
        return self.settings.rate * warm * (falling * 0.99 + 0.01)

    @torch.no_grad()
    def _update_average(self) -> None:
        keep = min(self.settings.average, (1 + self.steps) / (10 + self.steps))
        now = self.model.state_dict()
        for name, mean in self.average.state_dict().items():  # batch norms' statistics too
            if mean.is_floating_point():
                mean.lerp_(now[name], 1 - keep)

    # --- the last step ---

    def finish(self, settings: HeadSettings, control: RunControl) -> None:
        """Make the average's projections in closed form and teach its text tower (`head.py`)."""
        self.fit_texture(settings, control)
        self.model.load_state_dict(self.average.state_dict())
        self.model.eval()
        known, right = list[Tensor](), list[Tensor]()
        while sum(map(len, known)) < settings.views:
            chosen = self._draw(self.settings.batch)
            views = self._views(chosen, self.settings.augment.size)
            with torch.no_grad(), torch.autocast(self.device.type, torch.bfloat16):
                images = self._normalised(views)
                known.append(self._student(images).known.float())
            right.append(self._right_for(views, self.data.classes[chosen]))
            control.step(len(known) * len(chosen), settings.views, "looking at views")
        of_views, right_for = torch.cat(known)[: settings.views], torch.cat(right)
        head: nn.Linear = self._student.head
        project(head, of_views, settings.whitening)
        with torch.no_grad():
            embeddings = head(of_views)

        def loss(rows: Tensor) -> Tensor:
            phrases = torch.arange(right_for.shape[1])
            with torch.autocast(self.device.type, torch.bfloat16):
                texts = self._said(phrases)
            return caption_loss(embeddings[rows], texts, right_for[rows], self._scale())

        image_tower: Any = self.model.get_submodule("visual")
        images_own = {id(p) for p in image_tower.parameters()}
        taught = [p for p in self.model.parameters() if id(p) not in images_own]
        teach_texts(taught, loss, settings, self._generator, control)
        self.average.load_state_dict(self.model.state_dict())

    def fit_texture(self, settings: HeadSettings, control: RunControl) -> None:
        """Make the projections of the average's texture in closed form (`model/texture.py`)."""
        self.model.load_state_dict(self.average.state_dict())
        self.model.eval()
        found = list[list[Tensor]]()
        while len(found) * self.settings.batch < settings.views:
            views = self._views(self._draw(self.settings.batch), self.settings.augment.size)
            with torch.no_grad():
                found.append(self._student.textures(self._normalised(views)))
            done = len(found) * self.settings.batch
            control.step(done, settings.views, "looking at textures")
            control.check()
        for line, of_views in zip(
            self._student.texture.lines, zip(*found, strict=True), strict=True
        ):
            assert isinstance(line, nn.Linear)
            project(line, torch.cat(of_views), settings.texture_whitening)
        self.average.load_state_dict(self.model.state_dict())

    # --- checkpoints ---

    def save(self, path: Path) -> None:
        """Write everything that resuming needs, beside and renamed."""
        tensors = {f"model.{k}": v for k, v in self.model.state_dict().items()}
        tensors |= {f"average.{k}": v for k, v in self.average.state_dict().items()}
        tensors |= {f"matching.{k}": v for k, v in self.matching.state_dict().items()}
        for index, state in self._optimiser.state_dict()["state"].items():
            tensors |= {f"optimiser.{index}.{k}": torch.as_tensor(v) for k, v in state.items()}
        tensors["generator"] = self._generator.get_state()
        checkpoint.write(path, tensors, Mark(self.elapsed, self.steps, self._begun))

    def resume(self, path: Path) -> None:
        """Take up where a checkpoint stopped.

        Raises:
            NearlError: If it can't be read or is of another model.
        """
        tensors, mark = checkpoint.read(path), checkpoint.mark_of(path)
        parts = {"model.": self.model, "average.": self.average, "matching.": self.matching}
        with checkpoint.readable(path):
            for part, module in parts.items():
                module.load_state_dict(_under(tensors, part))
            self._optimiser.load_state_dict(
                {
                    "state": _by_index(_under(tensors, "optimiser.")),
                    "param_groups": self._optimiser.state_dict()["param_groups"],
                }
            )
            self._generator.set_state(tensors["generator"])
        self.elapsed, self.steps, self._begun = mark.elapsed, mark.steps, dict(mark.begun)


def _under(tensors: dict[str, Tensor], prefix: str) -> dict[str, Tensor]:
    return {k.removeprefix(prefix): v for k, v in tensors.items() if k.startswith(prefix)}


def _by_index(tensors: dict[str, Tensor]) -> dict[int, dict[str, Tensor]]:
    state: dict[int, dict[str, Tensor]] = {}
    for name, value in tensors.items():
        index, key = name.split(".", 1)
        state.setdefault(int(index), {})[key] = value
    return state


def _groups(module: nn.Module, weight_decay: float) -> list[dict[str, object]]:
    decayed = [p for p in module.parameters() if p.ndim >= 2]
    others = [p for p in module.parameters() if p.ndim < 2]
    return [
        {"params": decayed, "weight_decay": weight_decay},
        {"params": others, "weight_decay": 0.0},
    ]


def _right_phrases(vocabulary: Vocabulary) -> Tensor:
    right = torch.zeros(len(vocabulary.of_class), len(vocabulary.phrases))
    for place, phrases in enumerate(vocabulary.of_class):
        right[place, list(phrases)] = 1
    return right
