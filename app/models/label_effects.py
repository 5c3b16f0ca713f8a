"""What a change of labels comes to, in words."""

from collections.abc import Sequence

from app import strings
from app.strings import label_words
from nearl_core.types import Effect, LabelSet


def effect_cells(effect: Effect) -> list[str]:
    """Reader, number of decisions, what they said, what they say then."""
    becomes = label_words.AGAIN if effect.again else label_words.LEFT_OUT
    return [
        effect.reader,
        str(effect.decisions),
        _joined(effect.before) or label_words.NOTHING_BEFORE,
        _joined(effect.after) or becomes,
    ]


def effect_summary(effects: Sequence[Effect], before: LabelSet, after: LabelSet) -> str:
    """The label set as it will be, and how many decisions it touches."""
    touched = sum(effect.decisions for effect in effects)
    again = sum(effect.decisions for effect in effects if effect.again)
    fewer = _joined([name for name in before.names if name not in after.names])
    more = _joined([name for name in after.names if name not in before.names])
    parts = (
        label_words.FEWER.format(labels=fewer) if fewer else "",
        label_words.MORE.format(labels=more) if more else "",
        label_words.SUMMARY.format(touched=strings.decisions(touched), again=again),
    )
    return " ".join(part for part in parts if part)


def _joined(names: Sequence[str]) -> str:
    return ", ".join(names)
