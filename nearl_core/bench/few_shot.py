"""What a few-shot method may see of one cell of the benchmark: nothing of the test's labels."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from nearl_core.control import RunControl
from nearl_core.errors import NearlError
from nearl_core.learn.examples import Examples, FloatArray
from nearl_core.model.backbones import Backbone
from nearl_core.types import LabelSet

KEPT_BYTES = 512 << 20


class Pictures:
    """Prepared pictures of some scans, read when they are first asked for.

    They are kept while all that come from one source stay below `kept_bytes`; beyond, they are
    read again each time.
    """

    def __init__(
        self,
        read: Callable[[int], Tensor],
        rows: Sequence[int],
        *,
        kept_bytes: int = KEPT_BYTES,
        _kept: dict[int, Tensor] | None = None,
    ) -> None:
        """Pictures of some rows of a source.

        Args:
            read: Gives the picture of a row: 3 x S x S, float32, preprocessed, on the CPU.
            rows: Which of them stand here, in this order.
            kept_bytes: See above.
        """
        self._read, self._rows, self._kept_bytes = read, tuple(rows), kept_bytes
        self._kept: dict[int, Tensor] = {} if _kept is None else _kept

    def __len__(self) -> int:
        """Number of pictures."""
        return len(self._rows)

    def __getitem__(self, place: int) -> Tensor:
        """One picture: 3 x S x S, float32, preprocessed, on the CPU; never to be changed."""
        row = self._rows[place]
        picture = self._kept.get(row)
        if picture is None:
            picture = self._read(row)
            if (len(self._kept) + 1) * picture.nbytes <= self._kept_bytes:
                self._kept[row] = picture
        return picture

    def all(self) -> Tensor:
        """All of them at once: N x 3 x S x S, float32."""
        return torch.stack([self[place] for place in range(len(self))])

    def batches(self, size: int) -> Iterator[Tensor]:
        """All of them in their order, at most `size` at a time: B x 3 x S x S, float32."""
        for start in range(0, len(self), size):
            places = range(start, min(start + size, len(self)))
            yield torch.stack([self[place] for place in places])

    def take(self, places: Sequence[int]) -> "Pictures":
        """Some of them; what is kept is shared."""
        rows = [self._rows[place] for place in places]
        return Pictures(self._read, rows, kept_bytes=self._kept_bytes, _kept=self._kept)


@dataclass(frozen=True, eq=False)
class FewShot:
    """One cell as a method sees it; the labels are exclusive, and some may have no decision.

    Attributes:
        backbone: Frozen, on `device`, in evaluation mode. A method leaves it as it found it, to
            the bit: hooks and wrapped layers are taken off again.
        label_set: The C labels, in the order of the columns.
        texts: C x E, float32, on the CPU, normalised: the mean of each label's prompts
            (`prompts_of` in `model/prompts.py`), from the frozen text tower.
        features: N x E, float64, normalised: of the decided scans, from the frozen image tower.
        targets: N x C, float64, one-hot. A column may be all zero (natural draws).
        images: The N decided scans' pictures.
        asked: T x E, float64, normalised: of the test scans.
        deep: Decisions with all that ours reads, the embedding and the blocks behind it.
        asked_deep: T x F, float64: the same of the test scans.
        asked_images: The T test scans' pictures.
        device: Where to compute.
        seed: For all randomness: equal seeds give equal answers.
        control: To be checked at each step of anything longer than a second.

    Raises:
        NearlError: If the labels are not exclusive.
    """

    backbone: Backbone
    label_set: LabelSet
    texts: Tensor
    features: FloatArray
    targets: FloatArray
    images: Pictures
    asked: FloatArray
    deep: Examples
    asked_deep: FloatArray
    asked_images: Pictures
    device: torch.device
    seed: int
    control: RunControl

    def __post_init__(self) -> None:
        if self.label_set.multi_label:
            raise NearlError(
                "The published few-shot methods are for one label a scan.",
                "Compare them on an exclusive label set.",
            )

    @property
    def counts(self) -> FloatArray:
        """C, how many decisions each label has."""
        return np.asarray(self.targets.sum(0))


Method = Callable[[FewShot], FloatArray]
"""Learns from a cell's decisions and answers for its test scans: T x C, rows summing to 1.

There is no validation set: what a recipe would choose on one is fixed beforehand or chosen on the
decisions themselves. A label without a decision stays rankable where the method can (by its text);
else it gets a probability of about 0.
"""
