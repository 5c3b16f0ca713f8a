"""Fetching: progress, resumption, checks, conversion. The network is refused in tests; the hub
is a stand-in behind its client's own seam."""

import json
import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch

from nearl_core.cli.output import Output
from nearl_core.control import Progress, RunControl
from nearl_core.errors import BackboneError, Cancelled
from nearl_core.model import backbones, convert, obtain, pickled
from nearl_core.model.backbone_list import added_folder, entries, hub_backbone, unfinished_folder
from tests.model.fake_hub import COMMIT, FakeHub
from tests.model.making import pictures, tiny_model, write_backbone, write_config
from tests.model.test_bert_towers import write_folder

WEIGHTS, PICKLED = "open_clip_model.safetensors", "open_clip_pytorch_model.bin"
NAME = "ViT-B-16"
CHUNK = 1 << 16


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return write_backbone(tmp_path / "tiny")


def contents(folder: Path) -> dict[str, bytes]:
    return {file.name: file.read_bytes() for file in folder.iterdir()}


@pytest.fixture
def hub(folder: Path) -> Iterator[FakeHub]:
    others = {"model.bin": b"\x80" * 5000, "README.md": b"a card", "deep/er.json": b"{}"}
    others |= {"..\\..\\up.json": b"{}"}  # leads elsewhere on Windows
    fake = FakeHub(contents(folder) | others)
    fake.install()
    yield fake
    fake.remove()


def names(hub: FakeHub) -> list[str]:
    return [path.rpartition("/")[2] for path, _ in hub.asked]


# --- what is fetched ---


def test_a_fetched_backbone_is_here_and_is_not_fetched_again(hub: FakeHub) -> None:
    target = obtain.fetch(NAME, RunControl())
    asked = len(hub.asked)
    assert obtain.fetch(NAME, RunControl()) == target == added_folder() / NAME
    assert len(hub.asked) == asked
    assert sorted(names(hub)) == ["README.md", "open_clip_config.json", WEIGHTS]
    known = hub_backbone(NAME)
    assert known is not None
    assert hub.asked[0][0].startswith(f"/{known.repository}/resolve/{COMMIT}/")
    entry = next(e for e in entries() if e.name == NAME)
    assert (entry.folder, entry.licence, entry.begun) == (target, "MIT", False)
    loaded = backbones.load(NAME)
    assert torch.equal(loaded.model.encode_image(pictures()), tiny_model().encode_image(pictures()))
    origin = json.loads((target / "source.json").read_text())
    assert (origin["repository"], origin["commit"]) == (known.repository, COMMIT)
    assert {f.name for f in target.iterdir()} == {
        *("README.md", "open_clip_config.json", WEIGHTS),
        *("SHA256SUMS", "reference.json", "source.json"),
    }


