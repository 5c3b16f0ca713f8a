"""The desk survives a Qt binding that forgets to count (see `app/__init__.py`)."""

import subprocess
import sys

CODE = """
import app
from PySide6.QtCore import QObject, Signal

class Sender(QObject):
    sent = Signal(bool)

sender = Sender()
sender.sent.connect(lambda _value: None)
for _ in range(50_000):
    sender.sent.emit(True)
    sender.setObjectName("name")
print("alive")
"""


def test_fifty_thousand_signals_do_not_end_the_process() -> None:
    done = subprocess.run([sys.executable, "-c", CODE], capture_output=True, text=True, check=False)
    assert done.stdout.strip() == "alive", done.stderr
