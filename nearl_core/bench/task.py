"""One task of the benchmark with its engine; features are made once and kept on disk."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import torch

from nearl_core.bench.draws import Rows
from nearl_core.bench.few_shot import FewShot, Pictures
from nearl_core.control import RunControl
from nearl_core.engine import Engine
from nearl_core.errors import NearlError
from nearl_core.evaluation import Known, from_folder
from nearl_core.learn.examples import Examples, FloatArray
from nearl_core.model.encoder import Encoder
from nearl_core.scans.guard import ScanReader
from nearl_core.types import Decision, Label, LabelSet, Scan, State, Verdict


@dataclass(frozen=True, eq=False)
class Split:
    """Scans that can be read, with their labels and frozen features.

    Attributes:
        known: Scans and targets.
        features: N x E, float64, normalised.
        deep: N x F, float64: the embedding and the blocks behind it.
        pictures: Of the middle frames, in the same order.
    """

    known: Known
    features: FloatArray
    deep: FloatArray
    pictures: Pictures

    @property
    def ids(self) -> list[int]:
        """The scans' ids."""
        return [scan.id for scan in self.known.scans]


class Task:
    """TASK/{train,test}/CLASS/*; draws come from `train`, `test` is met only by the figures.

    Each decision counts as made blind, and each file as a patient of its own. Scans that can't be
    read are left out of both.

    Attributes:
        engine: Loaded; all of ours go through it.
        train, test: See Split.
        texts: C x E, frozen text features.
        unreadable: How many scans were left out.
    """

    def __init__(
        self,
        folder: Path,
        work: Path,
        *,
        backbone: str,
        device: str | None,
        reader: ScanReader,
        control: RunControl,
    ) -> None:
        if not (folder / "train").is_dir() or not (folder / "test").is_dir():
            raise NearlError(
                f"The task {folder.name} has no train and test folder.", "Give a folder of tasks."
            )
        names = sorted(p.name for p in (folder / "train").iterdir() if p.is_dir())
        labels = tuple(Label(name, name.replace("_", " ")) for name in names)
        self.label_set = LabelSet(labels)
        self.engine = Engine(
            backbone=backbone,
            label_set=self.label_set,
            reader=reader,
            adapters_folder=work / "adapters",
            cache_folder=work / "cache",
            device=device,
        )
        self.engine.load(control)
        self.texts = self.encoder.texts(self.label_set)
        train = from_folder(folder / "train", self.label_set, first_id=1)
        test = from_folder(folder / "test", self.label_set, first_id=1 + len(train.scans))
        self.train, self.test = self._split(train, control), self._split(test, control)
        self.unreadable = sum(
            len(all_.scans) - len(split.known.scans)
            for all_, split in ((train, self.train), (test, self.test))
        )

    @property
    def encoder(self) -> Encoder:
        """The engine's."""
        return self.engine.encoder

    def decisions(self, rows: Rows) -> tuple[Mapping[int, Scan], Sequence[Decision]]:
        """All training scans and the right decisions of some, as the engine learns from them."""
        scans = {scan.id: scan for scan in self.train.known.scans}
        decided = [self.train.known.scans[row].id for row in rows]
        places = self.train.known.targets[rows].argmax(1)
        now = datetime.now(UTC)
        decisions = [
            Decision(
                number,
                scan_id,
                "benchmark",
                now,
                Verdict(State.LABELLED, (self.label_set.ids[place],)),
            )
            for number, (scan_id, place) in enumerate(zip(decided, places, strict=True), start=1)
        ]
        return scans, decisions

    def few_shot(self, rows: Rows, *, seed: int, control: RunControl) -> FewShot:
        """What a published method sees of a draw."""
        targets = self.train.known.targets[rows]
        return FewShot(
            backbone=self.encoder.backbone,
            label_set=self.label_set,
            texts=torch.from_numpy(self.texts).float(),
            features=self.train.features[rows],
            targets=targets,
            images=self.train.pictures.take(rows.tolist()),
            asked=self.test.features,
            deep=Examples(self.train.deep[rows], targets, targets.sum(1), self.encoder.blocks),
            asked_deep=self.test.deep,
            asked_images=self.test.pictures,
            device=self.encoder.device,
            seed=seed,
            control=control,
        )

    def _split(self, known: Known, control: RunControl) -> Split:
        self.engine.rank(known.scans, control.renamed("reading scans"))
        done = {r.scan_id for r in self.engine.rerank([scan.id for scan in known.scans])}
        there = np.array([scan.id in done for scan in known.scans])
        scans = [scan for scan in known.scans if scan.id in done]
        if not scans:
            raise NearlError("None of the scans can be read.", "Check the files with `render`.")

        def read(row: int) -> torch.Tensor:
            return self.engine.picture(scans[row].path, scans[row].frames // 2)

        ids, pictures = [scan.id for scan in scans], Pictures(read, range(len(scans)))
        features, deep = self.engine.features(ids), self.engine.deep_features(ids)
        return Split(Known(scans, known.targets[there]), features, deep, pictures)
