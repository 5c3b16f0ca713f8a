"""Which columns of a table name the scan that a row speaks of: its file, or an identity in it."""

import re
from collections.abc import Mapping
from functools import lru_cache
from types import MappingProxyType
from typing import Final

from nearl_core.importing.statements import Columns, Key, Keys

FILES: Final = (
    *("path", "file", "file_name", "filename", "file_path", "filepath"),
    *("image", "image_path", "image_name", "image_file", "image_file_path", "image_id"),
    *("image_index", "isic_id", "img_id", "id_code", "sopinstanceuid", "sop_instance_uid"),
)
"""Columns that may name the file, as data sets call them; the first one that is there counts.

Blanks and hyphens in a header stand for _, capitals count as small letters. SOPInstanceUID stands
here too, since files are often called so, and their headers need not be read then.
"""
HASH: Final = "sha256"
_KEYS: Final = MappingProxyType(
    {
        Key.IMAGE: ("sopinstanceuid", "sop_instance_uid"),
        Key.SERIES: ("seriesinstanceuid", "series_instance_uid", "seriesuid", "series_uid"),
        Key.STUDY: ("studyinstanceuid", "study_instance_uid", "studyuid", "study_uid"),
        Key.PATIENT: ("patientid", "patient_id"),
    }
)
"""Columns of DICOM's identities, the finest first."""
_OF: Final = {name: key for key, names in _KEYS.items() for name in names}


@lru_cache(maxsize=4096)
def header(name: str) -> str:
    """A column's name as it is compared."""
    return re.sub(r"[\s-]+", "_", name.strip().lower())


class Naming:
    """Reads who is meant from a row.

    Attributes:
        headers: Columns that say nothing of a label.
    """

    def __init__(self, columns: Columns) -> None:
        self._chosen = header(columns.file)
        self._match = columns.match
        self._files: tuple[str, ...] = FILES
        self._keys: dict[str, Key] = dict(_OF)
        if self._chosen:
            key = columns.match or _OF.get(self._chosen, Key.FILE)
            of_file = key is Key.FILE or (key is Key.IMAGE and columns.match is None)
            self._files = (self._chosen,) if of_file else ()
            self._keys = {} if key is Key.FILE else {self._chosen: key}
        elif columns.match is not None:
            self._files = FILES if columns.match is Key.FILE else ()
            self._keys = {name: key for name, key in _OF.items() if key is columns.match}
        self.headers = frozenset(("", HASH, *self._files, *self._keys, *_OF))

    def named(self, cells: Mapping[str, str]) -> tuple[str, str, Keys] | None:
        """The file, its SHA-256 and the identities of a row; None where no column names any.

        Args:
            cells: Texts by their columns as compared.
        """
        column = next((name for name in self._files if name in cells), "")
        keyed = [(self._keys[name], text) for name, text in cells.items() if name in self._keys]
        if not (column or HASH in cells or keyed or self._chosen):
            return None
        keys = tuple((key, text) for key, text in keyed if text)
        return cells.get(column, ""), cells.get(HASH, "").lower(), keys
