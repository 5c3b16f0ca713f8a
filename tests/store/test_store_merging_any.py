"""Copies merged in any order and again and again: nothing is doubled, nothing lost."""

import tempfile
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from unittest.mock import patch

from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from nearl_core.store import decisions
from nearl_core.store.project import Project
from nearl_core.types import Decision, NewDecision, Occasion, State, Verdict
from tests.store.test_store_merging import copied, merge
from tests.support.projects import labelled, new_project, said

READERS = ("ada", "bo")
SCANS = 2
VERDICTS = (*map(labelled, ("disc", "dots")), Verdict(State.DEFERRED), Verdict(State.NONE_APPLY))
new = st.tuples(
    st.sampled_from(READERS),
    st.integers(1, SCANS),
    st.sampled_from(VERDICTS),
    st.sampled_from([Occasion.SINGLE, Occasion.SINGLE, Occasion.ADJUDICATION, Occasion.REPEAT]),
)
turn = st.tuples(st.sampled_from(READERS), st.sampled_from(["undo", "redo", "flag"]))
act = st.tuples(st.integers(0, 2), new | turn)
clocks = st.lists(st.sampled_from([-1, 0, 1]), min_size=3, max_size=3)
"""Hours by which the computers of the three are wrong."""
ways = st.sampled_from([(to, of) for to in range(3) for of in range(3) if to != of])


def _do(project: Project, what: tuple[object, ...]) -> None:
    if len(what) == 4:
        reader, scan_id, verdict, occasion = what
        project.record(NewDecision(scan_id, reader, verdict, occasion=occasion))  # type: ignore[arg-type]
        return
    reader, verb = what
    if verb == "undo":
        project.undo(str(reader))
    elif verb == "redo":
        project.redo(str(reader))
    else:
        for stands in project.standing(str(reader))[-1:]:
            flagged = replace(stands.verdict, flagged=True, note="look")
            adds_to = NewDecision(stands.scan_id, str(reader), flagged, adds_to=stands.id)
            project.record(adds_to)


@contextmanager
def _clock(hours: int) -> Iterator[None]:
    wrong = SimpleNamespace(now=lambda zone: datetime.now(zone) + timedelta(hours=hours))
    with patch.object(decisions, "datetime", wrong):
        yield


def _log(project: Project) -> list[Decision]:
    return [one for scan_id in range(1, SCANS + 1) for one in project.history(scan_id)]


def _key(one: Decision) -> tuple[object, ...]:
    return one.scan_id, one.reader, one.time, one.verdict, one.occasion


def _last_words(log: Sequence[Decision]) -> dict[tuple[int, str], Verdict]:
    """What each reader said of each scan last, by the clock; taking all back says nothing."""
    spoken = [
        one
        for one in log
        if one.occasion is not Occasion.REPEAT and one.verdict.state is not State.UNSEEN
    ]
    ordered = sorted(spoken, key=lambda one: one.time)
    return {(one.scan_id, one.reader): one.verdict for one in ordered}


def _standing(project: Project) -> dict[tuple[int, str], Verdict]:
    return {(one.scan_id, one.reader): one.verdict for one in project.standing()}


def _undo_all(project: Project) -> None:
    for reader in READERS:
        for _ in range(200):
            if project.undo(reader) is None:
                break
        else:
            raise AssertionError("undo never ends")


@settings(max_examples=25, deadline=None, phases=(Phase.reuse, Phase.generate))
@given(
    before=st.lists(new, max_size=4),
    apart=st.lists(act, max_size=14),
    order=st.lists(ways, max_size=6),
    undoing=st.booleans(),
    wrong=clocks | st.just([0, 0, 0]),
)
def test_copies_that_are_merged_in_any_order_end_alike(
    before: list[tuple[object, ...]],
    apart: list[tuple[int, tuple[object, ...]]],
    order: list[tuple[int, int]],
    undoing: bool,
    wrong: list[int],
) -> None:
    apart = [one for one in apart if undoing or one[1][-1] not in ("undo", "redo")]
    with tempfile.TemporaryDirectory() as folder, ExitStack() as closing:
        project = closing.enter_context(new_project(Path(folder), scans=SCANS))
        for what in before:
            _do(project, what)
        places = [project] + [
            closing.enter_context(copied(project, name)) for name in ("one", "two")
        ]
        made = Counter[tuple[object, ...]]()
        kept = Counter(map(_key, _log(project)))
        for number, what in apart:
            with _clock(wrong[number]):
                _do(places[number], what)
        for place in places:
            made |= Counter(map(_key, _log(place)))
        everywhere = [(to, of) for to in range(3) for of in range(3) if to != of]
        for to, of in (*order, *everywhere, *everywhere):
            had = Counter(map(_key, _log(places[to])))
            found = merge(places[to], places[of])
            has = Counter(map(_key, _log(places[to])))
            assert max(has.values(), default=1) == 1
            assert has - had <= made
            assert not had - has
            assert len(found.decisions) == (has - had).total()
        for place in places:
            assert kept <= Counter(map(_key, _log(place)))
            assert set(_repeats(place)) == set(_repeats(places[0]))
        stand = [_standing(place) for place in places]
        assert stand[0] == stand[1] == stand[2]
        if not undoing and not any(wrong):
            every = [one for place in places for one in _log(place)]
            assert stand[0] == _last_words(every)
        for place in places:
            _undo_all(place)
            assert not said(place.standing())


def _repeats(project: Project) -> list[tuple[object, ...]]:
    return [_key(one) for one in _log(project) if one.occasion is Occasion.REPEAT]
