"""The Qt application: a window over the engine of `nearl_core`."""

import ctypes
import sys

_SPARE = 1 << 40


def _keep_constants() -> None:
    """Give None, True and False more references than any session can lose.

    PySide6 6.12 returns them without counting: each call of a Qt method and each emitted signal
    takes one reference away. From CPython 3.12 on they are immortal and it does no harm; CPython
    3.11 ends the process ("deallocating True or False") after some hundred signals. Measured with
    6.12.0; counting too many is harmless with any other version.
    """
    if sys.implementation.name == "cpython" and sys.version_info < (3, 12):
        for constant in (None, True, False):
            # The count is the first field of every object (Include/object.h of CPython 3.11).
            ctypes.c_ssize_t.from_address(id(constant)).value += _SPARE


_keep_constants()
