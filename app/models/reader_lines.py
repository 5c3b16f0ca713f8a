"""The readers of a project as rows of words, for tables."""

from collections.abc import Callable
from dataclasses import dataclass

from app import strings
from app.strings import reading_words
from nearl_core.agreement import Agreement
from nearl_core.readers import Disagreement, ReaderLine, ReaderReport
from nearl_core.types import Decision, LabelSet

Row = tuple[str, ...]


@dataclass(frozen=True)
class DisagreementLine:
    """A scan on which readers disagree.

    Attributes:
        cells: Its name, what each said, what settled it.
        is_open: Whether nothing did.
    """

    scan_id: int
    cells: Row
    is_open: bool


@dataclass(frozen=True)
class ReaderLines:
    """All tables.

    Attributes:
        readers: A row each: name, scans decided, definite, probable, unsure, median time of a
            decision, agreement on repeats; sources of labels come last.
        agreement: Readers, scans in common, share alike, kappa with its interval; likewise.
        disagreements: The open ones first.
    """

    readers: tuple[Row, ...] = ()
    agreement: tuple[Row, ...] = ()
    disagreements: tuple[DisagreementLine, ...] = ()

    @property
    def summary(self) -> str:
        """How many disagreements there are."""
        return reading_words.disagreements(
            len(self.disagreements), sum(line.is_open for line in self.disagreements)
        )


def reader_lines(
    report: ReaderReport, label_set: LabelSet, name_of: Callable[[int], str]
) -> ReaderLines:
    """The rows of a report; `name_of` gives a scan's name."""
    pairs = [_pair(" – ".join(pair.readers), pair) for pair in report.pairs]
    if report.all_readers is not None:
        pairs.append(_pair(reading_words.ALL_READERS, report.all_readers))
    pairs += [_pair(_with_source(*pair.readers), pair) for pair in report.with_sources]
    lines = [_disagreement(one, label_set, name_of) for one in report.disagreements]
    return ReaderLines(
        readers=(
            *(_reader(line.reader, line) for line in report.readers),
            *(_reader(_source(line.reader), line) for line in report.sources),
        ),
        agreement=tuple(pairs),
        disagreements=tuple(sorted(lines, key=lambda line: not line.is_open)),
    )


def _reader(name: str, line: ReaderLine) -> Row:
    own = "" if line.own is None else own_text(line.own)
    told = zip(reading_words.TIMES, line.seconds, strict=True)
    times = (words.format(seconds=seconds) for words, seconds in told if seconds is not None)
    sure = (str(count) for count in line.by_confidence)
    return name, str(line.decisions), *sure, ", ".join(times), own


def _source(name: str) -> str:
    return reading_words.SOURCE.format(name=name)


def _with_source(reader: str, source: str) -> str:
    return f"{reader} – {_source(source)}"


def own_text(own: Agreement) -> str:
    """How far a reader agrees with themself, in one cell."""
    return reading_words.OWN.format(scans=own.scans, kappa=kappa_text(own))


def kappa_text(agreement: Agreement) -> str:
    """Kappa with its interval."""
    if agreement.kappa is None or agreement.interval is None:
        return reading_words.NO_KAPPA
    low, high = agreement.interval
    return f"{agreement.kappa:.2f} ({low:.2f} to {high:.2f})".replace("-", "−")


def said(call: Decision, label_set: LabelSet) -> str:
    """What a reader said, in words."""
    labels = ", ".join(label_set.names_of(call.verdict.labels))
    sure = reading_words.CONFIDENCE_WORDS.get(call.verdict.confidence, "")
    text = labels or strings.STATE_WORDS[call.verdict.state]
    return f"{text} ({sure})" if sure else text


def _pair(readers: str, agreement: Agreement) -> Row:
    return readers, str(agreement.scans), f"{100 * agreement.alike:.0f} %", kappa_text(agreement)


def _disagreement(
    one: Disagreement, label_set: LabelSet, name_of: Callable[[int], str]
) -> DisagreementLine:
    calls = "   ".join(
        reading_words.SAID.format(reader=call.reader, said=said(call, label_set))
        for call in one.said
    )
    settled = one.settled
    how = "" if settled is None else f"{said(settled, label_set)}, {settled.reader}"
    return DisagreementLine(one.scan_id, (name_of(one.scan_id), calls, how), settled is None)
