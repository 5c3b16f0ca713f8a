"""What the desk shows of how far it can be trusted, worked out from plain values."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from app import strings
from app.strings import trust_words as words
from nearl_core.learn import prequential
from nearl_core.learn.prequential import LAST, Outcome, Share
from nearl_core.types import Decision, Doubt, LabelSet, Reliability, Version

_COURSE = 200
"""Values of the course that are drawn."""


@dataclass(frozen=True)
class Table:
    """Rows of texts under a heading each; the first column is the widest."""

    columns: tuple[str, ...] = ()
    rows: tuple[tuple[str, ...], ...] = ()


@dataclass(frozen=True)
class AgreementLines:
    """How often suggestions were right.

    Attributes:
        short: For the label panel, or "" before there is any outcome.
        sentences: The same in full, with intervals, blind and seen ones apart.
        course: The share over the last decisions, after each of them.
        labels: Label by label.
    """

    short: str = ""
    sentences: tuple[str, ...] = ()
    course: tuple[float, ...] = ()
    labels: Table = Table()


@dataclass(frozen=True)
class ReliabilityLines:
    """The reliability plot and its sentence; without `plot` there is nothing to draw."""

    sentence: str = ""
    plot: Reliability | None = None


@dataclass(frozen=True)
class VersionEvidence:
    """What speaks for and against one version.

    Attributes:
        id: Such as "v3".
        title: Its name with the time.
        live: Whether it ranks now.
        sentences: The gate's reason, flips, and what is missing.
        tables: Figures and recalls, before and after.
    """

    id: str
    title: str
    live: bool
    sentences: tuple[str, ...]
    tables: tuple[Table, ...] = ()


@dataclass(frozen=True)
class DoubtLine:
    """One decision to look at again."""

    scan_id: int
    name: str
    text: str
    odds: str


def agreement_lines(
    found: Sequence[Outcome], label_set: LabelSet, *, label_by_label: bool = True
) -> AgreementLines:
    """Lines from what became of each suggestion; with every decision, so its table is optional."""
    if not found:
        return AgreementLines(sentences=(words.NO_OUTCOMES,))
    recent = found[-LAST:]
    of_all = prequential.share(one.right for one in recent)
    sentences = [f"{words.RIGHT_SPOKEN.format(part=of_all.part, n=of_all.n)}: {_interval(of_all)}."]
    both = [
        (word, prequential.share(one.right for one in recent if one.seen is seen))
        for word, seen in ((words.SEEN, True), (words.BLIND, False))
    ]
    if all(part.n for _, part in both):
        sentences += [f"{word}: {_of(part)}, {_interval(part)}." for word, part in both]
        sentences.append(words.SEEN_NOTE)
    elif both[1][1].n:
        sentences.append(f"{words.BLIND}.")
    return AgreementLines(
        words.RIGHT.format(part=of_all.part, n=of_all.n),
        (*sentences, words.WHAT_COUNTS),
        prequential.course(found[-_COURSE - LAST :])[-_COURSE:],
        _by_label(found, label_set) if label_by_label else Table(),
    )


def reliability_lines(found: Reliability, *, enough: int) -> ReliabilityLines:
    """The plot, once there are enough claims to tell anything."""
    if not found.enough:
        return ReliabilityLines(words.CANT_TELL.format(n=found.n, enough=enough))
    return ReliabilityLines(
        words.HOLDS.format(n=found.n, ece=100 * found.ece, chance=100 * found.by_chance), found
    )


def version_evidence(
    versions: Sequence[Version], label_set: LabelSet
) -> tuple[VersionEvidence, ...]:
    """What stands behind each version, the newest first."""
    return tuple(_evidence(version, label_set) for version in reversed(versions))


def doubt_lines(
    doubts: Sequence[Doubt],
    decisions: Sequence[Decision],
    names: Mapping[int, str],
    labels: LabelSet,
    sources: Collection[str] = (),
) -> tuple[DoubtLine, ...]:
    """A line for each doubt.

    Args:
        doubts: The most doubtful first.
        decisions: Those that are doubted; a doubt without its decision is left out.
        names: Of the scans, by id.
        labels: The label set.
        sources: Names under which labels were taken in; a doubt of one of these says of which.
    """
    by_id = {decision.id: decision for decision in decisions}
    return tuple(
        DoubtLine(
            doubt.scan_id,
            names[doubt.scan_id],
            _doubt(doubt, by_id[doubt.decision_id], labels, sources),
            words.ODDS.format(odds=_odds(doubt.odds)),
        )
        for doubt in doubts
        if doubt.decision_id in by_id and doubt.scan_id in names
    )


def _by_label(found: Sequence[Outcome], label_set: LabelSet) -> Table:
    names = (label.name for label in label_set.labels)
    fared = prequential.by_label(found, label_set)
    rows = ((name, _of(x.found), _of(x.right)) for name, x in zip(names, fared, strict=True))
    return Table(words.LABEL_COLUMNS, tuple(rows))


def _doubt(doubt: Doubt, decision: Decision, label_set: LabelSet, sources: Collection[str]) -> str:
    text = _doubted(doubt, decision, label_set)
    if decision.reader in sources:
        return words.DOUBT_IMPORTED.format(source=decision.reader, doubt=text)
    return text


def _doubted(doubt: Doubt, decision: Decision, label_set: LabelSet) -> str:
    (label,) = label_set.names_of((doubt.label_id,))
    if label_set.multi_label:
        there = doubt.label_id in label_set.meant(decision.verdict.labels)
        form = words.DOUBT_TOO_MUCH if there else words.DOUBT_MISSING
        return form.format(label=label)
    decided = ", ".join(label_set.names_of(decision.verdict.labels))
    return words.DOUBT.format(decided=decided, label=label)


def _odds(odds: float) -> str:
    return ">1000" if odds > 1000 else f"{odds:.0f}" if odds >= 10 else f"{odds:.1f}"


def _evidence(version: Version, label_set: LabelSet) -> VersionEvidence:
    title = strings.version_title(version)
    sentences = [version.reason]
    evidence, tables = version.evidence, list[Table]()
    if version.before is not None and version.after is not None:
        tables.append(_figures(version))
    if evidence is None:
        sentences.append(words.NO_EVIDENCE)
        return VersionEvidence(version.id, title, version.live, tuple(sentences), tuple(tables))
    sentences.append(words.FLIPS.format(gained=evidence.gained, lost=evidence.lost))
    sentences.append(words.UNSEEN.format(unseen=evidence.unseen))
    if version.label_set_revision == label_set.revision:
        rows = tuple(
            (f"{label.name} ({recall.n})", _percent(recall.before), _percent(recall.after))
            for label, recall in zip(label_set.labels, evidence.labels, strict=True)
        )
        tables.append(Table(words.RECALL_COLUMNS, rows))
    else:
        sentences.append(words.OTHER_LABELS)
    return VersionEvidence(version.id, title, version.live, tuple(sentences), tuple(tables))


def _figures(version: Version) -> Table:
    before, after = version.before, version.after
    assert before is not None
    assert after is not None
    columns = (words.FIGURE_COLUMNS[0].format(n=after.n), *words.FIGURE_COLUMNS[1:])
    values = (
        (_percent(before.balanced_accuracy), _percent(after.balanced_accuracy)),
        (f"{before.log_loss:.2f}", f"{after.log_loss:.2f}"),
        (_percent(before.ece), _percent(after.ece)),
    )
    rows = zip(words.FIGURES, values, strict=True)
    return Table(columns, tuple((name, *pair) for name, pair in rows))


def _interval(share: Share) -> str:
    return words.INTERVAL.format(low=100 * share.low, high=100 * share.high)


def _of(share: Share) -> str:
    return words.OF.format(part=share.part, n=share.n) if share.n else words.NONE


def _percent(value: float | None) -> str:
    return words.NONE if value is None else f"{100 * value:.0f} %"
