"""The results file: a line of JSON for each cell, written as it is done, read whatever happened."""

import json
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Self

from nearl_core.bench.draws import Protocol
from nearl_core.errors import NearlError
from nearl_core.types import Figures


@dataclass(frozen=True, order=True)
class Setting:
    """What all methods are compared on: `count` is shots a label, or decisions in all."""

    protocol: Protocol
    task: str
    count: int

    @property
    def text(self) -> str:
        """For people."""
        unit = "shots" if self.protocol is Protocol.SHOTS else "decisions"
        return f"{self.task}, {self.count} {unit}"


@dataclass(frozen=True)
class Key:
    """What makes a cell itself: one of another backbone or recipe is another cell."""

    setting: Setting
    draw: int
    method: str
    revision: str
    backbone_hash: str


@dataclass(frozen=True)
class Cell:
    """One method on one draw.

    Attributes:
        revision: Of the method's recipe and of the draws, see `methods.py` and `own.py`.
        decisions: Number of decisions, N.
        figures: On all test scans.
        calibrated_ece: The mean ECE that outcomes drawn from these very probabilities would show:
            what is left of the ECE of a perfectly calibrated model with as many test scans.
        seconds: Of this method on this draw; of the training, for the stages that share one.
        made: When, UTC, ISO 8601.
        promoted: Whether the gate let the trained version rank; None for methods without one.
        note: Where the method departs from its published recipe.
    """

    protocol: Protocol
    task: str
    count: int
    draw: int
    method: str
    revision: str
    backbone: str
    backbone_hash: str
    decisions: int
    figures: Figures
    calibrated_ece: float
    seconds: float
    made: str
    promoted: bool | None = None
    note: str = ""

    @property
    def setting(self) -> Setting:
        """What it is compared on."""
        return Setting(self.protocol, self.task, self.count)

    @property
    def where(self) -> str:
        """The setting and the draw, for people."""
        return f"{self.setting.text}, draw {self.draw}"

    @property
    def key(self) -> Key:
        """What makes it itself."""
        return Key(self.setting, self.draw, self.method, self.revision, self.backbone_hash)

    def to_line(self) -> str:
        """As a line of the file."""
        return json.dumps(asdict(self)) + "\n"

    @classmethod
    def of_line(cls, line: str) -> Self:
        """From a line of the file.

        Raises:
            ValueError: If it is not one: cut off, or of another format.
        """
        try:
            row = json.loads(line)
            row["protocol"] = Protocol(row["protocol"])
            row["figures"] = Figures(**row["figures"])
            return cls(**row)
        except (TypeError, KeyError, AttributeError) as error:
            raise ValueError("not a cell") from error


@dataclass(frozen=True)
class Read:
    """What a results file holds.

    Attributes:
        cells: Each once: the last of those with one key.
        unreadable: Lines that are no cells, such as one that was cut off.
    """

    cells: Sequence[Cell]
    unreadable: int = 0


def read(files: Iterable[Path]) -> Read:
    """The cells of some results files together; a file that is not there holds none.

    Raises:
        NearlError: If a file can't be read.
    """
    cells, unreadable = dict[Key, Cell](), 0
    for file in files:
        for line in _lines(file):
            try:
                cell = Cell.of_line(line)
            except ValueError:
                unreadable += 1
            else:
                cells[cell.key] = cell
    return Read(tuple(cells.values()), unreadable)


def _lines(file: Path) -> list[str]:
    try:
        text = file.read_text("utf-8", errors="replace")
    except FileNotFoundError:
        return []
    except OSError as error:
        raise NearlError(
            f"The results {file.name} can't be read.", "Check the path and its permissions."
        ) from error
    return [line for line in text.splitlines() if line.strip()]


def append(file: Path, cells: Iterable[Cell]) -> None:
    """Write cells behind those that stand there; a line that was cut off stays alone.

    Raises:
        NearlError: If they can't be written.
    """
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        with file.open("ab+") as open_file:
            lines = "".join(cell.to_line() for cell in cells)
            open_file.write(("" if _ends_whole(file) else "\n").encode() + lines.encode())
    except OSError as error:
        raise NearlError(
            f"The results {file.name} can't be written.", "Make room, or choose another --out."
        ) from error


def _ends_whole(file: Path) -> bool:
    with file.open("rb") as open_file:
        size = open_file.seek(0, 2)
        if size == 0:
            return True
        open_file.seek(size - 1)
        return open_file.read(1) == b"\n"
