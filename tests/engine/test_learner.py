"""What learns from very many decisions, on features without a model."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from nearl_core.control import RunControl
from nearl_core.errors import Cancelled
from nearl_core.learn.axes import MEASURED
from nearl_core.learn.examples import FloatArray
from nearl_core.learn.ranker import Blend, Ranker
from nearl_core.learner import Learner, Measures
from nearl_core.model.features import FeatureCache, scan_key
from nearl_core.model.scan_features import ScanFeatures
from nearl_core.readers import to_learn
from nearl_core.state import LiveVersion, Ready
from nearl_core.types import Scan
from tests.engine.making import LABELS, decided
from tests.support.projects import version

COUNT, WIDTH = 320, 12
MANY, WIDE = 540, 560
"""So many decisions of so wide features that their products are kept."""
DECISIONS = [decided(n, "ds"[n % 2]) for n in range(COUNT)]


@pytest.fixture(scope="module")
def scans(tmp_path_factory: pytest.TempPathFactory) -> dict[int, Scan]:
    folder = tmp_path_factory.mktemp("scans")
    made = {n: Scan(n, folder / str(n)) for n in range(COUNT)}
    for scan in made.values():
        scan.path.touch()
    return made


def _learner(
    scans: dict[int, Scan], folder: Path, texts: FloatArray | None = None, *, width: int = WIDTH
) -> Learner:
    cache, rng = FeatureCache(folder, "made up"), np.random.default_rng(0)
    rows = rng.normal(size=(len(scans), width)) + np.eye(width)[np.arange(len(scans)) % 2]
    for scan, row in zip(scans.values(), rows / np.linalg.norm(rows, axis=1)[:, None], strict=True):
        cache.put(scan_key(scan.path), 0, row.astype(np.float32))
    learner = Learner(Ready(LABELS, texts, cache), ScanFeatures(), Measures(width, (), 10.0))
    for scan in scans.values():
        learner.scans.know(scan)
    return learner


def _said(learner: Learner) -> np.ndarray:
    return learner.ready.probabilities(
        range(learner.scans.count(learner.ready.cache)), learner.scans
    )


def test_what_is_kept_of_many_decisions_is_chosen_anew_afterwards(
    scans: dict[int, Scan], tmp_path: Path
) -> None:
    learner, plain = _learner(scans, tmp_path / "a"), _learner(scans, tmp_path / "b")
    assert not learner.finish_learning(RunControl())  # nothing is learned
    assert learner.learn(scans, DECISIONS[:280]) == 280
    first = learner.ready.ranker
    learner.learn(scans, DECISIONS[:281])
    assert not learner.finish_learning(RunControl())  # one decision more changes nothing
    learner.learn(scans, DECISIONS[:300])
    plain.learn(scans, DECISIONS[:300])
    assert first is not None
    assert learner.ready.ranker is not None
    assert learner.ready.ranker.instant.temperature == first.instant.temperature
    assert abs(_said(learner) - _said(plain)).max() < 0.05  # which the next screen shows
    assert learner.finish_learning(RunControl())
    assert np.array_equal(_said(learner), _said(plain))
    assert not learner.finish_learning(RunControl())


def test_many_labels_that_were_taken_in_and_corrected_teach_as_if_they_had_never_been(
    tmp_path: Path,
) -> None:
    """Decision by decision, with all that is kept between; and taken back likewise."""
    scans = {n: Scan(n, tmp_path / str(n)) for n in range(MANY)}
    for scan in scans.values():
        scan.path.touch()
    given = [
        decided(n, "ds"[n % 2 ^ (n < 40)], number=n + 1, reader="registry") for n in range(MANY)
    ]
    right = [decided(n, "ds"[n % 2], number=n + 1000) for n in range(40)]
    learner = _learner(scans, tmp_path / "a", width=WIDE)
    learner.learn(scans, to_learn(given, {"registry"}, LABELS))
    before = _said(learner)
    for count in range(1, len(right) + 1):
        learner.learn(scans, to_learn([*given, *right[:count]], {"registry"}, LABELS))
        assert learner.ready.used == MANY  # a word for a word
    assert learner.ready.examples is not None
    assert learner.ready.examples.products is not None
    fresh = _learner(scans, tmp_path / "b", width=WIDE)
    fresh.learn(scans, [*right, *given[40:]])
    assert learner.finish_learning(RunControl())
    assert abs(_said(learner) - _said(fresh)).max() < 1e-4
    assert abs(_said(learner) - before).max() > 0.1
    learner.learn(scans, to_learn(given, {"registry"}, LABELS))
    assert learner.finish_learning(RunControl())
    assert abs(_said(learner) - before).max() < 1e-4


def test_the_live_versions_head_learns_the_latest_decision_behind_the_queue(
    scans: dict[int, Scan], tmp_path: Path
) -> None:
    learner = _learner(scans, tmp_path)
    learner.learn(scans, DECISIONS[:280])
    first = learner.ready.ranker
    assert first is not None
    head, cache = first.instant, learner.ready.cache
    ranker = Ranker(head, head, Blend(1.0, head.ridge, head.temperature, 0.5))
    live = LiveVersion(version("v1"), None, ranker, cache)  # type: ignore[arg-type]
    learner.use_version(live)
    assert not learner.ready.lags
    before = _said(learner)
    learner.learn(scans, DECISIONS[:281])
    assert learner.ready.lags
    assert abs(_said(learner) - before).max() > 0  # the instant learner's half knows it
    at_once = _said(learner)
    assert learner.finish_learning(RunControl())
    assert abs(_said(learner) - at_once).max() > 0
    assert not learner.ready.lags
    assert not learner.finish_learning(RunControl())


def test_a_decision_while_all_is_chosen_anew_stands(scans: dict[int, Scan], tmp_path: Path) -> None:
    learner = _learner(scans, tmp_path)
    learner.learn(scans, DECISIONS[:280])
    learner.learn(scans, DECISIONS[:300])
    control = RunControl(between=lambda: _once(learner, scans))
    assert not learner.finish_learning(control)
    assert learner.ready.used == 301
    stopped = replace(control, between=lambda: None)
    stopped.cancel()
    with pytest.raises(Cancelled):
        learner.finish_learning(stopped)


def _once(learner: Learner, scans: dict[int, Scan]) -> None:
    if learner.ready.used == 300:
        learner.learn(scans, DECISIONS[:301])


WORDS = np.eye(WIDTH)[: len(LABELS.labels)]
"""Label texts that are right of most scans."""


def test_words_that_were_right_rank_until_a_second_label_is_decided(
    scans: dict[int, Scan], tmp_path: Path
) -> None:
    learner = _learner(scans, tmp_path, WORDS)
    learner.learn(scans, [])
    alone = _said(learner)
    learner.learn(scans, DECISIONS[0:8:2])
    assert learner.ready.used == 4
    assert np.array_equal(_said(learner), alone)
    learner.learn(scans, DECISIONS[:4])
    assert not np.array_equal(_said(learner), alone)


def test_words_that_were_wrong_rank_no_longer(scans: dict[int, Scan], tmp_path: Path) -> None:
    learner = _learner(scans, tmp_path, WORDS[::-1])
    learner.learn(scans, DECISIONS[0:8:2])
    assert learner.ready.ranker is not None
    assert not learner.ready.ranker.instant.can_rank  # one label tells nothing apart
    learner.learn(scans, DECISIONS[:2])
    assert learner.ready.ranker.instant.can_rank
    assert learner.ready.ranker.instant.text_share == 0


def test_undecided_scans_show_along_which_axes_all_differ(
    scans: dict[int, Scan], tmp_path: Path
) -> None:
    learner = _learner(scans, tmp_path / "all")
    few, many = dict(list(scans.items())[:40]), dict(list(scans.items())[:100])
    learner.scans = ScanFeatures()
    for n in range(20):
        learner.scans.know(scans[n])
    learner.learn(few, DECISIONS[:4])
    assert learner.ready.examples is not None
    assert learner.ready.examples.axes is None  # too few are known
    for known, of in ((29, 29), (40, 29), (60, 60)):  # measured anew by half as many more
        for n in range(known):
            learner.scans.know(scans[n])
        learner.learn(many, DECISIONS[:4])
        axes = learner.ready.examples.axes
        assert axes is not None
        assert axes.count == of


def test_axes_are_measured_anew_as_features_come_whatever_was_decided_before(
    scans: dict[int, Scan], tmp_path: Path
) -> None:
    """With another backbone, all that was decided waits for features."""
    full = _learner(scans, tmp_path / "full").ready.cache
    cache = FeatureCache(tmp_path / "new", "made up")
    learner = Learner(Ready(LABELS, None, cache), ScanFeatures(), Measures(WIDTH, (), 10.0))
    for n, scan in scans.items():
        key = scan_key(scan.path)
        feature = full.get(key, 0)
        assert feature is not None
        cache.put(key, 0, feature)
        if n in (23, 319):
            assert learner.learn(scans, DECISIONS) == n + 1
    assert learner.ready.examples is not None
    assert learner.ready.examples.axes is not None
    assert learner.ready.examples.axes.count == MEASURED


@pytest.mark.parametrize("many", [False, True])
def test_a_scan_is_ranked_apart_as_if_nobody_had_decided_it(
    scans: dict[int, Scan], tmp_path: Path, many: bool
) -> None:
    """Two readers decided the scan; what ranks all the others is not changed by the question."""
    said = DECISIONS if many else DECISIONS[:30]
    echo = decided(7, "d", number=9000, reader="bob")
    learner, without = (_learner(scans, tmp_path / name) for name in "ab")
    learner.learn(scans, [*said, echo])
    without.learn(scans, [one for one in said if one.scan_id != 7])
    before = _said(learner)
    apart = learner.apart(7).probabilities([7], learner.scans)
    expected = without.ready.probabilities([7], without.scans)
    # By very many, what is chosen by them all stays.
    np.testing.assert_allclose(apart, expected, atol=0.01 if many else 1e-6)
    assert abs(apart - before[7]).max() > 1e-4
    np.testing.assert_array_equal(_said(learner), before)
    learner.learn(scans, [*said, echo])
    np.testing.assert_allclose(_said(learner), before, atol=1e-6)
