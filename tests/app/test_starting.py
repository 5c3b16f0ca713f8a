"""The program starts, or says what it lacks."""

import subprocess
import sys
from pathlib import Path

import pytest

import main
from app import strings

ROOT = Path(__file__).resolve().parents[2]


def test_no_torch_before_the_window_is_up() -> None:
    code = (
        "import sys; from app import bootstrap; bootstrap.application(); d = bootstrap.build(); "
        "d.window.show(); print(sorted({'torch', 'open_clip', 'sqlalchemy'} & set(sys.modules)))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "[]"


def test_main_without_a_display_says_what_to_do(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in ("DISPLAY", "WAYLAND_DISPLAY", "QT_QPA_PLATFORM"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(sys, "platform", "linux")
    assert main.main([]) == 3
    assert capsys.readouterr().err.strip() == strings.NO_DISPLAY


def test_a_missing_library_gets_its_package_names(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    real = __import__

    def without_qt(name: str, *args: object, **kwargs: object) -> object:
        if name == "PySide6":
            raise ImportError("libEGL.so.1: cannot open shared object file")
        return real(name, *args, **kwargs)  # type: ignore[arg-type]

    monkeypatch.setattr("builtins.__import__", without_qt)
    assert main.main([]) == 3
    text = capsys.readouterr().err
    assert "libEGL.so.1" in text
    assert "apt install" in text
    assert "dnf install" in text
