"""The published methods that ours is held against, by name.

Each stands in a module of `peers/`; it is added here with a line.
"""

from dataclasses import dataclass, replace

from nearl_core.bench.few_shot import FewShot, Method
from nearl_core.bench.names import NEARL
from nearl_core.bench.peers.clip_adapter import clip_adapter
from nearl_core.bench.peers.clip_lora import clip_lora
from nearl_core.bench.peers.coop import coop
from nearl_core.bench.peers.lp_plus_plus import lp_plus_plus
from nearl_core.bench.peers.maple import maple
from nearl_core.bench.peers.nearl import nearl
from nearl_core.bench.peers.ss_text import ss_text_plus, ss_text_u
from nearl_core.bench.peers.task_res import task_res
from nearl_core.bench.peers.text_probe import text_probe
from nearl_core.bench.peers.tip_adapter import tip_adapter_f
from nearl_core.learn import head, linear_probe
from nearl_core.learn.examples import Examples, FloatArray, spread_of


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
    texts, scale = cell.texts.double().numpy(), cell.backbone.logit_scale
    return head.zero_shot(texts, scale=scale, multi_label=False).probabilities(cell.asked)


def linear_probe_on_features(cell: FewShot) -> FloatArray:
    """Logistic regression on frozen features; see `learn/linear_probe.py`."""
    return _probed(Examples(cell.features, cell.targets, cell.targets.sum(1)), cell.asked)


def linear_probe_on_blocks(cell: FewShot) -> FloatArray:
    """The same on all that ours reads, scaled as ours reads it: what the features are worth."""
    spread = spread_of(cell.deep)
    examples = replace(cell.deep, features=cell.deep.features / spread, blocks=())
    return _probed(examples, cell.asked_deep / spread)


def _probed(examples: Examples, asked: FloatArray) -> FloatArray:
    patients = [str(row) for row in range(len(examples.features))]
    return linear_probe.probabilities(examples, patients, asked, multi_label=False)


PEERS: tuple[Peer, ...] = (
    Peer("zero-shot", zero_shot),
    Peer(
        "linear-probe",
        linear_probe_on_features,
        note="its ridge is chosen by cross-validation on the decisions, not on a validation set",
    ),
    Peer(
        "linear-probe+blocks",
        linear_probe_on_blocks,
        note="no published method: the probe on all that ours reads, each block in a scale in "
        "which it spreads as much as the others",
    ),
    Peer("text-probe", text_probe),
    Peer(
        "clip-adapter",
        clip_adapter,
        note="ratio found on held-out folds of the decisions; 200 full-batch steps at 1e-3 in "
        "place of thousands at 1e-5",
    ),
    Peer(
        "tip-adapter-f",
        tip_adapter_f,
        note="alpha and beta found on held-out folds of the decisions, on a wider grid; 100 "
        "passes in place of 20",
    ),
    Peer("task-res", task_res, note="alpha found on held-out folds of the decisions"),
    Peer(
        "lp++",
        lp_plus_plus,
        note="the last step in place of the best one on a validation set; the text's start is "
        "scaled with the backbone's cosines",
    ),
    Peer("ss-text+", ss_text_plus),
    Peer(
        "ss-text-u",
        ss_text_u,
        note="transductive: it sees all test scans at once, without labels, as its unlabelled ones",
    ),
    Peer(
        "clip-lora",
        clip_lora,
        note="48 steps of 16 scans at 2e-2 in place of 500 steps a shot of 32 at 2e-4",
    ),
    Peer(
        "coop",
        coop,
        note="at most 400 steps, by AdamW in place of SGD; eight views a scan, made once",
    ),
    Peer(
        "maple",
        maple,
        note="48 steps of 16 scans by AdamW in place of 5 passes in batches of 4 by SGD; as many "
        "prompted layers as the shallower tower has, at most 9",
    ),
    Peer(
        NEARL,
        nearl,
        note="no recipe is public: 48 steps of 16 scans; without our instant learner and gate",
    ),
)
