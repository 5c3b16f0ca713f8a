"""BERT as a text tower: BiomedCLIP's architecture in small, with a tokenizer made here."""

import json
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import save_file
from torch import Tensor
from torch.nn import functional as F

from nearl_core.control import RunControl
from nearl_core.errors import BackboneError
from nearl_core.model import backbones, obtain
from nearl_core.model.check import check
from nearl_core.model.nearl import NearlClip
from nearl_core.model.towers import image_tower, text_tower
from tests.model.making import adapted_clip, walked_texts

WORDS = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "a", "chest", "lung", "of", "pneumonia", "##s", "x"]
BERT = {
    "model_type": "bert",
    "vocab_size": len(WORDS),
    "hidden_size": 32,
    "num_hidden_layers": 3,
    "num_attention_heads": 2,
    "intermediate_size": 64,
    "max_position_embeddings": 32,
    "initializer_range": 0.2,
}
TEXTS = ["a chest x", "pneumonia of a lung", "lungs"]
POOLERS = ["cls_last_hidden_state_pooler", "cls_pooler", "mean_pooler"]


def config(pooler: str = POOLERS[0]) -> dict[str, Any]:
    """As BiomedCLIP's, in small."""
    return {
        "model_cfg": {
            "embed_dim": 8,
            "vision_cfg": {
                "timm_model_name": "test_vit",
                "timm_model_pretrained": False,
                "timm_pool": "",
                "timm_proj": "linear",
                "image_size": 160,
            },
            "text_cfg": {
                "hf_model_name": "some/bert",
                "hf_tokenizer_name": "some/bert",
                "hf_proj_type": "mlp",
                "hf_pooler_type": pooler,
                "context_length": 16,
            },
        },
        "preprocess_cfg": {"mean": [0.5] * 3, "std": [0.25] * 3},
    }


def write_folder(folder: Path, pooler: str = POOLERS[0]) -> Path:
    """A whole folder with random weights and a tokenizer of a few words."""
    folder.mkdir()
    (folder / "open_clip_config.json").write_text(json.dumps(config(pooler)))
    (folder / "config.json").write_text(json.dumps(BERT))
    (folder / "vocab.txt").write_text("\n".join(WORDS))
    (folder / "tokenizer_config.json").write_text(json.dumps({"tokenizer_class": "BertTokenizer"}))
    model = backbones.random(str(folder)).model
    save_file(model.state_dict(), folder / "open_clip_model.safetensors")
    return folder


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return write_folder(tmp_path / "bert")


def test_a_folder_loads_with_its_own_tokenizer_and_no_network(folder: Path) -> None:
    loaded = backbones.load(str(folder))
    tokens = loaded.tokenize(TEXTS)
    assert tokens.shape == (3, 16)
    assert tokens[2, :5].tolist() == [2, 6, 9, 3, 0]  # [CLS] lung ##s [SEP] [PAD]
    random = backbones.random(str(folder)).model
    assert torch.equal(loaded.model.encode_text(tokens), random.encode_text(tokens))


def tokens_of(folder: Path) -> tuple[Any, Tensor]:
    loaded = backbones.load(str(folder))
    return loaded.model, loaded.tokenize(TEXTS)


@pytest.mark.parametrize("pooler", POOLERS)
def test_block_by_block_equals_open_clip(tmp_path: Path, pooler: str) -> None:
    model, tokens = tokens_of(write_folder(tmp_path / "bert", pooler))
    tower, stock = text_tower(model), model.encode_text(tokens)
    assert tower.bidirectional
    assert tower.summary(tokens).tolist() == [0, 0, 0]
    torch.testing.assert_close(walked_texts(tower, tokens), stock, atol=1e-6, rtol=0)
    cut = tower.cut(tokens)
    assert cut.shape[1] == 6  # [CLS] pneumonia of a lung [SEP]
    torch.testing.assert_close(walked_texts(tower, cut), stock, atol=1e-5, rtol=0)
    split = walked_texts(text_tower(model, split_attention=True), cut)
    torch.testing.assert_close(split, stock, atol=1e-5, rtol=0)


