"""What stands between a table's cells: spreadsheets write semicolons where commas are decimal."""

import csv
from typing import Final, TextIO

_DELIMITERS: Final = (",", ";", "\t")


def delimiter_of(file: TextIO) -> str:
    """The first of comma, semicolon and tab that parts the first line; a comma where none does.

    The file, opened with newline="", is put back to its beginning.
    """
    line = file.readline()
    file.seek(0)
    for delimiter in _DELIMITERS:
        if any(len(cells) > 1 for cells in csv.reader([line], delimiter=delimiter)):
            return delimiter
    return _DELIMITERS[0]
