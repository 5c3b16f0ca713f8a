"""Eight images of two classes, and a teacher of the least number of layers."""

from pathlib import Path

import torch
from safetensors.torch import save_file
from torch import Tensor

from nearl_core.pretrain.teacher import FEATURES, STRIDE8_FEATURES, STRIDE16_FEATURES
from tests.support.scans import disc, stripes, write_png

CLASSES = ("mednist/CXR", "own_set/big_disc")


def write_images(root: Path) -> Path:
    """Four pictures of each class, as SET/CLASS/NUMBER.png."""
    for number in range(4):
        write_png(root / CLASSES[0] / f"{number}.png", stripes(seed=number))
        write_png(root / CLASSES[1] / f"{number}.png", disc(seed=number))
    return root


def write_teacher(path: Path) -> Path:
    """A MobileNetV2 of the least number of layers."""
    shapes = {
        "00.conv.stride2.relu6": (8, 3, 3, 3),
        "01.depthwise.stride1.relu6": (8, 1, 3, 3),
        "02.conv.stride1.linear": (16, 8, 1, 1),
        "03.conv.stride1.relu6": (24, 16, 1, 1),
        "04.depthwise.stride2.relu6": (24, 1, 3, 3),
        "05.conv.stride1.linear": (STRIDE8_FEATURES, 24, 1, 1),
        "06.conv.stride1.relu6": (24, STRIDE8_FEATURES, 1, 1),
        "07.depthwise.stride2.relu6": (24, 1, 3, 3),
        "08.conv.stride1.linear": (STRIDE16_FEATURES, 24, 1, 1),
        "09.conv.stride1.relu6": (FEATURES, STRIDE16_FEATURES, 1, 1),
    }
    generator = torch.Generator().manual_seed(0)
    state: dict[str, Tensor] = {}
    for name, shape in shapes.items():
        state[f"{name}.weight"] = torch.randn(shape, generator=generator) / shape[1] ** 0.5
        state[f"{name}.bias"] = torch.randn(shape[0], generator=generator) * 0.1
    save_file(state, path)
    return path
