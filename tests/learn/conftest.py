"""The toy that is fine-tuned, made once for a module."""

import pytest
import torch

from nearl_core.learn.loop import Start, TuneData
from nearl_core.model import backbones
from nearl_core.model.encoder import Encoder
from tests.engine.making import write_backbone
from tests.learn.toy import noisy, start_of


@pytest.fixture(scope="module")
def encoder(tmp_path_factory: pytest.TempPathFactory) -> Encoder:
    folder = write_backbone(tmp_path_factory.mktemp("backbones") / "tiny")
    return Encoder(backbones.load(str(folder)), torch.device("cpu"))


@pytest.fixture(scope="module")
def data(encoder: Encoder) -> TuneData:
    return noisy(encoder)


@pytest.fixture(scope="module")
def start(encoder: Encoder, data: TuneData) -> Start:
    return start_of(encoder, data)
