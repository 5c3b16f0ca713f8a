"""What ranks now: frozen values, replaced as a whole, so that any thread may read them."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from nearl_core.learn.instant import FloatArray
from nearl_core.learn.ranker import Ranker
from nearl_core.model.features import FeatureCache
from nearl_core.types import FROZEN, LabelSet, Version

if TYPE_CHECKING:
    from nearl_core.model.encoder import Adapted


@dataclass(frozen=True, eq=False)
class LiveVersion:
    """A version that ranks: its adapters, its heads as they were written, and its features."""

    version: Version
    adapted: "Adapted"
    ranker: Ranker
    cache: FeatureCache


@dataclass(frozen=True, eq=False)
class Ready:
    """All that ranking needs; replaced as a whole, so that any thread may read it.

    Attributes:
        texts: C x E, or None where the backbone does not know the labels' words.
        ranker: None while nothing can be known.
        used: Decisions that the instant learner has seen.
        decided: N x E, features of the scans decided.
    """

    label_set: LabelSet
    texts: FloatArray | None
    cache: FeatureCache
    live: LiveVersion | None = None
    ranker: Ranker | None = None
    used: int = 0
    decided: FloatArray | None = None

    @property
    def version(self) -> str:
        """The id of the version that ranks."""
        return FROZEN if self.live is None else self.live.version.id

    @property
    def caches(self) -> tuple[FeatureCache, ...]:
        """The caches whose features a ranking needs."""
        return (self.cache,) if self.live is None else (self.cache, self.live.cache)
