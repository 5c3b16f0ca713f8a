"""A tiny random backbone, scans that it can tell apart, and decisions of them."""

import json
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors.torch import save_file

from nearl_core.control import RunControl
from nearl_core.engine import Engine
from nearl_core.model import backbone_folder, backbones
from nearl_core.scans.guard import ScanReader
from nearl_core.types import Decision, Label, LabelSet, Scan, Shown, State, Verdict
from tests.support.scans import disc, stripes, write_png

SIZE, EMBED = 32, 32
LABELS = LabelSet((Label("d", "Disc"), Label("s", "Stripes")))
MODEL: dict[str, Any] = {
    "embed_dim": EMBED,
    "vision_cfg": {
        "image_size": SIZE,
        "layers": 4,
        "width": 32,
        "head_width": 16,
        "patch_size": 8,
    },
    "text_cfg": {
        "context_length": 77,
        "vocab_size": 49408,
        "width": 16,
        "heads": 2,
        "layers": 2,
    },
}


def write_backbone(folder: Path, *, seed: int = 0, words: str | None = None) -> Path:
    """A whole backbone folder; without `words` it counts as knowing the language."""
    folder.mkdir(parents=True)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        state = backbones.build(MODEL).state_dict()
    save_file({k: v.contiguous() for k, v in state.items()}, folder / "open_clip_model.safetensors")
    prepared = {"size": SIZE, "mean": [0.5] * 3, "std": [0.25] * 3, "resize_mode": "squash"}
    config = {"model_cfg": MODEL, "preprocess_cfg": prepared}
    (folder / "open_clip_config.json").write_text(json.dumps(config))
    if words is not None:
        (folder / "words.txt").write_text(words)
    backbone_folder.write_sums(folder)
    return folder


def write_scans(folder: Path, *, each: int) -> list[Scan]:
    """Discs have even ids, stripes odd ones; each scan is a patient of its own."""
    scans = list[Scan]()
    for number in range(each):
        for kind, draw in (("disc", disc), ("stripes", stripes)):
            path = write_png(folder / f"{kind}-{number}.png", draw(seed=number))
            scans.append(Scan(2 * number + (kind == "stripes"), path, patient=f"P{len(scans)}"))
    return scans


def truth(scan: Scan) -> str:
    """The id of the right label."""
    return "s" if scan.id % 2 else "d"


def decided(scan_id: int, *labels: str, number: int = 0, **more: Any) -> Decision:
    """A decision of ann's, made blind; none of the labels applies where none is given."""
    verdict = Verdict(State.LABELLED if labels else State.NONE_APPLY, labels)
    number = number or scan_id + 100
    now, more = datetime(2026, 1, 1, tzinfo=UTC), {"shown": Shown.BLIND, "reader": "ann", **more}
    return Decision(number, scan_id, time=now, verdict=verdict, **more)


def all_decided(scans: Sequence[Scan]) -> list[Decision]:
    """The right decision of each."""
    return [decided(scan.id, truth(scan)) for scan in scans]


def noise(seed: int = 0) -> np.ndarray[Any, np.dtype[np.uint8]]:
    """Coloured noise, unlike any other scan here."""
    return np.random.default_rng(seed).integers(0, 256, (SIZE, SIZE, 3), dtype=np.uint8)


class Making:
    """Makes loaded engines over one folder of features."""

    def __init__(self, reader: ScanReader, folder: Path) -> None:
        self.reader, self.folder = reader, folder

    def __call__(
        self, backbone: Path, label_set: LabelSet = LABELS, *, device: str = "cpu"
    ) -> Engine:
        engine = Engine(
            backbone=str(backbone),
            label_set=label_set,
            reader=self.reader,
            adapters_folder=self.folder / "adapters",
            cache_folder=self.folder / "cache",
            device=device,
        )
        engine.load(RunControl())
        return engine
