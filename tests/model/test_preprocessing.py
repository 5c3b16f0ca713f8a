"""From a picture to the model: as open_clip prepares it, and mild views of it for training."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor

from nearl_core.model.preprocessing import Preprocessing
from nearl_core.model.views import views


def plain(
    size: int, mode: str = "shortest", *, interpolation: str = "bicubic", fill: int = 0
) -> Preprocessing:
    """To values in [0, 1]."""
    return Preprocessing(size, (0.0,) * 3, (1.0,) * 3, interpolation, mode, fill)


def picture(height: int, width: int, seed: int = 0) -> NDArray[np.uint8]:
    """A smooth coloured picture with edges, none so hard that an overshoot is clipped.

    Clipping depends on whether rows or columns come first, and on that Pillow's versions differ.
    """
    rng = np.random.default_rng(seed)
    coarse = Image.fromarray(rng.integers(70, 186, (6, 7, 3), dtype=np.uint8))
    smooth = np.array(coarse.resize((width, height), Image.Resampling.BICUBIC))
    smooth[height // 3 : height // 2, width // 4 : width // 2] = (180, 75, 128)
    return smooth


def pillow(rgb: NDArray[np.uint8], height: int, width: int, how: Image.Resampling) -> Tensor:
    resized = np.array(Image.fromarray(rgb).resize((width, height), how))
    return torch.from_numpy(resized).permute(2, 0, 1).float()


@pytest.mark.parametrize("interpolation", ["bicubic", "bilinear"])
@pytest.mark.parametrize(("height", "width"), [(100, 150), (37, 20), (400, 90), (32, 32), (5, 9)])
def test_squash_is_what_pillow_makes(interpolation: str, height: int, width: int) -> None:
    prepare = plain(32, "squash", interpolation=interpolation)
    rgb = picture(height, width)
    expected = pillow(rgb, 32, 32, Image.Resampling[interpolation.upper()])
    found = prepare(rgb)
    assert found.dtype == torch.float32
    assert (found * 255 - expected).abs().max() <= 2


@pytest.mark.parametrize(("height", "width"), [(100, 150), (150, 101), (64, 64), (20, 31)])
def test_shortest_is_pillows_middle(height: int, width: int) -> None:
    """The long side is rounded down and the cut placed as torchvision does it for open_clip."""
    rgb = picture(height, width)
    short = min(height, width)
    tall, wide = (n * 32 // short for n in (height, width))
    top, left = round((tall - 32) / 2), round((wide - 32) / 2)
    expected = pillow(rgb, tall, wide, Image.Resampling.BICUBIC)
    expected = expected[:, top : top + 32, left : left + 32]
    found = plain(32)(rgb)
    assert (found * 255 - expected).abs().max() <= 2


def test_longest_keeps_the_whole_and_fills() -> None:
    rgb = picture(50, 100)
    found = plain(32, "longest", fill=51)(rgb)
    assert found.shape == (3, 32, 32)
    torch.testing.assert_close(found[:, :8], torch.full((3, 8, 32), 0.2))
    torch.testing.assert_close(found[:, 24:], torch.full((3, 8, 32), 0.2))
    expected = pillow(rgb, 16, 32, Image.Resampling.BICUBIC)
    assert (found[:, 8:24] * 255 - expected).abs().max() <= 2


def test_channels_are_normalised_each_by_its_own() -> None:
    rgb = np.full((8, 8, 3), (0, 51, 255), np.uint8)
    found = Preprocessing(8, (0.0, 0.2, 0.5), (1.0, 0.5, 0.25))(rgb)
    torch.testing.assert_close(found[:, 3, 4], torch.tensor([0.0, 0.0, 2.0]))


@given(
    height=st.integers(1, 70),
    width=st.integers(1, 70),
    mode=st.sampled_from(["squash", "shortest", "longest"]),
)
def test_every_size_gives_the_square(height: int, width: int, mode: str) -> None:
    rgb = np.full((height, width, 3), 200, np.uint8)
    found = plain(16, mode, fill=200)(rgb)
    torch.testing.assert_close(found, torch.full((3, 16, 16), 200 / 255))


@pytest.mark.parametrize(("height", "width"), [(1, 4000), (4000, 1)])
def test_a_thin_strip_does_not_fill_the_memory(height: int, width: int) -> None:
    line = np.linspace(0, 255, height * width).astype(np.uint8)
    rgb = np.repeat(line.reshape(height, width, 1), 3, axis=2)
    found = plain(224)(rgb)
    assert found.shape == (3, 224, 224)
    assert found.mean() == pytest.approx(0.5, abs=0.01)  # its middle


def test_the_picture_is_not_changed() -> None:
    rgb = picture(40, 30)
    before = rgb.copy()
    rgb.flags.writeable = True
    plain(16)(rgb)
    np.testing.assert_array_equal(rgb, before)


# --- views ---


def half(size: int = 32) -> Tensor:
    """Dark on the left, bright on the right."""
    image = torch.zeros(3, size, size)
    image[..., size // 2 :] = 1
    return image


def generator(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def test_the_first_view_is_the_image_itself() -> None:
    image = half()
    made = views(image, 4, flip=True, generator=generator())
    assert made.shape == (4, 3, 32, 32)
    assert torch.equal(made[0], image)
    assert all((view - image).abs().mean() > 0.005 for view in made[1:])
    assert torch.equal(views(image, 1, flip=True, generator=generator()), image[None])


def test_views_follow_their_source_of_randomness() -> None:
    one, same, other = (views(half(), 5, flip=True, generator=generator(s)) for s in (1, 1, 2))
    assert torch.equal(one, same)
    assert not torch.equal(one, other)


@pytest.mark.parametrize("flip", [False, True])
def test_sides_change_places_only_where_they_may(flip: bool) -> None:
    made = views(half(), 60, flip=flip, generator=generator())
    brighter_on_the_right = made[..., 24:].mean((1, 2, 3)) > made[..., :8].mean((1, 2, 3))
    mirrored = int((~brighter_on_the_right).sum())
    assert (15 < mirrored < 45) if flip else mirrored == 0


def test_views_stay_near_the_image() -> None:
    made = views(half(), 60, flip=False, generator=generator())
    assert made.isfinite().all()
    assert made.min() > -0.5
    assert made.max() < 1.5
