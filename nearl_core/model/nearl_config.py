"""The shape of NEARL's adapters."""

from dataclasses import asdict, dataclass

from nearl_core.model.interaction import Interaction
from nearl_core.model.towers import Tower


@dataclass(frozen=True, kw_only=True)
class Design:
    """What the adapters are made of; the benchmark takes parts away to see what each is worth.

    Attributes:
        beta: How much of the parallel part of an update is kept.
        synergy: Whether the USEformer makes the queries; else they are the learned z^0.
        orthogonal: Whether updates are split; else u is added whole.
        image_tower, text_tower: Whether a tower's layers are updated.
    """

    beta: float = 0.0
    synergy: bool = True
    orthogonal: bool = True
    image_tower: bool = True
    text_tower: bool = True

    def adapts(self, modality: str) -> bool:
        """Whether the "image" or "text" tower is updated."""
        return self.image_tower if modality == "image" else self.text_tower


FULL = Design()


@dataclass(frozen=True)
class NearlConfig(Design):
    """Shape of the adapters; the defaults are the budget of `docs/method.md`.

    Attributes:
        image_width, text_width: Widths of the towers, D_v and D_t.
        image_depth, text_depth: Their numbers of layers.
        rank: Shared width, r.
        queries: Number of synergy queries, M.
        heads: Attention heads of the adapters and of the USEformer.
        blocks: USEformer blocks; each serves an equal run of layers.
        first_layer: Image layers before this one (from 0) are left as they are, and the text
            layers below the same height.
        interaction: What the text side hears of an image.
    """

    image_width: int
    text_width: int
    image_depth: int
    text_depth: int
    rank: int = 96
    queries: int = 8
    heads: int = 4
    blocks: int = 3
    first_layer: int = 0
    interaction: Interaction = Interaction.SET_LEVEL

    def __post_init__(self) -> None:
        """Raises ValueError for a shape that can't be."""
        object.__setattr__(self, "interaction", Interaction(self.interaction))  # a file's is text
        sizes = (self.image_width, self.text_width, self.image_depth, self.text_depth)
        if min(*sizes, self.rank, self.queries, self.heads, self.blocks) < 1:
            raise ValueError("every size is at least 1")
        if self.rank % self.heads or not 0 <= self.first_layer <= self.image_depth:
            raise ValueError("heads don't divide the rank, or the first layer is none")

    def first(self, depth: int) -> int:
        """The first adapted layer of a tower of this depth."""
        return self.first_layer * depth // self.image_depth

    @classmethod
    def of(
        cls,
        image: Tower,
        text: Tower,
        *,
        first_layer: int = 0,
        interaction: Interaction = Interaction.SET_LEVEL,
        design: Design = FULL,
    ) -> "NearlConfig":
        """The shape that fits two towers."""
        shape = (image.width, text.width, image.depth, text.depth)
        return cls(*shape, first_layer=first_layer, interaction=interaction, **asdict(design))
