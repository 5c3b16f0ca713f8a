"""What ranks once decisions are learned: `Ready` and examples in, `Ready` out."""

from dataclasses import replace

from nearl_core.learn import by_label, label_texts
from nearl_core.learn.examples import Examples, FloatArray
from nearl_core.learn.head import Head, zero_shot
from nearl_core.learn.ranker import Ranker
from nearl_core.learn.regression import Pause
from nearl_core.learn.unlike import familiar
from nearl_core.state import Ready


def taught(
    ready: Ready,
    examples: Examples | None,
    tuned: FloatArray | None,
    *,
    ids: frozenset[int],
    scale: float,
    behind: Pause | None = None,
) -> Ready:
    """What ranks once these examples are learned, and nothing else is.

    Args:
        ready: What ranked before.
        examples: With the backbone's features; None without any.
        tuned: N x E, their features by the live version; None where some are missing.
        ids: Of the decisions.
        scale: The backbone's, of its cosines.
        behind: Do also what a decision among many does not wait for: fit the live version's head,
            and where it is due choose anew all that is chosen by examples. Called in between.
    """
    if examples is None:
        untaught = _untaught(ready, scale)
        return replace(ready, ranker=untaught, examples=None, learned=ids, decided=None, lags=False)
    old = None if behind and _is_due(ready) else ready.ranker
    before = None if old is None else old.instant
    head = _head(ready, examples, scale, before, behind or (lambda: None))
    threshold, lags, chosen_by = None, False, ids
    ranker: Ranker | None = None
    if old is not None and old.instant.keeps_all(len(examples.targets)):
        threshold = None if ready.decided is None else ready.decided.threshold
        chosen_by = ready.chosen_by
        lags = ready.live is not None and behind is None
        ranker = replace(old, instant=head) if lags else None
    return replace(
        ready,
        ranker=ranker or _with_version(ready, head, examples, tuned),
        examples=examples,
        learned=ids,
        chosen_by=chosen_by,
        decided=familiar(examples.embedded(), threshold),
        lags=lags,
    )


def leaves_more(ready: Ready) -> bool:
    """Whether something is left to be done behind what can't wait."""
    return ready.lags or _is_due(ready)


def _is_due(ready: Ready) -> bool:
    """Whether what is chosen by examples is to be chosen anew."""
    return ready.ranker is not None and ready.ranker.instant.is_due(ready.changed)


def _with_version(ready: Ready, head: Head, examples: Examples, tuned: FloatArray | None) -> Ranker:
    """The instant head, with the live version's fitted anew where there is one."""
    if ready.live is None:
        return Ranker(head)
    ranker = replace(ready.live.ranker, instant=head)
    return ranker if tuned is None else ranker.refitted(examples, tuned)


def _head(
    ready: Ready, examples: Examples, scale: float, before: Head | None, pause: Pause
) -> Head:
    texts, multi_label = ready.texts, ready.label_set.multi_label
    # Examples that all say the same tell nothing apart: the words alone do, if they were right.
    if (
        texts is not None
        and (examples.targets == examples.targets[0]).all()
        and label_texts.lead(examples, texts, multi_label=multi_label) > 0
    ):
        return zero_shot(texts, scale=scale, multi_label=multi_label)
    return by_label.fit(
        examples, texts, multi_label=multi_label, text_default=1.0, before=before, pause=pause
    )


def _untaught(ready: Ready, scale: float) -> Ranker | None:
    if ready.live is not None:
        return ready.live.ranker  # as it was written
    if ready.texts is None:
        return None
    multi_label = ready.label_set.multi_label
    return Ranker(zero_shot(ready.texts, scale=scale, multi_label=multi_label))
