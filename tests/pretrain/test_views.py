"""Random views of images: what they show, and how much of each."""

import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from nearl_core.pretrain.augment import AugmentSettings, augment


@settings(max_examples=20)
@given(st.integers(1, 6), st.integers(0, 3))
def test_views_keep_range_and_shape(count: int, seed: int) -> None:
    generator = torch.Generator().manual_seed(seed)
    images = torch.randint(0, 256, (count, 3, 40, 36), dtype=torch.uint8, generator=generator)
    found = augment(images, AugmentSettings(size=24, mosaic=0.4, mixed=0.5), generator)
    assert found.images.shape == (count, 3, 24, 24)
    assert found.images.dtype == torch.float32
    assert 0 <= float(found.images.min()) <= float(found.images.max()) <= 1
    assert ((found.sources >= 0) & (found.sources < count)).all()
    assert (found.shares >= 0).all()
    assert torch.allclose(found.shares.sum(1), torch.ones(count))


def test_a_view_of_one_image_says_so() -> None:
    images = torch.zeros(4, 3, 32, 32, dtype=torch.uint8)
    plain = AugmentSettings(size=32, mosaic=0.0, mixed=0.0)
    found = augment(images, plain, torch.Generator().manual_seed(0))
    assert found.sources[:, 0].tolist() == [0, 1, 2, 3]
    assert found.shares[:, 0].tolist() == [1.0] * 4


def test_a_mosaic_shows_four_images_each_in_a_quarter() -> None:
    images = torch.stack([torch.full((3, 32, 32), v, dtype=torch.uint8) for v in (0, 255)])
    settings = AugmentSettings(size=32, mosaic=1.0, mixed=0.0)
    found = augment(images.repeat(4, 1, 1, 1), settings, torch.Generator().manual_seed(0))
    assert (found.shares == 0.25).all()
    # Where quarters come from a black and a white image, they differ; within one they are even.
    quarters = found.images[:, 0].unfold(1, 16, 16).unfold(2, 16, 16).flatten(1, 2)
    white = found.sources % 2 == 1
    both = white.any(1) & ~white.all(1)
    assert both.any()
    for view in torch.nonzero(both)[:, 0].tolist():
        means = quarters[view].mean((1, 2))
        gap = means[white[view]].min() - means[~white[view]].max()
        assert abs(float(gap)) > 0.02


def test_a_seed_gives_the_same_views_and_pieces() -> None:
    images = torch.stack([torch.full((3, 32, 32), value, dtype=torch.uint8) for value in (0, 255)])
    mixed = AugmentSettings(size=32, mixed=0.5, mosaic=0.5)
    found = augment(images.repeat(8, 1, 1, 1), mixed, torch.Generator().manual_seed(0))
    again = augment(images.repeat(8, 1, 1, 1), mixed, torch.Generator().manual_seed(0))
    assert torch.equal(found.images, again.images)
    assert torch.equal(found.sources, again.sources)
    assert (found.shares[:, 0] < 1).all()
