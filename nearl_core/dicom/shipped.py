"""The DICOM files that the installed pydicom package brings along: real scans, already on disk."""

from importlib.util import find_spec
from pathlib import Path

from nearl_core.errors import ScanError


def shipped_folder() -> Path:
    """The folder of pydicom's packaged test files.

    Only what the package installed: pydicom can download more, and nothing here asks it to. The
    package is found without being imported, which would take as long as opening the window.

    Raises:
        ScanError: If the package or its files are not there.
    """
    spec = find_spec("pydicom")
    folder = Path(spec.origin).parent / "data" / "test_files" if spec and spec.origin else None
    if folder is None or not folder.is_dir():
        raise ScanError(
            "The scans of the demo project are not on this machine.",
            "They come with the package pydicom: install it again.",
        )
    return folder
