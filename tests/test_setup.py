"""Set-up works on a machine that has nothing: the Makefile, the build script, the metadata."""

import ast
import os
import re
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Mapping
from pathlib import Path

import pytest

from nearl_core.cli import main
from tests.support.architecture import read_product

ROOT = Path(__file__).resolve().parent.parent
POSIX = pytest.mark.skipif(
    sys.platform == "win32" or not shutil.which("make"), reason="needs make and a POSIX shell"
)

# Answers the version check as the real one would, makes an environment that holds itself, and
# writes down each other call.
FAKE_PYTHON = """#!/bin/sh
case "$1 $2" in
    "-c "*) exit {too_old} ;;
    "-m venv") mkdir -p "$3/bin" && cp "$0" "$3/bin/python" ;;
    *) echo "$@" >> "{calls}" ;;
esac
"""

# What is imported by another name than it is installed by.
PACKAGE_OF_MODULE = {
    "open_clip": "open_clip_torch",
    "PIL": "Pillow",
    "PySide6": "PySide6-Essentials",
    "yaml": "PyYAML",
    "sqlalchemy": "SQLAlchemy",
    "jpeg_ls": "pyjpegls",
    "openjpeg": "pylibjpeg-openjpeg",
    "rle": "pylibjpeg-rle",
}
# Plug-ins: pydicom finds them by itself, as openpyxl does defusedxml.
IMPORTED_BY_OTHERS = {"defusedxml", "pylibjpeg", "pylibjpeg-openjpeg", "pylibjpeg-rle", "pyjpegls"}
# Come with a dependency that names them itself; triton with some builds of PyTorch alone.
BROUGHT_ALONG = {"huggingface_hub", "timm", "torchvision", "triton"}


def run(*command: str, cwd: Path, **env: str) -> subprocess.CompletedProcess[str]:
    """Run a command with an environment of PATH and what is given."""
    path = {"PATH": env.pop("PATH", os.environ["PATH"])}
    return subprocess.run(
        command, cwd=cwd, env=path | env, capture_output=True, text=True, timeout=60, check=False
    )


