"""The middle of the desk: the tools of the scan above the scan itself."""

from PySide6.QtCore import QSize, Qt, Signal, SignalInstance
from PySide6.QtGui import QIcon, QResizeEvent
from PySide6.QtWidgets import (
    QComboBox,
    QFrame,
    QHBoxLayout,
    QSizePolicy,
    QSplitter,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from app import strings
from app.models.commands import PRESET_COMMANDS, Command
from app.models.picture import Picture
from app.models.viewing import Grey, Turn, describe_window
from app.strings import command_words
from app.views import style
from app.views.actions import Actions
from app.views.compare_panel import ComparePanel
from app.views.fields import ElidedLabel
from app.views.image_overlay import OverlayText
from app.views.image_view import ImageView
from app.views.look_again_panel import LookAgainPanel
from app.views.tags_panel import TagsPanel
from app.views.trust_panel import TrustPanel
from nearl_core.types import Scan, VoiLut

_TOOLS = (
    (Command.INVERT, "invert"),
    (Command.FLIP_HORIZONTAL, "flip-horizontal"),
    (Command.FLIP_VERTICAL, "flip-vertical"),
    (Command.ROTATE_LEFT, "rotate-left"),
    (Command.ROTATE_RIGHT, "rotate-right"),
    (Command.OVERLAY, "overlay"),
    (Command.SHUTTER, "shutter"),
    (Command.CINE, "cine"),
    (Command.MEASURE, "measure"),
    (Command.KEEP_VIEW, "keep-view"),
    (Command.TAGS, "tags"),
    (Command.COMPARE, "compare"),
    (Command.RESET, "reset"),
)
_GIVE_WAY = (
    (Command.ROTATE_RIGHT, Command.ROTATE_LEFT),
    (Command.FLIP_VERTICAL, Command.FLIP_HORIZONTAL),
    (Command.INVERT,),
    (Command.RESET,),
    (Command.KEEP_VIEW,),
    (Command.MEASURE,),
    (Command.COMPARE,),
    (Command.TAGS,),
)
"""Tools that a narrow desk leaves to their keys and the menu, some after the others."""
_NAME_WIDTH = 96
_PANEL_WIDTH, _HEADER_WIDTH, _VIEW_WIDTH = 344, 376, 144
_UNPAIRED = "U"
"""The laterality of what has no sides: beside the modality it would say nothing."""
_TURNS = {
    Command.FLIP_HORIZONTAL: Turn.FLIP_HORIZONTAL,
    Command.FLIP_VERTICAL: Turn.FLIP_VERTICAL,
    Command.ROTATE_RIGHT: Turn.RIGHT,
    Command.ROTATE_LEFT: Turn.LEFT,
}
_PANS = {
    Command.PAN_LEFT: (-1, 0),
    Command.PAN_RIGHT: (1, 0),
    Command.PAN_UP: (0, -1),
    Command.PAN_DOWN: (0, 1),
}


class ScanPanel(QWidget):
    """The scan with its tools.

    Attributes:
        frames_wanted: Scroll by so many frames.
        tags_wanted: Whether the DICOM header is to be shown.
    """

    frames_wanted = Signal(int)
    tags_wanted = Signal(bool)

    def __init__(self, actions: Actions, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("ground")
        self._actions = actions
        self._scan: Scan | None = None
        self._buttons: dict[Command, QToolButton] = {}
        self._window = QComboBox()
        self._listed: tuple[Grey, ...] = ()
        self._name = ElidedLabel()
        self.view = ImageView()
        self.view.frames_wanted.connect(self.frames_wanted)
        self.view.viewing_changed.connect(self._show_viewing)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        layout.addWidget(self._tool_bar())
        self.tags, self.compare = TagsPanel(), ComparePanel(actions)
        self.trust, self.again = TrustPanel(), LookAgainPanel()
        self._panels: dict[Command, tuple[QWidget, SignalInstance]] = {
            Command.COMPARE: (self.compare, self.compare.wanted),
            Command.TAGS: (self.tags, self.tags_wanted),
            Command.TRUST: (self.trust, self.trust.wanted),
            Command.LOOK_AGAIN: (self.again, self.again.wanted),
        }
        beside = self._beside = QSplitter(Qt.Orientation.Horizontal)
        beside.addWidget(self.view)
        for panel, _ in self._panels.values():
            panel.hide()
            beside.addWidget(panel)
        beside.setChildrenCollapsible(False)
        beside.setStretchFactor(0, 1)
        layout.addWidget(beside, 1)

    def _tool_bar(self) -> QWidget:
        bar = self._bar = QFrame()
        bar.setObjectName("panel")
        bar.setFixedHeight(40)
        line = QHBoxLayout(bar)
        line.setContentsMargins(12, 0, 8, 0)
        line.setSpacing(0)
        self._name.setMinimumWidth(_NAME_WIDTH)
        line.addWidget(self._name, 3)
        line.addSpacing(8)
        self._window.setSizeAdjustPolicy(
            QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon
        )
        self._window.setMinimumContentsLength(9)
        self._window.setMaximumWidth(160)
        self._window.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self._window.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self._window.setAccessibleName(strings.WINDOW)
        self._window.activated.connect(self._window_chosen)
        line.addWidget(self._window, 2)
        line.addSpacing(8)
        for command, icon in _TOOLS:
            line.addWidget(self._tool(command, icon))
        return bar

    def _tool(self, command: Command, icon: str) -> QToolButton:
        button = QToolButton()
        button.setIcon(QIcon(str(style.RESOURCES / "icons" / f"{icon}.svg")))
        button.setIconSize(QSize(20, 20))
        button.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        button.setToolTip(self._actions.tip(command))
        button.setAccessibleName(command_words.COMMANDS[command.value])
        action = self._actions.action(command)
        button.setCheckable(action.isCheckable())
        button.clicked.connect(action.trigger)
        action.toggled.connect(button.setChecked)
        self._buttons[command] = button
        return button

    @property
    def name(self) -> str:
        """The name of the scan on screen."""
        return "" if self._scan is None else self._scan.name

    def show_scan(self, scan: Scan | None) -> None:
        """A scan is about to be shown: its name at once, its picture when it is there."""
        self._scan = scan
        name = "" if scan is None else scan.name
        self._name.show_text(name)
        if scan is None:
            self.show_picture(None, 0)
        self.view.show_message(strings.NO_SCAN if scan is None else "")

    def show_waiting(self) -> None:
        """The picture takes a moment."""
        self.show_picture(None, 0)
        self.view.show_message(strings.READING)

    def show_problem(self, text: str) -> None:
        """The scan can't be shown: say why in its place."""
        self.show_picture(None, 0)
        self.view.show_message(text)

    def show_picture(self, picture: Picture | None, frame: int, *, same_scan: bool = False) -> None:
        """Show a frame."""
        self.view.show_message("")
        self.view.show_picture(picture, same_scan=same_scan)
        self.view.show_texts(_texts(picture, self._scan, frame))
        several = self._scan is not None and self._scan.frames > 1
        for command in (
            Command.CINE,
            Command.FRAME_UP,
            Command.FRAME_DOWN,
            Command.FIRST_FRAME,
            Command.LAST_FRAME,
            Command.NAME_FRAME,
        ):
            self._actions.action(command).setEnabled(several)
        self._buttons[Command.CINE].setVisible(several)
        has_overlay = picture is not None and picture.frame.overlay is not None
        self._buttons[Command.OVERLAY].setVisible(has_overlay)
        has_shutter = picture is not None and picture.frame.shutter is not None
        self._buttons[Command.SHUTTER].setVisible(has_shutter)
        # Frames can have windows of their own.
        if not same_scan or self._listed != self.view.windows():
            self._list_windows()
        self._show_viewing()
        self._fit_tools()

    def resizeEvent(self, event: QResizeEvent) -> None:  # noqa: N802 - Qt's name
        """Show as many tools as there is room for."""
        super().resizeEvent(event)
        self._fit_tools()

    def _fit_tools(self) -> None:
        """Rather than the name and the window of the scan, let tools go that have a key."""
        for tools in _GIVE_WAY:
            self._show_tools(tools, shown=True)
        for tools in _GIVE_WAY:
            if self._bar.minimumSizeHint().width() <= self.width():
                break
            self._show_tools(tools, shown=False)

    def _show_tools(self, tools: tuple[Command, ...], *, shown: bool) -> None:
        for command in tools:
            self._buttons[command].setVisible(shown)

    def command(self, command: Command) -> bool:
        """Do what concerns the scan's look; False for any other command."""
        if command in _TURNS:
            self.view.turn(_TURNS[command])
        elif command in _PANS:
            self.view.pan(*_PANS[command])
        elif command is Command.INVERT:
            self.view.invert()
        elif command is Command.OVERLAY:
            self.view.toggle_overlay()
        elif command is Command.SHUTTER:
            self.view.toggle_shutter()
        elif command is Command.SPREAD:
            self.view.set_window(None if self.view.picture is None else self.view.picture.spread)
        elif command is Command.NEXT_WINDOW:
            self.view.next_window()
        elif command is Command.FIT:
            self.view.fit()
        elif command in (Command.ZOOM_IN, Command.ZOOM_OUT):
            self.view.zoom(1.0 if command is Command.ZOOM_IN else -1.0)
        elif command is Command.RESET:
            self.view.reset()
        else:
            return self._switch(command)
        return True

    def _switch(self, command: Command) -> bool:
        on = self._actions.action(command).isChecked()
        if command is Command.MEASURE:
            self.view.set_measuring(on)
        elif command is Command.KEEP_VIEW:
            self.view.keeps = on
        elif command in self._panels:
            self._show_beside(command, on)
        else:
            return False
        return True

    def _show_beside(self, command: Command, on: bool) -> None:
        """Show or hide a panel; there is room for one beside the scan."""
        for other in self._panels:
            action = self._actions.action(other)
            if on and other is not command and action.isChecked():
                action.trigger()
        panel, wanted = self._panels[command]
        panel.setVisible(on)
        if on:
            whole = self._beside.width()
            least = _HEADER_WIDTH if command is Command.TAGS else _PANEL_WIDTH
            part = whole // 2
            if command is not Command.COMPARE:
                part = min(max(least, whole // 3), whole - _VIEW_WIDTH)
            parts = [part if other is command else 0 for other in self._panels]
            self._beside.setSizes([whole - part, *parts])
        wanted.emit(on)

    def preset(self, place: int) -> None:
        """Show through one of the presets."""
        if place < len(self.view.presets):
            self.view.set_window(self.view.presets[place])

    def _list_windows(self) -> None:
        self._window.clear()
        windows = self._listed = self.view.windows()
        presets = len(self.view.presets)
        own = max(len(windows) - presets - 1, 0)
        commands = (*PRESET_COMMANDS, *(None for _ in range(presets)))[:presets]
        for place, window in enumerate(windows):
            if place == own:
                self._window.insertSeparator(self._window.count())
            command = (*(None for _ in range(own)), *commands, Command.SPREAD)[place]
            key = self._actions.first_key(command) if command is not None else ""
            name = _window_name(window, place)
            self._window.addItem(f"{name}   {key}" if key else name, window)
        self._window.setVisible(bool(windows))

    def _window_chosen(self) -> None:
        window = self._window.currentData()
        if isinstance(window, Grey):
            self.view.set_window(window)
        self.view.setFocus(Qt.FocusReason.OtherFocusReason)

    def _show_viewing(self) -> None:
        viewing = self.view.viewing
        self._actions.set_checked(Command.INVERT, viewing.inverted)
        self._actions.set_checked(Command.OVERLAY, viewing.overlay)
        self._actions.set_checked(Command.SHUTTER, viewing.shutter)
        windows = self.view.windows()
        if not windows:
            return
        wanted = viewing.window if viewing.window is not None else windows[0]
        for row in range(self._window.count()):
            if self._window.itemData(row) == wanted:
                self._window.setCurrentIndex(row)
                return
        self._window.setCurrentIndex(-1)
        self._window.setPlaceholderText(strings.OWN_WINDOW)


def _window_name(window: Grey, place: int) -> str:
    if window.name:
        return window.name
    if isinstance(window, VoiLut):
        return strings.FILE_LUT.format(number=place + 1)
    return describe_window(window)


def _texts(picture: Picture | None, scan: Scan | None, frame: int) -> OverlayText:
    if picture is None or scan is None:
        return OverlayText()
    info = picture.info
    size = f"{info.columns} × {info.rows}"
    side = info.laterality if info.laterality != _UNPAIRED else ""
    place = " ".join(part for part in (side, info.view) if part)
    counter = strings.FRAME.format(number=frame + 1, total=scan.frames) if scan.frames > 1 else ""
    number = None if info.place is None else info.place.series
    series = "" if number is None else strings.SERIES.format(number=number)
    first = "  ".join(part for part in (info.modality, series, place) if part)
    return OverlayText((first, size), info.notices, counter)
