"""Settings and the log of bugs."""

import getpass
import json
from dataclasses import replace
from pathlib import Path

import pytest

from nearl_core import bugs, settings
from nearl_core.settings import Settings
from nearl_core.types import Window


def test_the_first_start_makes_a_pseudonym_and_keeps_it(nearl_home: Path) -> None:
    first = settings.load().settings
    assert first.reader.startswith("reader-")
    assert getpass.getuser() not in first.reader
    assert settings.load().settings == first
    assert [path.name for path in nearl_home.iterdir()] == ["settings.json"]


def test_what_was_saved_is_loaded() -> None:
    saved = Settings(
        reader="anna",
        keys=(("accept", "Return"),),
        time_limit_s=3.0,
        memory_limit_mb=512,
        workers=1,
        device="cpu",
        presets=(Window(1.0, 2.0, name="Mine"),),
    ).with_recent(Path("/a.nearl"))
    settings.save(saved)
    assert settings.load().settings == saved


def test_recent_projects_stand_once_latest_first() -> None:
    chosen = Settings()
    for number in (*range(20), 15):
        chosen = chosen.with_recent(Path(f"/{number}.nearl"))
    assert chosen.recent[:3] == (Path("/15.nearl"), Path("/19.nearl"), Path("/18.nearl"))
    assert len(chosen.recent) == settings.MAX_RECENT


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("reader", ""),
        ("reader", 7),
        ("recent", "x"),
        ("keys", {"accept": 1}),
        ("time_limit_s", -1),
        ("time_limit_s", float("nan")),
        ("time_limit_s", True),
        ("memory_limit_mb", "lots"),
        ("workers", 0),
        ("device", "quantum"),
        ("presets", [{"centre": 1, "width": 0, "name": "x"}]),
        ("presets", {}),
    ],
)
def test_a_bad_value_takes_its_default_with_a_notice(
    nearl_home: Path, name: str, value: object
) -> None:
    (nearl_home / "settings.json").write_text(
        json.dumps({"reader": "anna", "workers": 3, "later": {"a": 1}, name: value})
    )
    loaded = settings.load()
    default = getattr(Settings(reader="anna"), name)
    if name != "reader":
        assert getattr(loaded.settings, name) == default
        assert loaded.settings.reader == "anna"
    assert loaded.notices == (f"The setting {name} can't be used, so its default holds.",)


def test_what_another_version_wrote_is_kept(nearl_home: Path) -> None:
    file = nearl_home / "settings.json"
    file.write_text(json.dumps({"reader": "anna", "later": {"a": [1]}}))
    settings.save(replace(settings.load().settings, workers=5))
    content = json.loads(file.read_text())
    assert (content["later"], content["workers"], content["reader"]) == ({"a": [1]}, 5, "anna")


@pytest.mark.parametrize("text", ["", "{", "[1]", "[" * 100_000, "\ud800"])
def test_a_broken_file_costs_the_settings_only(nearl_home: Path, text: str) -> None:
    (nearl_home / "settings.json").write_bytes(text.encode("utf-8", "surrogatepass"))
    loaded = settings.load()
    assert loaded.settings.workers == Settings().workers
    assert "defaults are used" in loaded.notices[0]
    assert settings.load() == settings.Loaded(loaded.settings)  # the pseudonym holds from now on


def test_a_report_of_a_bug_names_code_and_nothing_else(nearl_home: Path) -> None:
    def fails(path: str) -> None:
        raise FileNotFoundError(2, "No such file", path)

    try:
        try:
            fails("/data/MUELLER_ANNA.dcm")
        except OSError as error:
            raise KeyError("MUELLER") from error
    except KeyError as error:
        log = bugs.log(error)
    assert log is not None
    text = log.read_text()
    assert log.parent == nearl_home
    assert "builtins.FileNotFoundError" in text
    assert "test_settings.py" in text
    for secret in ("MUELLER", "/data", str(Path.home()), str(nearl_home)):
        assert secret not in text
