"""`python -m nearl_core.pretrain`: from images to a starter in one command."""

import signal
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file

from nearl_core.model import backbone_list, backbones
from nearl_core.model.backbone_folder import WEIGHTS, file_hash
from nearl_core.pretrain import __main__ as command
from nearl_core.pretrain import captions, data, starter
from nearl_core.pretrain.checkpoint import Mark, mark_of, write
from tests.pretrain.making import CLASSES, write_images, write_teacher

Given = list[str]


@pytest.fixture
def given(tmp_path: Path) -> Given:
    """Images, a teacher and a folder to work in."""
    write_images(tmp_path / "images")
    teacher = write_teacher(tmp_path / "teacher.safetensors")
    images, work = str(tmp_path / "images"), str(tmp_path / "work")
    return ["--images", images, "--teacher", str(teacher), "--work", work]


def _main(monkeypatch: pytest.MonkeyPatch, *argv: str) -> int:
    monkeypatch.setattr("sys.argv", ["pretrain", *argv])
    return command.main()


@pytest.mark.skipif(sys.platform == "win32", reason="POSIX signals")
@pytest.mark.usefixtures("interruptible")
def test_one_command_trains_finishes_and_writes_and_goes_on_where_it_was_stopped(
    given: Given, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    start, work = backbone_list.folder_of("starter"), tmp_path / "work" / "trial"
    made = work / "starter"
    argv = [*given, "--start", str(start), "--trial", "--until", "0.5"]
    process = [sys.executable, "-m", "nearl_core.pretrain", *argv]
    with subprocess.Popen(process, stderr=subprocess.PIPE, text=True) as child:
        assert child.stderr is not None
        while "Training begins." not in (line := child.stderr.readline()):
            assert line, "it ended before it trained"
        child.send_signal(signal.SIGINT)
        assert "The same command goes on from here." in child.stderr.read()
    assert child.returncode == 130
    assert mark_of(work / "checkpoint.safetensors").steps == 1
    assert not made.exists()

    done = subprocess.run(process, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert "Training goes on behind step 1." in done.stderr
    assert done.stdout == f"The starter stands in {made}.\n"
    assert mark_of(work / "checkpoint.safetensors").steps == 2
    phrases = captions.vocabulary(CLASSES).phrases
    assert backbones.load(str(made)).words == frozenset(captions.words(phrases))
    before, after = (load_file(folder / WEIGHTS) for folder in (start, made))
    assert {name: v.dtype for name, v in before.items()} == {n: v.dtype for n, v in after.items()}
    changed = {name for name in before if not torch.equal(before[name], after[name])}
    for part in ("trunk.blocks.0.attn.qkv", "trunk.texture.lines.0", "head.proj"):
        assert f"visual.{part}.weight" in changed
    assert "text_projection" in changed

    # The last step alone, from the same checkpoint, is the same again.
    assert _main(monkeypatch, *argv, "--finish") == 0
    again = load_file(made / WEIGHTS)
    assert all(torch.allclose(after[n].float(), again[n].float(), atol=1e-2) for n in after)


@pytest.mark.parametrize(
    ("more", "said"),
    [
        (["--texture"], "Add --start FOLDER."),
        (["--finish"], "Train without --finish first."),
        (["--images", "{tmp}/nothing"], "no SET/CLASS folder"),
        (["--teacher", "{tmp}/nothing"], "Name the safetensors file of an ImageNet MobileNetV2"),
        (["--teacher", "{tmp}/other/model.safetensors"], "Name the safetensors file"),
        (["--start", "{tmp}/nothing"], "has no .safetensors file"),
        (["--start", "{tmp}/other"], "Name the folder of a starter by --start."),
    ],
)
def test_what_is_missing_is_said_before_images_are_read(
    given: Given,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    more: list[str],
    said: str,
) -> None:
    (tmp_path / "other").mkdir()
    save_file({"logit_scale": torch.ones(())}, tmp_path / "other" / "model.safetensors")
    assert _main(monkeypatch, *given, *(one.format(tmp=tmp_path) for one in more)) == 3
    assert said in capsys.readouterr().err
    assert not (tmp_path / "work").exists()


def test_no_run_goes_on_from_the_checkpoint_of_another(
    given: Given,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """A second run in the folder of the first would else train nothing and say nothing."""
    (tmp_path / "work").mkdir()
    checkpoint = tmp_path / "work" / "checkpoint.safetensors"
    afresh = {"teacher": file_hash(tmp_path / "teacher.safetensors"), "start": ""}
    begun = {"images": data.digest(tmp_path / "images"), **afresh}
    write(checkpoint, {"generator": torch.zeros(1)}, Mark(7200.0, 1670, begun))
    start = str(backbone_list.folder_of("starter"))
    assert _main(monkeypatch, *given, "--start", start) == 3
    assert "is of a run with another --start. Name another folder" in capsys.readouterr().err
    (tmp_path / "images" / CLASSES[0] / "0.png").unlink()
    assert _main(monkeypatch, *given) == 3
    assert "is of a run with another --images." in capsys.readouterr().err


@pytest.mark.parametrize(
    "more",
    [
        ["--minutes", "0"],
        ["--minutes", "long"],
        ["--until", "1.5"],
        ["--steps", "9", "--minutes", "1"],
    ],
)
def test_plans_that_mean_nothing_are_wrong_usage(
    given: Given, monkeypatch: pytest.MonkeyPatch, more: list[str]
) -> None:
    with pytest.raises(SystemExit) as stop:
        _main(monkeypatch, *given, *more)
    assert stop.value.code == 2


def test_what_is_written_is_a_backbone(tmp_path: Path) -> None:
    torch.manual_seed(0)
    model = backbones.build(starter.MODEL)
    phrases = captions.vocabulary(CLASSES).phrases
    starter.write(model, phrases, tmp_path / "made")
    found = backbones.load(str(tmp_path / "made"))
    assert found.words == frozenset(captions.words(phrases))
    assert found.preprocessing.size == starter.MODEL["vision_cfg"]["image_size"]
    largest = max(
        float((one.detach() - other).abs().max())
        for one, other in zip(model.parameters(), found.model.parameters(), strict=True)
    )
    assert largest < 2e-3  # the weights are kept in half precision
    # A later run may begin from it; what has another shape begins anew.
    torch.manual_seed(1)
    later = backbones.build(starter.MODEL)
    kept = load_file(tmp_path / "made" / WEIGHTS)
    kept["visual.head.proj.weight"] = kept["visual.head.proj.weight"][:, :192].contiguous()
    save_file(kept, tmp_path / WEIGHTS)
    starter.begin_from(later, tmp_path)
    state, own = later.state_dict(), found.model.state_dict()
    apart = {name for name in state if not torch.equal(state[name], own[name])}
    assert apart == {"visual.head.proj.weight"}
