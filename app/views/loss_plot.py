"""The loss curve of a training run (pyqtgraph)."""

import pyqtgraph as pg
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QVBoxLayout, QWidget

from app import strings
from app.views import style


class LossPlot(QWidget):
    """A curve of loss over steps."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setFixedHeight(56)
        self.setAccessibleName(strings.LOSS_CURVE)
        self._losses: list[float] = []
        plot = pg.PlotWidget(background=style.FIELD)
        plot.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        plot.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        plot.hideButtons()
        plot.setMenuEnabled(False)
        for side in ("left", "bottom"):
            axis = plot.getAxis(side)
            axis.setPen(style.LINE)
            axis.setTextPen(style.MUTED)
            axis.setStyle(tickLength=-3, tickFont=style.font(self.font(), pixels=11))
        self._left = plot.getAxis("left")
        self._left.setWidth(40)
        plot.getAxis("bottom").setHeight(20)
        self._steps = plot.getViewBox()
        self._steps.setDefaultPadding(0.25)  # room for the figures at both ends of the left axis
        plot.showGrid(x=False, y=True, alpha=0.15)
        self._curve = plot.plot([], [], pen=pg.mkPen(style.ACCENT, width=1.5))
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(plot)

    @property
    def losses(self) -> tuple[float, ...]:
        """What is drawn."""
        return tuple(self._losses)

    def clear(self) -> None:
        """Draw nothing."""
        self.show_losses(())

    def show_losses(self, losses: tuple[float, ...]) -> None:
        """Draw a whole run."""
        self._losses = list(losses)
        self._curve.setData(list(range(1, len(losses) + 1)), self._losses)
        ends = sorted({min(losses), max(losses)}) if losses else []
        self._steps.setXRange(0, max(len(losses), 10), padding=0.02)  # there is no step below 0
        self._left.setTicks([[(loss, f"{loss:.2f}") for loss in ends]])

    def add(self, loss: float) -> None:
        """Draw one more step."""
        self.show_losses((*self._losses, loss))
