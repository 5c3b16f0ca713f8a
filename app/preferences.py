"""What the desk itself remembers, beside the settings that it shares with the command line."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from types import MappingProxyType
from typing import Any

from PySide6.QtCore import QObject, Signal

from nearl_core.errors import NearlError
from nearl_core.settings import Settings, save

_KEY = "desk"


@dataclass(frozen=True)
class Preferences:
    """Choices of the reader that only the window knows.

    Attributes:
        auto_train: Whether training starts by itself.
        auto_train_every: After so many new decisions.
        suggestions: Whether bars are shown.
        instructive: Whether the queue brings the scan that teaches most, else as they were added.
        survey: Whether the engine looks at all scans when nothing else is to do.
        window: Size and place of the window, Qt's own text.
    """

    auto_train: bool = True
    auto_train_every: int = 20
    suggestions: bool = True
    instructive: bool = True
    survey: bool = True
    window: str = ""


def of(settings: Settings) -> Preferences:
    """The desk's part of the settings; what can't be used takes its default."""
    kept = settings.unknown.get(_KEY)
    if not isinstance(kept, Mapping):
        return Preferences()
    found = Preferences()
    for name, default in asdict(found).items():
        value: Any = kept.get(name, default)
        if type(value) is type(default):
            found = replace(found, **{name: value})
    every = min(max(found.auto_train_every, 5), 1000)
    return replace(found, auto_train_every=every)


def put(settings: Settings, preferences: Preferences) -> Settings:
    """Settings with the desk's part in them."""
    others = {name: value for name, value in settings.unknown.items() if name != _KEY}
    return replace(settings, unknown=MappingProxyType({**others, _KEY: asdict(preferences)}))


class Keeper(QObject):
    """Holds the settings and saves every change; lives in the GUI thread.

    Attributes:
        changed: The settings are other ones.
        failed: The NearlError that says why they can't be saved.
    """

    changed = Signal()
    failed = Signal(object)

    def __init__(self, settings: Settings, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._settings = settings

    @property
    def settings(self) -> Settings:
        """What holds now."""
        return self._settings

    @property
    def desk(self) -> Preferences:
        """The desk's part."""
        return of(self._settings)

    def change(self, settings: Settings) -> None:
        """Take other settings and save them: a few hundred bytes, so here and now."""
        if settings == self._settings and of(settings) == of(self._settings):
            return
        self._settings = settings
        try:
            save(settings)
        except NearlError as error:
            self.failed.emit(error)
        self.changed.emit()

    def change_desk(self, desk: Preferences) -> None:
        """Change the desk's part."""
        self.change(put(self._settings, desk))
