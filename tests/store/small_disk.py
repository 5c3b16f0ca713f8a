"""A file system that is really full: `python -m tests.store.small_disk`.

Each operation of the fault campaign is tried with a little free space, more each time, until it
fits; then there is space again, and all that was acknowledged must be there. The file system is a
small one in memory, mounted where nobody else sees it (Linux, util-linux's `unshare`), or the one
of the folder that `--in` names.
"""

import argparse
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType

from nearl_core.errors import NearlError
from tests.store.faults.ledger import Row, Tally, fresh, make_template, verify
from tests.store.faults.refusing import OPERATIONS, Block

_SIZE_MB = 4
_PAGE = 4096
_BLOCK = 1 << 16
_ALONE = ("unshare", "--user", "--map-root-user", "--mount")


def available() -> bool:
    """Whether a file system can be mounted here without rights."""
    if sys.platform != "linux" or shutil.which("unshare") is None:
        return False
    return subprocess.run([*_ALONE, "true"], capture_output=True, check=False).returncode == 0


class Filled(Block):
    """A block in which a file system has only so many bytes left."""

    def __init__(self, folder: Path, free: int) -> None:
        super().__init__()
        self._ballast = folder / "ballast"
        self._free = free

    def __enter__(self) -> None:
        with self._ballast.open("wb", buffering=0) as file:
            for size in (_BLOCK, _PAGE):
                while shutil.disk_usage(self._ballast.parent).free >= self._free + size:
                    try:
                        file.write(b"\xff" * size)
                    except OSError:
                        break  # what the file system keeps for itself

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> bool:
        self._ballast.unlink(missing_ok=True)
        return super().__exit__(kind, error, trace)


def filled(template: Path, said: list[Row], disk: Path, *, name: str, step: int) -> Tally:
    """Try an operation with more and more free space."""
    tally = Tally(f"really full: {name}")
    free, folder = 0, disk / "work"
    while True:
        project = fresh(template, folder)
        bad = Filled(disk, free)
        expected = list(said)
        where = f"{tally.what}, {free} bytes free"
        try:
            OPERATIONS[name](project, expected, bad)
        except Exception:  # noqa: BLE001 - whatever comes is counted
            tally.bug(f"{where}, once there was space again")
        if isinstance(bad.error, NearlError):
            tally.tell(bad.error, where)
        elif bad.error is not None:
            tally.bugs.append(f"{where}: {bad.error!r}")
        verify(project, expected, tally, where, more=2)
        if bad.error is None and free:
            return tally
        free += step


def every_operation(disk: Path, *, step: int) -> Iterator[Tally]:
    """Each operation on a small file system."""
    with tempfile.TemporaryDirectory() as inner:
        template = Path(inner) / "template"
        said = make_template(template)
        for name in OPERATIONS:
            yield filled(template, said, disk, name=name, step=step)


def on_a_disk_of_its_own(module: str, arguments: list[str], *, size_mb: int) -> int:
    """Run a module of the tests with `--in` a small file system, empty and gone afterwards."""
    with tempfile.TemporaryDirectory() as disk:
        mounted = f'mount -t tmpfs -o size={size_mb}m tmpfs "$0" && exec "$@"'
        again = [sys.executable, "-m", module, *arguments, "--in", disk]
        return subprocess.run([*_ALONE, "sh", "-c", mounted, disk, *again], check=False).returncode


def main() -> int:
    """Try every operation; 1 where something was lost or came out as a bug."""
    parser = argparse.ArgumentParser(description="Work on a file system that is really full.")
    parser.add_argument("--step", type=int, default=_PAGE, metavar="BYTES", help="of free space")
    parser.add_argument("--in", dest="disk", type=Path, help="a small file system, nothing in it")
    args = parser.parse_args()
    if args.disk is None:
        return on_a_disk_of_its_own("tests.store.small_disk", sys.argv[1:], size_mb=_SIZE_MB)
    tallies = []
    for tally in every_operation(args.disk, step=args.step):
        tallies.append(tally)
        sys.stdout.write(f"{tally.line}\n")
        sys.stdout.flush()
        sys.stderr.writelines(f"{bug}\n" for bug in tally.bugs[:3])
    lost, bugs = sum(one.lost for one in tallies), sum(len(one.bugs) for one in tallies)
    times = sum(one.times for one in tallies)
    sys.stdout.write(f"{times} times full, {lost} decisions lost, {bugs} bugs\n")
    return 1 if lost or bugs else 0


if __name__ == "__main__":
    sys.exit(main())
