"""The command line as a process of its own: what it loads, leaves and prints when it is stopped."""

import io
import json
import os
import random
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from nearl_core.cli import main
from nearl_core.cli.output import Output, to_json
from nearl_core.control import Progress
from nearl_core.store.project import Project
from tests.store.faults.ledger import old_project
from tests.support.commands import ended, process, write_table
from tests.support.scans import disc, write_png


def test_commands_that_need_no_model_answer_at_once(folder: Path) -> None:
    # What is loaded, not seconds: this machine may be busy with something else.
    code = (
        "import sys; from nearl_core.cli import main; code = main(sys.argv[1:]); "
        "heavy = {'torch', 'open_clip', 'PIL', 'pydicom', 'PySide6', 'scipy', 'torchvision'}; "
        "print(code, sorted(heavy & set(sys.modules)))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, "decisions", folder],
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.splitlines()[-1] == "0 []"


@pytest.mark.parametrize("seed", range(2))
def test_a_killed_decide_has_saved_every_line_that_it_printed(
    folder: Path, tmp_path: Path, seed: int
) -> None:
    rows = [(f"scans/{n % 6 + 1}.png", ("disc", "dots")[n % 2]) for n in range(3000)]
    file = write_table(tmp_path / "d.csv", ("path", "label"), *rows)
    with process("decide", folder, file, "--json") as child:
        assert child.stdout is not None
        lines = [child.stdout.readline()]
        limit = time.monotonic() + random.Random(seed).uniform(0.05, 0.3)
        while time.monotonic() < limit:
            lines.append(child.stdout.readline())
        child.kill()
        lines += child.stdout.readlines()
        assert child.stderr is not None
        child.stderr.read()
    whole = [json.loads(line) for line in lines if line.endswith("\n")]
    assert 0 < len(whole) < len(rows)
    with Project.open(folder) as project:
        saved = sorted(
            (one for scan in project.scans() for one in project.history(scan.id)),
            key=lambda one: one.id,
        )
        paths = {scan.id: str(scan.path) for scan in project.scans()}
    assert len(saved) - len(whole) in (0, 1)
    for line, decision in zip(whole, saved, strict=False):
        assert line["path"] == paths[decision.scan_id]
        assert line["label"].lower() == decision.verdict.labels[0]


@pytest.mark.skipif(sys.platform == "win32", reason="POSIX signals and pipes")
@pytest.mark.usefixtures("interruptible")
def test_interrupts_and_broken_pipes_are_quiet(folder: Path, tmp_path: Path) -> None:
    rows = [("scans/1.png", "disc")] * 5000
    file = write_table(tmp_path / "d.csv", ("path", "label"), *rows)
    with process("decide", folder, file) as child:
        assert child.stdout is not None
        assert child.stderr is not None
        child.stdout.readline()
        child.send_signal(signal.SIGINT)
        child.stdout.read()
        assert child.stderr.read() == "Interrupted.\n"
    assert child.returncode == 130
    with process("decide", folder, file) as child:
        assert child.stdout is not None
        assert child.stderr is not None
        child.stdout.readline()
        child.stdout.close()
        assert child.stderr.read() == ""
    assert child.returncode == 141


def test_a_bug_is_one_line_and_a_log_without_anyone(nearl_home: Path) -> None:
    code = (
        "import sys; import nearl_core.store.project as p\n"
        "def fails(*_, **__): raise KeyError('MUELLER')\n"
        "p.Project.open = fails\n"
        "from nearl_core.cli import main\n"
        "sys.argv[1:] = ['decisions', '/data/MUELLER']\n"
        "sys.exit(main())"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 1
    assert done.stderr.count("\n") == 1
    assert "This is a bug in NEARL Desk (KeyError)" in done.stderr
    log = (nearl_home / "bugs.log").read_text()
    assert "builtins.KeyError" in log
    assert "nearl_core/cli/decisions.py" in log
    assert "MUELLER" not in log + done.stderr


def test_files_that_give_nothing_are_told_apart_and_counted(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The exit code says that each file has its answer, as README says."""
    good = write_png(tmp_path / "a.png", disc())
    (tmp_path / "b.png").write_bytes(b"nothing")
    given, to = [good, tmp_path / "b.png", tmp_path / "gone.png"], ["--to", str(tmp_path / "out")]
    for command in ("render", "pixels"):
        done = ended(command, *given, *to, "--json")
        assert [json.loads(line)["ok"] for line in done.stdout.splitlines()] == [True, False, False]
        assert (done.returncode, done.stderr) == (0, "")
        assert main([command, *map(str, given), *to]) == 0
        assert capsys.readouterr().err == "2 of 3 files gave nothing; each line says why.\n"
        assert main([command, str(good), *to]) == 0
        assert capsys.readouterr().err == ""


def test_an_older_project_names_the_command_that_lets_it_be_exported(tmp_path: Path) -> None:
    old_project(tmp_path)
    export = ("export", tmp_path / "p", tmp_path / "out", "--format", "csv")
    refused = ended(*export)
    assert (refused.returncode, refused.stdout) == (3, "")
    (named,) = re.findall("`nearl ([a-z]+) PROJECT`", refused.stderr)
    ended(named, tmp_path / "p")  # its scans are gone, which is said and is no hindrance
    assert ended(*export).returncode == 0
    assert (tmp_path / "out").is_dir()


def test_json_lines_are_utf8_whatever_a_path_holds() -> None:
    path = os.fsdecode(b"m\xfcller.png")
    line = to_json({"path": path, "label": "Größe"})
    assert os.fsencode(json.loads(line.encode("utf-8"))["path"]) == b"m\xfcller.png"
    assert "Größe" in to_json({"label": "Größe"})


def test_results_and_messages_do_not_mix() -> None:
    out, err = io.StringIO(), io.StringIO()
    output = Output(as_json=True, stdout=out, stderr=err)
    output.message("two\nlines")
    output.text("for people")
    output.result({"a": 1}, "text")
    output.progress(Progress(1, 2, "Reading"))
    assert (out.getvalue(), err.getvalue()) == ('{"a": 1}\n', "two lines\n")
