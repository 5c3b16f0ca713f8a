"""The fault campaign: projects are broken in every way that can be brought about here.

`python -m tests.store.campaign` takes minutes and prints a line for each kind of fault: how often,
how many decisions had been acknowledged (added up over all times), how many of them were not there
afterwards, how often the reader was told in a sentence with a remedy, and what came out as a bug.
It ends with 1 where anything was lost or came out as a bug. Linux, with a C compiler: the disk that
fails is preloaded (`tests/support/failing_disk.c`).
"""

import argparse
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from tests.store.faults import damaging, killing, refusing, rollback
from tests.store.faults.ledger import Tally, make_template
from tests.support.failing_disk import start_with_it


def campaign(folder: Path, *, kills: int, every: int, seed: int) -> Iterator[Tally]:
    """Every kind of fault, one after the other."""
    template, work = folder / "template", folder / "work"
    said = make_template(template)
    yield killing.at_random(template, said, work, times=kills, seed=seed)
    for name in killing.SESSIONS:
        yield killing.at_every_change(template, said, work, name=name, every=every)
    for kind in refusing.KINDS:
        for name in refusing.OPERATIONS:
            yield refusing.refused(template, said, work, name=name, kind=kind, every=every)
    yield refusing.no_locks(template, said, work)
    yield killing.two_instances(template, said, work, times=max(2, kills // 4))
    yield rollback.power_loss_on_a_share(template, said, work, every=every)
    yield damaging.power_loss(template, said, work, every=every)
    yield damaging.half_done_checkpoints(template, said, work, every=every)
    yield damaging.spoiled(template, said, work, every=every)
    yield damaging.truncated(template, said, work, every=every)
    yield damaging.without_its_log(template, said, work)


def _in_memory() -> Path:
    """A disk in memory where there is one: what is tested is the order of writes, not the disk."""
    memory = Path("/dev/shm")
    return memory if memory.is_dir() else Path(tempfile.gettempdir())


def main() -> int:
    """Run the campaign."""
    parser = argparse.ArgumentParser(description="Break projects in every way that can be.")
    parser.add_argument("--kills", type=int, default=400, help="at random moments")
    parser.add_argument("--every", type=int, default=1, metavar="N", help="one place of N only")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--in", dest="folder", type=Path, help="work in this folder")
    args = parser.parse_args()
    folder = (args.folder or _in_memory()) / "nearl-campaign"
    folder.mkdir(exist_ok=True)
    start_with_it(folder)
    with tempfile.TemporaryDirectory(dir=folder) as inner:
        tallies = []
        found = campaign(Path(inner), kills=args.kills, every=args.every, seed=args.seed)
        for tally in found:
            tallies.append(tally)
            sys.stdout.write(f"{tally.line}\n")
            sys.stdout.flush()
            sys.stderr.writelines(f"{bug}\n" for bug in tally.bugs[:3])
    lost = sum(tally.lost for tally in tallies)
    bugs = sum(len(tally.bugs) for tally in tallies)
    times = sum(tally.times for tally in tallies)
    sys.stdout.write(f"{times} faults, {lost} decisions lost, {bugs} bugs\n")
    return 1 if lost or bugs else 0


if __name__ == "__main__":
    sys.exit(main())
