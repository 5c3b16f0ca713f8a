"""A benchmark's summary as Markdown and as JSON values."""

import math
from collections.abc import Callable, Sequence
from dataclasses import asdict

from nearl_core.bench.cells import Setting
from nearl_core.bench.draws import Protocol
from nearl_core.bench.report import LEAD_SHOTS, TRUSTED_FROM, Metric, Standing, Summary

_UNITS = {Protocol.SHOTS: "shots a label", Protocol.NATURAL: "decisions in all, natural draws"}
_NONE = "–"


def markdown(summary: Summary, *, metric: Metric) -> str:
    """Tables for people: one for each protocol and task, then how the methods stand.

    Args:
        summary: What to show.
        metric: Of the tables by task.
    """
    parts = [
        f"Backbone {summary.backbone} ({summary.backbone_hash[:12]}). "
        f"{metric.text}, mean of the draws ± standard error; best in bold."
    ]
    for protocol, task in dict.fromkeys((s.protocol, s.task) for s in summary.settings):
        settings = [s for s in summary.settings if (s.protocol, s.task) == (protocol, task)]
        parts.append(f"### {task}: {_UNITS[protocol]}\n" + _task(summary, settings, metric))
    parts += ["### Together\n" + _together(summary), _remarks(summary)]
    return "\n\n".join(parts) + "\n"


def _task(summary: Summary, settings: Sequence[Setting], metric: Metric) -> str:
    best = {}
    for setting in settings:
        of = {m: summary.means[metric, setting, m] for m in summary.methods}
        shown = {m: f"{mean.value:.3f}" for m, mean in of.items() if mean.draws}
        there = [m for m in shown if not math.isnan(of[m].value)]
        top = max(there, key=lambda m: metric.sign * of[m].value, default=None)
        best[setting] = {m for m in there if top is not None and shown[m] == shown[top]}
    rows = []
    for method in summary.methods:
        row = [method]
        for setting in settings:
            mean = summary.means[metric, setting, method]
            text = f"{mean.value:.3f} ± {mean.error:.3f}" if mean.draws else _NONE
            row.append(f"**{text}**" if method in best[setting] else text)
        rows.append(row)
    return _table(["method", *(str(s.count) for s in settings)], rows)


_COLUMNS: Sequence[tuple[str, Callable[[Standing], str]]] = (
    ("mean rank", lambda s: f"{s.rank:.2f}"),
    ("best or within 1 SE", lambda s: str(s.best)),
    ("below zero-shot", lambda s: str(s.below_zero_shot)),
    (f"lead at {LEAD_SHOTS} shots", lambda s: _NONE if s.lead is None else f"{s.lead:+.1%}"),
    ("balanced accuracy", lambda s: f"{s.means[Metric.BALANCED_ACCURACY]:.3f}"),
    ("AUROC", lambda s: f"{s.means[Metric.AUROC]:.3f}"),
    ("log-loss", lambda s: f"{s.means[Metric.LOG_LOSS]:.3f}"),
    ("ECE", lambda s: f"{s.means[Metric.ECE]:.3f}"),
    (f"log-loss from {TRUSTED_FROM}", lambda s: _number(s.trusted_log_loss)),
    (f"ECE from {TRUSTED_FROM}", lambda s: _number(s.trusted_ece)),
    ("of it in excess", lambda s: _number(s.excess_ece)),
    ("seconds a draw", lambda s: f"{s.seconds:.1f}"),
)


def _together(summary: Summary) -> str:
    rows = [
        [method, *(show(summary.standings[method]) for _, show in _COLUMNS)]
        for method in summary.methods
    ]
    return _table(["method", *(name for name, _ in _COLUMNS)], rows)


def _remarks(summary: Summary) -> str:
    draws = sorted({m.draws for (_, s, _), m in summary.means.items() if s in summary.compared})
    many = "–".join(str(n) for n in dict.fromkeys((draws[0], draws[-1]))) if draws else "0"
    lines = [
        f"Over the {len(summary.compared)} of {len(summary.settings)} settings (a task, a protocol "
        f"and a count) in which all methods have draws in common, by {many} of them. Rank, best "
        "and lead are by balanced accuracy: each of ours against the peers, a peer against the "
        "other peers and live. The standard error is that of the best. "
        f"From {TRUSTED_FROM}: of cells with {TRUSTED_FROM} decisions or more; in excess: of what "
        "a perfectly calibrated model would show on as many test scans."
    ]
    lines += [f"- {m}: {summary.notes[m]}." for m in summary.methods if m in summary.notes]
    if summary.left_out:
        lines.append(f"{summary.left_out} cells of another backbone or recipe are left out.")
    return "\n".join(lines)


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def _number(value: float | None) -> str:
    return _NONE if value is None else f"{value:.3f}"


def to_record(summary: Summary) -> dict[str, object]:
    """As JSON values; what is not a number is null."""
    return {
        "backbone": summary.backbone,
        "backbone_hash": summary.backbone_hash,
        "settings": len(summary.settings),
        "compared": len(summary.compared),
        "left_out": summary.left_out,
        "notes": dict(summary.notes),
        "methods": {m: _clean(asdict(summary.standings[m])) for m in summary.methods},
        "cells": [
            {
                **asdict(setting),
                "method": method,
                **{
                    metric.value: _clean(asdict(summary.means[metric, setting, method]))
                    for metric in Metric
                },
            }
            for setting in summary.settings
            for method in summary.methods
            if summary.means[Metric.BALANCED_ACCURACY, setting, method].draws
        ],
    }


def _clean(value: object) -> object:
    """JSON has no NaN."""
    if isinstance(value, dict):
        return {str(key): _clean(held) for key, held in value.items()}
    return None if isinstance(value, float) and math.isnan(value) else value
