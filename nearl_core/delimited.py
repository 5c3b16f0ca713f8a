"""Tables for spreadsheets, which write semicolons between cells where commas are decimal."""

import codecs
import csv
import re
from functools import partial
from pathlib import Path
from typing import Final, TextIO

_BLOCK: Final = 1 << 20
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


def opened_table(path: Path) -> TextIO:
    """A table for reading, in the encoding that it is in.

    UTF-8 or, by its mark, UTF-16 ("Unicode text"); what is neither is in the code page of Western
    Windows, which its spreadsheets write as "CSV".

    Raises:
        OSError: If it can't be read.
    """
    decode, encoding = codecs.getincrementaldecoder("utf-8")().decode, "utf-8-sig"
    with path.open("rb") as file:
        if file.read(2) in (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE):
            return path.open(encoding="utf-16", errors="replace", newline="")
        file.seek(0)
        try:
            for block in iter(partial(file.read, _BLOCK), b""):
                decode(block)
            decode(b"", True)
        except UnicodeDecodeError:
            encoding = "cp1252"
    return path.open(encoding=encoding, errors="replace", newline="")


def opened_with_paths(path: Path) -> TextIO:
    """As `opened_table`, but what is no UTF-8 stays as it is: a file's name may hold any bytes.

    Raises:
        OSError: If it can't be read.
    """
    with path.open("rb") as file:
        marked = file.read(2) in (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
    if marked:
        return opened_table(path)
    return path.open(encoding="utf-8-sig", errors="surrogateescape", newline="")


def western(text: str) -> str:
    """A cell of `opened_with_paths`, with what is no UTF-8 in the code page of Western Windows."""
    kept = text.encode("utf-8", "surrogateescape")
    try:
        return kept.decode("utf-8")
    except UnicodeDecodeError:
        return kept.decode("cp1252", "replace")


def escaped(text: str) -> str:
    """Text that no spreadsheet runs as a formula; see OWASP, "CSV Injection"."""
    return re.sub(_BEGIN + _RUNS, "'", text)


def unescaped(text: str) -> str:
    """What was escaped, as it was."""
    return re.sub(f"{_BEGIN}'{_RUNS}", "", text)
