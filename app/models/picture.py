"""A frame made ready for the screen: small integers and a look-up table.

Windowing through a table costs one `take` over the pixels that are shown, so that a drag redraws a
large radiograph at once; the table itself is made by the same pure function that makes the PNGs
of `render`, so that both show the same grey.
"""

import math
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from app import strings
from app.models.placing import Part
from app.models.viewing import Grey, Viewing
from nearl_core.scans import display
from nearl_core.scans.windows import percentiles
from nearl_core.types import Frame, ScanInfo, Window

_PLACES = 1 << 16
"""What 16 bits can tell apart."""
_PADDINGS = 64
"""Places for padding at most; of more values, those near one another share one."""
_NO_NUMBERS = (np.nan, -np.inf, np.inf)
_SAMPLES = 1 << 18
"""Values that tell percentiles well enough: some milliseconds, and not a tenth of a second."""
_SMALLEST_SIDE = 256
_OVERLAY_GREY = 255
_SHUTTER_GREY = 0


@dataclass(frozen=True, eq=False)
class Picture:
    """One frame for the image view.

    Attributes:
        frame: As read.
        info: What the file says of the scan.
        levels: Full size, half, quarter and so on. Grey: rows x columns, uint16, places in
            `table`; colour: rows x columns x 3, uint8.
        table: The value (after the Modality LUT) of each place, float64; empty for colour.
        apart: How many places at the start of the table are padding, or values that are no numbers.
        spread: The window from the 0.5th to the 99.5th percentile, or None for colour.
    """

    frame: Frame
    info: ScanInfo
    levels: tuple[NDArray[np.generic], ...]
    table: NDArray[np.float64]
    apart: int = 0
    spread: Window | None = None

    @property
    def is_colour(self) -> bool:
        """Whether the frame is RGB."""
        return self.frame.is_colour

    @property
    def rows(self) -> int:
        """Of the full size."""
        return int(self.frame.values.shape[0])

    @property
    def columns(self) -> int:
        """Of the full size."""
        return int(self.frame.values.shape[1])

    @property
    def nbytes(self) -> int:
        """What it holds in memory."""
        return int(self.frame.values.nbytes) + sum(int(level.nbytes) for level in self.levels)

    @property
    def lowest(self) -> float:
        """The smallest value."""
        return float(self.table[self.apart]) if self.table.size else 0.0

    @property
    def highest(self) -> float:
        """The largest value."""
        return float(self.table[-1]) if self.table.size else 255.0

    def default_window(self) -> Grey | None:
        """The file's first window, or None for colour."""
        return self.frame.windows[0] if self.frame.windows else None

    def value_text(self, row: int, column: int) -> str:
        """The value under the pointer with its unit, "" outside the picture or on padding."""
        values = self.frame.values
        if not (0 <= row < values.shape[0] and 0 <= column < values.shape[1]):
            return ""
        if self.is_colour:
            red, green, blue = (int(part) for part in values[row, column])
            return f"R {red}  G {green}  B {blue}"
        if self.frame.padding is not None and self.frame.padding[row, column]:
            return ""
        value = float(values[row, column])
        if not math.isfinite(value):
            return ""
        text = f"{value:.0f}" if value == int(value) else f"{value:.4g}"
        return f"{text} {self.info.unit}" if self.info.unit else strings.VALUE.format(value=text)

    def place_text(self, row: int, column: int, *, shutter: bool) -> str:
        """The value under the pointer and where it stands; "" where a shutter covers it."""
        text = self.value_text(row, column)
        covered = self.frame.shutter
        if not text or (shutter and covered is not None and covered[row, column]):
            return ""
        return strings.PLACE.format(value=text, column=column + 1, row=row + 1)

    def grey_table(self, window: Grey | None, *, inverted: bool) -> NDArray[np.uint8]:
        """What each place of `table` looks like, as in what `render` writes: 1-D uint8."""
        line = self.table[None, :]
        padding = np.zeros(line.shape, np.bool_)
        if self.frame.padding is not None:
            padding[:, : self.apart] = np.isfinite(line[:, : self.apart])
        frame = replace(self.frame, values=line, padding=padding, overlay=None, shutter=None)
        greys: NDArray[np.uint8] = display.to_grey(frame, window, inverted=inverted)[0]
        return greys

    def level_for(self, pixels_per_dot: float) -> int:
        """The level to show where one screen dot covers so many pixels of the full size."""
        level = 0
        while level + 1 < len(self.levels) and pixels_per_dot >= 2.0 * 2**level:
            level += 1
        return level

    def rendered(
        self, level: int, greys: NDArray[np.uint8], viewing: Viewing, part: Part | None = None
    ) -> NDArray[np.uint8]:
        """The pixels of one level, or of a part of it: rows x columns [x 3], uint8.

        Args:
            level: 0 for the full size.
            greys: What `grey_table` gives.
            viewing: How the scan is looked at; its window stands in `greys` already.
            part: Of the level; None for all of it.
        """
        whole = self.levels[level]
        part = part or Part(0, 0, *whole.shape[:2])
        source = whole[part.top : part.bottom, part.left : part.right]
        if self.is_colour:
            colours = source.astype(np.uint8, copy=False)
            shown = 255 - colours if viewing.inverted else colours.copy()
        else:
            shown = np.take(greys, source.astype(np.uint16, copy=False))
        if viewing.shutter:
            self._draw(shown, self.frame.shutter, level, part, _SHUTTER_GREY)
        if viewing.overlay:
            self._draw(shown, self.frame.overlay, level, part, _OVERLAY_GREY)
        return np.ascontiguousarray(shown)

    @staticmethod
    def _draw(
        shown: NDArray[np.uint8], mask: NDArray[np.bool_] | None, level: int, part: Part, grey: int
    ) -> None:
        if mask is not None:
            step = 2**level
            shown[mask[::step, ::step][part.top : part.bottom, part.left : part.right]] = grey


