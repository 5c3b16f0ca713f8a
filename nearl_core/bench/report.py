"""What the cells say together: means, ranks and leads. Pure: cells in, a summary out."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

import numpy as np

from nearl_core.bench.cells import Cell, Setting
from nearl_core.bench.draws import Protocol
from nearl_core.bench.names import LIVE, ORDER, ZERO_SHOT, is_ours, is_variant
from nearl_core.errors import NearlError

LEAD_SHOTS = 16
TRUSTED_FROM = 32  # decisions from which calibration is judged


class Metric(StrEnum):
    """A figure of a cell, as it is called in the results."""

    BALANCED_ACCURACY = "balanced_accuracy"
    LOG_LOSS = "log_loss"
    ECE = "ece"
    AUROC = "auroc"

    @property
    def text(self) -> str:
        """For people."""
        return _METRICS[self][0]

    @property
    def sign(self) -> int:
        """1 where more is better, -1 where less is."""
        return _METRICS[self][1]


_METRICS = {
    Metric.BALANCED_ACCURACY: ("Balanced accuracy", 1),
    Metric.LOG_LOSS: ("Log-loss", -1),
    Metric.ECE: ("ECE, 15 bins", -1),
    Metric.AUROC: ("AUROC", 1),
}


@dataclass(frozen=True)
class Mean:
    """Over draws.

    Attributes:
        value: The mean; NaN for nothing.
        error: Its standard error; 0 for one draw.
        draws: How many.
    """

    value: float
    error: float
    draws: int


@dataclass(frozen=True)
class Standing:
    """How one method stands over the settings compared.

    Each of ours is compared with the peers alone, and a peer with the other peers and live.

    Attributes:
        rank: Mean over settings of its rank by mean balanced accuracy, equals sharing theirs.
        best: In how many it is best, or within one standard error of the best's mean.
        below_zero_shot: In how many its mean is below zero-shot's.
        lead: How much its mean over tasks at 16 shots exceeds the best rival's, relative; None
            where a task has no 16 shots.
        means: Of each metric over the settings.
        trusted_log_loss, trusted_ece: Means over cells of 32 decisions or more; None without.
        excess_ece: In those, the mean of what the ECE exceeds a perfectly calibrated model's by.
        seconds: Mean of a draw.
    """

    rank: float
    best: int
    below_zero_shot: int
    lead: float | None
    means: Mapping[Metric, float]
    trusted_log_loss: float | None
    trusted_ece: float | None
    excess_ece: float | None
    seconds: float


@dataclass(frozen=True)
class Summary:
    """All that the report shows.

    Attributes:
        backbone, backbone_hash: What all cells are of.
        methods: In the order of the table.
        settings: In order.
        compared: Those of them in which all methods have a draw in common. There only the common
            draws count, elsewhere those that a method has.
        means: For each metric, setting and method.
        standings: Of each method.
        notes: Of methods that depart from their published recipe.
        left_out: Cells of another backbone or recipe than the newest.
    """

    backbone: str
    backbone_hash: str
    methods: Sequence[str]
    settings: Sequence[Setting]
    compared: Sequence[Setting]
    means: Mapping[tuple[Metric, Setting, str], Mean]
    standings: Mapping[str, Standing]
    notes: Mapping[str, str]
    left_out: int


def summarise(cells: Sequence[Cell]) -> Summary:
    """Bring cells together.

    Raises:
        NearlError: If there is none.
    """
    if not cells:
        raise NearlError("There are no results yet.", "Run `bench accuracy` first.")
    newest = newest_alone(cells)
    settings = sorted({cell.setting for cell in newest})
    methods = sorted({cell.method for cell in newest}, key=_place)
    of = {(c.setting, c.method, c.draw): c for c in newest}
    table = _Table(of, settings, methods)
    last = max(newest, key=lambda c: c.made)
    return Summary(
        backbone=last.backbone,
        backbone_hash=last.backbone_hash,
        methods=methods,
        settings=settings,
        compared=table.compared,
        means={
            (metric, setting, method): table.mean(metric, setting, method)
            for metric in Metric
            for setting in settings
            for method in methods
        },
        standings={method: table.standing(method) for method in methods},
        notes={cell.method: cell.note for cell in newest if cell.note},
        left_out=len(cells) - len(newest),
    )


def newest_alone(cells: Sequence[Cell]) -> list[Cell]:
    """Those of the backbone of the newest cell, and of each method's newest recipe there."""
    by_age = sorted(cells, key=lambda c: c.made)
    backbone = by_age[-1].backbone_hash
    revision = {c.method: c.revision for c in by_age if c.backbone_hash == backbone}
    return [c for c in cells if c.backbone_hash == backbone and c.revision == revision[c.method]]


