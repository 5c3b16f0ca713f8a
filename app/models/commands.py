"""Everything that a key or a menu can ask for, by name."""

from dataclasses import dataclass
from enum import StrEnum

from app.models.keymap import Binding
from app.strings import command_words


class Command(StrEnum):
    """What the reader can ask for; the value stands in the settings where a key is changed."""

    NEW_PROJECT = "new-project"
    OPEN_PROJECT = "open-project"
    OPEN_DEMO = "open-demo"
    ADD_SCANS = "add-scans"
    LABEL_SET = "label-set"
    IMPORT_LABELS = "import-labels"
    RULES = "reading-rules"
    READERS = "readers"
    COPY = "copy"
    MERGE = "merge"
    EXPORT = "export"
    CHECK = "check"
    BACKBONES = "backbones"
    PREFERENCES = "preferences"
    CLOSE_PROJECT = "close-project"
    QUIT = "quit"
    ACCEPT = "accept"
    DEFER = "defer"
    FIND_LABEL = "find-label"
    PROBABLE = "probable"
    UNSURE = "unsure"
    NONE_APPLY = "none-apply"
    UNASSESSABLE = "unassessable"
    FLAG = "flag"
    NOTE = "note"
    NAME_FRAME = "name-frame"
    UNDO = "undo"
    REDO = "redo"
    SUGGESTIONS = "suggestions"
    PREVIOUS = "previous"
    NEXT = "next"
    NEXT_TO_DO = "next-to-do"
    SEARCH = "search"
    GRID = "grid"
    INSTRUCTIVE = "instructive"
    LOOK_AGAIN = "look-again"
    FRAME_UP = "frame-up"
    FRAME_DOWN = "frame-down"
    FIRST_FRAME = "first-frame"
    LAST_FRAME = "last-frame"
    CINE = "cine"
    INVERT = "invert"
    FLIP_HORIZONTAL = "flip-horizontal"
    FLIP_VERTICAL = "flip-vertical"
    ROTATE_RIGHT = "rotate-right"
    ROTATE_LEFT = "rotate-left"
    ZOOM_IN = "zoom-in"
    ZOOM_OUT = "zoom-out"
    PAN_LEFT = "pan-left"
    PAN_RIGHT = "pan-right"
    PAN_UP = "pan-up"
    PAN_DOWN = "pan-down"
    FIT = "fit"
    OVERLAY = "overlay"
    SHUTTER = "shutter"
    MEASURE = "measure"
    NEXT_WINDOW = "next-window"
    KEEP_VIEW = "keep-view"
    TAGS = "tags"
    COMPARE = "compare"
    MORE_ALIKE = "more-alike"
    LESS_ALIKE = "less-alike"
    RESET = "reset"
    PRESET_1 = "preset-1"
    PRESET_2 = "preset-2"
    PRESET_3 = "preset-3"
    PRESET_4 = "preset-4"
    PRESET_5 = "preset-5"
    SPREAD = "spread"
    TRAIN = "train"
    CANCEL_TRAINING = "cancel-training"
    TRUST = "trust"
    KEYS = "keys"
    GUIDE = "guide"
    ABOUT = "about"


PRESET_COMMANDS = (
    Command.PRESET_1,
    Command.PRESET_2,
    Command.PRESET_3,
    Command.PRESET_4,
    Command.PRESET_5,
)


class Group(StrEnum):
    """The menus, in order."""

    PROJECT = "project"
    DECIDE = "decide"
    QUEUE = "queue"
    SCAN = "scan"
    TRAINING = "training"
    HELP = "help"


class Part(StrEnum):
    """Menus within a menu that would be as high as the window."""

    FRAMES = "frames"
    WINDOW = "window"
    TURN = "turn"
    ZOOM = "zoom"


