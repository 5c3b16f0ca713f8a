"""What the training panel shows, as plain values."""

from dataclasses import dataclass
from enum import StrEnum

from app import strings
from nearl_core.types import Version


class Phase(StrEnum):
    """Where training stands."""

    OFF = "off"
    IDLE = "idle"
    WAITING = "waiting"
    RUNNING = "running"
    STOPPING = "stopping"


@dataclass(frozen=True)
class TrainingState:
    """The training panel.

    Attributes:
        phase: OFF while no engine is there.
        text: What is being done, or the last result's sentence.
        done, total: Progress; total 0 where it is not known.
        waiting_decisions: New decisions since the last training.
    """

    phase: Phase = Phase.OFF
    text: str = ""
    done: int = 0
    total: int = 0
    waiting_decisions: int = 0


@dataclass(frozen=True)
class VersionLine:
    """One row of the versions list; id "" is the frozen backbone."""

    id: str
    title: str
    detail: str
    live: bool
    tip: str = ""


def version_lines(versions: tuple[Version, ...]) -> tuple[VersionLine, ...]:
    """The frozen backbone and every version, the newest first."""
    none_live = not any(version.live for version in versions)
    lines = [_line(version) for version in reversed(versions)]
    lines.append(VersionLine("", strings.FROZEN_TITLE, strings.FROZEN_DETAIL, none_live))
    return tuple(lines)


def _line(version: Version) -> VersionLine:
    detail = f"{strings.decisions(len(version.decision_ids))}   {_figures(version)}"
    title = strings.version_title(version)
    return VersionLine(version.id, title, detail, version.live, version.reason)


def _figures(version: Version) -> str:
    before, after = version.before, version.after
    if after is None:
        return strings.NO_FIGURES
    figure = f"{100 * after.balanced_accuracy:.0f} %"
    if before is not None:
        figure = f"{100 * before.balanced_accuracy:.0f} → {figure}"
    return strings.HELD_OUT.format(figure=figure, n=after.n)
