"""The reader's settings: validated, kept as JSON in the user's own folder, written atomically."""

import json
import math
import os
import secrets
import unicodedata
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final

from nearl_core.errors import NearlError
from nearl_core.types import Window

APPLICATION: Final = "nearl-desk"
DEVICES: Final = ("auto", "cpu", "cuda", "mps")
MAX_RECENT: Final = 12
_MAX_NAME: Final = 64
_IN_NAMES: Final = "_ .-"
_NOTHING: Final[Mapping[str, Any]] = MappingProxyType({})

_UNREADABLE: Final = "The settings can't be read, so the defaults are used."

PRESETS: Final = (
    Window(40.0, 400.0, name="Soft tissue"),
    Window(-600.0, 1500.0, name="Lung"),
    Window(90.0, 150.0, name="Liver"),
    Window(480.0, 2500.0, name="Bone"),
    Window(40.0, 80.0, name="Brain"),
)


class SettingsError(NearlError):
    """Settings that can't be saved."""


def new_reader() -> str:
    """A pseudonym such as "reader-7f3a"; random, never the login name."""
    return f"reader-{secrets.token_hex(2)}"


def is_pseudonym(text: str) -> bool:
    """Whether a reader can go by it: letters with their marks, digits, blanks, dots, hyphens.

    By category: vowel signs, as of Hindi or Thai, are marks and no letters.
    """
    name = text.strip()
    return 0 < len(name) <= _MAX_NAME and all(
        mark in _IN_NAMES or unicodedata.category(mark)[0] in "LMN" for mark in name
    )


@dataclass(frozen=True)
class Settings:
    """What the reader chose, valid by construction of `load`.

    Attributes:
        reader: The pseudonym that decisions carry.
        recent: Project folders, the latest first.
        keys: Action and key sequence, only where they differ from the defaults.
        time_limit_s: For the decoding of one file.
        memory_limit_mb: Likewise, in MiB.
        workers: Decoding processes.
        device: Where the model runs: auto, cpu, cuda or mps.
        presets: Windows on Alt+1 and so on.
        unknown: What another version of the program wrote; kept as it is.
    """

    reader: str = field(default_factory=new_reader)
    recent: tuple[Path, ...] = ()
    keys: tuple[tuple[str, str], ...] = ()
    time_limit_s: float = 10.0
    memory_limit_mb: int = 2048
    workers: int = 2
    device: str = "auto"
    presets: tuple[Window, ...] = PRESETS
    unknown: Mapping[str, Any] = field(default_factory=lambda: _NOTHING, hash=False)

    def with_recent(self, project: Path) -> "Settings":
        """Settings that name a project as the latest."""
        others = tuple(path for path in self.recent if path != project)
        return replace(self, recent=(project, *others)[:MAX_RECENT])


@dataclass(frozen=True)
class Loaded:
    """Settings as read, and sentences on what could not be used."""

    settings: Settings
    notices: tuple[str, ...] = ()


def settings_folder() -> Path:
    """Where settings and logs stand; the variable NEARL_HOME names another place."""
    home = os.environ.get("NEARL_HOME")
    if home:
        return Path(home)
    import platformdirs

    return Path(platformdirs.user_config_dir(APPLICATION, appauthor=False))


def data_folder() -> Path:
    """Where fetched backbones stand; below NEARL_HOME where that is set."""
    home = os.environ.get("NEARL_HOME")
    if home:
        return Path(home) / "data"
    import platformdirs

    return Path(platformdirs.user_data_dir(APPLICATION, appauthor=False))


def load() -> Loaded:
    """Read the settings; what is missing or can't be used takes its default, with a notice.

    At the first start the reader's pseudonym is made and saved.
    """
    path = _file()
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return _first_start()
    except OSError:
        return Loaded(Settings(), (_UNREADABLE,))
    except (ValueError, RecursionError):
        return _start_over(path)
    return _validated(content) if isinstance(content, dict) else _start_over(path)


