"""Refuses internet sockets for the whole test run, those of C code included.

An audit hook and not a patched class: it sees every socket of the process, and nothing can put
the original back. Local sockets (AF_UNIX) pass, as asyncio and multiprocessing need them.
"""

import socket
import sys
from typing import Any

_INTERNET = {int(socket.AF_INET), int(socket.AF_INET6)}
_LOOPBACK = ("127.0.0.1", "::1", "localhost")
_attempts: list[str] = []


class NetworkRefusedError(RuntimeError):
    """A test reached for the network. No OSError, so that "offline" handling can't swallow it."""


def refuse_internet() -> None:
    """Refuse from now on, in this process, for good."""
    sys.addaudithook(_hook)


def take_attempts() -> list[str]:
    """What was refused since the last call."""
    taken = list(_attempts)
    _attempts.clear()
    return taken


def _hook(event: str, args: tuple[Any, ...]) -> None:
    if not event.startswith("socket."):
        return
    if event == "socket.getaddrinfo":
        _refuse_unless_loopback(event, args[0])
    elif event == "socket.__new__" and args[1] in _INTERNET and sys.platform != "win32":
        _refuse(event, "an internet socket")
    elif event in {"socket.connect", "socket.sendto"} and isinstance(args[1], tuple):
        _refuse_unless_loopback(event, args[1][0])


def _refuse_unless_loopback(event: str, host: object) -> None:
    # On Windows a socket pair, and so every asyncio loop, is made of two loopback sockets.
    if sys.platform != "win32" or host not in _LOOPBACK:
        _refuse(event, str(host))


def _refuse(event: str, what: str) -> None:
    _attempts.append(f"{event}: {what}")
    raise NetworkRefusedError(f"The tests refuse the network ({event}: {what}).")