def _place(method: str) -> tuple[int, str]:
    return (ORDER.index(method) if method in ORDER else len(ORDER), method)


class _Table:
    """Cells by setting, method and draw."""

    def __init__(
        self,
        cells: Mapping[tuple[Setting, str, int], Cell],
        settings: Sequence[Setting],
        methods: Sequence[str],
    ) -> None:
        self._methods = methods
        self._of: dict[tuple[Setting, str], list[Cell]] = {}
        self.compared = list[Setting]()
        for setting in settings:
            draws = [{d for s, m, d in cells if (s, m) == (setting, name)} for name in methods]
            common = set.intersection(*draws)
            if common:
                self.compared.append(setting)
            for method, own in zip(methods, draws, strict=True):
                used = sorted(common or own)
                self._of[setting, method] = [cells[setting, method, draw] for draw in used]

    def mean(self, metric: Metric, setting: Setting, method: str) -> Mean:
        """Over draws."""
        found = [getattr(c.figures, metric) for c in self._of[setting, method]]
        values = np.array([np.nan if value is None else value for value in found], float)
        if len(values) == 0:
            return Mean(float("nan"), 0.0, 0)
        error = values.std(ddof=1) / np.sqrt(len(values)) if len(values) > 1 else 0.0
        return Mean(float(values.mean()), float(error), len(values))

    def _accuracy(self, setting: Setting, method: str) -> float:
        return self.mean(Metric.BALANCED_ACCURACY, setting, method).value

    def _rivals(self, method: str) -> list[str]:
        """Whom a method is compared with: neither itself nor variants of the ablation."""
        with_live = not is_ours(method)
        others = [m for m in self._methods if m != method and not is_variant(m)]
        return [m for m in others if not is_ours(m) or (with_live and m == LIVE)]

    def standing(self, method: str) -> Standing:
        """See Standing."""
        rivals = self._rivals(method)
        held = [c for s in self.compared for c in self._of[s, method]]
        trusted = [c for c in held if c.decisions >= TRUSTED_FROM]
        return Standing(
            rank=_mean([self._rank(setting, method, rivals) for setting in self.compared]),
            best=sum(self._is_best(setting, method, rivals) for setting in self.compared),
            below_zero_shot=sum(self._is_below(setting, method) for setting in self.compared),
            lead=self._lead(method, rivals),
            means={
                metric: _mean([self.mean(metric, s, method).value for s in self.compared])
                for metric in Metric
            },
            trusted_log_loss=_mean_or_none([c.figures.log_loss for c in trusted]),
            trusted_ece=_mean_or_none([c.figures.ece for c in trusted]),
            excess_ece=_mean_or_none([c.figures.ece - c.calibrated_ece for c in trusted]),
            seconds=_mean([c.seconds for c in held]),
        )

    def _rank(self, setting: Setting, method: str, rivals: Sequence[str]) -> float:
        own = self._accuracy(setting, method)
        others = np.array([self._accuracy(setting, rival) for rival in rivals])
        return float(1 + (others > own).sum() + (others == own).sum() / 2)

    def _is_best(self, setting: Setting, method: str, rivals: Sequence[str]) -> bool:
        means = [self.mean(Metric.BALANCED_ACCURACY, setting, m) for m in (method, *rivals)]
        best = max(means, key=lambda mean: mean.value)
        return means[0].value >= best.value - best.error

    def _is_below(self, setting: Setting, method: str) -> bool:
        if ZERO_SHOT not in self._methods:
            return False
        return self._accuracy(setting, method) < self._accuracy(setting, ZERO_SHOT) - 1e-12

    def _lead(self, method: str, rivals: Sequence[str]) -> float | None:
        at = [s for s in self.compared if (s.protocol, s.count) == (Protocol.SHOTS, LEAD_SHOTS)]
        if not at or not rivals:
            return None
        own, *others = (_mean([self._accuracy(s, m) for s in at]) for m in (method, *rivals))
        return own / max(others) - 1


def _mean(values: Sequence[float]) -> float:
    return float(np.mean(values)) if values else float("nan")


def _mean_or_none(values: Sequence[float]) -> float | None:
    return _mean(values) if values else None
