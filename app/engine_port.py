"""What the desk asks of the engine; `nearl_core.engine.Engine` is one.

The desk names the engine here without importing it: the module behind it loads torch, which takes
seconds, and belongs into the engine thread.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from app.models.backbone_lines import BackboneLine
from nearl_core.control import RunControl
from nearl_core.errors import VersionError
from nearl_core.scans.guard import ScanReader
from nearl_core.types import (
    Decision,
    Doubt,
    EngineInfo,
    LabelSet,
    Ranking,
    Scan,
    TrainingResult,
    Version,
)


class EngineLike(Protocol):
    """The engine; see `nearl_core.engine.Engine` for what each one does."""

    def load(self, control: RunControl) -> EngineInfo:
        """Load the backbone; engine thread."""
        ...

    def set_label_set(self, label_set: LabelSet) -> None:
        """Rank other labels from now on; engine thread."""
        ...

    def activate(self, version: Version | None) -> None:
        """Rank with a version; engine thread."""
        ...

    def rank(self, scans: Sequence[Scan], control: RunControl) -> list[Ranking]:
        """Rank scans; engine thread."""
        ...

    def learn(self, scans: Mapping[int, Scan], decisions: Sequence[Decision]) -> int:
        """Fit the instant learner; any thread."""
        ...

    def finish_learning(self, control: RunControl) -> bool:
        """Do what `learn` leaves for later once decisions are many; any thread."""
        ...

    def rerank(self, scan_ids: Sequence[int]) -> list[Ranking]:
        """Rank those with cached features; any thread."""
        ...

    def rank_apart(self, scan_id: int) -> list[Ranking]:
        """A scan as the others alone have it ranked, where its features are cached; any thread."""
        ...

    def unseen(self, scan_ids: Sequence[int]) -> list[int]:
        """Those whose features are not cached; any thread."""
        ...

    def train(
        self,
        scans: Mapping[int, Scan],
        decisions: Sequence[Decision],
        *,
        version_id: str,
        control: RunControl,
    ) -> TrainingResult:
        """Make a new version; engine thread."""
        ...

    def nearest(self, scan_id: int, among: Sequence[int], k: int) -> list[tuple[int, float]]:
        """Scans like one, with their likeness; any thread."""
        ...

    def look_again(self, scans: Mapping[int, Scan], decisions: Sequence[Decision]) -> list[Doubt]:
        """Decisions that the others speak against, the most doubtful first; any thread."""
        ...

    def queue_order(self, scan_ids: Sequence[int]) -> list[int]:
        """Which scan teaches most, first; any thread."""
        ...


@dataclass(frozen=True)
class EngineRequest:
    """What an engine is made from; see `nearl_core.engine.Engine`."""

    backbone: str
    label_set: LabelSet
    reader: ScanReader
    adapters_folder: Path
    cache_folder: Path
    device: str


EngineFactory = Callable[[EngineRequest], EngineLike]


@dataclass(frozen=True, eq=False)
class LoadedEngine:
    """An engine that is ready to rank.

    Attributes:
        info: What it says of itself.
        refusal: Why the live version can't rank, so that the frozen backbone does, or None.
    """

    engine: EngineLike
    info: EngineInfo
    refusal: VersionError | None = None


def load(
    factory: EngineFactory, request: EngineRequest, live: Version | None, control: RunControl
) -> LoadedEngine:
    """Make an engine and load it, with a live version where there is one; engine thread.

    Raises:
        BackboneError: If the backbone can't be used.
    """
    engine = factory(request)
    info = engine.load(control)
    try:
        if live is not None:
            engine.activate(live)
    except VersionError as error:  # of the backbone's last edition, or its file is gone
        return LoadedEngine(engine, info, error)
    return LoadedEngine(engine, info)


def load_libraries(control: RunControl) -> None:
    """Have what the engine's import will need in memory; engine thread."""
    from nearl_core import torch_libraries

    del control
    torch_libraries.load()


def real_engine(request: EngineRequest) -> EngineLike:
    """The engine; to be called in the engine thread, for its import loads torch."""
    from nearl_core.engine import Engine

    return Engine(
        backbone=request.backbone,
        label_set=request.label_set,
        reader=request.reader,
        adapters_folder=request.adapters_folder,
        cache_folder=request.cache_folder,
        device=request.device,
    )


def backbone_lines() -> tuple[BackboneLine, ...]:
    """All backbones, here and to be had; no network, no torch."""
    from nearl_core.model.backbone_list import entries

    return tuple(
        BackboneLine(
            name=entry.name,
            here=entry.folder is not None,
            begun=entry.begun,
            megabytes=entry.megabytes,
            licence=entry.licence,
            learned_from=entry.learned_from,
            source=f"huggingface.co/{entry.hub.repository}" if entry.hub else "",
        )
        for entry in entries()
    )


def fetch_backbone(name: str, control: RunControl) -> str:
    """Fetch a backbone; its name. Uses the network."""
    from nearl_core.model.obtain import fetch

    return fetch(name, control).name


def add_backbone(folder: Path, control: RunControl) -> str:
    """Copy a folder into the backbones; its name."""
    from nearl_core.model.obtain import add

    return add(folder, control=control).name


def known_backbones() -> tuple[str, ...]:
    """Names of the backbones on this computer; engine thread, for this loads torch."""
    import nearl_core.model.backbones  # noqa: F401  # what the first project will need
    from nearl_core.model.backbone_list import entries

    return tuple(entry.name for entry in entries() if entry.folder is not None)
