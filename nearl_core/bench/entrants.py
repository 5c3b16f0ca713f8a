"""Who takes part in the benchmark: the published methods, ours, and variants of ours."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial

import torch

from nearl_core.bench import draws, own
from nearl_core.bench.draws import Rows
from nearl_core.bench.methods import PEERS, Peer
from nearl_core.bench.names import ABLATION, INSTANT, LIVE, NEARL, TUNED, is_variant, variant
from nearl_core.bench.own import Answer
from nearl_core.bench.peers.nearl import nearl
from nearl_core.bench.task import Task
from nearl_core.control import RunControl
from nearl_core.errors import NearlError
from nearl_core.learn.examples import FloatArray
from nearl_core.model.nearl import FULL, Design


class BackboneChangedError(Exception):
    """A method did not leave the backbone as it found it: no figure after it could be trusted."""


@dataclass(frozen=True)
class Entrant:
    """What answers for a name of the table, or for several that share one training.

    Attributes:
        names: In the results and on the command line.
        run: On a task with the rows of a draw and its number; an answer for each name.
        revision: Of its recipe and of the draws.
        note: See Peer.
    """

    names: tuple[str, ...]
    run: Callable[[Task, Rows, int, RunControl], dict[str, Answer]]
    revision: str
    note: str = ""


def entrants() -> tuple[Entrant, ...]:
    """All of them, in the order of the table; those of the ablation last."""
    peers = [
        Entrant((p.name,), partial(_peer, p), f"{draws.REVISION}.{p.revision}", p.note)
        for p in (*PEERS, *_taken_apart())
    ]
    revision = f"{draws.REVISION}.{own.REVISION}"
    ours = [
        Entrant((INSTANT,), _instant, revision),
        *(
            Entrant(
                (variant(TUNED, name), variant(LIVE, name)),
                partial(_trained, design, name),
                revision,
            )
            for name, design in {"": FULL, **own.VARIANTS}.items()
        ),
    ]
    return (*peers, *ours)


def _taken_apart() -> Iterator[Peer]:
    """NEARL by itself in the variants of the ablation."""
    (whole,) = (peer for peer in PEERS if peer.name == NEARL)
    for name, design in own.VARIANTS.items():
        yield replace(whole, name=variant(NEARL, name), run=partial(nearl, design=design))


def chosen(names: Sequence[str]) -> tuple[Entrant, ...]:
    """The entrants of some names; "ablation" stands for all variants and what they vary.

    Args:
        names: Empty for the main table: every peer, and ours without variants.

    Raises:
        NearlError: If there is no such method.
    """
    there = entrants()
    if not names:
        return tuple(e for e in there if not is_variant(e.names[0]))
    known = {name for entrant in there for name in entrant.names}
    wanted = set(names)
    if ABLATION in wanted:
        varied = {name for name in known if is_variant(name)}
        wanted = (wanted - {ABLATION}) | varied | {NEARL, TUNED, LIVE}
    if strange := sorted(wanted - known):
        main = [name for name in known if not is_variant(name)]
        raise NearlError(
            f"There is no method {strange[0]!r}.",
            f"Choose of {', '.join(sorted(main))}, or {ABLATION}.",
        )
    return tuple(e for e in there if wanted & set(e.names))


def _peer(peer: Peer, task: Task, rows: Rows, draw: int, control: RunControl) -> dict[str, Answer]:
    cell = task.few_shot(rows, seed=draw, control=control)
    before = _looked_at(task)
    try:
        return {peer.name: Answer(peer.run(cell))}
    finally:
        if not (before == _looked_at(task)).all():
            raise BackboneChangedError(f"{peer.name} left the backbone changed")


def _looked_at(task: Task) -> FloatArray:
    """What the backbone itself says of a picture and a text: equal to the bit while unchanged."""
    encoder, label = task.encoder, task.label_set.labels[0]
    picture, tokens = task.test.pictures[0][None], encoder.backbone.tokenize([label.name])
    with torch.inference_mode():
        image = encoder.model.encode_image(picture.to(encoder.device))
        text = encoder.model.encode_text(tokens.to(encoder.device))
    return torch.cat([image, text]).cpu().double().numpy()


def _instant(task: Task, rows: Rows, draw: int, control: RunControl) -> dict[str, Answer]:
    del draw, control  # it draws nothing, and takes milliseconds
    return {INSTANT: own.instant(task, rows)}


def _trained(
    design: Design, name: str, task: Task, rows: Rows, draw: int, control: RunControl
) -> dict[str, Answer]:
    found = own.trained(task, rows, seed=draw, design=design, control=control)
    return {variant(stage, name): answer for stage, answer in found.items()}
