"""The command line: the same engine without Qt.

Exit codes: 0 done (of `render`, `pixels` and `add`: once every path has its answer); 2 wrong usage;
3 an input that can't be used; 1 a bug; 130 interrupted.
"""

import argparse
import importlib
import importlib.util
import os
import sys
from collections.abc import Sequence
from types import TracebackType
from typing import Final

from nearl_core.cli.arguments import Command
from nearl_core.cli.output import Output
from nearl_core.errors import Cancelled, NearlError, UsageError

DONE: Final = 0
USAGE: Final = 2
UNUSABLE: Final = 3
INTERRUPTED: Final = 130
BROKEN_PIPE: Final = 141

_MODULES: Final = (
    "projects",
    "decisions",
    "labels",
    "importing",
    "readers",
    "export",
    "scans",
    "engine",
    "look_again",
    "backbones",
    "bench",
    "demo",
)


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; returns the exit code.

    Without `argv` it is a process of its own: it reads `sys.argv` and reports bugs by itself.
    """
    if argv is None:
        sys.excepthook = _report_bug
        _use_utf8()
    parser = _parser()
    try:
        arguments = parser.parse_args(argv)
    except SystemExit as stop:  # argparse has printed its help or its complaint
        return stop.code if isinstance(stop.code, int) else USAGE
    output = Output(as_json=getattr(arguments, "json", False))
    try:
        code: int | None = arguments.run(arguments, output)  # None where it did what was asked
        output.flush()
    except UsageError as error:
        output.message(str(error))
        return USAGE
    except NearlError as error:
        output.message(str(error))
        return UNUSABLE
    except (KeyboardInterrupt, Cancelled):
        output.message("Interrupted.")
        return INTERRUPTED
    except BrokenPipeError:
        _silence_stdout()
        return BROKEN_PIPE
    return code or DONE


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m nearl_core",
        description="Label medical scans with a model that learns from you while you work. "
        "For research and data set labelling; not a medical device.",
    )
    parser.set_defaults(json=False)
    commands = parser.add_subparsers(
        title="commands", metavar="COMMAND", required=True, parser_class=Command
    )
    for name in _MODULES:
        full = f"{__name__}.{name}"
        if importlib.util.find_spec(full) is not None:
            importlib.import_module(full).add_commands(commands)
    _add_json_flag(parser)
    return parser


def _add_json_flag(parser: argparse.ArgumentParser) -> None:
    """Every command takes `--json`, wherever it stands."""
    # SUPPRESS: the default of an inner parser would undo what was said to an outer one.
    parser.add_argument(
        "--json",
        action="store_true",
        default=argparse.SUPPRESS,
        help="machine-readable lines on stdout",
    )
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            for inner in dict.fromkeys(action.choices.values()):
                _add_json_flag(inner)


def _use_utf8() -> None:
    for stream in (sys.stdout, sys.stderr):
        reconfigure = getattr(stream, "reconfigure", None)
        if reconfigure is not None:
            reconfigure(encoding="utf-8", errors="surrogateescape")


def _silence_stdout() -> None:
    """Keep the interpreter from complaining once more when it flushes at its end."""
    descriptor = os.open(os.devnull, os.O_WRONLY)
    os.dup2(descriptor, sys.stdout.fileno())
    os.close(descriptor)


def _report_bug(
    kind: type[BaseException], error: BaseException, trace: TracebackType | None
) -> None:
    from nearl_core import bugs

    del trace
    log = bugs.log(error)
    where = "no log could be written" if log is None else "see bugs.log in the settings folder"
    sys.stderr.write(f"This is a bug in NEARL Desk ({kind.__name__}); {where}.\n")
