"""SS-Text+ (arXiv 2506.17500) and SS-Text-U (arXiv 2603.02959): closed-form label vectors.

Silva-Rodríguez et al., "Few-Shot, Now for Real", and Silva-Rodríguez and Konukoglu,
"Semi-Supervised Few-Shot Adaptation of Vision-Language Models". With n_c of N examples a label,
tau = 1 / scale, and the text's weight lambda_c = 1 / n_c:

    mu_c = t_c + (1 / (N lambda_c tau)) sum of v_i over label c

SS-Text+ then repels the vectors from each other. SS-Text-U halves that term, adds
(1 / (M tau)) sum of q_jc v_j over M scans without labels, and alternates three times between the
vectors and the assignments q, by ten rounds of Sinkhorn under the label shares of the examples
(a label without one: a quarter of the rarest). It sees the asked scans, without labels: what it
says of one depends on the others.
"""

import torch
from torch import Tensor
from torch.nn import functional as F

from nearl_core.bench.few_shot import FewShot
from nearl_core.bench.peers.heads import Shots, asked_of, cosine_logits, probabilities, shots_of
from nearl_core.learn.examples import FloatArray

ALTERNATIONS, ROUNDS, RARE = 3, 10, 4


def ss_text_plus(few: FewShot) -> FloatArray:
    """SS-Text+: T x C."""
    shots = shots_of(few)
    return probabilities(cosine_logits(asked_of(few), repelled(mixed(shots)), shots.scale))


def ss_text_u(few: FewShot) -> FloatArray:
    """SS-Text-U, with the asked scans as the unlabelled ones: T x C."""
    shots, asked = shots_of(few), asked_of(few)
    mu, labelled = shots.texts, 0.5 * (mixed(shots) - shots.texts)
    for _ in range(ALTERNATIONS):
        q = sinkhorn(cosine_logits(asked, mu, shots.scale), shares(shots))
        mu = shots.texts + labelled + shots.scale / len(asked) * q.T @ asked
    return probabilities(cosine_logits(asked, mu, shots.scale))


def mixed(shots: Shots) -> Tensor:
    """mu: C x E."""
    return shots.texts + shots.scale * weights(shots)[:, None] * (shots.y.T @ shots.x)


def weights(shots: Shots) -> Tensor:
    """1 / (N lambda_c) = n_c / N: C."""
    return shots.y.sum(0) / len(shots.y)


def repelled(mu: Tensor) -> Tensor:
    """Each vector without the unit vector along 2 mu_c less the mean of all."""
    return mu - F.normalize(2 * mu - mu.mean(0), dim=-1)


def shares(shots: Shots) -> Tensor:
    """The expected share of each label: C, above 0, sums to 1."""
    seen = shots.y.mean(0)
    rare = seen[seen > 0].min() / RARE
    filled = torch.where(seen > 0, seen, rare)
    return filled / filled.sum()


def sinkhorn(logits: Tensor, share: Tensor) -> Tensor:
    """Assignments, T x C, whose rows sum to 1 and whose columns have nearly these shares."""
    q = (logits - logits.max()).exp()
    for _ in range(ROUNDS):
        q = q * (share / (q.sum(0) / q.sum()))
        q = q / q.sum(1, keepdim=True)
    return q
