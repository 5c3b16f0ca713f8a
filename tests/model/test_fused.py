"""Adapters on a card at once: the kernels say what the plain steps say.

Here Triton's own interpreter runs the kernels, where PyTorch brings Triton; on a real card they are
run by `test_cards.py`.
"""

import json
import os
import subprocess
import sys

import pytest
import torch

from nearl_core.model import card_kernels
from nearl_core.model.folded import Folded
from nearl_core.model.fused import Fused
from nearl_core.model.nearl import Design
from tests.model.making import adapters_of_width


def test_tokens_are_projected_and_moved_as_in_plain_steps() -> None:
    pytest.importorskip("triton")
    said = subprocess.run(
        [sys.executable, "-m", "tests.model.interpreted"],
        env={**os.environ, "TRITON_INTERPRET": "1"},
        capture_output=True,
        text=True,
        check=True,
        timeout=300,
    )
    found = json.loads(said.stdout)
    assert len(found) == 6
    for case, far in found.items():
        assert far["projected"] < 0.01, case
        assert far["update"] > 0.002, case
        assert far["moved"] < 0.005, case
        assert far["alone"] < 1e-5, case


def test_texts_and_queries_are_as_in_plain_steps() -> None:
    nearl = adapters_of_width(48, rank=24)
    plain, fused = Folded(nearl), Fused(nearl, torch.float16)
    summaries, z = torch.randn(2, 3, 32), torch.randn(2, 8, 24)
    h_v = torch.randn(2, 24).half()
    with torch.inference_mode():
        h = plain.project("text", summaries)
        assert torch.equal(fused.project("text", summaries), h)
        found = fused.moved("text", 1, summaries, h, z)
        assert torch.equal(found, plain.moved("text", 1, summaries, h, z))
        asked = fused.synergy("image", 1, z, h_v, h[0])
        assert torch.equal(asked, plain.synergy("image", 1, z, h_v.float(), h[0]))


def test_it_serves_no_cpu_and_no_other_design(monkeypatch: pytest.MonkeyPatch) -> None:
    nearl = adapters_of_width(48, rank=24)
    assert not Fused.serves(nearl, torch.bfloat16)
    monkeypatch.setattr(card_kernels, "work", lambda *_which: True)
    assert Fused.serves(nearl, torch.bfloat16)
    assert not Fused.serves(nearl, torch.float32)
    for design in (Design(beta=0.5), Design(orthogonal=False), Design(image_tower=False)):
        assert not Fused.serves(adapters_of_width(48, rank=24, design=design), torch.bfloat16)


@pytest.mark.parametrize(("device", "queries"), [("cpu", 8), ("mps", 8), ("cuda", 3)])
def test_where_no_kernel_computes_none_is_built(device: str, queries: int) -> None:
    assert not card_kernels.work(torch.device(device), torch.float16, queries, 4)


def test_kernels_that_cannot_be_built_are_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """As where there is no compiler: what building them raises must not reach a reader."""

    def refuse(*_which: object) -> None:
        raise subprocess.CalledProcessError(1, "gcc")

    monkeypatch.setattr(card_kernels, "_HAS_TRITON", True)
    monkeypatch.setattr(torch.version, "cuda", "13.0")
    monkeypatch.setattr(card_kernels, "_agree", refuse)
    assert not card_kernels.work(torch.device("cuda", 7), torch.float16, 8, 4)
