"""Label texts whose first words are learned vectors: the common part of CoOp and MaPLe."""

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import Tensor, nn

from nearl_core.bench.few_shot import FewShot
from nearl_core.errors import NearlError
from nearl_core.model.towers import OpenClip

PLACEHOLDER = "X"


def tokens_of(few: FewShot, count: int) -> tuple[Tensor, int]:
    """Label texts behind `count` placeholders: C x T, and the place of the first placeholder.

    Raises:
        NearlError: If the tokenizer does not give each placeholder a token of its own.
    """
    before = f"{PLACEHOLDER} " * count
    texts = [f"{before}{label.name}." for label in few.label_set.labels]
    tokens = few.backbone.tokenize(texts).to(few.device)
    first = int(tokens[0, 0] != tokens[0, 1])
    if not (tokens[:, first : first + count] == tokens[0, first]).all():
        raise NearlError(
            "This backbone's tokenizer leaves no room for learned words.",
            "Leave out the methods that learn prompts.",
        )
    return tokens, first


def word_embedding(model: OpenClip) -> nn.Embedding:
    """The table of words of the text tower: the largest table there is."""
    text: OpenClip = getattr(model, "text", model)
    tables = [module for module in text.modules() if isinstance(module, nn.Embedding)]
    return max(tables, key=lambda table: table.num_embeddings)


@contextmanager
def spoken(table: nn.Embedding, vectors: Tensor, first: int) -> Iterator[None]:
    """Let the text tower meet vectors, n x D, in place of the words from `first` on."""

    def replace(_module: nn.Module, _inputs: object, words: Tensor) -> Tensor:
        laid = vectors.to(words.dtype).expand(len(words), -1, -1)
        return torch.cat([words[:, :first], laid, words[:, first + len(vectors) :]], 1)

    hook = table.register_forward_hook(replace)
    try:
        yield
    finally:
        hook.remove()