def test_no_login_is_sent(hub: FakeHub, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_TOKEN", "hf_secret")
    obtain.fetch(NAME, RunControl())
    assert not [h for h in hub.headers if "authorization" in {name.lower() for name in h}]


def test_progress_is_told_in_bytes(hub: FakeHub, capsys: pytest.CaptureFixture[str]) -> None:
    told: list[Progress] = []
    obtain.fetch(NAME, RunControl(report=told.append))
    in_bytes = [p for p in told if p.unit == "bytes"]
    total = sum(len(hub.files[n]) for n in ("README.md", "open_clip_config.json", WEIGHTS))
    assert {p.total for p in in_bytes} == {total}
    assert [p.done for p in in_bytes] == sorted(p.done for p in in_bytes)
    assert in_bytes[-1].done == total
    output = Output(as_json=False)
    output._reported = 0
    output.progress(Progress(1_500_000, 3_000_000, "fetching x", unit="bytes"))
    assert "fetching x · 1.5 of 3.0 MB" in capsys.readouterr().err


# --- lines that break ---


def test_a_broken_line_is_taken_up_where_it_broke(hub: FakeHub) -> None:
    hub.breaks_after = [CHUNK, 2 * CHUNK]
    obtain.fetch(NAME, RunControl())
    ranges = [asked for path, asked in hub.asked if path.endswith(WEIGHTS)]
    assert ranges == ["", f"bytes={CHUNK}-", f"bytes={3 * CHUNK}-"]
    backbones.load(NAME)


def test_a_hub_that_sends_from_the_start_is_understood(hub: FakeHub) -> None:
    hub.breaks_after, hub.ignores_range = [CHUNK], True
    obtain.fetch(NAME, RunControl())
    backbones.load(NAME)


def test_a_line_that_gives_nothing_ends_and_the_next_time_goes_on(hub: FakeHub) -> None:
    hub.breaks_after = [CHUNK, 0, 0, 0, 0]
    with pytest.raises(BackboneError, match="could not be fetched") as caught:
        obtain.fetch(NAME, RunControl())
    assert "goes on where it stopped" in caught.value.remedy
    assert next(e for e in entries() if e.name == NAME).begun
    hub.breaks_after, hub.asked = [], []
    obtain.fetch(NAME, RunControl())
    assert [a for p, a in hub.asked] == [f"bytes={CHUNK}-"]  # the small files are here


def test_a_stopped_fetch_goes_on(hub: FakeHub) -> None:
    control = RunControl()

    def stop(progress: Progress) -> None:
        if progress.done > 200_000:
            control.cancel()

    with pytest.raises(Cancelled):
        obtain.fetch(NAME, replace(control, report=stop))
    assert [e.folder for e in entries() if e.name == NAME] == [None]
    hub.asked = []
    obtain.fetch(NAME, RunControl())
    ((_, asked),) = hub.asked
    assert int(asked.removeprefix("bytes=").removesuffix("-")) > 130_000


def test_a_stop_before_the_first_byte_asks_for_nothing(hub: FakeHub) -> None:
    control = RunControl()
    control.cancel()
    with pytest.raises(Cancelled):
        obtain.fetch(NAME, control)
    assert not hub.headers


def test_weights_that_changed_on_the_hub_are_fetched_anew(hub: FakeHub, tmp_path: Path) -> None:
    hub.breaks_after = [CHUNK, 0, 0, 0, 0]
    with pytest.raises(BackboneError):
        obtain.fetch(NAME, RunControl())
    hub.files |= contents(write_backbone(tmp_path / "other", seed=1))
    hub.breaks_after, hub.asked = [], []
    target = obtain.fetch(NAME, RunControl())
    assert [a for p, a in hub.asked if p.endswith(WEIGHTS)] == [""]
    assert not list(target.glob("*.part"))


# --- what can't be used ---


@pytest.mark.parametrize("name", [WEIGHTS, "open_clip_config.json"])
def test_a_file_that_is_not_what_the_hub_says_is_thrown_away(hub: FakeHub, name: str) -> None:
    hub.lies = {name: bytes(len(hub.files[name]))}
    with pytest.raises(BackboneError, match=f"{name} of .* did not arrive whole"):
        obtain.fetch(NAME, RunControl())
    hub.lies = {}
    obtain.fetch(NAME, RunControl())


@pytest.mark.usefixtures("hub")
def test_a_fetched_backbone_that_broke_is_fetched_anew(tmp_path: Path) -> None:
    target = obtain.fetch(NAME, RunControl())
    shutil.copy(write_backbone(tmp_path / "other", seed=1) / WEIGHTS, target / WEIGHTS)
    obtain.fetch(NAME, RunControl())
    backbones.load(NAME)


def test_what_does_not_load_is_not_kept(hub: FakeHub, folder: Path) -> None:
    config = json.loads((folder / "open_clip_config.json").read_text())
    write_config(folder, model_cfg=config["model_cfg"] | {"embed_dim": 4})
    hub.files |= contents(folder)
    with pytest.raises(BackboneError, match="don't fit"):
        obtain.fetch(NAME, RunControl())
    assert not [file for file in added_folder().rglob("*") if file.is_file()]


def test_missing_preprocessing_is_said_before_the_weights_are_fetched(
    hub: FakeHub, folder: Path
) -> None:
    write_config(folder, preprocess_cfg=None)
    hub.files |= contents(folder)
    with pytest.raises(BackboneError, match="does not say how images are prepared"):
        obtain.fetch(NAME, RunControl())
    assert WEIGHTS not in names(hub)


def test_too_little_room_is_said_before_the_weights_are_fetched(
    hub: FakeHub, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda _path: SimpleNamespace(free=1_000_000))
    with pytest.raises(BackboneError, match=r"needs \d+ MB and 1 MB are free"):
        obtain.fetch(NAME, RunControl())
    assert not hub.asked


def test_a_repository_without_weights_says_so(hub: FakeHub) -> None:
    del hub.files[WEIGHTS]
    with pytest.raises(BackboneError, match="no weights in open_clip's layout"):
        obtain.fetch(NAME, RunControl())


def test_without_a_network_a_fetch_says_what_to_do() -> None:
    with pytest.raises(BackboneError, match=r"timm/\S+ could not be fetched") as caught:
        obtain.fetch(NAME, RunControl())
    assert "Check the network" in caught.value.remedy


def test_only_what_is_listed_can_be_fetched() -> None:
    with pytest.raises(BackboneError, match="no backbone 'other' to fetch"):
        obtain.fetch("other", RunControl())


# --- pickled weights ---


def pickle(folder: Path, state: object) -> Path:
    """The weights of a folder as its hub would have them pickled."""
    (folder / WEIGHTS).unlink(missing_ok=True)
    torch.save(state, folder / PICKLED)
    return folder


def test_pickled_weights_are_converted_once_and_the_pickle_is_not_kept(
    hub: FakeHub, tmp_path: Path
) -> None:
    bert = write_folder(tmp_path / "bert")
    model = backbones.load(str(bert)).model
    old = {"text.transformer.embeddings.position_ids": torch.arange(32)[None]}
    hub.files = contents(pickle(bert, {"state_dict": model.state_dict() | old}))
    target = obtain.fetch("BiomedCLIP", RunControl())
    assert not list(target.glob("*.bin"))
    loaded = backbones.load("BiomedCLIP")
    tokens = loaded.tokenize(["a chest x"])
    assert torch.equal(loaded.model.encode_text(tokens), model.encode_text(tokens))


def test_a_copied_folder_with_pickled_weights_is_converted_when_it_is_added(folder: Path) -> None:
    pickle(folder, {f"module.{name}": v for name, v in tiny_model().state_dict().items()})
    with pytest.raises(BackboneError, match=r"no \.safetensors file.* backbones add"):
        backbones.load(str(folder))
    added = obtain.add(folder)
    assert {f.suffix for f in added.iterdir()} == {".safetensors", ".json", ""}
    assert torch.equal(
        backbones.load("tiny").model.encode_image(pictures()),
        tiny_model().encode_image(pictures()),
    )


class Evil:
    """A pickle that would write a file."""

    def __reduce__(self) -> tuple[object, tuple[object, ...]]:
        return Path.write_text, (Path("/tmp/nearl-evil"), "it ran")


def test_a_pickle_that_would_run_code_is_refused_and_does_not(folder: Path) -> None:
    pickle(folder, {"logit_scale": Evil()})
    with pytest.raises(BackboneError, match="damaged or holds more than weights"):
        obtain.add(folder)
    assert not Path("/tmp/nearl-evil").exists()
    assert not [file for file in added_folder().rglob("*") if file.is_file()]


@pytest.mark.parametrize(
    "found", [{}, [torch.zeros(1)], {"logit_scale": "no weight"}, {1: torch.zeros(1)}, None]
)
def test_only_named_weights_are_converted(found: object) -> None:
    with pytest.raises(ValueError, match="weight"):
        pickled.state_of(found)


def test_a_conversion_over_its_memory_is_ended(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pickle(folder, {"big": torch.zeros(200_000_000, dtype=torch.uint8)})
    monkeypatch.setattr(convert, "_memory_limit", lambda _size: 50_000_000)
    with pytest.raises(BackboneError, match="could not be converted"):
        convert.to_safetensors(folder / PICKLED, folder / WEIGHTS, RunControl(), name="tiny")
    assert not list(folder.glob("*.part*"))


def test_a_conversion_can_be_stopped(folder: Path) -> None:
    pickle(folder, tiny_model().state_dict())
    control = RunControl()
    control.cancel()
    with pytest.raises(Cancelled):
        convert.to_safetensors(folder / PICKLED, folder / WEIGHTS, control, name="tiny")
    assert not (folder / WEIGHTS).exists()


# --- the shape of BiomedCLIP's text tower, which its repository does not hold ---


def test_the_shape_of_a_known_text_tower_is_put_beside_it(folder: Path) -> None:
    config = json.loads((folder / "open_clip_config.json").read_text())
    known = "microsoft/BiomedNLP-BiomedBERT-base-uncased-abstract"
    text = {"hf_model_name": known, "hf_tokenizer_name": known}
    write_config(folder, model_cfg=config["model_cfg"] | {"text_cfg": text})
    with pytest.raises(BackboneError, match="has no tokenizer"):
        obtain.add(folder)  # the shape was found, so that the next thing is missing
    write_config(folder, model_cfg=config["model_cfg"] | {"text_cfg": {"hf_model_name": "a/b"}})
    with pytest.raises(BackboneError, match=r"no readable config\.json for its text tower"):
        obtain.add(folder)
    assert not unfinished_folder("tiny").exists()
