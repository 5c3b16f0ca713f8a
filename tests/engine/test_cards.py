"""The whole loop on a card: rank, learn, train, activate, rank again.

On pretended cards (`tests/support/pretended.py`) everywhere, on a real one where there is one.
"""

from pathlib import Path

import numpy as np
import pytest
from torch import Tensor

from nearl_core import versions
from nearl_core.control import RunControl
from nearl_core.learn import tuning
from nearl_core.learn.loop import TuneSettings
from nearl_core.model import prefix_cache
from nearl_core.types import Scan
from tests.engine.making import Making, all_decided
from tests.support.cards import at


@pytest.mark.parametrize("kind", ["cuda", "mps", "real cuda"])
def test_the_whole_loop(
    kind: str, make: Making, knowing: Path, scans: list[Scan], monkeypatch: pytest.MonkeyPatch
) -> None:
    few, by_id = scans[:8], {scan.id: scan for scan in scans[:8]}
    here = make(knowing)
    here.rank(few, RunControl())
    wanted = here.deep_features([scan.id for scan in few])
    make.folder = make.folder / "card"
    kept, put = list[str](), prefix_cache.PrefixCache.put

    def counted(self: prefix_cache.PrefixCache, key: str, prefix: Tensor) -> None:
        kept.append(key)
        put(self, key, prefix)

    monkeypatch.setattr(prefix_cache.PrefixCache, "put", counted)
    monkeypatch.setattr(versions, "_settings", lambda _count: TuneSettings(steps=1, batch=4))
    monkeypatch.setattr(tuning, "FOLDS", 2)
    monkeypatch.setattr(tuning, "SCALES", (1.0,))
    with at(kind) as there:
        engine = make(knowing, device=there.device.type)
        engine.rank(few, RunControl())
        found = engine.deep_features([scan.id for scan in few])
        np.testing.assert_allclose(found, wanted, atol=1e-4)
        decisions = all_decided(few)
        engine.learn(by_id, decisions)
        made = engine.train(by_id, decisions, version_id="v1", control=RunControl()).version
        assert made.device == there.device.type
        assert len(kept) == len(few)
        if there.card is not None:
            assert there.card.released == 1
        engine.activate(made)
        ranked = engine.rank(few, RunControl())
        assert {ranking.version for ranking in ranked} == {"v1"}
        assert all(np.isfinite([x.probability for x in r.labels]).all() for r in ranked)
        # The next training takes its views from the disk, and meets the live version.
        engine.train(by_id, decisions, version_id="v2", control=RunControl())
        assert len(kept) == len(few)
    again = make(knowing)  # a version made on a card ranks where there is none
    again.activate(made)
    assert {ranking.version for ranking in again.rank(few, RunControl())} == {"v1"}
