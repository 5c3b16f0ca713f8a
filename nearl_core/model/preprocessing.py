"""From a picture to what the image tower takes, as open_clip does it on Pillow images."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional as F

from nearl_core.errors import BackboneError

_RESIZE_MODES = ("shortest", "longest", "squash")
_LONGEST_SIDE = 8  # times the shortest; what is further out is cut off after resizing anyway


@dataclass(frozen=True)
class Preprocessing:
    """From RGB pixels to what the image tower takes.

    Attributes:
        size: Side of the square in pixels.
        mean, std: Of each channel, for values in [0, 1].
        interpolation: "bicubic" or "bilinear".
        resize_mode: "shortest" (cut to the square), "longest" (filled) or "squash".
        fill: Value of the filling, 0 to 255.
    """

    size: int
    mean: tuple[float, ...]
    std: tuple[float, ...]
    interpolation: str = "bicubic"
    resize_mode: str = "shortest"
    fill: int = 0

    def __call__(self, rgb: NDArray[np.uint8]) -> Tensor:
        """Rows x columns x 3, uint8, to 3 x size x size, float32, normalised."""
        image = torch.from_numpy(np.ascontiguousarray(rgb)).permute(2, 0, 1)[None]
        image = self._squared(image)[0].float() / 255
        mean, std = (torch.tensor(v).view(3, 1, 1) for v in (self.mean, self.std))
        return (image - mean) / std

    def _squared(self, image: Tensor) -> Tensor:
        if self.resize_mode == "squash":
            return self._resized(image, self.size, self.size)
        return self._filled(image) if self.resize_mode == "longest" else self._cut(image)

    def _filled(self, image: Tensor) -> Tensor:
        height, width = image.shape[-2:]
        longest = max(height, width)
        height, width = (max(1, round(n * self.size / longest)) for n in (height, width))
        bottom, right = self.size - height, self.size - width
        edges = (right // 2, right - right // 2, bottom // 2, bottom - bottom // 2)
        return F.pad(self._resized(image, height, width), edges, value=self.fill)

    def _cut(self, image: Tensor) -> Tensor:
        shortest = min(image.shape[-2:])
        image = _centre(image, shortest * _LONGEST_SIDE)  # a thin strip would fill the memory
        height, width = (n * self.size // shortest for n in image.shape[-2:])
        return _centre(self._resized(image, height, width), self.size)

    def _resized(self, image: Tensor, height: int, width: int) -> Tensor:
        if image.shape[-2:] == (height, width):
            return image
        return F.interpolate(image, size=(height, width), mode=self.interpolation, antialias=True)


def _centre(image: Tensor, side: int) -> Tensor:
    """The middle of an image: no more than `side` pixels either way."""
    height, width = image.shape[-2:]
    top, left = (max(0, round((n - side) / 2)) for n in (height, width))
    return image[..., top : top + side, left : left + side]


def of_config(config: Mapping[str, Any], *, name: str) -> Preprocessing:
    """How a backbone's configuration wants its images prepared.

    Raises:
        BackboneError: If it asks for what is not known, or not for what its image tower takes.
    """
    given, vision = config["preprocess_cfg"], config["model_cfg"]["vision_cfg"]
    interpolation = given.get("interpolation", "bicubic")
    mode = given.get("resize_mode", "shortest")
    if interpolation not in ("bicubic", "bilinear") or mode not in _RESIZE_MODES:
        raise BackboneError(
            f"The preprocessing {interpolation}/{mode} is not known.", "Use another backbone."
        )
    try:
        taken = _side(vision.get("image_size", 224))
        size = _side(given.get("size", taken))
        mean, std = (tuple(float(v) for v in given[key]) for key in ("mean", "std"))
        fill = int(given.get("fill_color", 0))
    except (TypeError, ValueError) as error:
        raise _unusable(name) from error
    if size != taken or len(mean) != 3 or len(std) != 3 or min(std) <= 0:
        raise _unusable(name)
    return Preprocessing(size, mean, std, interpolation, mode, fill)


def _side(size: object) -> int:
    """The side of a square given as a number or as a pair.

    Raises:
        ValueError: If it is no square.
    """
    sides = set(size) if isinstance(size, list | tuple) else {size}
    side = sides.pop() if len(sides) == 1 else None
    if not isinstance(side, int) or side < 1:
        raise ValueError(f"not a square: {size}")
    return side


def _unusable(name: str) -> BackboneError:
    return BackboneError(
        f"The preprocessing of the backbone {name} does not fit its image tower.",
        "Mend preprocess_cfg: a square of the tower's size, with mean and std of three channels.",
    )
