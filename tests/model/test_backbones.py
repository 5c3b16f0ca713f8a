"""Backbone folders: what loads, and what each broken one is refused for."""

import shutil
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import save_file

from nearl_core.errors import BackboneError
from nearl_core.model import backbones, obtain
from nearl_core.model.backbone_folder import write_sums
from nearl_core.model.backbone_list import SHIPPED, added_folder, entries, unfinished_folder
from tests.model.making import (
    PREPROCESSING,
    TEXTS,
    model_cfg,
    pictures,
    tiny_model,
    write_backbone,
    write_config,
)

WEIGHTS, CONFIG = "open_clip_model.safetensors", "open_clip_config.json"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return write_backbone(tmp_path / "tiny")


def rewrite_weights(folder: Path, seed: int) -> None:
    save_file(tiny_model(seed).state_dict(), folder / WEIGHTS)


# --- loading ---


def test_a_folder_loads_frozen_and_gives_its_own_features(folder: Path) -> None:
    loaded = backbones.load(str(folder))
    made = tiny_model()
    assert loaded.name == "tiny"
    assert loaded.words is None
    assert loaded.preprocessing.resize_mode == "squash"
    assert loaded.parameters == sum(p.numel() for p in made.parameters())
    assert loaded.logit_scale == pytest.approx(1 / 0.07)
    assert not any(p.requires_grad for p in loaded.model.parameters())
    assert torch.equal(loaded.model.encode_image(pictures()), made.encode_image(pictures()))
    assert loaded.tokenize(TEXTS).shape == (3, 77)
    assert loaded.preprocessing(np.zeros((20, 30, 3), np.uint8)).shape == (3, 16, 16)


def test_half_precision_weights_are_loaded_in_float32(folder: Path) -> None:
    half = {name: value.half() for name, value in tiny_model().state_dict().items()}
    save_file(half, folder / WEIGHTS)
    model = backbones.load(str(folder)).model
    assert {p.dtype for p in model.parameters()} == {torch.float32}


def test_the_words_of_a_small_backbone_are_known(folder: Path) -> None:
    (folder / "words.txt").write_text("disc\nstripes\n")
    assert backbones.load(str(folder)).words == frozenset({"disc", "stripes"})


def test_weights_that_were_exchanged_are_refused(folder: Path) -> None:
    write_sums(folder)
    backbones.load(str(folder))
    rewrite_weights(folder, 1)
    with pytest.raises(BackboneError, match="not the ones that were added"):
        backbones.load(str(folder))


def test_another_configuration_is_another_backbone(folder: Path) -> None:
    before = backbones.load(str(folder)).hash
    assert backbones.load(str(folder)).hash == before
    write_config(folder, preprocess_cfg=PREPROCESSING | {"mean": [0.4] * 3})
    assert backbones.load(str(folder)).hash != before


def _no_config(folder: Path) -> None:
    (folder / "open_clip_config.json").unlink()


def _broken_config(folder: Path) -> None:
    (folder / "open_clip_config.json").write_text("{")


def _endless_config(folder: Path) -> None:
    (folder / CONFIG).unlink()
    (folder / CONFIG).symlink_to("/dev/zero")


def _no_weights(folder: Path) -> None:
    (folder / WEIGHTS).unlink()


def _pickled_weights(folder: Path) -> None:
    (folder / WEIGHTS).rename(folder / "open_clip_model.pt")


def _broken_weights(folder: Path) -> None:
    (folder / WEIGHTS).write_bytes(b"no safetensors")


def _several_weights(folder: Path) -> None:
    shutil.copy(folder / WEIGHTS, folder / "a.safetensors")
    (folder / WEIGHTS).rename(folder / "b.safetensors")


def _weights_of_another_shape(folder: Path) -> None:
    save_file(tiny_model(image_depth=1).state_dict(), folder / WEIGHTS)


def _prepared(**how: object) -> Callable[[Path], None]:
    return lambda folder: write_config(folder, preprocess_cfg=PREPROCESSING | how)


