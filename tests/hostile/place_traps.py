"""Paths that are no plain files, and names that are no plain names."""

import contextlib
import os
import socket
import stat
from pathlib import Path

from tests.hostile.making import Maker, Trap, depths

_NAMES: tuple[bytes, ...] = (
    b"\xff\xfe\x80.png",
    b"a\nb\r.png",
    b"-rf.png",
    b"--json.png",
    b"..png",
    b"...",
    b"%s%n%x.png",
    b"$(touch x).png",
    b"'\"`;|&.png",
    b" .png",
    b"\t.png",
    b"\xe2\x80\xaegnp.exe",
    b"a\\b.png",
    b"CON.png",
    b"x" * 250 + b".png",
    "\u00e4\u6f22\u5b57\U0001f9e0.png".encode(),
    b"\x1b[31mred.png",
    b"\x7f\x01.dcm",
    b"{}.png",
    b"no-extension",
    b"scan.png.txt",
)


def names(maker: Maker, sound: dict[str, bytes]) -> None:
    """A sound picture under any name that the system allows."""
    for index, name in enumerate(_NAMES):
        folder = maker.folder / f"name-{index}"
        folder.mkdir()
        path = folder / os.fsdecode(name)
        path.write_bytes(sound["deep.png"])
        maker.traps.append(Trap(path, True))
    deep = maker.folder / "deep"
    for _ in range(12):
        deep = deep / ("d" * 200)
    with contextlib.suppress(OSError):
        deep.mkdir(parents=True)
        (deep / "a.png").write_bytes(sound["deep.png"])
        maker.traps.append(Trap(deep / "a.png", True))


def places(maker: Maker, sound: dict[str, bytes]) -> None:
    """Pipes, sockets, devices, folders, links, and what is not there at all."""
    os.mkfifo(maker.place("pipe.dcm", opens=False))
    with contextlib.closing(socket.socket(socket.AF_UNIX)) as listener:
        short = Path(os.path.relpath(maker.place("socket.dcm", opens=False)))
        listener.bind(str(short))
    with contextlib.suppress(OSError):
        os.mknod(maker.folder / "device.dcm", stat.S_IFCHR | 0o666, os.makedev(1, 5))
        maker.traps.append(Trap(maker.folder / "device.dcm", False))
    for name in ("/dev/zero", "/dev/full", "/dev/random", "/dev/tty", "/proc/self/mem"):
        maker.place("device-link.dcm", opens=False).symlink_to(name)
    for name in ("/proc/kmsg", "/proc/self/environ", "/proc/kcore", "/proc/self/pagemap"):
        maker.place("system-link.dcm", opens=False).symlink_to(name)
    maker.place("folder.dcm", opens=False).mkdir()
    inner = maker.place("folder-loop.dcm", opens=False)
    inner.mkdir()
    for name in ("up", "again"):
        (inner / name).symlink_to(inner)
    one, two = maker.place("loop-a.dcm", opens=False), maker.place("loop-b.dcm", opens=False)
    one.symlink_to(two)
    two.symlink_to(one)
    maker.place("self.dcm", opens=False).symlink_to(maker.traps[-1].path)
    maker.place("dangling.dcm", opens=False).symlink_to("nowhere")
    last = maker.folder / "nowhere"
    for number in range(1100):
        chained = maker.folder / f"chained-{number}"
        chained.symlink_to(last)
        last = chained
    maker.traps.append(Trap(last, False))
    target = maker.write("target.png", sound["deep.png"], opens=True)
    maker.place("link.png", opens=True).symlink_to(target)
    maker.place("gone.dcm", opens=False)
    maker.write("empty.dcm", b"", opens=False)
    unreadable = maker.write("secret.dcm", sound["native.dcm"])
    unreadable.chmod(0)
    path = maker.place("sparse.dcm", opens=False)
    with path.open("wb") as stream, contextlib.suppress(OSError):
        stream.write(b"\0" * 128 + b"DICM")
        stream.truncate(1 << 40)
    sparse = maker.write("sparse.png", sound["deep.png"], opens=True)
    os.truncate(sparse, 1 << 33)
    maker.traps.append(Trap(maker.folder / ("n" * 300), False))
    maker.traps.append(Trap(Path("/".join(["a"] * 3000)), False))
    maker.traps.append(Trap(target / "below.png", False))


def damaged(
    maker: Maker, files: dict[str, bytes], *, cuts: int, flips: int, sound: bool = True
) -> None:
    """Files cut at every depth, and with bits and bytes that are not theirs.

    Args:
        maker: Writes them.
        files: By name; empty ones are left out.
        cuts: Of each file.
        flips: Of each file, one bit up to two hundred.
        sound: Whether the whole ones must open.
    """
    for name, content in files.items():
        if len(content) < 32:
            continue
        for at in depths(len(content), cuts):
            maker.write(f"cut-{at}-{name}", content[:at])
        for index in range(flips):
            spoilt = bytearray(content)
            for _ in range((1, 3, 30, 200)[index % 4]):
                place = int(maker.rng.integers(len(spoilt)))
                spoilt[place] ^= 1 << int(maker.rng.integers(8))
            maker.write(f"flip-{name}", bytes(spoilt))
        maker.write(name, content, opens=True if sound else None)
        at = int(maker.rng.integers(len(content) // 2, len(content)))
        maker.write(f"hole-{name}", content[:at] + b"\0" * 4000)
