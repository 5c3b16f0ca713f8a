"""The distillation teacher: an ImageNet MobileNetV2 read from a safetensors file.

Sandler et al., "MobileNetV2: Inverted Residuals and Linear Bottlenecks" (arXiv 1801.04381).
The batch norms are folded into the convolutions; the teacher is never shipped.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple, Self

from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor, nn
from torch.nn import functional as F

from nearl_core.errors import NearlError

FEATURES = 1280
STRIDE8_FEATURES = 32
STRIDE16_FEATURES = 96


class SameConv(nn.Module):
    """A convolution padded as TensorFlow's SAME does (more on the right and bottom), then ReLU6."""

    def __init__(
        self, weight: Tensor, bias: Tensor, *, stride: int, depthwise: bool, relu6: bool
    ) -> None:
        super().__init__()
        self.weight = nn.Parameter(weight, requires_grad=False)
        self.bias = nn.Parameter(bias, requires_grad=False)
        self.stride, self.relu6 = stride, relu6
        self.groups = weight.shape[0] if depthwise else 1

    def forward(self, x: Tensor) -> Tensor:
        """B x C x H x W to B x C' x H/stride x W/stride."""
        kernel = self.weight.shape[-1]
        if kernel > 1:
            bottom = self._total_padding(x.shape[-2], kernel)
            right = self._total_padding(x.shape[-1], kernel)
            x = F.pad(x, (right // 2, right - right // 2, bottom // 2, bottom - bottom // 2))
        x = F.conv2d(x, self.weight, self.bias, stride=self.stride, groups=self.groups)
        return x.clamp_(0, 6) if self.relu6 else x

    def _total_padding(self, size: int, kernel: int) -> int:
        out = -(-size // self.stride)
        return max((out - 1) * self.stride + kernel - size, 0)


class TeacherMaps(NamedTuple):
    """What a student is to match; the mean of `last` over its places is the global feature.

    Attributes:
        stride8: B x 32 x H/8 x W/8, the last map of that stride.
        stride16: B x 96 x H/16 x W/16, likewise.
        last: B x 1280 x H/32 x W/32.
    """

    stride8: Tensor
    stride16: Tensor
    last: Tensor


class Teacher(nn.Module):
    """MobileNetV2 1.0."""

    def __init__(self, convolutions: Sequence[SameConv]) -> None:
        super().__init__()
        self.convolutions = nn.ModuleList(convolutions)

    @classmethod
    def load(cls, path: Path) -> Self:
        """Read the weights, in order of `NN.{conv,depthwise}.strideS.{relu6,linear}`.

        Raises:
            NearlError: If there are none in the file.
        """
        try:
            state = load_file(path)
            names = sorted({name.rsplit(".", 1)[0] for name in state if name[:2].isdigit()})
            if not names:
                raise KeyError("NN.conv")
            return cls([_convolution(state, name) for name in names])
        except (OSError, SafetensorError, ValueError, KeyError) as error:
            raise NearlError(
                f"There are no weights of a teacher in {path.name}.",
                "Name the safetensors file of an ImageNet MobileNetV2 by --teacher.",
            ) from error

    def forward(self, images: Tensor) -> TeacherMaps:
        """Feature maps of images.

        Args:
            images: B x 3 x H x W, float32, RGB in [0, 1].
        """
        layers = list(self.convolutions)
        x = layers[2](layers[1](layers[0](images * 2 - 1)))
        stride8 = stride16 = x
        for first in range(3, len(layers) - 1, 3):
            y = layers[first + 2](layers[first + 1](layers[first](x)))
            x = x + y if x.shape == y.shape else y
            if x.shape[1] == STRIDE8_FEATURES:
                stride8 = x
            if x.shape[1] == STRIDE16_FEATURES:
                stride16 = x
        return TeacherMaps(stride8, stride16, layers[-1](x))


def _convolution(state: dict[str, Tensor], name: str) -> SameConv:
    _, kind, stride, activation = name.split(".")
    return SameConv(
        state[f"{name}.weight"].float(),
        state[f"{name}.bias"].float(),
        stride=int(stride.removeprefix("stride")),
        depthwise=kind == "depthwise",
        relu6=activation == "relu6",
    )