def _text_tower(**how: object) -> Callable[[Path], None]:
    cfg = model_cfg()
    return lambda folder: write_config(folder, model_cfg=cfg | {"text_cfg": cfg["text_cfg"] | how})


@pytest.mark.parametrize("name", ["open_clip_pytorch_model.bin", "pytorch_model.bin", "a.pth"])
def test_weights_beside_those_that_were_checked_are_not_opened(folder: Path, name: str) -> None:
    (folder / WEIGHTS).rename(folder / "weights.safetensors")
    torch.save(tiny_model(5).state_dict(), folder / name)
    loaded = backbones.load(str(folder)).model.state_dict()
    for key, value in tiny_model().state_dict().items():
        assert torch.equal(loaded[key], value)


@pytest.mark.parametrize(
    ("harm", "says"),
    [
        (_no_config, "no readable open_clip_config.json"),
        (_broken_config, "no readable open_clip_config.json"),
        (lambda f: write_config(f, model_cfg=None), "no model_cfg"),
        (
            lambda f: write_config(f, model_cfg={"vision_cfg": []}),
            "not vision and text transformers",
        ),
        (lambda f: write_config(f, preprocess_cfg=None), "does not say how images are prepared"),
        (_prepared(resize_mode="fold"), "bicubic/fold is not known"),
        (_prepared(size=32), "does not fit its image tower"),
        (_prepared(size=[16, 8]), "does not fit its image tower"),
        (_prepared(mean=None), "does not fit its image tower"),
        (_prepared(std=[1.0]), "does not fit its image tower"),
        (_no_weights, "no .safetensors file"),
        (_pickled_weights, "can run code and is not opened"),
        (_broken_weights, "can't be read"),
        (_several_weights, "several files"),
        (_weights_of_another_shape, "don't fit"),
        (_text_tower(hf_model_name="some/bert"), "no readable config.json for its text tower"),
        (_text_tower(unheard_of=1), "don't fit"),
        (_text_tower(hf_tokenizer_name="some/words"), "has no tokenizer"),
        (_text_tower(layers=10**9), "not vision and text transformers"),
        (_text_tower(layers=0), "don't fit"),
        (lambda f: (f / CONFIG).write_text("[" * 100_000), "no readable open_clip_config.json"),
        pytest.param(
            _endless_config,
            "no readable open_clip_config.json",
            marks=pytest.mark.skipif(sys.platform == "win32", reason="no such device there"),
        ),
    ],
)
def test_a_broken_folder_says_what_is_wrong(
    folder: Path, harm: Callable[[Path], None], says: str
) -> None:
    harm(folder)
    with pytest.raises(BackboneError, match=says) as caught:
        backbones.load(str(folder))
    assert caught.value.remedy


def test_the_weights_that_open_clip_names_stand_before_others(folder: Path) -> None:
    """Repositories also hold the same weights in the layout of another library."""
    save_file({"else": torch.zeros(1)}, folder / "model.safetensors")
    loaded = backbones.load(str(folder))
    assert torch.equal(loaded.model.logit_scale, tiny_model().logit_scale)


def test_an_unknown_name_tells_which_there_are() -> None:
    with pytest.raises(BackboneError, match="no backbone 'vit'") as caught:
        backbones.load("vit")
    assert "ViT-B-16" in caught.value.remedy


def test_one_that_is_not_here_tells_how_to_fetch_it() -> None:
    with pytest.raises(BackboneError, match="not on this machine") as caught:
        backbones.load("ViT-B-16")
    assert "backbones get ViT-B-16" in caught.value.remedy


# --- random weights ---


