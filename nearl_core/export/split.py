"""Splits by patient: stratified as well as whole patients allow, and fixed by the seed."""

import hashlib
import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from nearl_core.errors import UsageError

NAMES: Final[Mapping[int, tuple[str, ...]]] = {
    1: ("train",),
    2: ("train", "test"),
    3: ("train", "validation", "test"),
}
_ALL: Final = ""  # counts every scan, so that the sizes are kept as well as the labels


def parse_fractions(text: str) -> tuple[float, ...]:
    """The parts that `70,15,15` names, as fractions of 1.

    Raises:
        UsageError: If it is no such list.
    """
    try:
        numbers = [float(part) for part in text.split(",")]
    except ValueError:
        numbers = []
    return fractions_of(numbers)


def fractions_of(numbers: Sequence[float]) -> tuple[float, ...]:
    """Parts as fractions of 1.

    Raises:
        UsageError: If there are not one to three of them, or they are not parts of a whole.
    """
    good = len(numbers) in NAMES and all(math.isfinite(part) and part >= 0 for part in numbers)
    total = sum(numbers)
    if not good or not 0 < total < math.inf:
        raise UsageError(
            "The split is not a list of one to three parts.",
            "Write one such as 70,15,15 (train, validation, test).",
        )
    return tuple(part / total for part in numbers)


def split_patients(
    patients: Mapping[str, Counter[str]], fractions: Sequence[float], *, seed: int
) -> dict[str, int]:
    """The number of each patient's split.

    Greedy: patients go one by one, those with most scans first, to the split that this brings
    closest (least squares over labels and the whole) to its share. Rare labels weigh as much as
    common ones, since each is counted relative to its own total.

    Args:
        patients: For each one, how many scans of each label; not empty.
        fractions: Share of each split, adding up to 1.
        seed: Changes the order among patients of one size.
    """
    totals: Counter[str] = Counter()
    for counts in patients.values():
        totals.update(counts)
        totals[_ALL] += counts.total()
    held: list[dict[str, float]] = [dict.fromkeys(totals, 0.0) for _ in fractions]
    open_splits = [number for number, fraction in enumerate(fractions) if fraction > 0]
    chosen: dict[str, int] = {}
    for patient in sorted(patients, key=lambda one: _turn(one, patients[one], seed)):
        counts = patients[patient]
        shares = {label: count / totals[label] for label, count in counts.items()}
        shares[_ALL] = counts.total() / totals[_ALL] if totals[_ALL] else 0.0
        best = min(open_splits, key=lambda number: _excess(shares, held[number], fractions[number]))
        for label, share in shares.items():
            held[best][label] += share
        chosen[patient] = best
    return chosen


def _turn(patient: str, counts: Counter[str], seed: int) -> tuple[int, bytes]:
    # A hash, not a shuffle: a patient's turn does not depend on who else is there.
    mixed = hashlib.sha256(f"{seed}\0{patient}".encode("utf-8", "surrogateescape")).digest()
    return -counts.total(), mixed


def _excess(shares: Mapping[str, float], held: Mapping[str, float], fraction: float) -> float:
    """How much the squared error grows by taking the shares, without what all splits share.

    The sizes weigh as much as all labels together: many rare labels must not bend them.
    """
    labels = len(held) - 1
    return sum(
        share * (held[label] - fraction) * (labels if label == _ALL else 1)
        for label, share in shares.items()
    )


def leaks(placed: Iterable[tuple[str, str]]) -> tuple[str, ...]:
    """Patients that stand in more than one split, out of pairs of patient and split."""
    seen: dict[str, str] = {}
    leaked: set[str] = set()
    for patient, split in placed:
        if seen.setdefault(patient, split) != split:
            leaked.add(patient)
    return tuple(sorted(leaked))
