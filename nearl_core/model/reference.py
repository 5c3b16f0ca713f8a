"""A fixed picture and a fixed text, and the features that a backbone gave when it came here.

Weights can be whole and yet give other features: another preprocessing, another tokenizer, a
library that computes otherwise. So the features are kept beside the weights and compared
whenever they are loaded.
"""

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional as F

from nearl_core.errors import BackboneError

FILE = "reference.json"
TEXT = "a chest x-ray that shows pneumonia"
TOLERANCE = 1e-5
"""Of 1 - cosine, in float32. On the starter a mean that is wrong by 0.01 gives 2e-5, bilinear in
place of bicubic resizing 1e-4, OpenAI's means in place of 0.5 give 2e-3; a feature that is off by
1e-4 of its length through another order of additions gives 5e-9."""


def picture() -> NDArray[np.uint8]:
    """Ramps, squares and a fine pattern: 240 x 320 x 3, uint8; whole numbers only."""
    rows, columns = np.mgrid[:240, :320]
    red = columns * 255 // 319
    green = (rows // 16 + columns // 16) % 2 * 200 + rows * 55 // 239
    blue = rows * columns % 256
    return np.stack([red, green, blue], axis=-1).astype(np.uint8)


def features(
    model: Any,  # noqa: ANN401 - open_clip ships no types
    prepare: Callable[[NDArray[np.uint8]], Tensor],
    tokenize: Callable[[Sequence[str]], Tensor],
) -> dict[str, list[float]]:
    """The features of the picture and the text, normalised: E numbers each."""
    with torch.inference_mode():
        image = model.encode_image(prepare(picture())[None])[0]
        text = model.encode_text(tokenize([TEXT]))[0]
    return {
        "image": F.normalize(image.float(), dim=0).tolist(),
        "text": F.normalize(text.float(), dim=0).tolist(),
    }


def write(folder: Path, found: dict[str, list[float]]) -> None:
    """Keep the features beside the weights."""
    (folder / FILE).write_text(json.dumps({"text of": TEXT, **found}) + "\n", "utf-8")


def check(folder: Path, found: dict[str, list[float]]) -> None:
    """Compare features with those that are kept.

    Raises:
        BackboneError: If they differ by more than computing does.
    """
    try:
        kept = json.loads((folder / FILE).read_text("utf-8"))
        apart = {part: _apart(kept[part], values) for part, values in found.items()}
    except (OSError, ValueError, TypeError, KeyError, RecursionError) as error:
        raise BackboneError(
            f"The reference of the backbone {folder.name} can't be read.", f"Remove its {FILE}."
        ) from error
    for part, distance in apart.items():
        if not distance <= TOLERANCE:
            cause = "preprocessing" if part == "image" else "tokenizer"
            raise BackboneError(
                f"The backbone {folder.name} gives other {part} features than when it was made "
                f"(1 - cosine {distance:.2g}): its {cause} or a library was changed.",
                "Fetch or copy its folder again; if that does not help, install the versions of "
                "PyTorch, open_clip and transformers that it was added with.",
            )


def _apart(one: list[float], other: list[float]) -> float:
    """1 - cosine."""
    a, b = np.array(one, float), np.array(other, float)
    return 1 - float(a @ b / np.sqrt((a @ a) * (b @ b)))
