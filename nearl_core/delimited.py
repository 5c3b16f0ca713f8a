"""Tables for spreadsheets, which write semicolons between cells where commas are decimal."""

import csv
import re
from typing import Final, TextIO

_DELIMITERS: Final = (",", ";", "\t")
_BEGIN: Final = r"(?:^|(?<=[;\t\r\n]))"
"""Where a cell begins, whichever of these the reader's spreadsheet parts cells by."""
_RUNS: Final = "(?=[=+\\-@\t\r\n\uff1d\uff0b\uff0d\uff20])"
"""What makes a spreadsheet run a cell: Japanese ones take wide signs for the same."""


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


def escaped(text: str) -> str:
    """Text that no spreadsheet runs as a formula; see OWASP, "CSV Injection"."""
    return re.sub(_BEGIN + _RUNS, "'", text)


def unescaped(text: str) -> str:
    """What was escaped, as it was."""
    return re.sub(f"{_BEGIN}'{_RUNS}", "", text)
