"""What ranks once decisions are learned: `Ready` and examples in, `Ready` out."""

from dataclasses import replace

from nearl_core.learn import by_label, instant
from nearl_core.learn.examples import Examples, FloatArray
from nearl_core.learn.instant import Head, Pause
from nearl_core.learn.ranker import Ranker
from nearl_core.learn.unlike import familiar
from nearl_core.state import Ready


def taught(
    ready: Ready,
    examples: Examples | None,
    tuned: FloatArray | None,
    *,
    scale: float,
    anew: Pause | None = None,
) -> Ready:
    """What ranks once these examples are learned, and nothing else is.

    Args:
        ready: What ranked before.
        examples: With the backbone's features; None without any.
        tuned: N x E, their features by the live version; None where some are missing.
        scale: The backbone's, of its cosines.
        anew: Called between the steps of choosing anew all that is chosen by examples. None keeps
            what was chosen of about as many.
    """
    if examples is None:
        ranker = _untaught(ready, scale)
        return replace(ready, ranker=ranker, examples=None, decided=None)
    before = None if anew or ready.ranker is None else ready.ranker.instant
    head = _head(ready, examples, scale, before, anew or (lambda: None))
    kept = None
    if before is not None and ready.decided is not None and before.keeps_all(len(examples.targets)):
        kept = ready.decided.threshold
    decided = familiar(examples.embedded(), kept)
    ranker = Ranker(head)
    if ready.live is not None:
        ranker = replace(ready.live.ranker, instant=head)
        ranker = ranker if tuned is None else ranker.refitted(examples, tuned)
    return replace(ready, ranker=ranker, examples=examples, decided=decided)


def is_due(ready: Ready) -> bool:
    """Whether what is chosen by examples is to be chosen anew."""
    return ready.ranker is not None and ready.ranker.instant.is_due(ready.used)


def _head(
    ready: Ready, examples: Examples, scale: float, before: Head | None, pause: Pause
) -> Head:
    texts, multi_label = ready.texts, ready.label_set.multi_label
    # Examples that all say the same tell nothing apart: the words alone do, if they were right.
    alike = bool((examples.targets == examples.targets[0]).all())
    if alike and texts is not None and instant.text_holds(examples, texts):
        return instant.zero_shot(texts, scale=scale, multi_label=multi_label)
    return by_label.fit(
        examples, texts, multi_label=multi_label, text_default=1.0, before=before, pause=pause
    )


def _untaught(ready: Ready, scale: float) -> Ranker | None:
    if ready.live is not None:
        return ready.live.ranker  # as it was written
    if ready.texts is None:
        return None
    multi_label = ready.label_set.multi_label
    return Ranker(instant.zero_shot(ready.texts, scale=scale, multi_label=multi_label))
