"""What a few-shot method is given."""

import torch
from torch import Tensor

from nearl_core.bench.few_shot import Pictures


class _Source:
    def __init__(self) -> None:
        self.asked: list[int] = []

    def __call__(self, row: int) -> Tensor:
        self.asked.append(row)
        return torch.full((3, 4, 4), float(row))


def test_pictures_come_in_order_and_are_read_once() -> None:
    source = _Source()
    pictures = Pictures(source, [5, 3, 9])
    assert len(pictures) == 3
    assert [batch[:, 0, 0, 0].tolist() for batch in pictures.batches(2)] == [[5, 3], [9]]
    assert pictures.all().shape == (3, 3, 4, 4)
    assert pictures.take([2, 0]).all()[:, 0, 0, 0].tolist() == [9, 5]
    assert source.asked == [5, 3, 9]


def test_pictures_beyond_what_is_kept_are_read_again() -> None:
    source = _Source()
    pictures = Pictures(source, [0, 1], kept_bytes=3 * 4 * 4 * 4)
    assert torch.equal(pictures.all(), pictures.all())
    assert source.asked == [0, 1, 1]
