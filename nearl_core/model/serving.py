"""In which precision images are ranked: the fastest that was seen to say the same as float32.

A feature never depends on the batch it was made in. In float32 that holds by itself (1e-6). Below,
another shape of a product is another order of its sums, and where that turns a rounding it is no
longer small (4e-4). So the tower then always meets the same number of images: one on a CPU, whose
units a vision transformer's tokens fill already; a fixed number, the last batch filled up, on a
GPU. That number follows from the tower's size, so that a pass takes about as long with each, and
from nothing that differs between two starts but the lack of memory.
"""

import time
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional as F

from nearl_core.errors import NearlError
from nearl_core.model.device import has_bfloat16, out_of_memory, processor_has, wait
from nearl_core.model.lowered import LoweredTower, Precision
from nearl_core.model.packed import pays, turns
from nearl_core.model.towers import ImageTower, OpenClip, image_tower

PICTURES = 3
GPU_BATCH = 100
"""Images of a pass of a ViT-B; a larger tower takes fewer."""
_GPU_WEIGHTS = 9_000_000_000
"""Of a pass: a tower's, times its images."""
TOO_LITTLE_FOR_IT = (
    "The graphics card has too little free memory for this backbone.",
    "Close other programs, choose the CPU (--device cpu), or a smaller backbone.",
)
LARGEST_ERROR = 0.02
"""Of a feature, as part of the distance between pictures. On the starter's trained weights bfloat16
stays below 0.006 and int8 below 0.016, and the first label is the same for over 99 % of scans."""
LEAST_GAIN = 1.2
QUICK_WEIGHTS = 20_000_000
"""A smaller tower ranks in a few ten ms on a CPU as it is, and at once on a GPU."""


@dataclass(frozen=True, eq=False)
class Serving:
    """What ranks images.

    Attributes:
        tower: The image tower.
        precision: What its blocks compute in.
        reason: A sentence that says why.
        chunk: How many images it must always meet at once, or None for any number.
    """

    tower: ImageTower
    precision: Precision
    reason: str
    chunk: int | None = None


def precisions(device: torch.device) -> tuple[Precision, ...]:
    """Those below float32 that a device computes in by itself, the closest first."""
    if device.type == "cuda":
        return (Precision.BFLOAT16 if has_bfloat16(device) else Precision.FLOAT16,)
    if device.type != "cpu":
        return ()
    found = {
        Precision.BFLOAT16: has_bfloat16(device),
        Precision.INT8: processor_has("_is_vnni_supported"),
    }
    return tuple(precision for precision, there in found.items() if there)


def fastest(model: OpenClip, *, side: int, device: torch.device) -> Serving:
    """Measure the precisions of a device on a few pictures, and take the first that holds.

    Takes some ten pictures' time for a large tower on a CPU, six passes on a GPU, nothing for a
    small one.

    Args:
        model: A CLIP on that device, left as it is.
        side: Of its pictures, pixels.
        device: Where it stands.

    Raises:
        NearlError: If a card has too little memory for one picture.
    """
    quick = is_quick(model)
    packs = device.type == "cpu" and pays(torch.float32)
    # Turned weights are a copy: not worth it where products are so large that they gain little.
    gains = packs or (quick and turns(torch.float32, device.type))
    whole = LoweredTower(model, Precision.FLOAT32) if gains else image_tower(model)
    if quick:
        return Serving(whole, Precision.FLOAT32, "The image tower is small.")
    reason = "This device computes in nothing faster."
    chunk = chunk_of(model, device)
    for precision in precisions(device):
        lowered = LoweredTower(model, precision)
        error, gain, chunk = _compared(whole, lowered, side=side, chunk=chunk, device=device)
        found = f"{precision} takes 1/{gain:.1f} of float32's time and errs by {error:.2%}"
        if error <= LARGEST_ERROR and gain >= LEAST_GAIN:
            said = f"{found} of the distance between pictures."
            return Serving(lowered, precision, said, chunk)
        reason = f"{found}, which is {'too far' if error > LARGEST_ERROR else 'no gain'}."
    return Serving(whole, Precision.FLOAT32, reason)


def is_quick(model: OpenClip) -> bool:
    """Whether the image tower is small."""
    return _weights(model) < QUICK_WEIGHTS


def chunk_of(model: OpenClip, device: torch.device) -> int:
    """How many images a tower below float32 meets at once."""
    if device.type == "cpu":
        return 1
    return max(1, min(GPU_BATCH, _GPU_WEIGHTS // _weights(model)))


def _weights(model: OpenClip) -> int:
    return sum(p.numel() for p in model.visual.parameters())


def _compared(
    whole: ImageTower, lowered: ImageTower, *, side: int, chunk: int, device: torch.device
) -> tuple[float, float, int]:
    """`compare` on made-up pictures, and how many at once the card had memory for."""
    while True:
        pictures = made_up(max(PICTURES, chunk), side=side)
        try:
            return *compare(whole, lowered, pictures.to(device), chunk=chunk), chunk
        except RuntimeError as error:
            if not out_of_memory(error):
                raise
            if chunk == 1:
                raise NearlError(*TOO_LITTLE_FOR_IT) from error
        chunk //= 2


def compare(
    whole: ImageTower, lowered: ImageTower, images: Tensor, *, chunk: int
) -> tuple[float, float]:
    """The largest error, as part of the median distance between pictures, and the gain in time."""
    exact, slow = _timed(whole, images, chunk)
    near, quick = _timed(lowered, images, chunk)
    apart = torch.pdist(exact).median().clamp(min=1e-12)
    error = (near - exact).norm(dim=1).max() / apart
    return float(error), slow / quick


def made_up(count: int, *, side: int) -> Tensor:
    """Pictures of blots on a slope with grain, as normalised ones are: B x 3 x S x S, float32."""
    random = torch.Generator().manual_seed(0)
    coarse = torch.randn(count, 1, 6, 6, generator=random)
    blots = F.interpolate(coarse, (side, side), mode="bicubic", align_corners=False)
    slope = torch.linspace(-1, 1, side) * torch.randn(count, 1, 1, 1, generator=random)
    grain = torch.randn(count, 3, side, side, generator=random) * 0.2
    return blots + slope + grain


def features(tower: ImageTower, images: Tensor) -> Tensor:
    """What a tower makes of images without adapters, normalised: B x E."""
    x = tower.embed(images)
    for layer in range(tower.depth):
        x = tower.block(layer, x)
    return F.normalize(tower.pool(x).float(), dim=-1)


def _timed(tower: ImageTower, images: Tensor, chunk: int) -> tuple[Tensor, float]:
    """Features of images taken chunk by chunk, and the least time that one took, seconds.

    At least three are taken: a card is slow at first.
    """
    parts, found, times = images.split(chunk), [], []
    with torch.inference_mode():
        for turn in range(max(len(parts), PICTURES)):
            wait(images.device)
            started = time.perf_counter()
            made = features(tower, parts[turn % len(parts)]).cpu()  # waits for a GPU
            times.append(time.perf_counter() - started)
            found.append(made)
    return torch.cat(found[: len(parts)]), min(times)
