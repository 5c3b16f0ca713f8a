"""The cache of features: kept over a restart, never wrong, never in the way."""

import os
import sqlite3
import tracemalloc
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from nearl_core.model import features
from nearl_core.model.features import FeatureCache, scan_key
from nearl_core.model.scan_features import ScanFeatures, ranked_frames
from nearl_core.types import Scan

ONE, TWO = np.arange(4, dtype=np.float32), np.ones(4, np.float32)


def filled(folder: Path, source: str = "backbone") -> FeatureCache:
    cache = FeatureCache(folder, source)
    cache.put("a", 0, ONE)
    cache.put("a", 7, TWO)
    cache.save()
    return cache


def test_features_are_there_after_reopening(tmp_path: Path) -> None:
    filled(tmp_path / "cache")
    again = FeatureCache(tmp_path / "cache", "backbone")
    np.testing.assert_array_equal(again.get("a", 0), ONE)
    np.testing.assert_array_equal(again.get("a", 7), TWO)
    assert again.get("a", 1) is None


def test_another_source_never_meets_them(tmp_path: Path) -> None:
    filled(tmp_path)
    assert FeatureCache(tmp_path, "backbone+v1").get("a", 0) is None


def test_what_was_not_saved_is_here_but_not_on_disk(tmp_path: Path) -> None:
    cache = FeatureCache(tmp_path, "backbone")
    cache.put("a", 0, ONE)
    np.testing.assert_array_equal(cache.get("a", 0), ONE)
    assert FeatureCache(tmp_path, "backbone").get("a", 0) is None


def test_a_feature_of_a_file_that_is_gone_is_not_kept(tmp_path: Path) -> None:
    cache = FeatureCache(tmp_path, "backbone")
    cache.put(scan_key(tmp_path / "gone.png"), 0, ONE)
    assert cache.get("", 0) is None


def _garbage(file: Path) -> None:
    file.write_bytes(b"this is no database" * 100)


def _other_table(file: Path) -> None:
    file.unlink()
    with closing(sqlite3.connect(file)) as database, database:
        database.execute("CREATE TABLE features (a)")


def _odd_bytes(file: Path) -> None:
    with closing(sqlite3.connect(file)) as database, database:
        database.execute("UPDATE features SET value = ? WHERE frame = 0", (b"12345",))


def _a_text(file: Path) -> None:
    with closing(sqlite3.connect(file)) as database, database:
        database.execute("UPDATE features SET value = 'text' WHERE frame = 0")


def _another_length(file: Path) -> None:
    with closing(sqlite3.connect(file)) as database, database:
        database.execute("UPDATE features SET value = ? WHERE frame = 0", (b"1234",))


@pytest.mark.parametrize("harm", [_garbage, _other_table, _odd_bytes, _a_text, _another_length])
def test_a_broken_cache_is_thrown_away_and_begun_anew(tmp_path: Path, harm: object) -> None:
    filled(tmp_path)
    assert callable(harm)
    harm(tmp_path / "features.db")
    assert FeatureCache(tmp_path, "backbone").get("a", 7) is None
    filled(tmp_path)
    assert FeatureCache(tmp_path, "backbone").get("a", 7) is not None


def test_a_cache_that_another_process_writes_is_left_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    filled(tmp_path)
    connect = sqlite3.connect
    monkeypatch.setattr(sqlite3, "connect", lambda file: connect(file, timeout=0))
    with closing(connect(tmp_path / "features.db", isolation_level=None)) as other:
        other.execute("BEGIN EXCLUSIVE")
        assert FeatureCache(tmp_path, "backbone").get("a", 0) is None
        filled(tmp_path)
        other.execute("ROLLBACK")
    assert FeatureCache(tmp_path, "backbone").get("a", 0) is not None


def test_a_full_disk_leaves_what_was_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    cache, connect = filled(tmp_path), sqlite3.connect

    def full(file: Path) -> sqlite3.Connection:
        database = connect(file)
        database.execute("PRAGMA max_page_count = 1")  # which is to say: no more than there are
        return database

    with monkeypatch.context() as patched:
        patched.setattr(sqlite3, "connect", full)
        for number in range(1000):
            cache.put(f"new {number}", 0, np.full(4, number, np.float32))
        cache.save()
    again = FeatureCache(tmp_path, "backbone")
    assert again.get("a", 0) is not None
    assert again.get("new 999", 0) is None
    assert cache.get("new 999", 0) is not None


