"""The last step: projections in closed form, and the text tower taught to meet the embedding.

Trained beside the tower, a projection keeps what the losses ask for, and few scans show the rest.
In closed form it keeps what views differ by, whatever that is: principal axes of all that the
trained tower knows of a view, each divided by a power of its own deviation, so that a few strong
axes (which kind of picture it is) do not drown the others (what is to be seen in it). The texts
follow: the image tower stands still while the text tower learns to meet its embeddings.
"""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from nearl_core.control import RunControl

FLOOR = 1e-4
"""Least variance of an axis, as a part of the first one's, by which it is divided."""


@dataclass(frozen=True)
class HeadSettings:
    """The recipe of the last step.

    Attributes:
        views: Views whose axes are found, and that texts are taught by.
        whitening: Of the embedding: 0 keeps the axes' deviations as they are, 1 makes them equal.
        texture_whitening: The same of the texture's blocks.
        steps: Of the text tower's training.
        batch: Views a step.
        rate: The text tower's, with a cosine to zero.
    """

    views: int = 3200
    whitening: float = 0.7
    texture_whitening: float = 0.5
    steps: int = 250
    batch: int = 512
    rate: float = 1e-3


def project(head: nn.Linear, known: Tensor, whitening: float) -> None:
    """Set the projection from N x F, all that the tower knows of N views.

    What it gives is centred, and its mean length is 1.
    """
    centre = known.double().mean(0)
    apart = known.double() - centre
    variances, axes = torch.linalg.eigh(apart.T @ apart / len(known))  # the least first
    strongest = torch.arange(len(variances) - 1, len(variances) - 1 - head.out_features, -1)
    least = FLOOR * float(variances[-1])
    weight = axes.T[strongest] / variances[strongest, None].clamp(min=least) ** (whitening / 2)
    weight /= (apart @ weight.T).norm(dim=1).mean()
    with torch.no_grad():
        head.weight.copy_(weight)
        head.bias.copy_(-weight @ centre)


def caption_loss(images: Tensor, texts: Tensor, right: Tensor, scale: Tensor) -> Tensor:
    """Cross-entropy both ways with soft targets: all texts that are right share the weight.

    Args:
        images: B x E.
        texts: P x E.
        right: B x P, how far each text is right for each image, at least 0.
        scale: Of the cosines.
    """
    images, texts = F.normalize(images.float(), dim=-1), F.normalize(texts.float(), dim=-1)
    logits = scale * images @ texts.T
    of_image = right / right.sum(1, keepdim=True).clamp(min=1e-6)
    of_text = right / right.sum(0, keepdim=True).clamp(min=1e-6)
    from_image = -(of_image * logits.log_softmax(1)).sum() / len(images)
    from_text = -(of_text * logits.log_softmax(0)).sum() / len(texts)
    return (from_image + from_text) / 2


def teach_texts(
    parameters: list[nn.Parameter],
    loss: Callable[[Tensor], Tensor],
    settings: HeadSettings,
    generator: torch.Generator,
    control: RunControl,
) -> None:
    """Train the text tower's parameters on batches of views; `loss` is given their rows."""
    optimiser = torch.optim.AdamW(parameters, lr=settings.rate, betas=(0.9, 0.98))
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, settings.steps)
    for step in range(settings.steps):
        rows = torch.randint(settings.views, (settings.batch,), generator=generator)
        optimiser.zero_grad(set_to_none=True)
        found = loss(rows)
        found.backward()
        nn.utils.clip_grad_norm_(parameters, 1.0)
        optimiser.step()
        schedule.step()
        if step % 50 == 0:
            values = (("caption", float(found.detach())),)
            control.step(step, settings.steps, "teaching texts", values)
        control.check()
