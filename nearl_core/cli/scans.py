"""The commands `render` and `pixels`: what a reader would see, and the stored values."""

import argparse
import hashlib
import os
import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from nearl_core.cli.arguments import SubParsers
from nearl_core.cli.output import Output
from nearl_core.errors import NearlError, ScanError, UsageError
from nearl_core.links import followed
from nearl_core.scans.find import find
from nearl_core.scans.whole import write_whole
from nearl_core.types import SkippedFile, Window, WindowShape
from nearl_core.words import counted

if TYPE_CHECKING:
    # At run time after the first child is on its way: both import numpy's neighbours.
    from nearl_core.scans.guard import ScanReader

Record = dict[str, object]


def add_commands(commands: SubParsers) -> None:
    """Add `render` and `pixels`."""
    render = commands.add_parser("render", help="write what a reader would see as 8-bit PNG")
    _add_paths(render)
    render.add_argument("--frame", type=int, default=0, metavar="N", help="counted from 0")
    render.add_argument("--window", type=float, nargs=2, metavar=("CENTRE", "WIDTH"))
    render.set_defaults(run=_render)
    pixels = commands.add_parser("pixels", help="write the stored values of all frames as .npy")
    _add_paths(pixels)
    pixels.set_defaults(run=_pixels)


def _add_paths(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("paths", nargs="+", metavar="PATH", help="files and folders")
    parser.add_argument("--to", type=Path, required=True, metavar="DIR", help="made if need be")
    parser.epilog = (
        "Exit code 0 says that each file has its answer. One that gave nothing answers with the "
        'reason, with --json as "ok": false.'
    )


def _render(arguments: argparse.Namespace, output: Output) -> None:
    window = _window(arguments.window)
    frame: int = arguments.frame
    if frame < 0:
        raise UsageError("Frames are counted from 0.")
    folder = _folder(arguments.to)

    def render(reader: "ScanReader", path: Path) -> Record:
        picture, info = reader.picture(path, frame, window=window)
        place = folder / output_name(path, ".png", frame=frame)
        write_whole(place, lambda stream: stream.write(picture.png))
        size = {"width": picture.columns, "height": picture.rows}
        return {"png": str(place), "frames": info.frames, **size}

    _answer_all(arguments.paths, folder, render, output)


def _pixels(arguments: argparse.Namespace, output: Output) -> None:
    folder = _folder(arguments.to)

    def pixels(reader: "ScanReader", path: Path) -> Record:
        import numpy as np

        values = reader.stored(path)
        place = folder / output_name(path, ".npy")
        write_whole(place, lambda stream: np.save(stream, values, allow_pickle=False))
        return {"npy": str(place), "shape": list(values.shape), "dtype": str(values.dtype)}

    _answer_all(arguments.paths, folder, pixels, output)


def output_name(path: Path, suffix: str, *, frame: int = 0) -> str:
    """A name in the output folder that is this file's alone and can't leave the folder.

    Args:
        path: Of the scan; its name is kept as far as it is plain.
        suffix: Such as ".png".
        frame: Named where it is not the first.
    """
    plain = re.sub(r"[^A-Za-z0-9_-]+", "_", path.stem)[:48].strip("_") or "scan"
    key = hashlib.sha256(os.fsencode(os.path.abspath(path))).hexdigest()[:16]
    shown = f"-frame{frame}" if frame else ""
    return f"{plain}-{key}{shown}{suffix}"


@dataclass(frozen=True)
class _Given:
    """A file, with the path that the answer names."""

    path: Path
    given: str
    reason: str = ""


def _found(arguments: Iterable[str], folder: Path) -> Iterator[_Given]:
    """Files as they were given, and the contents of folders but for our own output."""
    own = followed(folder)
    for argument in arguments:
        path = Path(argument)
        if not argument:
            # An empty path means the current folder to the system, and nothing to a reader.
            yield _Given(path, argument, "There is no such file.")
        elif _is_folder(path):
            yield from _found_in(path, argument, own)
        else:
            for found in find([path]):
                yield _given(found, argument)


def _found_in(folder: Path, argument: str, own: str) -> Iterator[_Given]:
    """The contents of a folder, or one answer for the folder itself where there are none."""
    empty = True
    for found in find([folder]):
        place = found.path if isinstance(found, SkippedFile) else found
        # Of the folder, which was read: the place itself can be a link to a link without end.
        inside = followed(place.parent)
        if place != folder and (inside == own or inside.startswith(f"{own}{os.sep}")):
            continue
        empty = False
        yield _given(found, argument if place == folder else str(place))
    if empty:
        yield _Given(folder, argument, "The folder holds no scan.")


def _given(found: Path | SkippedFile, given: str) -> _Given:
    if isinstance(found, SkippedFile):
        return _Given(found.path, given, found.reason)
    return _Given(found, given)


def _is_folder(path: Path) -> bool:
    try:
        return path.is_dir()
    except (OSError, ValueError):
        return False


def _answer_all(
    arguments: Iterable[str],
    folder: Path,
    answer: Callable[["ScanReader", Path], Record],
    output: Output,
) -> None:
    """One line for each file, good or bad; for people also how many gave nothing, on stderr.

    An answer for each is what was asked for, so that the exit code says only that they are all
    there; which ones failed a script reads in the answers.
    """
    from nearl_core.scans.guard import ScanReader

    files = refused = 0
    with ScanReader() as reader:

        def one(found: _Given) -> Record:
            if found.reason:
                raise ScanError(found.reason)
            try:
                return answer(reader, found.path)
            except OSError as error:
                what = error.strerror or "input or output error"
                raise NearlError(
                    f"The output can't be written ({what}).", "Free some space or name another."
                ) from error

        for found, record in reader.each(_found(arguments, folder), one):
            files += 1
            if isinstance(record, ScanError):
                refused += 1
                reason = record.message
                output.result(
                    {"path": found.given, "ok": False, "reason": reason},
                    f"{found.given}: {reason}",
                )
            else:
                place = record.get("png") or record.get("npy")
                output.result(
                    {"path": found.given, "ok": True, **record}, f"{found.given}: {place}"
                )
    if refused and not output.as_json:
        output.message(f"{refused} of {counted(files, 'file')} gave nothing; each line says why.")


def _window(values: list[float] | None) -> Window | None:
    if values is None:
        return None
    centre, width = values
    if not (width > 0 and abs(centre) < float("inf") and width < float("inf")):
        raise UsageError("A window needs a centre and a width above 0.")
    return Window(centre, width, WindowShape.LINEAR if width >= 1 else WindowShape.LINEAR_EXACT)


def _folder(folder: Path) -> Path:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        what = error.strerror or "input or output error"
        message = f"The output folder can't be made ({what})."
        raise NearlError(message, "Name another one.") from error
    return folder
