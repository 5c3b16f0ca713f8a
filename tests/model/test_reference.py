"""The reference: a backbone that gives other features than when it came says so."""

import json
from pathlib import Path

import pytest
from safetensors.torch import load_file, save_file

from nearl_core.errors import BackboneError
from nearl_core.model import backbones, obtain, reference
from nearl_core.model.backbone_folder import WEIGHTS
from nearl_core.model.backbone_list import SHIPPED
from tests.model.making import PREPROCESSING, model_cfg, write_backbone, write_config


@pytest.fixture
def added(tmp_path: Path) -> Path:
    return obtain.add(write_backbone(tmp_path / "tiny"))


def test_the_reference_is_kept_when_a_backbone_is_added(added: Path) -> None:
    loaded = backbones.load("tiny")
    found = reference.features(loaded.model, loaded.preprocessing, loaded.tokenize)
    kept = json.loads((added / reference.FILE).read_text())
    assert {part: kept[part] for part in ("image", "text")} == found


@pytest.mark.parametrize(
    "other", [{"mean": [0.48, 0.46, 0.41]}, {"interpolation": "bilinear"}, {"std": [0.5] * 3}]
)
def test_another_preprocessing_is_said(added: Path, other: dict[str, object]) -> None:
    write_config(added, preprocess_cfg=PREPROCESSING | other)
    with pytest.raises(BackboneError, match=r"other image features .* its preprocessing") as caught:
        backbones.load("tiny")
    assert "again" in caught.value.remedy


def test_another_activation_is_said(tmp_path: Path) -> None:
    """The same weights under QuickGELU, as happens to OpenAI's."""
    folder = write_backbone(tmp_path / "tiny")
    state = load_file(folder / WEIGHTS)
    for name in (name for name in state if ".mlp." in name):
        state[name] *= 10  # as large as trained ones
    save_file(state, folder / WEIGHTS)
    added = obtain.add(folder)
    write_config(added, model_cfg=model_cfg() | {"quick_gelu": True})
    with pytest.raises(BackboneError, match="other image features"):
        backbones.load("tiny")


@pytest.mark.usefixtures("added")
def test_another_tokenizer_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reference, "TEXT", "another text")
    with pytest.raises(BackboneError, match=r"other text features .* its tokenizer"):
        backbones.load("tiny")


@pytest.mark.parametrize("text", ["{", "{}", '{"image": [1], "text": [1]}', '{"image": 1}'])
def test_a_damaged_reference_says_how_to_go_on(added: Path, text: str) -> None:
    (added / reference.FILE).write_text(text)
    with pytest.raises(BackboneError, match=r"can't be read.*Remove"):
        backbones.load("tiny")


def test_a_reference_that_comes_with_a_folder_is_not_replaced(added: Path, tmp_path: Path) -> None:
    kept = json.loads((added / reference.FILE).read_text())
    kept["image"] = kept["image"][::-1]
    other = write_backbone(tmp_path / "other")
    (other / reference.FILE).write_text(json.dumps(kept))
    with pytest.raises(BackboneError, match="other image features"):
        obtain.add(other)


def test_the_shipped_backbone_has_its_reference() -> None:
    assert (SHIPPED / "starter" / reference.FILE).is_file()
    backbones.load("starter")
