"""What the adapters promise, measured on a backbone: nothing is changed, all that is new is new."""

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional as F

from nearl_core.control import RunControl
from nearl_core.model.backbones import Backbone
from nearl_core.model.nearl import Nearl, NearlClip, NearlConfig
from nearl_core.model.towers import image_tower, text_tower

IMAGES = 2
PROMPTS = ("a chest x-ray", "an image of pneumonia", "a photo of a dog")
_STEPS = 4


@dataclass(frozen=True)
class AdapterCheck:
    """What was measured, over both towers.

    Attributes:
        backbone: Its name.
        parameters: Number of the backbone's weights.
        adapter_parameters: Number of the adapters' weights.
        fresh_adapter_max_difference: Largest difference of a normalised feature with fresh
            adapters from open_clip's own; 0 means equal to the bit.
        detached_max_difference: Largest difference of open_clip's own feature after adapters with
            a random U were used from the one before.
        update_max_cosine: Largest |cosine| between f and its update, over all tokens and layers.
        update_min_norm: Smallest norm of an update, over all tokens and layers.
    """

    backbone: str
    parameters: int
    adapter_parameters: int
    fresh_adapter_max_difference: float
    detached_max_difference: float
    update_max_cosine: float
    update_min_norm: float


def check(backbone: Backbone, *, seed: int, control: RunControl) -> AdapterCheck:
    """Measure adapters in every layer of a backbone that stands on the CPU.

    Args:
        backbone: Is left as it was.
        seed: For the images, the adapters and their U.
        control: Reports each step.

    Raises:
        Cancelled: If asked to stop.
    """
    model, size = backbone.model, backbone.preprocessing.size
    image, text = image_tower(model), text_tower(model)
    with torch.inference_mode(), torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        images = torch.randn(IMAGES, 3, size, size)
        tokens = backbone.tokenize(list(PROMPTS))
        nearl = Nearl(NearlConfig.of(image, text)).eval()
        clip = NearlClip(image, text, nearl)
        control.step(0, _STEPS, "checking the adapters")
        before = _stock(backbone, images, tokens)
        control.step(1, _STEPS, "checking the adapters")
        fresh = (clip.images(images, clip.labels([tokens])), clip.texts(tokens))
        control.step(2, _STEPS, "checking the adapters")
        for side in (nearl.image, nearl.text):
            side.up.normal_()
        seen = _Updates()
        clip.images(images, clip.labels(tokens.split(1), observe=seen), observe=seen)
        assert seen.layers == image.depth + text.depth
        control.step(3, _STEPS, "checking the adapters")
        after = _stock(backbone, images, tokens)
    return AdapterCheck(
        backbone=backbone.name,
        parameters=backbone.parameters,
        adapter_parameters=sum(p.numel() for p in nearl.parameters()),
        fresh_adapter_max_difference=_difference(before, fresh),
        detached_max_difference=_difference(before, after),
        update_max_cosine=seen.max_cosine,
        update_min_norm=seen.min_norm,
    )


class _Updates:
    """Observes updates; float64, so that only what they are is measured."""

    def __init__(self) -> None:
        self.layers, self.max_cosine, self.min_norm = 0, 0.0, float("inf")

    def __call__(self, f: Tensor, update: Tensor) -> None:
        f, update = f.double(), update.double()
        cosine = F.cosine_similarity(f, update, dim=-1, eps=1e-30)
        self.layers += 1
        self.max_cosine = max(self.max_cosine, float(cosine.abs().max()))
        self.min_norm = min(self.min_norm, float(update.norm(dim=-1).min()))


def _stock(backbone: Backbone, images: Tensor, tokens: Tensor) -> tuple[Tensor, Tensor]:
    """What open_clip itself makes of them, normalised: B x E and P x E."""
    model = backbone.model
    return model.encode_image(images, normalize=True), model.encode_text(tokens, normalize=True)


def _difference(one: tuple[Tensor, Tensor], other: tuple[Tensor, Tensor]) -> float:
    return max(float((a - b).abs().max()) for a, b in zip(one, other, strict=True))
