"""Every revision of a label set, and old decisions read through it.

Decisions are never rewritten. A project keeps every revision of its label set; what a decision
said is carried from its own revision to another one when it is read. The revisions form a tree: a
revision follows from the one before by changes, or brings an earlier one back and then stands for
it. From one to the other leads up to the revision that both come from, where changes are taken
back, and down again. So undoing a change gives every decision from before it back as it was.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import replace

from nearl_core import asked
from nearl_core.types import (
    ChangeKind,
    Decision,
    Effect,
    LabelChange,
    LabelProbability,
    LabelSet,
    Lost,
    Ranking,
    Revision,
    State,
    Verdict,
)

Fates = Mapping[str, str | Lost]
"""What each label of a revision is in another one."""


class LabelHistory:
    """Every revision of a project's label set, and how decisions pass from one to another."""

    def __init__(self, revisions: Iterable[Revision]) -> None:
        self._revisions: dict[int, Revision] = {}
        self._stands_for: dict[int, int] = {}
        self._before: dict[int, int | None] = {}
        self._fates: dict[tuple[int, int], Fates] = {}
        self._answered: dict[tuple[int, int, tuple[str, ...]], frozenset[str]] = {}
        for revision in revisions:
            self._add(revision)

    def _add(self, revision: Revision) -> None:
        number = revision.label_set.revision
        latest = self._stands_for[self.latest] if self._revisions else None
        self._revisions[number] = revision
        if revision.restores is None:
            self._stands_for[number], self._before[number] = number, latest
        else:
            self._stands_for[number] = self._stands_for[revision.restores]

    @property
    def revisions(self) -> tuple[Revision, ...]:
        """All of them, the first one first."""
        return tuple(self._revisions.values())

    @property
    def latest(self) -> int:
        """The number of the revision that holds now."""
        return max(self._revisions)

    @property
    def present(self) -> LabelSet:
        """The label set that holds now; under its old number where an earlier one was restored."""
        return self.label_set(self._stands_for[self.latest])

    def label_set(self, number: int) -> LabelSet:
        """The label set of a revision that exists."""
        return self._revisions[number].label_set

    def undone(self) -> Revision | None:
        """The revision that would take back the latest change; None where there is none."""
        before = self._before[self._stands_for[self.latest]]
        if before is None:
            return None
        label_set = replace(self.label_set(before), revision=self.latest + 1)
        return Revision(label_set, restores=before)

    def verdict(self, verdict: Verdict, *, of: int, to: int) -> Verdict | None:
        """What a verdict says in another revision; None where the reader has to decide again.

        A label that is not asked for there is left out, unless no label remains.
        """
        if verdict.state is not State.LABELLED or self._is_same(of, to):
            return verdict
        fates, wanted = self._between(of, to), self.label_set(to)
        found = [fates.get(label_id, Lost.ABSENT) for label_id in verdict.labels]
        kept = {fate for fate in found if not isinstance(fate, Lost)}
        unclear = Lost.SPLIT in found or Lost.MERGED in found
        if unclear or not kept or (len(kept) > 1 and not wanted.multi_label):
            return None
        return replace(verdict, labels=tuple(one for one in wanted.ids if one in kept))

    def ranking(self, ranking: Ranking, *, of: int, to: int) -> Ranking:
        """What a ranking said, in the labels of another revision where they have successors.

        The probabilities of labels that became one are added up where labels exclude each other,
        else the largest one counts. A label without a successor keeps its old id: it was on screen.
        """
        if self._is_same(of, to):
            return ranking
        fates, exclusive = self._between(of, to), not self.label_set(of).multi_label

        def now(label_id: str) -> str:
            fate = fates.get(label_id, Lost.ABSENT)
            return label_id if isinstance(fate, Lost) else fate

        said: dict[str, float] = {}
        for entry in ranking.labels:
            label_id = now(entry.label_id)
            there = said.get(label_id, 0.0)
            said[label_id] = (
                min(1.0, there + entry.probability) if exclusive else max(there, entry.probability)
            )
        ordered = sorted(said.items(), key=lambda entry: -entry[1])
        suggested = ranking.suggested
        if suggested is not None:
            suggested = tuple(dict.fromkeys(map(now, suggested)))
        labels = tuple(LabelProbability(*entry) for entry in ordered)
        return replace(ranking, labels=labels, suggested=suggested)

    def unasked(
        self, verdict: Verdict, *, of: int, to: int, then: tuple[str, ...] = ()
    ) -> tuple[str, ...]:
        """Ids of the labels of a revision that were not asked for when a verdict was given.

        Args:
            verdict: In the labels of `to`.
            of: The revision that it was given in.
            to: The revision that it is read in.
            then: Ids of the labels of `of` that it was not asked for.
        """
        if self._is_same(of, to):
            return then
        start, goal = self._stands_for[of], self._stands_for[to]
        if (start, goal, then) not in self._answered:
            answered = frozenset(self.label_set(start).ids).difference(then)
            up, down = self._way(start, goal)
            for number in up:
                before = self._preceding(number)
                there = asked.back(answered, self._revisions[number].changes, before)
                answered = there.intersection(before.ids)
            for number in down:
                before = self._preceding(number)
                there = asked.forth(answered, self._revisions[number].changes, before)
                answered = there.intersection(self.label_set(number).ids)
            self._answered[start, goal, then] = answered
        return asked.unasked(verdict, self._answered[start, goal, then], self.label_set(to))

    def _is_same(self, of: int, to: int) -> bool:
        return self._stands_for[of] == self._stands_for[to]

    def _between(self, of: int, to: int) -> Fates:
        start, goal = self._stands_for[of], self._stands_for[to]
        if (start, goal) not in self._fates:
            up, down = self._way(start, goal)
            fates: Fates = {one: one for one in self.label_set(start).ids}
            for number in up:
                fates = _then(fates, self._back(number))
            for number in down:
                fates = _then(fates, self._forth(number))
            self._fates[start, goal] = fates
        return self._fates[start, goal]

    def _way(self, start: int, goal: int) -> tuple[list[int], list[int]]:
        """The revisions that are taken back on the way to another one, and those then made."""
        up, down = self._line(start), self._line(goal)
        return [n for n in up if n not in down], [n for n in reversed(down) if n not in up]

    def _line(self, number: int) -> list[int]:
        """A revision, the one that it follows from, and so on to the first one."""
        line, before = [], self._before[number]
        while before is not None:
            line.append(number)
            number, before = before, self._before[before]
        return [*line, number]

    def _preceding(self, number: int) -> LabelSet:
        """The label set that a revision follows from; of the first one its own."""
        return self.label_set(self._before[number] or number)

    def _forth(self, number: int) -> Fates:
        """From the revision before."""
        fates: Fates = {one: one for one in self._preceding(number).ids}
        for change in self._revisions[number].changes:
            fates = _then(fates, _forth(change))
        return _within(fates, self.label_set(number))

    def _back(self, number: int) -> Fates:
        """To the revision before."""
        before = self._preceding(number)
        there, steps = set(before.ids), []
        for change in self._revisions[number].changes:
            steps.append(_back(change, there))
            there = there - set(change.sources) | set(change.into)
        fates: Fates = {one: one for one in self.label_set(number).ids}
        for step in reversed(steps):
            fates = _then(fates, step)
        return _within(fates, before)


