"""Loads PyTorch's libraries while other threads go on.

`import torch` holds the interpreter while the dynamic loader reads and relocates some hundred
megabytes: a window stands still for half a second. Called as a foreign function the loader runs
without the interpreter's lock (`ctypes.CDLL(path)` would hold it too), and the import finds
everything loaded.
"""

import ctypes
import importlib.util
import os
import sys
from pathlib import Path

_ENDING = ".dylib" if sys.platform == "darwin" else ".so"


def load() -> None:
    """Load what `import torch` will need; nothing is lost where that fails."""
    if "torch" in sys.modules or sys.platform == "win32":  # there torch's import does it like this
        return
    found = importlib.util.find_spec("torch")
    if found is None or not found.submodule_search_locations:
        return
    folder = Path(found.submodule_search_locations[0], "lib")
    load_library = ctypes.CDLL(None).dlopen
    load_library.restype, load_library.argtypes = ctypes.c_void_p, (ctypes.c_char_p, ctypes.c_int)
    # In torch's own order: the first brings NVIDIA's libraries, which the others look for.
    if load_library(_path(folder, "libtorch_global_deps"), os.RTLD_LAZY | os.RTLD_GLOBAL):
        load_library(_path(folder, "libtorch_python"), os.RTLD_LAZY)


def _path(folder: Path, name: str) -> bytes:
    return os.fsencode(folder / f"{name}{_ENDING}")
