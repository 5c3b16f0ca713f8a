"""Render about a thousand hostile files with one command: python -m tests.hostile."""

import argparse
import json
import sys
import tempfile
from collections import Counter
from pathlib import Path

from tests.hostile.everything import write_traps
from tests.hostile.running import faults, render


def main() -> int:
    """Exit code 1 where anything is amiss."""
    parser = argparse.ArgumentParser(prog="python -m tests.hostile", description=__doc__)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--real", type=Path, help="a folder of real files to be damaged too")
    parser.add_argument("--answers", type=Path, help="write the JSON lines there")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        traps = write_traps(
            Path(folder) / "in", seed=arguments.seed, quick=arguments.quick, real=arguments.real
        )
        watched = render([trap.path for trap in traps], Path(folder) / "out")
    if arguments.answers:
        arguments.answers.write_text("\n".join(map(json.dumps, watched.answers)), "utf-8")
    found = faults(traps, watched)
    opened = sum(answer["ok"] is True for answer in watched.answers)
    sys.stdout.write(
        f"{len(traps)} paths, {opened} opened, {watched.seconds:.0f} s, "
        f"longest wait {watched.longest_s:.1f} s, "
        f"memory {watched.memory_bytes >> 20} MB, a child's {watched.children_bytes >> 20} MB\n"
    )
    reasons = Counter(str(answer.get("reason")) for answer in watched.answers if not answer["ok"])
    for reason, count in reasons.most_common():
        sys.stdout.write(f"{count:5} {reason}\n")
    for fault in found:
        sys.stdout.write(f"FAULT {fault}\n")
    return bool(found)


if __name__ == "__main__":
    sys.exit(main())