def _then(fates: Fates, step: Fates) -> Fates:
    return {
        one: fate if isinstance(fate, Lost) else step.get(fate, fate) for one, fate in fates.items()
    }


def _within(fates: Fates, label_set: LabelSet) -> Fates:
    there = set(label_set.ids)
    return {
        one: fate if isinstance(fate, Lost) or fate in there else Lost.ABSENT
        for one, fate in fates.items()
    }


def _forth(change: LabelChange) -> Fates:
    match change.kind:
        case ChangeKind.MERGE:
            return dict.fromkeys(change.sources, change.into[0])
        case ChangeKind.SPLIT:
            return dict.fromkeys(change.sources, Lost.SPLIT)
        case ChangeKind.RETIRE:
            return dict.fromkeys(change.sources, Lost.ABSENT)
        case ChangeKind.RENAME:
            return {}


def _back(change: LabelChange, there: set[str]) -> Fates:
    """A change taken back, from a label set with the change's labels to one that had others."""
    match change.kind:
        case ChangeKind.MERGE:
            return dict.fromkeys(change.into, Lost.MERGED)
        case ChangeKind.SPLIT:
            (source,) = change.sources
            return {
                part: Lost.MERGED if part in there and part != source else source
                for part in change.into
            }
        case ChangeKind.RETIRE | ChangeKind.RENAME:
            return {}


def effects(
    history: LabelHistory, decisions: Iterable[Decision], *, of: int, to: int
) -> tuple[Effect, ...]:
    """How decisions read differently in another revision, the most frequent first.

    Args:
        history: With both revisions.
        decisions: The newest one of each scan and reader, as it was made.
        of: Number of the revision that holds.
        to: Number of the other one.
    """
    counts: Counter[tuple[str, tuple[str, ...], tuple[str, ...], bool]] = Counter()
    for decision in decisions:
        said, made = decision.verdict, decision.revision
        if said.state is not State.LABELLED:
            continue
        before = _names(history, history.verdict(said, of=made, to=of), of)
        after = _names(history, history.verdict(said, of=made, to=to), to)
        if before != after:
            less = tuple(name for name in before if name not in after)
            more = tuple(name for name in after if name not in before)
            counts[decision.reader, less, more, not after] += 1
    ordered = sorted(counts.items(), key=lambda entry: (-entry[1], entry[0]))
    return tuple(Effect(*what, count) for what, count in ordered)


def _names(history: LabelHistory, verdict: Verdict | None, number: int) -> tuple[str, ...]:
    return () if verdict is None else history.label_set(number).names_of(verdict.labels)