def kept_window(
    viewing: Viewing, before: Picture | None, now: Picture, *, keeps: bool
) -> Window | None:
    """The window that another scan takes over from the one before; None for its own.

    Only where it means the same there: between scans of one modality and unit.
    """
    window = viewing.window
    if not keeps or before is None or now.is_colour or not isinstance(window, Window):
        return None
    alike = (before.info.modality, before.info.unit) == (now.info.modality, now.info.unit)
    return window if alike else None


def prepare(frame: Frame, info: ScanInfo) -> Picture:
    """Make a frame ready for the screen; tens of milliseconds for a radiograph, so in a worker."""
    if frame.automatic:
        name = strings.THIS_FRAME if info.frames > 1 else strings.AUTOMATIC
        frame = replace(frame, windows=(_named(frame.windows[0], name),))
    if frame.is_colour:
        empty = np.empty(0, np.float64)
        return Picture(frame, info, _pyramid(frame.values, exact=False), empty)
    places, table, apart = _places(frame)
    levels = _pyramid(places, exact=apart > 0)
    return Picture(frame, info, levels, table, apart, _spread(frame))


def _spread(frame: Frame) -> Window:
    """From percentile to percentile; of a large frame, of every so many rows and columns."""
    step = math.isqrt(max(frame.values.size - 1, 0) // _SAMPLES) + 1
    padding = None if frame.padding is None else frame.padding[::step, ::step]
    return replace(percentiles(frame.values[::step, ::step], padding), name=strings.SPREAD)


def through(picture: Picture, common: Window | None) -> Picture:
    """The picture with one automatic window for all frames of its scan before its own one.

    Args:
        picture: Ready for the screen.
        common: None where there is no such window; frames that list windows keep to them.
    """
    frame = picture.frame
    if common is None or not frame.automatic or len(frame.windows) > 1:
        return picture
    windows = (_named(common, strings.ALL_FRAMES), *frame.windows)
    return replace(picture, frame=replace(frame, windows=windows))


def _named(window: Grey, name: str) -> Grey:
    return replace(window, name=name)


def _places(frame: Frame) -> tuple[NDArray[np.uint16], NDArray[np.float64], int]:
    """Places in a table of values: rows x columns uint16, the table, and how many stand apart."""
    values = frame.values
    mask, first, own = _apart(frame)
    seen = values if mask is None else values[~mask]
    low, high = (float(seen.min()), float(seen.max())) if seen.size else (0.0, 0.0)
    most = _PLACES - 1 - len(first)
    whole = values.dtype.kind in "iub" or bool((seen == np.rint(seen)).all())
    step = 1.0 if whole and high - low <= most else max((high - low) / most, 1e-300)
    count = round((high - low) / step) + 1
    table = np.concatenate((first, low + step * np.arange(count)))
    if step == 1.0 and values.dtype.kind in "iu" and values.dtype.itemsize <= 2:
        # One pass in 16 bits, where differences come out right whatever wraps around.
        cells = values if values.dtype.itemsize == 2 else values.astype(np.int16)
        places = np.subtract(cells.view(np.uint16), np.uint16((int(low) - len(first)) % _PLACES))
    else:
        plain = values if mask is None else np.where(mask, low, values)
        raised = np.clip(np.rint((plain.astype(np.float64) - low) / step), 0, count - 1)
        places = (raised + len(first)).astype(np.uint16)
    if mask is not None:
        places[mask] = own
    return places, table, len(first)


def _apart(
    frame: Frame,
) -> tuple[NDArray[np.bool_] | None, NDArray[np.float64], NDArray[np.intp]]:
    """Padding and what is no number: their mask, the values that they stand for, and their places.

    One place stands for all of them where it is the only one. They may lie so far from all others
    that one scale for both would leave few greys.
    """
    mask = frame.padding
    if frame.values.dtype.kind == "f" and not (finite := np.isfinite(frame.values)).all():
        mask = ~finite if mask is None else mask | ~finite
    if mask is None:
        return None, np.empty(0), np.empty(0, np.intp)
    held = frame.values[mask]
    good = np.isfinite(held) if held.dtype.kind == "f" else np.ones(1, np.bool_)
    whole = bool(good.all())
    sound = held if whole else held[good]
    low, high = (float(sound.min()), float(sound.max())) if sound.size else (0.0, 0.0)
    count = min(int(high - low) + 1, _PADDINGS) if high > low else 1
    first = np.linspace(low, high, count)
    if whole and count == 1:
        return mask, first, np.zeros(1, np.intp)  # one place for all
    own = np.zeros(held.size, np.intp)
    scaled = np.rint((sound.astype(np.float64) - low) * ((count - 1) / max(high - low, 1e-300)))
    if whole:
        return mask, first, scaled.astype(np.intp)
    own[good] = scaled
    for place, ends in enumerate((np.isnan(held), held == -np.inf, held == np.inf)):
        own[ends] = count + place
    return mask, np.concatenate((first, _NO_NUMBERS)), own


def _pyramid(full: NDArray[np.generic], *, exact: bool) -> tuple[NDArray[np.generic], ...]:
    """The picture and its halves; `exact` takes every other pixel instead of means."""
    levels: list[NDArray[np.generic]] = [np.ascontiguousarray(full)]
    while min(levels[-1].shape[:2]) >= 2 * _SMALLEST_SIDE:
        levels.append(_halved(levels[-1], exact=exact))
    return tuple(levels)


def _halved(level: NDArray[np.generic], *, exact: bool) -> NDArray[np.generic]:
    rows, columns = level.shape[0] // 2 * 2, level.shape[1] // 2 * 2
    even = level[:rows, :columns]
    if exact:
        return np.ascontiguousarray(even[::2, ::2])
    total = np.add(even[::2, ::2], even[1::2, 1::2], dtype=np.uint32)
    total += even[1::2, ::2]
    total += even[::2, 1::2]
    total += 2
    total >>= 2
    mean: NDArray[np.generic] = total.astype(level.dtype)
    return mean
