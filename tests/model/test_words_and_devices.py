"""Which words a backbone knows, and which device is taken."""

import pytest
import torch

from nearl_core.errors import NearlError
from nearl_core.model import device
from nearl_core.model.prompts import prompts_of, unknown_labels, words_of
from nearl_core.types import Label, LabelSet

WORDS = frozenset(["chest", "x-ray", "pneumonia", "benign", "keratosis", "lesions"])


def unknown(*names: str, words: frozenset[str] | None = WORDS) -> list[str]:
    labels = LabelSet(tuple(Label(name, name) for name in names))
    return [label.name for label in unknown_labels(labels, words)]


def test_labels_of_which_most_words_are_strange_are_unknown() -> None:
    found = unknown(
        "Pneumonia",
        "the pneumonia of a chest",
        "benign keratosis-like lesions",
        "chest tube",
        "Lipom",
        "of the",
    )
    assert found == ["chest tube", "Lipom", "of the"]


def test_a_backbone_that_knows_the_language_knows_all() -> None:
    assert unknown("anything", "Lipom", words=None) == []


def test_own_prompts_stand_for_the_name() -> None:
    label = Label("1", "Lipom", prompts=("a benign chest lesions",))
    assert prompts_of(label) == ("a benign chest lesions",)
    assert words_of(label) == {"benign", "chest", "lesions"}
    other = Label("2", "Lipom II")
    assert unknown_labels(LabelSet((label, other)), WORDS) == (other,)


def test_without_prompts_the_name_stands_in_the_usual_ones() -> None:
    prompts = prompts_of(Label("1", "nevus {0}"))
    assert prompts[0] == "nevus {0}"
    assert len(prompts) > 2
    assert all("nevus {0}" in prompt for prompt in prompts)


# --- devices ---


@pytest.fixture
def two_cards(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    monkeypatch.setattr(device, "_computes", lambda: True)


@pytest.fixture
def no_card(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: False)


@pytest.mark.usefixtures("two_cards")
def test_a_graphics_card_is_taken_first_and_can_be_named() -> None:
    assert device.choose() == torch.device("cuda")
    assert device.choose("cuda:1") == torch.device("cuda:1")
    assert device.choose("cpu") == torch.device("cpu")
    with pytest.raises(NearlError, match="'cuda:2' is not there"):
        device.choose("cuda:2")


@pytest.mark.usefixtures("no_card")
@pytest.mark.parametrize("name", ["cuda", "cuda:0", "mps", "tpu", "cuda:x", ""])
def test_a_device_that_is_not_there_is_refused_with_those_that_are(name: str) -> None:
    with pytest.raises(NearlError, match="is not there") as caught:
        device.choose(name)
    assert caught.value.remedy == "Choose one of: cpu."
    with_why = name.startswith("cuda")
    assert ("PyTorch" in caught.value.message) is with_why


@pytest.mark.usefixtures("two_cards")
def test_a_card_that_pytorch_has_no_kernels_for_is_left_alone(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(device, "_computes", lambda: False)
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: False)
    assert device.choose() == torch.device("cpu")
    with pytest.raises(NearlError, match="too old for this PyTorch"):
        device.choose("cuda")
    monkeypatch.setattr(torch.version, "cuda", "13.0")
    monkeypatch.setattr("shutil.which", lambda name: f"/usr/bin/{name}")
    assert "too old" in device.notice(torch.device("cpu"))
    monkeypatch.setattr(device, "_computes", lambda: True)
    assert device.notice(torch.device("cpu")) == ""  # the CPU was chosen


@pytest.mark.usefixtures("no_card")
def test_without_a_card_the_cpu_is_taken_and_described() -> None:
    chosen = device.choose()
    assert chosen == torch.device("cpu")
    assert device.describe(chosen).startswith("CPU, ")


def test_apples_graphics_are_taken_before_the_cpu(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: True)
    assert device.choose() == torch.device("mps")


@pytest.mark.usefixtures("no_card")
def test_a_card_that_lies_idle_is_told_of(monkeypatch: pytest.MonkeyPatch) -> None:
    cpu = torch.device("cpu")
    monkeypatch.setattr(torch.version, "cuda", None)
    monkeypatch.setattr("shutil.which", lambda name: f"/usr/bin/{name}")
    assert "Install the CUDA build" in device.notice(cpu)
    monkeypatch.setattr("shutil.which", lambda _name: None)
    assert device.notice(cpu) == ""
