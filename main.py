"""Opens NEARL Desk: `python main.py [PROJECT.nearl | FOLDER] [--demo]`."""

import os
import sys
from collections.abc import Sequence

from app import strings


def no_window_reason() -> str | None:
    """Why no window can be opened, as a sentence with the remedy; None if one can.

    Qt ends the process when its platform plugin can't be loaded, so that is looked into before.
    """
    try:
        from PySide6 import QtGui, QtWidgets
    except ImportError as error:
        return strings.MISSING_LIBRARIES.format(what=_library(str(error)))
    del QtGui, QtWidgets
    if sys.platform != "linux" or os.environ.get("QT_QPA_PLATFORM", "xcb") not in ("", "xcb"):
        return None
    if os.environ.get("WAYLAND_DISPLAY"):
        return None
    if not os.environ.get("DISPLAY"):
        return strings.NO_DISPLAY
    missing = _missing_for_xcb()
    return None if missing is None else strings.MISSING_LIBRARIES.format(what=missing)


def _missing_for_xcb() -> str | None:
    """The first library that Qt's X11 plugin needs and that is not there."""
    import ctypes
    from pathlib import Path

    import PySide6

    plugins = Path(PySide6.__file__).parent / "Qt" / "plugins" / "platforms"
    plugin = plugins / "libqxcb.so"
    if not plugin.is_file():
        return None  # a Qt of the system: it knows where its parts are
    try:
        ctypes.CDLL(str(plugin))
    except OSError as error:
        return _library(str(error))
    return None


def _library(message: str) -> str:
    """The library's name from the loader's message, such as libEGL.so.1."""
    name = message.split(":", 1)[0].strip()
    return name if ".so" in name else "see below"


def main(argv: Sequence[str] | None = None) -> int:
    """Run the desk; returns the exit status."""
    given = list(sys.argv[1:] if argv is None else argv)
    if "-h" not in given and "--help" not in given:
        reason = no_window_reason()
        if reason is not None:
            sys.stderr.write(reason + "\n")
            return 3
    from app import bootstrap

    path, demo = bootstrap.arguments(given)
    return bootstrap.run(path, demo=demo)


if __name__ == "__main__":
    raise SystemExit(main())