@dataclass(frozen=True)
class CommandSpec:
    """One row of the action table.

    Attributes:
        keys: Defaults in Qt's portable text; the first one is shown.
        checkable: Whether it is a switch.
        needs_project: Whether it means nothing on the start page.
        starts_section: Whether the menu has a line before it.
        within: The menu within the menu where it stands, if any.
    """

    command: Command
    group: Group
    keys: tuple[str, ...] = ()
    checkable: bool = False
    needs_project: bool = True
    starts_section: bool = False
    within: Part | None = None

    @property
    def text(self) -> str:
        """The words of the menu."""
        return command_words.COMMANDS[self.command.value]


def _spec(
    command: Command,
    group: Group,
    *keys: str,
    checkable: bool = False,
    always: bool = False,
    line: bool = False,
    within: Part | None = None,
) -> CommandSpec:
    return CommandSpec(command, group, keys, checkable, not always, line, within)


COMMANDS: tuple[CommandSpec, ...] = (
    _spec(Command.NEW_PROJECT, Group.PROJECT, "Ctrl+N", always=True),
    _spec(Command.OPEN_PROJECT, Group.PROJECT, "Ctrl+O", always=True),
    _spec(Command.OPEN_DEMO, Group.PROJECT, always=True),
    _spec(Command.ADD_SCANS, Group.PROJECT, "Ctrl+Shift+A", line=True),
    _spec(Command.LABEL_SET, Group.PROJECT, "Ctrl+L"),
    _spec(Command.IMPORT_LABELS, Group.PROJECT, "Ctrl+I"),
    _spec(Command.RULES, Group.PROJECT),
    _spec(Command.READERS, Group.PROJECT, "Ctrl+R"),
    _spec(Command.COPY, Group.PROJECT),
    _spec(Command.MERGE, Group.PROJECT),
    _spec(Command.EXPORT, Group.PROJECT, "Ctrl+E"),
    _spec(Command.CHECK, Group.PROJECT),
    _spec(Command.BACKBONES, Group.PROJECT, "Ctrl+B", always=True, line=True),
    _spec(Command.PREFERENCES, Group.PROJECT, "Ctrl+,", always=True),
    _spec(Command.CLOSE_PROJECT, Group.PROJECT, "Ctrl+W", line=True),
    _spec(Command.QUIT, Group.PROJECT, "Ctrl+Q", always=True),
    _spec(Command.ACCEPT, Group.DECIDE, "Return", "Enter"),
    _spec(Command.DEFER, Group.DECIDE, "Space"),
    _spec(Command.NONE_APPLY, Group.DECIDE, "N"),
    _spec(Command.UNASSESSABLE, Group.DECIDE, "X"),
    _spec(Command.FIND_LABEL, Group.DECIDE, "G"),
    _spec(Command.PROBABLE, Group.DECIDE, "P", line=True),
    _spec(Command.UNSURE, Group.DECIDE, "U"),
    _spec(Command.FLAG, Group.DECIDE, "F"),
    _spec(Command.NOTE, Group.DECIDE, "E"),
    _spec(Command.NAME_FRAME, Group.DECIDE, "J"),
    _spec(Command.UNDO, Group.DECIDE, "Ctrl+Z", line=True),
    _spec(Command.REDO, Group.DECIDE, "Ctrl+Shift+Z", "Ctrl+Y"),
    _spec(Command.SUGGESTIONS, Group.DECIDE, "B", checkable=True, line=True),
    _spec(Command.PREVIOUS, Group.QUEUE, "Left"),
    _spec(Command.NEXT, Group.QUEUE, "Right"),
    _spec(Command.NEXT_TO_DO, Group.QUEUE, "Ctrl+Right"),
    _spec(Command.SEARCH, Group.QUEUE, "/", line=True),
    _spec(Command.INSTRUCTIVE, Group.QUEUE, checkable=True),
    _spec(Command.LOOK_AGAIN, Group.QUEUE, "A", checkable=True),
    _spec(Command.GRID, Group.QUEUE, "Ctrl+G", line=True),
    _spec(Command.FRAME_UP, Group.SCAN, "Up", within=Part.FRAMES),
    _spec(Command.FRAME_DOWN, Group.SCAN, "Down", within=Part.FRAMES),
    _spec(Command.FIRST_FRAME, Group.SCAN, "Home", within=Part.FRAMES),
    _spec(Command.LAST_FRAME, Group.SCAN, "End", within=Part.FRAMES),
    _spec(Command.CINE, Group.SCAN, "C", checkable=True, within=Part.FRAMES),
    _spec(Command.NEXT_WINDOW, Group.SCAN, "W", within=Part.WINDOW),
    _spec(Command.PRESET_1, Group.SCAN, "Alt+1", within=Part.WINDOW),
    _spec(Command.PRESET_2, Group.SCAN, "Alt+2", within=Part.WINDOW),
    _spec(Command.PRESET_3, Group.SCAN, "Alt+3", within=Part.WINDOW),
    _spec(Command.PRESET_4, Group.SCAN, "Alt+4", within=Part.WINDOW),
    _spec(Command.PRESET_5, Group.SCAN, "Alt+5", within=Part.WINDOW),
    _spec(Command.SPREAD, Group.SCAN, "Alt+6", within=Part.WINDOW),
    _spec(Command.FLIP_HORIZONTAL, Group.SCAN, "H", within=Part.TURN),
    _spec(Command.FLIP_VERTICAL, Group.SCAN, "V", within=Part.TURN),
    _spec(Command.ROTATE_RIGHT, Group.SCAN, "R", within=Part.TURN),
    _spec(Command.ROTATE_LEFT, Group.SCAN, "L", within=Part.TURN),
    _spec(Command.ZOOM_IN, Group.SCAN, "+", within=Part.ZOOM),
    _spec(Command.ZOOM_OUT, Group.SCAN, "-", within=Part.ZOOM),
    _spec(Command.FIT, Group.SCAN, "=", within=Part.ZOOM),
    _spec(Command.PAN_LEFT, Group.SCAN, "Shift+Left", line=True, within=Part.ZOOM),
    _spec(Command.PAN_RIGHT, Group.SCAN, "Shift+Right", within=Part.ZOOM),
    _spec(Command.PAN_UP, Group.SCAN, "Shift+Up", within=Part.ZOOM),
    _spec(Command.PAN_DOWN, Group.SCAN, "Shift+Down", within=Part.ZOOM),
    _spec(Command.INVERT, Group.SCAN, "I", checkable=True, line=True),
    _spec(Command.OVERLAY, Group.SCAN, "O", checkable=True),
    _spec(Command.SHUTTER, Group.SCAN, "D", checkable=True),
    _spec(Command.MEASURE, Group.SCAN, "M", checkable=True),
    _spec(Command.KEEP_VIEW, Group.SCAN, "K", checkable=True),
    _spec(Command.RESET, Group.SCAN, "Backspace"),
    _spec(Command.TAGS, Group.SCAN, "T", checkable=True, line=True),
    _spec(Command.COMPARE, Group.SCAN, "S", checkable=True),
    _spec(Command.LESS_ALIKE, Group.SCAN, "["),
    _spec(Command.MORE_ALIKE, Group.SCAN, "]"),
    _spec(Command.TRAIN, Group.TRAINING, "Ctrl+T"),
    _spec(Command.CANCEL_TRAINING, Group.TRAINING),
    _spec(Command.TRUST, Group.TRAINING, "Y", checkable=True, line=True),
    _spec(Command.KEYS, Group.HELP, "?", "F1", always=True),
    _spec(Command.GUIDE, Group.HELP, always=True),
    _spec(Command.ABOUT, Group.HELP, always=True),
)


def bindings() -> tuple[Binding, ...]:
    """The default keys of the action table."""
    return tuple(Binding(spec.command.value, spec.keys) for spec in COMMANDS)