def test_a_text_does_not_depend_on_those_beside_it(folder: Path) -> None:
    model, tokens = tokens_of(folder)
    clip = NearlClip(image_tower(model), text_tower(model), None)
    alone = clip.labels([tokens[2:]]).features
    together = clip.labels([tokens[:2], tokens[2:]]).features[1:]
    torch.testing.assert_close(alone, together, atol=1e-6, rtol=0)


def test_adapters_change_texts_and_leave_the_backbone(folder: Path) -> None:
    model, tokens = tokens_of(folder)
    before = model.encode_text(tokens, normalize=True)
    fresh, _ = adapted_clip(model, fresh=True)
    torch.testing.assert_close(fresh.texts(tokens), before, atol=1e-6, rtol=0)
    adapted, _ = adapted_clip(model)
    assert F.cosine_similarity(adapted.texts(tokens), before).max().item() < 0.999
    assert torch.equal(model.encode_text(tokens, normalize=True), before)


def test_the_adapters_promises_hold(folder: Path) -> None:
    found = check(backbones.load(str(folder)), seed=0, control=RunControl())
    assert found.fresh_adapter_max_difference <= 1e-6
    assert found.detached_max_difference == 0
    assert found.update_max_cosine < 1e-5


def test_an_added_folder_stands_alone(folder: Path) -> None:
    before = backbones.load(str(folder))
    obtain.add(folder)
    for file in folder.iterdir():
        file.unlink()
    added = backbones.load("bert")
    tokens = added.tokenize(TEXTS)
    assert torch.equal(added.model.encode_text(tokens), before.model.encode_text(tokens))


@pytest.mark.parametrize(
    ("file", "text", "says"),
    [
        ("config.json", None, "no readable config.json for its text tower"),
        ("config.json", "{", "no readable config.json for its text tower"),
        ("config.json", json.dumps(BERT | {"model_type": "gpt2"}), "is no BERT"),
        ("config.json", json.dumps(BERT | {"auto_map": {"AutoModel": "a.B"}}), "Python code"),
        ("tokenizer_config.json", json.dumps({"auto_map": {"AutoTokenizer": "a"}}), "Python code"),
        ("tokenizer_config.json", "{", "tokenizer of the backbone bert can't be read"),
        ("vocab.txt", None, "has no tokenizer: its folder holds no tokenizer.json or vocab.txt"),
        ("config.json", json.dumps(BERT | {"hidden_size": 64}), "don't fit"),
    ],
)
def test_a_broken_folder_says_what_is_wrong(
    folder: Path, file: str, text: str | None, says: str
) -> None:
    if text is None:
        (folder / file).unlink()
    else:
        (folder / file).write_text(text)
    with pytest.raises(BackboneError, match=says) as caught:
        backbones.load(str(folder))
    assert caught.value.remedy


def test_without_transformers_the_reader_is_told_how_to_get_it(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda _name: None)
    for get in (backbones.load, backbones.random):
        with pytest.raises(BackboneError, match=r"package transformers.*pip install transformers"):
            get(str(folder))


def test_a_pooler_without_a_summary_is_refused(folder: Path) -> None:
    model, _ = tokens_of(folder)
    model.text.pooler = torch.nn.Identity()
    with pytest.raises(BackboneError, match="not built as BERT"):
        text_tower(model)


def test_random_weights_need_no_tokenizer(folder: Path) -> None:
    (folder / "vocab.txt").unlink()
    tokens = backbones.random(str(folder)).tokenize(["a lung", "a chest of a lung", "lung " * 40])
    assert tokens.shape == (3, 16)
    assert tokens.max() < len(WORDS)
    assert tokens[0, 1] == tokens[1, 1]  # the same word
    assert tokens[:, 0].tolist() == [1, 1, 1]
    assert (tokens == 2).sum(1).tolist() == [1, 1, 1]
    assert (tokens[0, 4:] == 0).all()


def test_an_architecture_whose_text_stands_on_the_network_is_refused() -> None:
    with pytest.raises(BackboneError, match="stands on the network only"):
        backbones.random("roberta-ViT-B-32")
