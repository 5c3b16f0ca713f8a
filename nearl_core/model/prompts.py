"""Texts for labels, and whether a backbone knows their words."""

from nearl_core.types import Label, LabelSet

TEMPLATES = ("{}", "an image of a {}", "a medical image of {}", "a medical scan showing {}")
_SMALL = frozenset(
    [
        "a",
        "an",
        "and",
        "any",
        "as",
        "at",
        "by",
        "for",
        "from",
        "in",
        "is",
        "it",
        "no",
        "not",
        "of",
        "on",
        "or",
        "other",
        "scan",
        "show",
        "showing",
        "shows",
        "image",
        "images",
        "medical",
        "that",
        "the",
        "this",
        "to",
        "type",
        "view",
        "with",
        "without",
    ]
)


def prompts_of(label: Label) -> tuple[str, ...]:
    """The label's own prompts, or its name in the usual templates."""
    return label.prompts or tuple(template.format(label.name) for template in TEMPLATES)


def words_of(label: Label) -> frozenset[str]:
    """The words that carry a label's meaning, in lower case."""
    texts = " ".join(label.prompts or (label.name,)).lower()
    spaced = "".join(c if c.isalnum() or c == "&" else " " for c in texts)
    return frozenset(word for word in spaced.split() if word not in _SMALL)


def unknown_labels(label_set: LabelSet, words: frozenset[str] | None) -> tuple[Label, ...]:
    """The labels of which a backbone knows no word, or not the most of them.

    Args:
        label_set: The labels.
        words: The backbone's words; None for one that knows the language.
    """
    if words is None:
        return ()
    return tuple(label for label in label_set.labels if not _known(label, words))


def _known(label: Label, words: frozenset[str]) -> bool:
    own = words_of(label)
    return bool(own) and len(own & words) >= len(own) * 2 / 3
