"""Splits and names."""

import unicodedata
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nearl_core.errors import UsageError
from nearl_core.export.names import folder_names
from nearl_core.export.split import fractions_of, leaks, parse_fractions, split_patients

_patients = st.dictionaries(
    st.text(min_size=1, max_size=8),
    st.lists(st.sampled_from("abc"), min_size=1, max_size=6).map(Counter),
    min_size=1,
    max_size=60,
)
_parts = st.lists(st.integers(0, 100), min_size=1, max_size=3).filter(lambda parts: sum(parts) > 0)


@given(_patients, _parts, st.integers(0, 5))
def test_each_patient_has_one_split_that_is_open_and_the_seed_fixes_it(
    patients: dict[str, Counter[str]], parts: list[int], seed: int
) -> None:
    fractions = fractions_of(parts)
    chosen = split_patients(patients, fractions, seed=seed)
    assert set(chosen) == set(patients)
    assert all(fractions[number] > 0 for number in chosen.values())
    shuffled = dict(sorted(patients.items(), key=lambda item: hash(item[0])))
    assert split_patients(shuffled, fractions, seed=seed) == chosen


@given(st.integers(0, 20))
def test_splits_are_stratified_as_well_as_whole_patients_allow(seed: int) -> None:
    patients = {
        f"p{number}": Counter(
            {"common": number % 3 + 1} if number % 10 else {"rare": 1, "common": 1}
        )
        for number in range(400)
    }
    chosen = split_patients(patients, (0.7, 0.15, 0.15), seed=seed)
    held: list[Counter[str]] = [Counter(), Counter(), Counter()]
    for patient, number in chosen.items():
        held[number].update(patients[patient])
    total = sum(held, Counter[str]())
    for split, fraction in zip(held, (0.7, 0.15, 0.15), strict=True):
        assert abs(split["rare"] / total["rare"] - fraction) < 0.03
        assert abs(split["common"] / total["common"] - fraction) < 0.03


def test_another_seed_is_another_split() -> None:
    patients = {f"p{number}": Counter("a") for number in range(100)}
    one, two = (split_patients(patients, (0.5, 0.5), seed=seed) for seed in (0, 1))
    assert one != two


@pytest.mark.parametrize(
    "text", ["", "70", "70,15,15", "1,0,0", "0.5,0.5", "1e9,1", "nan,1", "a,b", "1,1,1,1", "-1,2"]
)
def test_parts(text: str) -> None:
    good = {"70": (1.0,), "70,15,15": (0.7, 0.15, 0.15), "1,0,0": (1.0, 0.0, 0.0)}
    good |= {"0.5,0.5": (0.5, 0.5), "1e9,1": (1e9 / (1e9 + 1), 1 / (1e9 + 1))}
    if text in good:
        assert parse_fractions(text) == pytest.approx(good[text])
    else:
        with pytest.raises(UsageError, match="70,15,15"):
            parse_fractions(text)


def test_leaks_are_found() -> None:
    assert leaks([("a", "train"), ("b", "test"), ("a", "train")]) == ()
    assert leaks([("a", "train"), ("b", "test"), ("a", "test")]) == ("a",)


@given(st.lists(st.text(max_size=20), max_size=8))
def test_folder_names_are_safe_and_never_meet(names: list[str]) -> None:
    labels = [(str(number), name) for number, name in enumerate(names)]
    folders = folder_names(labels)
    folded = {unicodedata.normalize("NFKC", name).casefold() for name in folders.values()}
    assert len(folded) == len(names)
    for folder in folders.values():
        assert 0 < len(folder.encode()) < 128
        assert not set(folder) & set('<>:"/\\|?*\0\n')
        assert folder not in {".", ".."}
        assert folder[-1] not in ". "
        assert folder[0] not in ".-~ "


def test_bad_folder_names_become_good_ones() -> None:
    names = ["CON", "con", "aux.txt", "a/b", "a\\b", "..", "dot.", "Caf\u00e9", "Cafe\u0301"]
    names += ["", "ß"]
    found = folder_names([(str(number), name) for number, name in enumerate(names)])
    assert list(found.values()) == [
        "_CON",
        "_con-2",
        "_aux.txt",
        "a_b",
        "a_b-2",
        "label",
        "dot",
        "Caf\u00e9",
        "Caf\u00e9-2",
        "label-2",
        "ß",
    ]
