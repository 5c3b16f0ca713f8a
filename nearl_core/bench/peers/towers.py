"""What the methods that learn inside the towers share: views, batches, steps, answers.

The papers train on random crops made anew for each step. Here each scan has a few crops, made and
embedded once; only the transformer blocks run in each step, in bfloat16 where the device computes
in it. Answers are in float32.
"""

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from nearl_core.bench.few_shot import FewShot
from nearl_core.bench.peers.heads import probabilities
from nearl_core.learn.batches import batches
from nearl_core.learn.examples import FloatArray
from nearl_core.model.encoder import training_precision
from nearl_core.model.lowered import lower
from nearl_core.model.towers import ImageTower, TextTower, image_tower, text_tower

VIEWS = 8
SMALLEST_CROP = 0.5
MICRO_BATCH = 16


@dataclass(frozen=True, eq=False)
class Towers:
    """A cell's frozen towers, in the form that trains fastest.

    Attributes:
        image, text: See `model/towers.py`.
        scale: Of their cosines.
    """

    image: ImageTower
    text: TextTower
    scale: float

    def loss(self, images: Tensor, texts: Tensor, y: Tensor) -> Tensor:
        """Cross-entropy, summed, of features B x E and C x E, both normalised, and y B x C.

        Cosines are written out: as a matrix product they would be rounded to bfloat16.
        """
        cosines = (images[:, None] * texts).sum(-1)
        return -(y * (self.scale * cosines).log_softmax(-1)).sum()


def towers_of(few: FewShot) -> Towers:
    """The towers of a cell."""
    model = few.backbone.model
    image = image_tower(model, split_attention=True)
    text = text_tower(model, split_attention=True)
    return Towers(image, text, few.backbone.logit_scale)


def embedded_views(few: FewShot, tower: ImageTower) -> Tensor:
    """Each decided scan and crops of it as they enter the first block: N x V x T x D."""
    generator = torch.Generator().manual_seed(few.seed)
    dtype = training_precision(few.device)
    found = []
    with torch.no_grad():
        for place in range(len(few.images)):
            views = crops(few.images[place], VIEWS - 1, generator=generator)
            found.append(tower.embed(views.to(few.device)).to(dtype))
            few.control.check()
    return torch.stack(found)


def crops(image: Tensor, count: int, *, generator: torch.Generator) -> Tensor:
    """The image and crops of it, half of them mirrored: 1 + count views.

    Sides are 3:4 to 4:3 to each other, as in the usual random resized crop. Crops are of half of
    the area and more, where the papers go down to 8 %: that is for objects in photographs.
    """
    random = torch.rand(5, count, generator=generator)
    area = SMALLEST_CROP + (1 - SMALLEST_CROP) * random[0]
    aspect = torch.exp((2 * random[1] - 1) * math.log(4 / 3) / 2)
    high, wide = (area.sqrt() / aspect).clamp(max=1), (area.sqrt() * aspect).clamp(max=1)
    matrix = torch.zeros(count, 2, 3)
    matrix[:, 0, 0] = torch.where(random[2] < 0.5, -wide, wide)
    matrix[:, 1, 1] = high
    matrix[:, 0, 2], matrix[:, 1, 2] = (
        (1 - wide) * (2 * random[3] - 1),
        (1 - high) * (2 * random[4] - 1),
    )
    grid = F.affine_grid(matrix, [count, *image.shape], align_corners=False)
    repeated = image.expand(count, -1, -1, -1)
    return torch.cat([image[None], F.grid_sample(repeated, grid, align_corners=False)])


Loss = Callable[[Tensor, Tensor], Tensor]
"""From what enters the first block, B x ..., and targets B x C to the loss summed over B."""


def train(
    few: FewShot,
    views: Tensor,
    loss: Loss,
    optimiser: torch.optim.Optimizer,
    factor: Callable[[int], float],
    *,
    steps: int,
    batch: int,
) -> None:
    """Steps of a fixed number, a random view of each scan of a batch at a time.

    Args:
        few: The cell.
        views: N x V x ..., as `embedded_views` makes them.
        loss: See Loss.
        optimiser: Holds all that learns.
        factor: From a step, counted from 0, to the factor of the rate.
        steps: Their number.
        batch: Scans of a step; they pass in micro-batches.
    """
    rng = np.random.default_rng(few.seed)
    y = torch.from_numpy(few.targets).float().to(few.device)
    schedule = torch.optim.lr_scheduler.LambdaLR(optimiser, factor)
    for _, rows in zip(range(steps), _endless(len(y), batch, rng), strict=False):
        optimiser.zero_grad(set_to_none=True)
        for part in torch.from_numpy(rows).split(MICRO_BATCH):
            seen = torch.from_numpy(rng.integers(views.shape[1], size=len(part)))
            with torch.enable_grad(), lower(few.device, training_precision(few.device)):
                (loss(views[part, seen], y[part]) / len(rows)).backward()
            few.control.check()
        optimiser.step()
        schedule.step()


def _endless(
    count: int, size: int, rng: np.random.Generator
) -> Iterator[np.ndarray[tuple[int], np.dtype[np.intp]]]:
    while True:
        yield from batches(count, size, rng)


def passes_by_shots(few: FewShot) -> int:
    """CoOp's passes: 50 for one shot a label, 100 for up to 4, else 200."""
    counts = few.counts[few.counts > 0].mean()
    return 50 if counts <= 1 else 100 if counts <= 4 else 200


def steps_of_pass(few: FewShot, batch: int) -> int:
    """Steps of one pass over all decided scans."""
    return math.ceil(len(few.features) / batch)


def answered(few: FewShot, encode: Callable[[Tensor], Tensor], texts: Tensor) -> FloatArray:
    """Probabilities of the asked scans from encoders of pixels: T x C, in float32."""
    found = []
    with torch.no_grad():
        for images in few.asked_images.batches(MICRO_BATCH):
            features = F.normalize(encode(images.to(few.device)).float(), dim=-1)
            found.append(few.backbone.logit_scale * features @ texts.T)
            few.control.check()
    return probabilities(torch.cat(found))
