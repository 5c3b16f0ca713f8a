"""Prefixes on disk: found again, bounded, and never those of something else."""

import os
from pathlib import Path

import pytest
import torch

from nearl_core.model import prefix_cache
from nearl_core.model.prefix_cache import PrefixCache

ROOM = 4 * 8500
PREFIX = torch.rand(2, 32, 64).bfloat16()


def _files(folder: Path) -> list[Path]:
    return sorted((folder / "prefixes").glob("*"), key=lambda path: path.stat().st_mtime_ns)


def test_what_was_kept_is_found_by_its_own_source_only(tmp_path: Path) -> None:
    PrefixCache(tmp_path, "backbone").put("scan", PREFIX)
    again = PrefixCache(tmp_path, "backbone").get("scan")
    assert again is not None
    assert again.dtype is torch.bfloat16
    assert torch.equal(again, PREFIX)
    assert PrefixCache(tmp_path, "backbone").get("changed scan") is None
    assert PrefixCache(tmp_path, "another backbone").get("scan") is None


def test_a_damaged_or_deleted_entry_is_made_again(tmp_path: Path) -> None:
    for damage in (lambda file: file.write_bytes(b"not a tensor"), Path.unlink):
        PrefixCache(tmp_path, "backbone").put("scan", PREFIX)
        cache = PrefixCache(tmp_path, "backbone")
        (file,) = _files(tmp_path)
        damage(file)
        assert cache.get("scan") is None
        cache.put("scan", PREFIX)
        assert cache.get("scan") is not None


def test_what_was_used_longest_ago_makes_room(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(prefix_cache, "LIMIT_BYTES", ROOM)
    first = PrefixCache(tmp_path, "backbone")
    sizes = []
    for number, name in enumerate("abc"):
        first.put(name, PREFIX)
        sizes.append(len(_files(tmp_path)))
        os.utime(_files(tmp_path)[-1], ns=(number, number))
    assert sizes == [1, 2, 3]
    kept = PrefixCache(tmp_path, "backbone")
    assert kept.get("a") is not None
    for name in "defg":
        kept.put(name, PREFIX)
    assert sum(file.stat().st_size for file in _files(tmp_path)) <= ROOM
    last = PrefixCache(tmp_path, "backbone")
    assert last.get("a") is not None
    assert last.get("b") is None


def test_a_run_never_pushes_out_what_it_has_used_itself(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(prefix_cache, "LIMIT_BYTES", ROOM)
    cache = PrefixCache(tmp_path, "backbone")
    for name in "abcdef":
        cache.put(name, PREFIX)
    assert [cache.get(name) is not None for name in "abcdef"] == [True] * 4 + [False] * 2


def test_a_cache_that_can_not_be_written_is_done_without(tmp_path: Path) -> None:
    (tmp_path / "prefixes").write_text("in the way")
    cache = PrefixCache(tmp_path, "backbone")
    cache.put("scan", PREFIX)
    assert cache.get("scan") is None