def save(settings: Settings) -> None:
    """Write the settings beside, then rename.

    Raises:
        SettingsError: If they can't be written.
    """
    text = json.dumps(_to_plain(settings), ensure_ascii=True, indent=2) + "\n"
    path = _file()
    beside = path.with_name(f"{path.name}.partial-{os.getpid()}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            with beside.open("w", encoding="utf-8") as file:
                file.write(text)
                file.flush()
                os.fsync(file.fileno())
            beside.replace(path)
        finally:
            beside.unlink(missing_ok=True)
    except OSError as error:
        raise SettingsError(
            f"The settings can't be saved ({error.strerror}).",
            "Check that your settings folder can be written.",
        ) from error


def _file() -> Path:
    return settings_folder() / "settings.json"


def _first_start() -> Loaded:
    settings = Settings()
    try:
        save(settings)
    except SettingsError as error:
        return Loaded(settings, (f"{error.message} The reader's pseudonym is new each time.",))
    return Loaded(settings)


def _start_over(path: Path) -> Loaded:
    """Put a broken file aside: without a new one each start would sign with another name."""
    try:
        path.replace(path.with_name("settings.broken.json"))
    except OSError:
        return Loaded(Settings(), (_UNREADABLE,))
    fresh = _first_start()
    return replace(fresh, notices=(_UNREADABLE, *fresh.notices))


def _validated(content: dict[str, Any]) -> Loaded:
    good: dict[str, Any] = {}
    bad: list[str] = []
    for name, parse in _PARSERS.items():
        if name in content:
            try:
                good[name] = parse(content[name])
            except (ValueError, TypeError, KeyError, OverflowError):
                bad.append(name)
    unknown = {name: value for name, value in content.items() if name not in _PARSERS}
    settings = Settings(**good, unknown=MappingProxyType(unknown))
    notices = tuple(f"The setting {name} can't be used, so its default holds." for name in bad)
    if "reader" not in content or "reader" in bad:
        # Else each start would sign with another name.
        try:
            save(settings)
        except SettingsError as error:
            notices += (error.message,)
    return Loaded(settings, notices)


def _to_plain(settings: Settings) -> dict[str, Any]:
    plain = dict(settings.unknown)
    for entry in fields(settings):
        if entry.name in _PARSERS:
            plain[entry.name] = getattr(settings, entry.name)
    plain["recent"] = [os.fspath(path) for path in settings.recent]
    plain["keys"] = dict(settings.keys)
    plain["presets"] = [
        {"name": preset.name, "centre": preset.centre, "width": preset.width}
        for preset in settings.presets
    ]
    return plain


def _reader(value: object) -> str:
    if not isinstance(value, str) or not is_pseudonym(value):
        raise ValueError
    return value.strip()


def _recent(value: list[object]) -> tuple[Path, ...]:
    if not isinstance(value, list) or not all(isinstance(entry, str) for entry in value):
        raise ValueError
    return tuple(Path(str(entry)) for entry in value)[:MAX_RECENT]


def _keys(value: dict[str, object]) -> tuple[tuple[str, str], ...]:
    if not isinstance(value, dict) or not all(isinstance(key, str) for key in value.values()):
        raise ValueError
    return tuple((action, str(key)) for action, key in value.items())


def _number(low: float, high: float) -> Callable[[object], float]:
    def parse(value: object) -> float:
        if isinstance(value, bool) or not isinstance(value, (int, float)):
            raise TypeError
        if not low <= value <= high:
            raise ValueError
        return float(value)

    return parse


def _whole(low: int, high: int) -> Callable[[object], int]:
    def parse(value: object) -> int:
        if isinstance(value, bool) or not isinstance(value, int):
            raise TypeError
        if not low <= value <= high:
            raise ValueError
        return value

    return parse


def _device(value: object) -> str:
    if value not in DEVICES:
        raise ValueError
    return str(value)


def _presets(value: list[dict[str, Any]]) -> tuple[Window, ...]:
    if not isinstance(value, list):
        raise TypeError
    found = tuple(
        Window(float(entry["centre"]), float(entry["width"]), name=str(entry["name"]))
        for entry in value
    )
    for window in found:
        if not math.isfinite(window.centre) or not 1 <= window.width < math.inf:
            raise ValueError
    return found[:9]


_PARSERS: Final[dict[str, Callable[[Any], Any]]] = {
    "reader": _reader,
    "recent": _recent,
    "keys": _keys,
    "time_limit_s": _number(0.5, 600.0),
    "memory_limit_mb": _whole(128, 1 << 20),
    "workers": _whole(1, 64),
    "device": _device,
    "presets": _presets,
}
