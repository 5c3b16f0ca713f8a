"""What the label texts alone say of scans, and how far that was right.

Texts are C x E, NaN for a label whose words the backbone does not know.
"""

import numpy as np
from numpy.typing import NDArray

from nearl_core.learn.examples import Examples, FloatArray


def known(texts: FloatArray) -> NDArray[np.bool_]:
    """Which labels have words that the backbone knows: C."""
    return ~np.isnan(texts[:, 0])


def centred(texts: FloatArray) -> FloatArray:
    """Texts about the mean of the known ones, C x E; 0 where words are not known.

    So nothing is said of such a label, neither for it nor against it.
    """
    return np.asarray(np.nan_to_num(texts - texts[known(texts)].mean(0)))


def said(examples: Examples, texts: FloatArray) -> FloatArray:
    """N x C, what the texts alone say of examples."""
    found = examples.features[:, : texts.shape[1]] @ centred(texts).T
    return np.asarray(found if examples.labels is None else found[:, examples.labels])


def lead(examples: Examples, texts: FloatArray, *, multi_label: bool) -> float:
    """How often the texts' first label was right: 1 always, 0 as often as by chance.

    The texts were there before the examples, so that all of these are held out. Where labels
    exclude each other only examples of labels whose words are known count; texts that no such
    example was put to stand as before the first one: 1.
    """
    found, targets = said(examples, texts), examples.targets
    if not multi_label:
        columns = known(texts)
        rows = targets[:, columns].any(1)
        if not rows.any():
            return 1.0
        found, targets = found[rows][:, columns], targets[rows][:, columns]
    first, chance = found.argmax(1), targets.mean()
    hits = targets[np.arange(len(first)), first].mean()
    return float((hits - chance) / max(1 - chance, 1e-12))


def worth(examples: Examples, texts: FloatArray, *, multi_label: bool) -> float:
    """How far texts may count on few examples, 0 to 1: as they were right and tell them apart.

    Of examples that are much alike, the little that they tell must not be made much of.
    """
    found = said(examples, texts)
    apart = found.std(0).mean() / max(found.std(1).mean(), 1e-12)
    right = 2 * lead(examples, texts, multi_label=multi_label)
    return float(np.clip(right, 0, 1) * min(1.0, apart))
