"""The benchmark's curves with error bars. The only matplotlib, an optional extra."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from nearl_core.bench.cells import Setting
from nearl_core.bench.draws import Protocol
from nearl_core.bench.names import is_ours
from nearl_core.bench.report import Metric, Summary
from nearl_core.errors import NearlError

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_AXES = {Protocol.SHOTS: "decisions a label", Protocol.NATURAL: "decisions, natural draws"}
_MARKS = "osv^D<>ph*XP8"


def plot(summary: Summary, path: Path, *, metric: Metric) -> None:
    """Draw a panel for each protocol and task.

    Args:
        summary: What to draw.
        path: Ends in `.svg`, `.png` or `.pdf`.
        metric: Of the curves; ours are the thick ones.

    Raises:
        NearlError: If matplotlib is not installed, or the file can't be written.
    """
    try:
        from matplotlib import rc_context
        from matplotlib.figure import Figure
    except ImportError as error:
        raise NearlError(
            "Drawing the curves needs the package matplotlib.",
            "Install it with `pip install 'nearl-desk[bench]'`.",
        ) from error
    panels = list(dict.fromkeys((s.protocol, s.task) for s in summary.settings))
    protocols = list(dict.fromkeys(protocol for protocol, _ in panels))
    tasks = list(dict.fromkeys(task for _, task in panels))
    size = (2 + 4 * len(tasks), 0.6 + 3.4 * len(protocols))
    figure = Figure(figsize=size, layout="constrained")
    grid = figure.subplots(len(protocols), len(tasks), squeeze=False)
    for protocol, row in zip(protocols, grid, strict=True):
        for task, axes in zip(tasks, row, strict=True):
            settings = [s for s in summary.settings if (s.protocol, s.task) == (protocol, task)]
            axes.set_visible(bool(settings))
            axes.set_title(task.replace("_", " "), fontsize=10)
            axes.set_xlabel(_AXES[protocol], fontsize=8)
            axes.set_ylabel(metric.text, fontsize=8)
            _curves(axes, summary, settings, metric)
    handles, names = grid[0][0].get_legend_handles_labels()
    figure.legend(handles, names, loc="outside right upper", fontsize=8, frameon=False)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with rc_context({"svg.hashsalt": "nearl"}):
            figure.savefig(path, dpi=150)
    except (OSError, ValueError) as error:
        raise NearlError(
            f"The plot {path.name} can't be written.", "Give a path that ends in .svg or .png."
        ) from error


def _curves(axes: "Axes", summary: Summary, settings: Sequence[Setting], metric: Metric) -> None:
    counts = [s.count for s in settings]
    for place, method in enumerate(summary.methods):
        means = [summary.means[metric, s, method] for s in settings]
        axes.errorbar(
            counts,
            [mean.value for mean in means],
            [mean.error for mean in means],
            label=method,
            marker=_MARKS[place % len(_MARKS)],
            color=f"C{place % 10}",
            linestyle="-" if place < 10 else "--",
            linewidth=2.4 if is_ours(method) else 1.0,
            markersize=4,
            capsize=2,
        )
    axes.set_xscale("log", base=2)
    axes.set_xticks(counts, [str(count) for count in counts])
    axes.tick_params(labelsize=8)
    axes.grid(alpha=0.25)