def test_a_folder_that_can_not_be_written_costs_only_the_keeping(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    cache = filled(tmp_path / "file")
    assert cache.get("a", 0) is not None


ROOM = 256 << 10
LONG = 1000
"""So many of them in a feature: 4 kB, and a page of the file for each."""


def _put(cache: FeatureCache, count: int, first: int = 0) -> None:
    for number in range(first, first + count):
        cache.put(str(number), 0, np.full(LONG, number, np.float32))
        cache.save()


def _left(folder: Path, source: str) -> list[int]:
    cache = FeatureCache(folder, source)
    return [number for number in range(200) if (str(number), 0) in cache]


def test_what_is_beyond_the_room_of_the_file_is_what_came_first(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(features, "LIMIT_BYTES", ROOM)
    monkeypatch.setattr(features, "_GONE_TOGETHER", 4)
    cache = FeatureCache(tmp_path, "backbone")
    _put(cache, 100)
    assert cache.get("0", 0) is not None  # in memory it stays
    left = _left(tmp_path, "backbone")
    assert left == list(range(100 - len(left), 100))
    assert len(left) > 50
    assert (tmp_path / "features.db").stat().st_size <= ROOM + (64 << 10)
    again = FeatureCache(tmp_path, "backbone")
    _put(again, 20, first=100)
    assert _left(tmp_path, "backbone")[-20:] == list(range(100, 120))


def test_other_sources_make_room_first_the_one_that_was_used_longest_ago_before_all(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(features, "LIMIT_BYTES", ROOM)
    monkeypatch.setattr(features, "_GONE_TOGETHER", 4)
    for source in ("backbone", "backbone+v1", "backbone+v2"):
        _put(FeatureCache(tmp_path, source), 16)
    _put(FeatureCache(tmp_path, "backbone+v1"), 1)  # made live again
    new = FeatureCache(tmp_path, "backbone+v3")
    _put(new, 18)
    every = list(range(16))
    assert _left(tmp_path, "backbone+v2") != every
    for source in ("backbone", "backbone+v1"):
        assert _left(tmp_path, source) == every
    _put(new, 24, first=18)
    assert not _left(tmp_path, "backbone+v1")
    assert _left(tmp_path, "backbone") == every  # a version ranks together with its backbone
    assert len(_left(tmp_path, "backbone+v3")) == 42


def test_a_changed_file_has_another_key(tmp_path: Path) -> None:
    file = tmp_path / "scan.png"
    file.write_bytes(b"one")
    first = scan_key(file)
    assert scan_key(file) == first
    file.write_bytes(b"longer")
    grown = scan_key(file)
    os.utime(file, ns=(1, 1))
    other = tmp_path / "other.png"
    other.write_bytes(b"longer")
    os.utime(other, ns=(1, 1))
    assert len({first, grown, scan_key(file), scan_key(other)}) == 4
    assert scan_key(tmp_path / "gone.png") == ""


@pytest.mark.parametrize(
    ("frames", "expected"), [(1, (0,)), (3, (0, 1, 2)), (9, (1, 4, 7)), (10, (1, 5, 8))]
)
def test_a_stack_is_ranked_by_its_middle_and_frames_around(
    frames: int, expected: tuple[int, ...]
) -> None:
    assert ranked_frames(frames) == expected


def _scan(number: int, folder: Path, *, frames: int = 1) -> Scan:
    path = folder / f"{number}.png"
    path.touch()
    return Scan(number, path, frames=frames)


def test_a_stack_stands_as_the_mean_of_its_frames(tmp_path: Path) -> None:
    cache, scans = FeatureCache(tmp_path, "backbone"), ScanFeatures()
    stack, single = _scan(7, tmp_path, frames=2), _scan(3, tmp_path)
    for scan in (stack, single):
        scans.know(scan)
    cache.put(scan_key(stack.path), 0, ONE)
    cache.put(scan_key(single.path), 0, TWO)
    assert scans.known([7, 3, 99], cache) == [3]
    cache.put(scan_key(stack.path), 1, TWO)
    assert scans.known([7, 3, 99], cache) == [7, 3]
    wanted = np.array([[0.5, 1, 1.5, 2], [1, 1, 1, 1]])
    np.testing.assert_allclose(scans.features([7, 3], cache), wanted)
    np.testing.assert_allclose(scans.features([3, 7], cache, width=2), wanted[::-1, :2])


def test_scans_are_known_once_every_cache_has_them(tmp_path: Path) -> None:
    frozen, live = FeatureCache(tmp_path, "backbone"), FeatureCache(tmp_path, "version")
    scans, all_ids = ScanFeatures(), range(200)
    for number in all_ids:
        key = scans.know(_scan(number, tmp_path)).key
        frozen.put(key, 0, np.full(4, number, np.float32))
        if number % 2:
            live.put(key, 0, np.full(2, -number, np.float32))
        assert scans.known([number], frozen) == [number]
    assert scans.known(all_ids, frozen, live) == list(range(1, 200, 2))
    np.testing.assert_array_equal(scans.features([9, 5], live), [[-9, -9], [-5, -5]])
    assert scans.known([1], FeatureCache(tmp_path, "another version")) == []
    assert scans.features([], frozen).shape == (0, 4)


def test_a_scan_whose_file_comes_back_is_known_again(tmp_path: Path) -> None:
    cache, scans = FeatureCache(tmp_path, "backbone"), ScanFeatures()
    scan = _scan(1, tmp_path)
    cache.put(scan_key(scan.path), 0, ONE)
    stat = scan.path.stat()
    scan.path.unlink()
    scans.know(scan)
    assert scan.id not in scans
    assert scans.known([1], cache) == []
    scan.path.touch()
    os.utime(scan.path, ns=(stat.st_atime_ns, stat.st_mtime_ns))
    scans.know(scan)
    assert scans.known([1], cache) == [1]


def test_rows_keep_their_places_while_the_cache_grows(tmp_path: Path) -> None:
    cache = FeatureCache(tmp_path, "backbone")
    for number in range(300):
        cache.put(str(number), 0, np.full(4, number, np.float32))
    cache.put("7", 0, ONE)  # made again
    cache.save()
    for found in (cache, FeatureCache(tmp_path, "backbone")):
        keys = [("299", 0), ("7", 0), ("0", 0)]
        assert all(key in found for key in keys)
        assert ("300", 0) not in found
        np.testing.assert_array_equal(found.rows(keys), np.stack([ONE * 0 + 299, ONE, ONE * 0]))


@pytest.mark.parametrize("asked", [8, 140])
def test_what_is_made_of_a_queue_is_made_of_each_scan(tmp_path: Path, asked: int) -> None:
    cache, scans = FeatureCache(tmp_path, "backbone"), ScanFeatures()
    rng = np.random.default_rng(0)
    made = [_scan(n, tmp_path, frames=1 if n % 5 else 5) for n in range(180)]
    for number in rng.permutation(180).tolist():
        scan = made[number]
        place = scans.know(scan)
        for frame in place.frames:
            cache.put(place.key, frame, rng.normal(size=6).astype(np.float32))
    ids = [scan.id for scan in made[:asked]]
    weights = rng.normal(size=(6, 2)).astype(np.float32)
    found = scans.each(ids, cache, lambda rows: np.exp(rows @ weights))
    for scan_id, row in zip(ids, found, strict=True):
        assert row == pytest.approx(np.exp(scans.features([scan_id], cache)[0] @ weights), rel=1e-5)


def test_many_stacks_are_gathered_a_few_at_a_time(tmp_path: Path) -> None:
    cache, scans, seen = FeatureCache(tmp_path, "backbone"), ScanFeatures(), list[int]()
    stacks = [_scan(number, tmp_path, frames=2) for number in range(300)]
    for stack in stacks:
        for frame in scans.know(stack).frames:
            cache.put(scans.place(stack.id).key, frame, np.full(4, stack.id, np.float32))

    def first(rows: NDArray[np.float32]) -> NDArray[np.float64]:
        seen.append(0 if np.shares_memory(rows, cache.whole()) else len(rows))
        return rows[:, :1].astype(np.float64)

    found = scans.each([stack.id for stack in stacks], cache, first)
    assert found[:, 0].tolist() == list(range(300))
    assert max(seen) <= 128


def test_scans_that_get_a_place_while_others_are_looked_up_have_no_features_yet(
    tmp_path: Path,
) -> None:
    cache, scans = FeatureCache(tmp_path, "backbone"), ScanFeatures()
    cache.put(scans.know(_scan(1, tmp_path)).key, 0, ONE)

    class Queue(list[int]):
        """Another thread comes in between: two scans more get a place."""

        def __iter__(self) -> Iterator[int]:
            for number in (2, 3):
                scans.know(_scan(number, tmp_path))
            return super().__iter__()

    assert scans.known(Queue([1, 2, 3]), cache) == [1]


def test_reading_very_many_features_takes_little_beside_them(tmp_path: Path) -> None:
    count, width = 5000, 200
    cache = FeatureCache(tmp_path, "backbone")
    for number in range(count):
        cache.put(str(number), 0, np.full(width, number, np.float32))
    cache.save()
    tracemalloc.start()
    again = FeatureCache(tmp_path, "backbone")
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    np.testing.assert_array_equal(again.get("4999", 0), np.full(width, 4999, np.float32))
    assert len(again) == count
    assert peak < 2 * count * width * 4
