"""NIfTI files that lie or balloon."""

import gzip
import struct
import zlib

from tests.hostile.making import Maker

_DIMENSIONS, _DATATYPE, _OFFSET = 40, 70, 108


def volumes(maker: Maker, sound: dict[str, bytes], *, megabytes: int = 3000) -> None:
    """Headers that promise gigabytes, packed and plain, and packed zeros without end."""
    head = sound["head.nii"]
    for sizes in ((32767,) * 7, (32767, 32767, 1), (1000, 1000, 500), (-1, 4, 4), (0, 0, 0)):
        value = struct.pack(f"<{len(sizes) + 1}h", len(sizes), *sizes)
        lying = _said(head, _DIMENSIONS, value)
        maker.write("sizes.nii", lying, opens=False)
        maker.write("sizes.nii.gz", gzip.compress(lying), opens=False)
    for kind in (0, 1, 32, 64, 128, 1792, 2304, -1):
        maker.write("kind.nii", _said(head, _DATATYPE, struct.pack("<h", kind)))
    for offset in (0.0, 1e9, 1e30, -5.0, float("nan")):
        maker.write("offset.nii.gz", gzip.compress(_said(head, _OFFSET, struct.pack("<f", offset))))
    for _ in range(2):
        places = maker.rng.bytes(344)
        maker.write("noise.nii", head[:4] + places[4:] + head[344:])
    squeezer = zlib.compressobj(9, zlib.DEFLATED, zlib.MAX_WBITS | 16)
    large = _said(head, _DIMENSIONS, struct.pack("<4h", 3, 1000, 1000, 500))
    out = squeezer.compress(large)
    for _ in range(megabytes):
        out += squeezer.compress(b"\0" * (1 << 20))
    maker.write("bomb.nii.gz", out + squeezer.flush())


def _said(content: bytes, at: int, value: bytes) -> bytes:
    return content[:at] + value + content[at + len(value) :]