def write_script(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    path.chmod(0o755)
    return path


def write_fake_python(folder: Path, *, too_old: bool = False) -> Path:
    text = FAKE_PYTHON.format(too_old=int(too_old), calls=folder / "calls")
    return write_script(folder / "fake-python", text)


def calls(folder: Path) -> list[str]:
    path = folder / "calls"
    return path.read_text().splitlines() if path.exists() else []


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    """A folder with the Makefile and the metadata only."""
    for name in ("Makefile", "pyproject.toml"):
        shutil.copy(ROOT / name, tmp_path)
    return tmp_path


@POSIX
def test_setup_installs_once_and_again_when_the_metadata_changes(clone: Path) -> None:
    python = write_fake_python(clone)
    for _ in range(2):
        assert run("make", "setup", f"PYTHON={python}", cwd=clone).returncode == 0
    assert calls(clone) == ["-m pip install --editable ."]
    later = (clone / ".venv/.installed").stat().st_mtime + 10
    os.utime(clone / "pyproject.toml", (later, later))
    run("make", "setup", f"PYTHON={python}", cwd=clone)
    assert calls(clone) == ["-m pip install --editable ."] * 2


@POSIX
def test_run_opens_the_application_after_setup(clone: Path) -> None:
    run("make", "run", f"PYTHON={write_fake_python(clone)}", cwd=clone)
    assert calls(clone) == ["-m pip install --editable .", "main.py"]


@POSIX
def test_test_checks_everything_and_the_architecture_first(clone: Path) -> None:
    run("make", "test", f"PYTHON={write_fake_python(clone)}", cwd=clone)
    assert calls(clone) == [
        "-m pip install --editable .[test]",
        "-m ruff check .",
        "-m ruff format --check .",
        "-m mypy --strict",
        "-m pytest -q tests/test_architecture.py",
        "-m pytest -n 2 --dist loadfile --no-loadscope-reorder",
    ]


@POSIX
def test_an_old_python_gets_a_sentence(clone: Path) -> None:
    python = write_fake_python(clone, too_old=True)
    done = run("make", "setup", f"PYTHON={python}", cwd=clone)
    assert done.returncode != 0
    assert "Python 3.11 or newer was not found" in done.stderr
    assert not (clone / ".venv").exists()


def build_machine(folder: Path, *, user: int, libraries: str) -> Mapping[str, str]:
    """A copy of the build script and a PATH on which installing is only written down."""
    shutil.copytree(ROOT / ".ci", folder / ".ci")
    bin_folder = folder / "bin"
    log = f'echo "$(basename "$0") $@" >> "{folder / "calls"}"\n'
    for name, text in {
        "id": f"echo {user}",
        "ldconfig": f"echo '{libraries}'",
        "uname": "echo Linux",
        "apt-get": log,
        "make": log,
    }.items():
        write_script(bin_folder / name, f"#!/bin/sh\n{text}\n")
    return {"PATH": f"{bin_folder}:{os.environ['PATH']}"}


EVERY_LIBRARY = (
    "libEGL.so.1 libGL.so.1 libxkbcommon.so.0 libdbus-1.so.3 libfontconfig.so.1 "
    "libfreetype.so.6 libglib-2.0.so.0 libX11.so.6"
)


@POSIX
def test_the_build_script_installs_what_qt_misses(tmp_path: Path) -> None:
    machine = build_machine(tmp_path, user=0, libraries=EVERY_LIBRARY.replace("libEGL.so.1", ""))
    assert run("bash", ".ci/run", cwd=tmp_path, **machine).returncode == 0
    install = next(call for call in calls(tmp_path) if " install " in call)
    assert "libegl1" in install
    assert "libdbus-1-3" not in install
    assert calls(tmp_path)[-1] == "make test"


@POSIX
def test_the_build_script_goes_on_without_root(tmp_path: Path) -> None:
    machine = build_machine(tmp_path, user=1000, libraries="")
    done = run("bash", ".ci/run", cwd=tmp_path, **machine)
    assert "libegl1" in done.stderr
    assert calls(tmp_path) == ["make test"]


def metadata() -> dict[str, object]:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert isinstance(project, dict)
    return project


def requirements() -> list[str]:
    found = metadata()["dependencies"]
    assert isinstance(found, list)
    return found


def names() -> set[str]:
    return _named(requirements())


def extras() -> set[str]:
    """Packages that a user may add, each asked for where it is used."""
    found = metadata()["optional-dependencies"]
    assert isinstance(found, dict)
    return {name for extra in found.keys() - {"test"} for name in _named(found[extra])}


def _named(given: list[str]) -> set[str]:
    return {re.split(r"[<>=~!\[; ]", requirement)[0] for requirement in given}


def imported_packages() -> set[str]:
    """Packages that the product imports, by the name that pip knows."""
    modules = {i.name.split(".")[0] for m in read_product(ROOT) for i in m.imports}
    foreign = modules - set(sys.stdlib_module_names) - {"app", "nearl_core"}
    return {PACKAGE_OF_MODULE.get(name, name) for name in foreign}


def test_what_is_imported_is_installed() -> None:
    assert imported_packages() - names() - extras() - BROUGHT_ALONG == set()


def test_what_is_installed_is_imported() -> None:
    assert names() - imported_packages() - IMPORTED_BY_OTHERS == set()


def test_each_dependency_has_a_lower_bound_and_no_upper() -> None:
    assert [r for r in requirements() if not re.fullmatch(r"[\w-]+>=[\d.]+", r)] == []


def test_the_entry_points_exist() -> None:
    tables = [metadata()["scripts"], metadata()["gui-scripts"]]
    targets = [target for table in tables if isinstance(table, dict) for target in table.values()]
    assert targets
    for target in targets:
        module, function = target.split(":")
        base = ROOT / module.replace(".", "/")
        path = base / "__init__.py" if base.is_dir() else base.with_suffix(".py")
        tree = ast.parse(path.read_text(encoding="utf-8"))
        assert function in {getattr(node, "name", "") for node in tree.body}, target


def test_the_licence_is_the_one_that_the_metadata_names() -> None:
    assert metadata()["license"] == "Apache-2.0"
    text = (ROOT / "LICENSE").read_text()
    assert "Apache License" in text
    assert "END OF TERMS AND CONDITIONS" in text


@pytest.mark.skipif(sys.platform == "win32", reason="Windows keeps no executable bit")
def test_the_build_script_can_be_run() -> None:
    assert os.access(ROOT / ".ci" / "run", os.X_OK)


def test_the_readme_names_only_targets_that_exist() -> None:
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    named = set(re.findall(r"(?:^|`)make ([a-z-]+)", (ROOT / "README.md").read_text(), re.M))
    assert {"run", "test"} <= named <= targets


def test_the_links_of_the_documents_lead_somewhere() -> None:
    documents = [ROOT / "README.md", ROOT / "CHANGELOG.md", *sorted(ROOT.glob("docs/**/*.md"))]
    broken = [
        f"{document.relative_to(ROOT)}: {link}"
        for document in documents
        for link in re.findall(r"\]\(([^)#\s]+)[^)]*\)", document.read_text(encoding="utf-8"))
        if "://" not in link and not (document.parent / link).exists()
    ]
    assert broken == []


def test_the_readme_names_only_commands_that_exist(capsys: pytest.CaptureFixture[str]) -> None:
    table = re.findall(r"^\| `([\w-]+)", (ROOT / "README.md").read_text("utf-8"), re.M)
    assert {"create", "rank", "export", "demo"} <= set(table)
    unknown = [command for command in table if main([command, "--help"]) != 0]
    capsys.readouterr()
    assert unknown == []


def test_an_installed_copy_has_all_that_it_looks_up_beside_its_packages(tmp_path: Path) -> None:
    """As `pip install .` makes it; the checkout itself is out of reach."""
    tree, site = tmp_path / "tree", tmp_path / "site"
    for name in ("app", "nearl_core", "resources", "docs"):
        shutil.copytree(ROOT / name, tree / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("main.py", "pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, tree)
    build = "from setuptools.build_meta import build_wheel; build_wheel('..')"
    built = run(sys.executable, "-c", build, cwd=tree)
    assert built.returncode == 0, built.stderr
    (wheel,) = tmp_path.glob("nearl_desk-*.whl")
    shutil.unpack_archive(wheel, site, "zip")
    for part in ("resources", "docs/images"):
        wanted = [path for path in (ROOT / part).rglob("*") if path.is_file()]
        assert all((site / path.relative_to(ROOT)).is_file() for path in wanted)
    assert (site / "docs" / "guide.md").is_file()
    shutil.rmtree(tree)
    ask = "-m", "nearl_core", "create", str(tmp_path / "p"), "--labels", "chest-xray"
    made = run(sys.executable, *ask, cwd=site, NEARL_HOME=str(tmp_path / "home"))
    assert made.returncode == 0, made.stderr