def test_random_weights_follow_their_seed_and_leave_the_others_randomness(folder: Path) -> None:
    torch.manual_seed(5)
    expected = torch.rand(1)
    torch.manual_seed(5)
    one, same, other = (backbones.random(str(folder), seed=s) for s in (0, 0, 1))
    assert torch.equal(torch.rand(1), expected)
    first, second, third = (b.model.visual.proj for b in (one, same, other))
    assert torch.equal(first, second)
    assert not torch.equal(first, third)
    assert one.hash == "random"


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("unheard-of", "no architecture"),
        ("RN50", "not vision and text transformers"),
        ("", "no architecture"),
    ],
)
def test_an_architecture_that_can_not_be_used_is_refused(name: str, says: str) -> None:
    with pytest.raises(BackboneError, match=says):
        backbones.random(name)


# --- adding ---


def test_an_added_backbone_is_copied_and_listed_and_loads(folder: Path) -> None:
    (folder / "open_clip_model.pt").write_bytes(b"not to be copied")
    added = obtain.add(folder)
    shutil.rmtree(folder)
    assert added == added_folder() / "tiny"
    assert {f.name for f in added.iterdir()} == {
        WEIGHTS,
        "open_clip_config.json",
        "SHA256SUMS",
        "reference.json",
    }
    assert [e.folder for e in entries() if e.name == "tiny"] == [added]
    assert backbones.load("tiny").name == "tiny"
    rewrite_weights(added, 1)
    with pytest.raises(BackboneError, match="not the ones that were added"):
        backbones.load("tiny")


def test_a_name_that_is_taken_is_refused(folder: Path) -> None:
    obtain.add(folder)
    with pytest.raises(BackboneError, match="tiny already"):
        obtain.add(folder)
    assert obtain.add(folder, name="second").name == "second"


@pytest.mark.skipif(not (SHIPPED / "starter").is_dir(), reason="needs the starter backbone")
def test_the_shipped_backbone_can_not_be_hidden(folder: Path) -> None:
    with pytest.raises(BackboneError, match="starter already"):
        obtain.add(folder, name="starter")


def test_one_that_does_not_load_leaves_nothing_behind(folder: Path) -> None:
    _weights_of_another_shape(folder)
    with pytest.raises(BackboneError, match="don't fit"):
        obtain.add(folder)
    assert not [file for file in added_folder().rglob("*") if file.is_file()]


def test_one_that_changed_since_its_hash_was_written_is_not_added(folder: Path) -> None:
    write_sums(folder)
    rewrite_weights(folder, 1)
    with pytest.raises(BackboneError, match="not the ones that were added"):
        obtain.add(folder)


@pytest.mark.parametrize("name", ["a/b", "..", "../up", "/up", ""])
def test_a_name_that_leads_elsewhere_is_refused(folder: Path, name: str) -> None:
    with pytest.raises(BackboneError, match="no name of a folder"):
        obtain.add(folder, name=name)


def test_a_single_file_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "clip.pt"
    file.write_bytes(b"pickle")
    with pytest.raises(BackboneError, match="can run code"):
        obtain.add(file)
    with pytest.raises(BackboneError, match="not there"):
        obtain.add(tmp_path / "nothing")
    with pytest.raises(BackboneError, match=r"/ is a whole disk.*Give the folder"):
        obtain.add(Path(tmp_path.anchor))


def test_an_unfinished_folder_is_no_backbone() -> None:
    write_backbone(unfinished_folder("ViT-B-16"))
    assert not [e.name for e in entries() if e.name == "ViT-B-16" and e.folder is not None]


def test_a_refused_folder_is_called_what_the_reader_calls_it(tmp_path: Path) -> None:
    folder = write_backbone(tmp_path / "tiny")
    write_config(folder, preprocess_cfg=None)
    with pytest.raises(BackboneError, match="in tiny does not say how images are prepared"):
        obtain.add(folder)


def test_a_pt_file_in_place_of_a_backbone_is_refused_with_the_remedy(tmp_path: Path) -> None:
    (tmp_path / "weights.pt").write_bytes(b"\x80\x02")
    with pytest.raises(BackboneError, match=r"can run code.*Give the folder"):
        backbones.load(str(tmp_path / "weights.pt"))
