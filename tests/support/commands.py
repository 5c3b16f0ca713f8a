"""What tests of the command line share: tables for it, what it printed, a process of its own."""

import csv
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest


def printed(capsys: pytest.CaptureFixture[str]) -> list[dict[str, Any]]:
    """The JSON lines on stdout since it was last asked."""
    return [json.loads(line) for line in capsys.readouterr().out.splitlines()]


def write_table(path: Path, *rows: tuple[object, ...]) -> Path:
    """A CSV file of these rows."""
    with path.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows(rows)
    return path


def process(*argv: object, **more: Any) -> "subprocess.Popen[str]":
    """`python -m nearl_core` with these words, both streams open as text."""
    return subprocess.Popen(
        [sys.executable, "-m", "nearl_core", *map(str, argv)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        **more,
    )


def ended(*argv: object) -> "subprocess.CompletedProcess[str]":
    """`python -m nearl_core` with these words, run to its end."""
    with process(*argv) as child:
        out, err = child.communicate()
        return subprocess.CompletedProcess(child.args, child.returncode, out, err)
