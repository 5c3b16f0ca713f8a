"""The published methods that ours is held against, by name.

Each stands in a module of `peers/`; it is added here with a line.
"""

from dataclasses import dataclass

from nearl_core.bench.few_shot import FewShot, Method
from nearl_core.learn import instant, linear_probe
from nearl_core.learn.instant import Examples, FloatArray


@dataclass(frozen=True)
class Peer:
    """A published method.

    Attributes:
        name: In the results and on the command line, such as "tip-adapter-f".
        run: See Method.
        note: Where it departs from its published recipe, such as "cut to 100 steps"; "" for
            not at all. It stands below the table.
        revision: Raised with each change that changes figures: cells of another revision are
            run again and never mixed in.
    """

    name: str
    run: Method
    note: str = ""
    revision: int = 1


def zero_shot(cell: FewShot) -> FloatArray:
    """The label texts alone, by the backbone's own scale (Radford et al., arXiv 2103.00020)."""
    head = instant.zero_shot(
        cell.texts.double().numpy(), scale=cell.backbone.logit_scale, multi_label=False
    )
    return head.probabilities(cell.asked)


def linear_probe_on_features(cell: FewShot) -> FloatArray:
    """Logistic regression on frozen features; see `learn/linear_probe.py`."""
    examples = Examples(cell.features, cell.targets, cell.targets.sum(1))
    patients = [str(row) for row in range(len(cell.features))]
    return linear_probe.probabilities(examples, patients, cell.asked, multi_label=False)


PEERS: tuple[Peer, ...] = (
    Peer("zero-shot", zero_shot),
    Peer(
        "linear-probe",
        linear_probe_on_features,
        note="its ridge is chosen by cross-validation on the decisions, not on a validation set",
    ),
)
