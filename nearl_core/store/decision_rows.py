"""Decisions as rows of the database, and back."""

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from functools import lru_cache
from math import isfinite
from types import SimpleNamespace
from typing import Final

from sqlalchemy import Row

from nearl_core.store.faults import understood
from nearl_core.store.paths import printable
from nearl_core.types import (
    Confidence,
    Decision,
    LabelProbability,
    Occasion,
    Ranking,
    Shown,
    State,
    Verdict,
)


def to_row(decision: Decision) -> dict[str, object]:
    """The columns of a decision, without its id."""
    verdict, ranking = decision.verdict, decision.ranking
    return {
        "scan_id": decision.scan_id,
        "reader": decision.reader,
        "time": decision.time,
        "label_set_revision": decision.revision,
        "state": verdict.state.value,
        "labels": json.dumps(verdict.labels),
        "confidence": verdict.confidence.value,
        "flagged": verdict.flagged,
        "note": verdict.note,
        "frame": verdict.frame,
        "version": None if ranking is None else ranking.version,
        "ranking": None if ranking is None else _ranking_to_json(ranking),
        "shown": decision.shown.value,
        "milliseconds": decision.milliseconds,
        "frames_shown": json.dumps(decision.frames_shown),
        "undoes": decision.undoes,
        "redoes": decision.redoes,
        "occasion": decision.occasion.value,
        "unasked": json.dumps(decision.unasked),
    }


def to_decision(row: Row[tuple[object, ...]] | SimpleNamespace) -> Decision:
    """What a row says."""
    return Decision(
        id=row.id,
        scan_id=row.scan_id,
        reader=row.reader,
        time=row.time,
        verdict=_verdict(row.state, row.labels, row.confidence, row.flagged, row.note, row.frame),
        ranking=None if row.ranking is None else _ranking_from_json(row.ranking, row.scan_id),
        shown=Shown(row.shown),
        milliseconds=row.milliseconds,
        frames_shown=_tuple(row.frames_shown),
        undoes=row.undoes,
        redoes=row.redoes,
        occasion=Occasion(row.occasion),
        revision=row.label_set_revision,
        unasked=_tuple(row.unasked),
    )


_LONGEST: Final = 10_000
"""Signs of a text: a note on the desk ends long before."""


def is_sound(decision: Decision) -> bool:
    """Whether it holds what decisions do: a database of a stranger may hold anything."""
    verdict, ranking = decision.verdict, decision.ranking
    texts: list[object] = [decision.reader, verdict.note, *verdict.labels, *decision.unasked]
    numbers: list[object] = [verdict.frame or 0, decision.milliseconds or 0]
    numbers += decision.frames_shown
    if ranking is not None:
        texts += [ranking.version, ranking.notice, *(one.label_id for one in ranking.labels)]
        texts += ranking.suggested or ()
        numbers += [ranking.decisions, ranking.frame, ranking.unlike]
        numbers += [one.probability for one in ranking.labels]
    return all(_is_text(text) for text in texts) and all(
        isinstance(number, int | float) and isfinite(number) for number in numbers
    )


def _is_text(value: object) -> bool:
    return isinstance(value, str) and len(value) <= _LONGEST and printable(value) == value


def from_columns(values: Mapping[str, object]) -> Decision:
    """A decision as its row was read without SQLAlchemy, from a database that may be damaged.

    Raises:
        ProjectError: If the row says what no program wrote.
    """
    with understood():
        time = datetime.fromisoformat(str(values["time"])).replace(tzinfo=UTC)
        return to_decision(
            SimpleNamespace(**{"occasion": "single", "unasked": "[]", **values, "time": time})
        )


# Thousands of decisions say the same; the values are frozen, so they can share it.
@lru_cache(maxsize=4096)
def _verdict(
    state: str, labels: str, confidence: str, flagged: bool, note: str, frame: int | None
) -> Verdict:
    return Verdict(State(state), _tuple(labels), Confidence(confidence), flagged, note, frame)


@lru_cache(maxsize=4096)
def _tuple(text: str) -> tuple[()]:
    # The elements' type is the column's: label ids, or frame numbers.
    return () if text == "[]" else tuple(json.loads(text))


def _ranking_to_json(ranking: Ranking) -> str:
    return json.dumps(
        {
            "version": ranking.version,
            "decisions": ranking.decisions,
            "labels": [[entry.label_id, entry.probability] for entry in ranking.labels],
            "frame": ranking.frame,
            "notice": printable(ranking.notice),
            "unlike": ranking.unlike,
            "suggested": ranking.suggested,
            "recipe": ranking.recipe,
        }
    )


def _ranking_from_json(text: str, scan_id: int) -> Ranking:
    content = json.loads(text)
    suggested = content.get("suggested")
    return Ranking(
        scan_id=scan_id,
        version=content["version"],
        decisions=content["decisions"],
        labels=tuple(LabelProbability(*entry) for entry in content["labels"]),
        frame=content["frame"],
        notice=content["notice"],
        unlike=content["unlike"],
        suggested=None if suggested is None else tuple(suggested),
        recipe=str(content.get("recipe", "")),
    )
